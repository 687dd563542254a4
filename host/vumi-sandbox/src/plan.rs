//! Which version of an app handles which message.
//!
//! Usually it is one. While a new version is being tried, a share of the conversations goes to it (the canary), chosen
//! by a hash that stays the same for a conversation, so that nobody is moved to and fro; or it runs in the shadow of
//! the one that answers.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use vumi_core::Input;
use vumi_message::derived_id;

use crate::app::LoadedComponent;
use crate::shadow::Shadow;

/// A share is so many of ten thousand conversations.
pub const WHOLE: u32 = 10_000;

/// Sent messages that are remembered with their version, for the events about them.
const REMEMBERED: usize = 100_000;

/// One version of an app.
#[derive(Clone)]
pub struct Release {
    /// Its number, where versions are numbered.
    pub number: Option<u32>,
    /// Its component.
    pub component: LoadedComponent,
}

/// See the module's text.
#[derive(Clone)]
pub struct Plan {
    /// The version that answers.
    pub live: Release,
    /// A version that answers so many of ten thousand conversations instead.
    pub canary: Option<(Release, u32)>,
    /// A version that runs beside the live one.
    pub shadow: Option<Arc<Shadow>>,
}

impl Plan {
    /// One component for everybody.
    pub fn of(component: &LoadedComponent) -> Self {
        Self::live(Release { number: None, component: component.clone() })
    }

    /// One version for everybody.
    pub fn live(live: Release) -> Self {
        Self { live, canary: None, shadow: None }
    }

    /// The version that handles an input, and whether that is the live one.
    pub(crate) fn choose(&self, app: &str, input: &Input, senders: &Senders) -> (&Release, bool) {
        let Some((canary, share)) = &self.canary else { return (&self.live, true) };
        let is_canary = match input {
            Input::Message(message) => {
                let place = [app, message.transport_name().unwrap_or_default(), message.user().unwrap_or_default()];
                point(&place) < *share
            }
            // An event goes to the version that sent the message which it is about.
            Input::Event(event) => event.user_message_id().is_some_and(|id| senders.is_canary(id)),
        };
        if is_canary { (canary, false) } else { (&self.live, true) }
    }
}

/// Where a conversation stands among ten thousand: FNV-1a, which is the same on every machine and in every release.
fn point(parts: &[&str]) -> u32 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in parts.iter().flat_map(|part| part.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // The high bits are the well mixed ones.
    u32::try_from((hash >> 32) % u64::from(WHOLE)).unwrap_or(0)
}

/// The messages that the canary sent lately.
#[derive(Default)]
pub(crate) struct Senders {
    sent: Mutex<Sent>,
}

#[derive(Default)]
struct Sent {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Senders {
    /// Notes the messages of a run of the canary.
    pub(crate) fn note(&self, cause: &str, app: &str, count: u64) {
        let mut sent = self.sent.lock();
        for number in 0..count {
            let id = derived_id(cause, app, number);
            if sent.ids.insert(id.clone()) {
                sent.order.push_back(id);
            }
        }
        while sent.order.len() > REMEMBERED {
            if let Some(oldest) = sent.order.pop_front() {
                sent.ids.remove(&oldest);
            }
        }
    }

    fn is_canary(&self, id: &str) -> bool {
        self.sent.lock().ids.contains(id)
    }

    /// Forgets all.
    pub(crate) fn forget(&self) {
        *self.sent.lock() = Sent::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_stands_always_at_the_same_place_and_all_are_spread_evenly() {
        assert_eq!(point(&["shop", "sms", "+27831234567"]), point(&["shop", "sms", "+27831234567"]));
        assert_ne!(point(&["shop", "sms", "+27831234567"]), point(&["shop", "sms", "+27831234568"]));
        let below =
            |share: u32| (0..20_000).filter(|n| point(&["shop", "sms", &format!("+2783{n:07}")]) < share).count();
        for share in [100, 1_000, 5_000, 9_900] {
            let (found, expected) = (below(share) as f64, 2.0 * f64::from(share));
            assert!((found - expected).abs() < 6.0 * expected.sqrt() + 20.0, "{share}: {found} of {expected}");
        }
        assert_eq!((below(0), below(WHOLE)), (0, 20_000));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let senders = Senders::default();
        for n in 0..REMEMBERED + 10 {
            senders.note(&n.to_string(), "shop", 1);
        }
        assert!(!senders.is_canary(&derived_id("9", "shop", 0)));
        assert!(senders.is_canary(&derived_id("10", "shop", 0)));
        senders.forget();
        assert!(!senders.is_canary(&derived_id("10", "shop", 0)));
    }
}
