//! How messages come to consumers.

use std::sync::Arc;
use std::task::Waker;

use tokio::time::Instant;

use super::QueueHandle;
use crate::queue::Message;

/// The answer to a consumer that asks for a message.
pub(crate) enum Take {
    /// Here is one.
    Message(Message),
    /// Its waker will be called; and if a time is given, it must ask again at that time.
    Wait(Option<Instant>),
    /// There will be none.
    Closed,
}

impl QueueHandle {
    /// A consumer comes; the number of its seat.
    pub(crate) fn sit(self: &Arc<Self>, prefetch: u16) -> u64 {
        self.change(|state, _| state.seats.sit(prefetch))
    }

    /// A consumer goes.
    pub(crate) fn stand(self: &Arc<Self>, seat: u64) {
        self.change(|state, _| state.seats.stand(seat));
    }

    /// Takes a message or waits for one.
    pub(crate) fn take(&self, seat: u64, waker: &Waker) -> Take {
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

    /// A consumer stops waiting. If it had been woken for a message, another is.
    pub(crate) fn leave(self: &Arc<Self>, seat: u64) {
        self.change(|state, wakers| {
            if state.seats.leave(seat) && state.queue.takeable() {
                wakers.extend(state.seats.wake_one());
            }
        });
    }
}
