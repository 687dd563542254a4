//! How messages come into a queue.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use vumi_core::{Admission, Confirm, Error, Result};

use super::{Backing, QueueHandle, State, next};
use crate::effect::Effect;
use crate::error;
use crate::line::Waiting;
use crate::queue::Message;
use crate::write::{Insert, Write};

/// The answer to a publisher.
pub(crate) enum Admitted {
    /// It is in.
    Now(Confirm),
    /// It stands in line under this number, for at most this time, and gets its answer there.
    Wait(u64, oneshot::Receiver<Result<Confirm>>, Duration),
}

impl QueueHandle {
    /// Refuses a body that is too large.
    pub(crate) fn check_size(&self, body: &Bytes) -> Result<()> {
        if body.len() > self.limits.max_body {
            return Err(error::too_large(&self.name, body.len(), self.limits.max_body));
        }
        Ok(())
    }

    /// Publishes, or joins the line.
    pub(crate) fn publish(self: &Arc<Self>, body: Bytes, admission: Admission) -> Result<Admitted> {
        self.change(|state, wakers| {
            if state.closed {
                return Err(error::closed());
            }
            let (room, wait) = match admission {
                // While there is room, nobody stands in line.
                Admission::Edge(wait) => (state.queue.has_room(), Some(wait)),
                Admission::Inside => (state.queue.has_hard_room(), None),
            };
            match wait {
                _ if room => self.admit(state, body, wakers).map(Admitted::Now),
                Some(Duration::ZERO) => Err(self.full(state)),
                Some(wait) => {
                    let (sender, receiver) = oneshot::channel();
                    Ok(Admitted::Wait(state.line.join(Waiting::Publisher(body, sender)), receiver, wait))
                }
                None => Err(self.full_to_the_brim(state)),
            }
        })
    }

    /// Leaves the line. False when the turn had come before: then the answer is there.
    pub(crate) fn leave_line(self: &Arc<Self>, number: u64) -> bool {
        self.change(|state, _| state.line.leave(number))
    }

    /// What a publisher is told whose time ran out.
    pub(crate) fn out_of_time(&self) -> Error {
        self.full(&self.state.lock())
    }

    /// Below the first bound.
    pub(crate) fn has_room(&self) -> bool {
        self.state.lock().queue.has_room()
    }

    /// Joins the line of those who wait for room, if there is none.
    pub(crate) fn wait_for_room(self: &Arc<Self>) -> Option<(u64, oneshot::Receiver<()>)> {
        self.change(|state, _| {
            if state.closed || state.queue.has_room() {
                return None;
            }
            let (sender, receiver) = oneshot::channel();
            Some((state.line.join(Waiting::Observer(sender)), receiver))
        })
    }

    /// Takes a place for a message from inside.
    pub(crate) fn reserve(&self, size: usize) -> Result<()> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(error::closed());
        }
        if !state.queue.has_hard_room() {
            return Err(self.full_to_the_brim(&state));
        }
        state.queue.reserve(size);
        Ok(())
    }

    /// Gives a place back that was reserved in vain.
    pub(crate) fn release(self: &Arc<Self>, size: usize) {
        self.change(|state, _| state.queue.release(size));
    }

    /// A message arrives in its reserved place.
    pub(crate) fn arrive(self: &Arc<Self>, message: Message) {
        self.change(|state, wakers| self.push(state, message, wakers));
    }

    /// A body arrives in its reserved place, where there is no journal that has given it a number.
    pub(crate) fn arrive_unwritten(self: &Arc<Self>, body: Bytes) {
        if let Backing::Memory(ids) = &self.backing {
            // Numbered under the lock: the order of numbers is the order in the queue.
            self.change(|state, wakers| self.push(state, Message::new(next(ids), body), wakers));
        }
    }

    /// Publishes for those in line, and tells those who wait for room, while there is room.
    pub(super) fn call_in(self: &Arc<Self>, state: &mut State, wakers: &mut Vec<Waker>) {
        while state.queue.has_room() {
            // An answer always finds its receiver: who leaves the line does so under the lock.
            match state.line.call() {
                None => return,
                Some(Waiting::Observer(answer)) => drop(answer.send(())),
                Some(Waiting::Publisher(body, answer)) => drop(answer.send(self.admit(state, body, wakers))),
            }
        }
    }

    /// Takes a body in, whatever the bounds say.
    pub(super) fn admit(self: &Arc<Self>, state: &mut State, body: Bytes, wakers: &mut Vec<Waker>) -> Result<Confirm> {
        let size = body.len();
        let confirm = match &self.backing {
            Backing::Memory(ids) => {
                self.push(state, Message::new(next(ids), body), wakers);
                Confirm::ready()
            }
            Backing::File(journal, row) => {
                let (confirm, confirmed) = oneshot::channel();
                let appended = journal.append(1, |id| {
                    let insert = Insert { id, row: Arc::clone(row), body: body.clone() };
                    let message = Message::new(id, body);
                    (Write::Insert(insert), Effect::Publish { queue: Arc::clone(self), message, confirm })
                });
                if !appended {
                    return Err(error::closed());
                }
                Confirm::waiting(confirmed)
            }
        };
        state.queue.reserve(size);
        Ok(confirm)
    }

    /// Puts a message at the end.
    pub(super) fn push(&self, state: &mut State, message: Message, wakers: &mut Vec<Waker>) {
        state.queue.push(message);
        wakers.extend(state.seats.wake_one());
        self.meters.published.increment(1);
    }

    fn full(&self, state: &State) -> Error {
        let (messages, bytes) = state.queue.load();
        error::full(&self.name, messages, bytes)
    }

    pub(super) fn full_to_the_brim(&self, state: &State) -> Error {
        let (messages, bytes) = state.queue.load();
        error::full_to_the_brim(&self.name, messages, bytes)
    }
}
