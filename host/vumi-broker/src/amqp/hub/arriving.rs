//! How messages come to a hub from RabbitMQ, and how they leave it unhandled.

use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;

use bytes::Bytes;
use tokio::time::Instant;

use super::lost::Fate;
use super::{Command, Hub, Origin, State};
use crate::queue::Message;

/// A message as it comes from RabbitMQ.
pub(super) struct Arrival {
    pub(super) tag: u64,
    pub(super) seat: Option<u64>,
    pub(super) body: Bytes,
    pub(super) redelivered: bool,
    pub(super) delivered_before: u32,
    pub(super) trace: Option<String>,
}

impl Hub {
    /// Takes in what RabbitMQ delivered. Numbers of those deliveries that are to be acknowledged at once.
    pub(super) fn arrive(&self, arrivals: Vec<Arrival>) -> Vec<u64> {
        let mut over = Vec::new();
        self.change(|state, wakers| {
            for Arrival { tag, seat, body, redelivered, delivered_before, trace } in arrivals {
                let print = self.printer.hash_one(&body);
                let (id, attempts, due, fresh) = match state.lost.found(print, redelivered) {
                    Some((_, Fate::Ended)) => {
                        over.push(tag);
                        continue;
                    }
                    Some((id, Fate::Held)) if state.origins.contains_key(&id) => {
                        if let Some(origin) = state.origins.get_mut(&id) {
                            (origin.tag, origin.seat) = (Some(tag), seat);
                        }
                        continue;
                    }
                    Some((id, Fate::Waiting { attempts, due })) => (id, attempts, due, false),
                    Some((_, Fate::Held)) | None => {
                        let id = state.next;
                        state.next += 1;
                        (id, delivered_before, None, true)
                    }
                };
                state.origins.insert(id, Origin { tag: Some(tag), print, seat });
                let message = Message { id, attempts, body, trace };
                match fresh {
                    true => state.queue.push(message),
                    false => state.queue.put_back(message, due),
                }
                match due {
                    None => wakers.extend(state.seats.wake_one()),
                    Some(_) => wakers.extend(state.seats.idle()),
                }
            }
            self.turn_out(state);
        });
        over
    }

    /// The channel is lost: what is here waits for its copy. The number of the next channel.
    pub(super) fn lose(&self) -> u64 {
        self.change(|state, _| {
            state.epoch += 1;
            for (message, due) in state.queue.withdraw_all() {
                if let Some(origin) = state.origins.remove(&message.id) {
                    state.lost.note(origin.print, message.id, Fate::Waiting { attempts: message.attempts, due });
                }
            }
            // What is left is in the hands of workers, or being settled.
            for (id, origin) in &mut state.origins {
                origin.tag = None;
                state.lost.note(origin.print, *id, Fate::Held);
            }
            state.epoch
        })
    }

    /// Takes out what was delivered for a seat and waits here. Numbers of those deliveries.
    pub(super) fn left_by(&self, seat: u64) -> Vec<u64> {
        self.change(|state, _| {
            let its = state.origins.iter().filter(|(_, origin)| origin.seat == Some(seat));
            let its: HashSet<u64> = its.map(|(id, _)| *id).collect();
            let nobody = state.prefetches.is_empty();
            self.withdraw(state, |message| nobody || its.contains(&message.id))
        })
    }

    /// Where nobody sits, nothing stays that could be handed out: it goes back to RabbitMQ, for others.
    pub(super) fn turn_out(&self, state: &mut State) {
        if state.prefetches.is_empty() {
            for tag in self.withdraw(state, |_| true) {
                self.tell(Command::Back { epoch: state.epoch, tag });
            }
        }
    }

    /// Takes messages out that wait. If they come here again, their attempts are known. Numbers of the deliveries.
    fn withdraw(&self, state: &mut State, which: impl FnMut(&Message) -> bool) -> Vec<u64> {
        let mut tags = Vec::new();
        for message in state.queue.withdraw(which) {
            let Some(origin) = state.origins.remove(&message.id) else { continue };
            let fate = Fate::Waiting { attempts: message.attempts, due: None };
            state.lost.note(origin.print, message.id, fate);
            tags.extend(origin.tag);
        }
        tags
    }

    /// Somebody sits here.
    pub(super) fn is_needed(&self) -> bool {
        let state = self.state.lock();
        !state.closed && !state.prefetches.is_empty()
    }

    /// Nobody sits here, nobody has anything from here, and there is nothing to be told to RabbitMQ.
    pub(super) fn is_deserted(&self) -> bool {
        let state = self.state.lock();
        state.prefetches.is_empty() && state.queue.unacked() + state.acking == 0 && state.queue.delayed() == 0
    }

    /// The prefetch of each seat.
    pub(super) fn prefetches(&self) -> BTreeMap<u64, u16> {
        self.state.lock().prefetches.clone()
    }

    /// Messages that wait for their time, and deliveries that RabbitMQ waits for.
    pub(super) fn held_up(&self) -> (usize, usize) {
        let state = self.state.lock();
        match state.queue.delayed() {
            0 => (0, 0),
            delayed => (delayed, state.origins.values().filter(|origin| origin.tag.is_some()).count()),
        }
    }

    /// When the first delayed message is due, if nobody sits here to be handed it.
    pub(super) fn alone_until(&self) -> Option<Instant> {
        let state = self.state.lock();
        if state.prefetches.is_empty() { state.queue.next_due() } else { None }
    }

    /// Puts back what is due and nobody is here for.
    pub(super) fn nobody_came(&self) {
        self.change(|state, _| {
            state.queue.promote(Instant::now());
            self.turn_out(state);
        });
    }
}
