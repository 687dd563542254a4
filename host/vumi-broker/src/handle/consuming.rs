//! How messages come to consumers.

use std::sync::Arc;
use std::task::Waker;

use tokio::time::Instant;

use super::QueueHandle;
use crate::consumer::{Hall, Take};

impl QueueHandle {
    /// A consumer comes; the number of its seat.
    pub(crate) fn sit(self: &Arc<Self>, prefetch: u16) -> u64 {
        self.change(|state, _| state.seats.sit(prefetch))
    }
}

impl Hall for QueueHandle {
    fn take(&self, seat: u64, waker: &Waker) -> Take {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        if state.closed {
            return Take::Closed;
        }
        if !state.seats.may_take(seat, waker) {
            return Take::Wait(None);
        }
        if state.queue.next_due().is_some() {
            state.queue.promote(Instant::now());
        }
        let Some(message) = state.queue.take(seat) else {
            state.seats.wait(seat, waker);
            return Take::Wait(state.queue.next_due());
        };
        state.seats.took(seat);
        if let Some((journal, row)) = self.journal()
            && message.id > state.marked
        {
            state.marked = message.id;
            journal.marks.set(row.id, message.id);
        }
        self.meters.delivered.increment(1);
        self.measure(state);
        Take::Message(message)
    }

    fn leave(self: &Arc<Self>, seat: u64) {
        self.change(|state, wakers| {
            if state.seats.leave(seat) && state.queue.takeable() {
                wakers.extend(state.seats.wake_one());
            }
        });
    }

    fn stand(self: &Arc<Self>, seat: u64) {
        self.change(|state, _| state.seats.stand(seat));
    }
}
