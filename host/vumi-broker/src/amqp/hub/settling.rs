//! How deliveries of one queue of RabbitMQ end.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio::time::Instant;
use vumi_core::{Confirm, Outgoing, Result, Settle};

use super::super::dead;
use super::super::entry::{Answer, Entry, Group};
use super::super::shared::{INSIDE, Shared};
use super::super::{dispatch, wire};
use super::lost::Fate;
use super::{Command, Hub, State};
use crate::error;
use crate::handle::LONGEST;
use crate::queue::Message;

/// Settles deliveries of one queue.
pub(crate) struct HubSettler {
    pub(crate) hub: Arc<Hub>,
    pub(crate) shared: Arc<Shared>,
}

#[async_trait]
impl Settle for HubSettler {
    async fn done(&self, tag: u64, outgoing: Vec<Outgoing>) -> Result<Confirm> {
        if outgoing.is_empty() {
            self.hub.begin(tag)?;
            let (sender, receiver) = oneshot::channel();
            self.hub.finish(tag, sender);
            return Ok(Confirm::waiting(receiver));
        }
        let trace = vumi_core::trace::current();
        let letters = outgoing
            .into_iter()
            .map(|Outgoing { queue, body }| {
                dispatch::letter(&self.shared.plan, &queue, body, wire::properties(trace.as_deref()))
            })
            .collect::<Result<Vec<_>>>()?;
        // All that can wait, or fail, comes before the delivery is touched: a future that is dropped has done nothing.
        let place = self.shared.within(INSIDE, dispatch::place(&self.shared, &letters)).await?;
        self.hub.begin(tag)?;
        let (sender, receiver) = oneshot::channel();
        let hub = Arc::clone(&self.hub);
        let group = Group::new(letters.len(), move |result| hub.concluded(tag, result, sender));
        self.shared.publisher.publish(
            letters
                .into_iter()
                .map(|letter| Entry::new(letter, Answer::Part(Arc::clone(&group)), Some(Arc::clone(&place)))),
        );
        Ok(Confirm::waiting(receiver))
    }

    fn retry(&self, tag: u64, delay: Duration) {
        let due = (!delay.is_zero()).then(|| Instant::now() + delay.min(LONGEST));
        self.hub.give_back(tag, due, true);
    }

    fn release(&self, tag: u64) {
        self.hub.give_back(tag, None, false);
    }

    async fn reject(&self, tag: u64, reason: &str) -> Result<Confirm> {
        let Some((attempts, body)) = self.hub.look(tag) else { return Err(self.hub.unknown()) };
        let letter = dead::letter(&self.hub.name, reason, attempts, body)?;
        let place = self.shared.within(INSIDE, dispatch::place(&self.shared, std::slice::from_ref(&letter))).await?;
        self.hub.begin(tag)?;
        let (sender, receiver) = oneshot::channel();
        let hub = Arc::clone(&self.hub);
        let group = Group::new(1, move |result| {
            if result.is_ok() {
                hub.meters.dead.increment(1);
            }
            hub.concluded(tag, result, sender);
        });
        self.shared.publisher.publish([Entry::new(letter, Answer::Part(group), Some(place))]);
        Ok(Confirm::waiting(receiver))
    }
}

impl Hub {
    /// Attempts and body of a delivery that somebody has.
    fn look(&self, id: u64) -> Option<(u32, bytes::Bytes)> {
        let state = self.state.lock();
        state.queue.handed(id).filter(|_| !state.closed).map(|message| (message.attempts, message.body.clone()))
    }

    fn unknown(&self) -> vumi_core::Error {
        if self.state.lock().closed { error::closed() } else { error::settled_before() }
    }

    /// Notes that a delivery is being settled. Its consumer may take the next one.
    fn begin(&self, id: u64) -> Result<()> {
        self.change(|state, wakers| {
            if state.closed {
                return Err(error::closed());
            }
            let (_, seat) = state.queue.begin_settling(id).ok_or_else(error::settled_before)?;
            wakers.extend(state.seats.settled(seat));
            Ok(())
        })
    }

    /// What a settlement publishes is confirmed, or has failed: then the delivery is back.
    fn concluded(&self, id: u64, result: Result<()>, answer: oneshot::Sender<Result<()>>) {
        match result {
            Ok(()) => self.finish(id, answer),
            Err(error) => {
                self.give_back(id, None, true);
                // An error means that nobody waits.
                let _ = answer.send(Err(error));
            }
        }
    }

    /// Ends a delivery for good. The answer comes when RabbitMQ has been told.
    fn finish(&self, id: u64, answer: oneshot::Sender<Result<()>>) {
        self.change(|state, _| {
            state.queue.remove(id);
            let Some(origin) = state.origins.remove(&id) else { return };
            match origin.tag {
                Some(tag) => {
                    state.acking += 1;
                    self.tell(Command::Ack { epoch: state.epoch, tag, id, print: origin.print, answer: Some(answer) });
                }
                // The work is done; RabbitMQ cannot be told, so a copy will come, here or elsewhere.
                None => {
                    state.lost.note(origin.print, id, Fate::Ended);
                    let _ = answer.send(Ok(()));
                }
            }
        });
    }

    /// RabbitMQ has been told of an acknowledgement, or it came too late for that: number and print of the message.
    pub(super) fn acked(&self, too_late: Option<(u64, u64)>) {
        let mut state = self.state.lock();
        state.acking = state.acking.saturating_sub(1);
        if let Some((id, print)) = too_late {
            state.lost.note(print, id, Fate::Ended);
        }
    }

    /// Takes a delivery back, to be handed out again. `counted`: as an attempt.
    fn give_back(&self, id: u64, due: Option<Instant>, counted: bool) {
        self.change(|state, wakers| {
            if state.closed {
                return;
            }
            if !counted {
                state.queue.uncount(id);
            }
            match state.origins.get(&id).map(|origin| (origin.tag.is_some(), origin.print)) {
                Some((true, _)) => self.put_back(state, id, due, wakers),
                Some((false, print)) => {
                    state.origins.remove(&id);
                    let Some((Message { attempts, .. }, seat)) = state.queue.remove(id) else { return };
                    state.lost.note(print, id, Fate::Waiting { attempts, due });
                    wakers.extend(seat.and_then(|seat| state.seats.settled(seat)));
                }
                None => {}
            }
        });
    }

    fn put_back(&self, state: &mut State, id: u64, due: Option<Instant>, wakers: &mut Vec<Waker>) {
        let Some((_, seat)) = state.queue.give_back(id, due) else { return };
        wakers.extend(seat.and_then(|seat| state.seats.settled(seat)));
        match due {
            None => wakers.extend(state.seats.wake_one()),
            Some(_) => {
                wakers.extend(state.seats.idle());
                // It keeps its place in RabbitMQ's prefetch; the task sees to it that others pass meanwhile.
                self.tell(Command::Delayed);
            }
        }
        self.turn_out(state);
    }
}
