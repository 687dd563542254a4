//! How deliveries end.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;
use vumi_core::Result;

use super::{QueueHandle, State};
use crate::error;
use crate::queue::Message;

/// The longest delay; longer ones are cut to it, as a clock cannot count them. About thirty years.
pub(crate) const LONGEST: Duration = Duration::from_secs(86_400 * 365 * 30);

impl QueueHandle {
    /// Removes a delivery for good, where there is no journal: the message.
    pub(crate) fn settle(self: &Arc<Self>, id: u64) -> Result<Message> {
        self.change(|state, wakers| {
            if state.closed {
                return Err(error::closed());
            }
            let (message, consumer) = state.queue.remove(id).ok_or_else(error::settled_before)?;
            wakers.extend(consumer.and_then(|seat| state.seats.settled(seat)));
            Ok(message)
        })
    }

    /// Notes that the journal is about to settle a delivery: the message. The consumer may take the next one.
    pub(crate) fn begin_settling(self: &Arc<Self>, id: u64) -> Result<Message> {
        self.change(|state, wakers| {
            if state.closed {
                return Err(error::closed());
            }
            let (message, seat) = state.queue.begin_settling(id).ok_or_else(error::settled_before)?;
            wakers.extend(state.seats.settled(seat));
            Ok(message)
        })
    }

    /// The journal has settled a delivery.
    pub(crate) fn settled(self: &Arc<Self>, id: u64) {
        self.change(|state, _| state.queue.remove(id));
    }

    /// The journal could not settle a delivery: it will be handed out again.
    pub(crate) fn unsettled(self: &Arc<Self>, id: u64) {
        self.change(|state, wakers| self.give_back(state, id, None, wakers));
    }

    /// A consumer gives a delivery back, to be handed out again after a time.
    pub(crate) fn retry(self: &Arc<Self>, id: u64, delay: Duration) {
        self.change(|state, wakers| {
            // After the end it stays what it is, handed out: so it is counted in the file.
            if !state.closed {
                let due = (!delay.is_zero()).then(|| Instant::now() + delay.min(LONGEST));
                self.give_back(state, id, due, wakers);
            }
        });
    }

    /// A consumer gives a delivery back as if it had never had it.
    pub(crate) fn release_delivery(self: &Arc<Self>, id: u64) {
        self.change(|state, wakers| {
            if !state.closed {
                state.queue.uncount(id);
                self.give_back(state, id, None, wakers);
            }
        });
    }

    fn give_back(&self, state: &mut State, id: u64, due: Option<Instant>, wakers: &mut Vec<Waker>) {
        let Some((attempts, consumer)) = state.queue.give_back(id, due) else { return };
        wakers.extend(consumer.and_then(|seat| state.seats.settled(seat)));
        match due {
            None => wakers.extend(state.seats.wake_one()),
            // Those who wait have set their alarms for a later time, or none.
            Some(due) if state.queue.next_due() == Some(due) => wakers.extend(state.seats.idle()),
            Some(_) => {}
        }
        if let Some((journal, _)) = self.journal() {
            journal.attempts(id, attempts);
        }
    }
}
