//! What is the matter with a Redis now, told to the log once for each change.

use std::sync::atomic::{AtomicU8, Ordering};

use parking_lot::Mutex;

use super::fault::{Fault, Trouble};

/// What a call does, as far as it shows that a trouble is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Changes nothing: may be asked again.
    Read,
    /// Only removes: is done even when Redis is full.
    Remove,
    /// Adds or changes.
    Write,
}

/// See the module's text.
pub(super) struct Health {
    place: String,
    /// The trouble as a number, 0 for none: a look at it must cost nothing, as every call takes it.
    mark: AtomicU8,
    now: Mutex<Option<(Trouble, String)>>,
}

impl Health {
    pub(super) fn new(place: &str) -> Self {
        Self { place: place.to_owned(), mark: AtomicU8::new(0), now: Mutex::new(None) }
    }

    /// Something failed.
    pub(super) fn failed(&self, fault: &Fault) {
        let Some(trouble) = fault.trouble else { return };
        let sentence = fault.error.to_string();
        let mut now = self.now.lock();
        let known = now.as_ref().is_some_and(|(before, _)| *before == trouble);
        *now = Some((trouble, sentence.clone()));
        self.mark.store(trouble as u8, Ordering::Relaxed);
        drop(now);
        if !known {
            tracing::warn!(redis = %self.place, "{sentence}");
        }
    }

    /// A call was answered.
    pub(super) fn answered(&self, access: Access) {
        if self.mark.load(Ordering::Relaxed) != 0 {
            self.over(|trouble| !trouble.is_of_writes() || access == Access::Write);
        }
    }

    /// A connection stands.
    pub(super) fn connected(&self) {
        self.over(|trouble| !trouble.is_of_writes());
    }

    fn over(&self, mended: impl FnOnce(Trouble) -> bool) {
        let mut now = self.now.lock();
        let over = now.as_ref().is_some_and(|(trouble, _)| mended(*trouble));
        if over {
            *now = None;
            self.mark.store(0, Ordering::Relaxed);
            drop(now);
            tracing::info!(redis = %self.place, "Redis at {} works again", self.place);
        }
    }

    /// The sentence about what is wrong now.
    pub(super) fn sentence(&self) -> Option<String> {
        self.now.lock().as_ref().map(|(_, sentence)| sentence.clone())
    }
}
