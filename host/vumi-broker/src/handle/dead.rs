//! How messages die, and what can be done to dead letters.

use std::sync::Arc;

use tokio::sync::oneshot;
use vumi_core::{Confirm, DeadLetter, Result};
use vumi_message::Timestamp;

use super::{Backing, QueueHandle, State, next, unwatched};
use crate::effect::Effect;
use crate::error;
use crate::queue::Message;
use crate::write::{Insert, Write};

/// Bytes of a reason that are kept.
const REASON: usize = 1_024;

/// A reason as it is kept.
pub(crate) fn cut(reason: &str) -> &str {
    reason.get(..reason.floor_char_boundary(REASON)).unwrap_or_default()
}

/// One log line for so many dropped dead letters.
const LOG_EVERY: u64 = 1_000;

impl QueueHandle {
    /// Makes a delivery a dead letter.
    pub(crate) fn reject(self: &Arc<Self>, id: u64, reason: &str) -> Result<Confirm> {
        let reason = cut(reason).to_owned();
        let at_micros = Timestamp::now().micros();
        let letter = |number, message: Message| DeadLetter {
            id: number,
            queue: self.name.clone(),
            reason: reason.clone(),
            at_micros,
            attempts: message.attempts,
            body: message.body,
        };
        let (journal, row) = match &self.backing {
            Backing::Memory(ids) => {
                let message = self.settle(id)?;
                self.keep_dead(letter(next(ids), message));
                self.meters.dead.increment(1);
                return Ok(Confirm::ready());
            }
            Backing::File(journal, row) => (journal, row),
        };
        let message = self.begin_settling(id)?;
        let (confirm, confirmed) = oneshot::channel();
        let appended = journal.append(1, |number| {
            let write = Write::Reject {
                id,
                letter: number,
                row: Arc::clone(row),
                attempts: message.attempts,
                body: message.body.clone(),
                reason: reason.clone(),
                at_micros,
            };
            (write, Effect::Reject { queue: Arc::clone(self), id, letter: letter(number, message), confirm })
        });
        if appended { Ok(Confirm::waiting(confirmed)) } else { Err(error::closed()) }
    }

    /// The journal has made a delivery a dead letter.
    pub(crate) fn died(self: &Arc<Self>, id: u64, letter: DeadLetter) {
        self.change(|state, _| {
            state.queue.remove(id);
            self.keep(state, letter);
        });
        self.meters.dead.increment(1);
    }

    /// Puts a dead letter to the others.
    pub(crate) fn keep_dead(self: &Arc<Self>, letter: DeadLetter) {
        self.change(|state, _| self.keep(state, letter));
    }

    pub(super) fn keep(&self, state: &mut State, letter: DeadLetter) {
        let dropped = state.dead.insert(letter);
        if dropped.is_empty() {
            return;
        }
        let before = state.dropped;
        state.dropped += dropped.len() as u64;
        self.meters.dead_dropped.increment(dropped.len() as u64);
        if before == 0 || before / LOG_EVERY < state.dropped / LOG_EVERY {
            tracing::warn!(
                queue = self.name,
                dropped = state.dropped,
                "too many dead letters: the oldest are dropped (counted since the start)"
            );
        }
        if let Some((journal, _)) = self.journal() {
            // When the journal is closed, they go at the next start.
            journal.append(0, unwatched(Write::Bury(dropped)));
        }
    }

    /// The oldest dead letters.
    pub(crate) fn dead_letters(&self, limit: usize) -> Vec<DeadLetter> {
        self.state.lock().dead.list(limit)
    }

    /// Makes a dead letter a message at the end of the queue, as if it had never been delivered. None when there is no
    /// such letter.
    pub(crate) fn revive(self: &Arc<Self>, number: u64) -> Result<Option<Confirm>> {
        self.change(|state, wakers| {
            if state.closed {
                return Err(error::closed());
            }
            if !state.queue.has_hard_room() {
                return Err(self.full_to_the_brim(state));
            }
            let Some(letter) = state.dead.take(number) else { return Ok(None) };
            let size = letter.body.len();
            let (journal, row) = match &self.backing {
                Backing::Memory(_) => return self.admit(state, letter.body, wakers).map(Some),
                Backing::File(journal, row) => (journal, row),
            };
            let (confirm, confirmed) = oneshot::channel();
            let appended = journal.append(1, |id| {
                let insert = Insert { id, row: Arc::clone(row), body: letter.body.clone() };
                let message = Message::new(id, letter.body.clone());
                (
                    Write::Revive { letter: number, insert },
                    Effect::Revive { queue: Arc::clone(self), letter, message, confirm },
                )
            });
            if !appended {
                return Err(error::closed());
            }
            state.queue.reserve(size);
            Ok(Some(Confirm::waiting(confirmed)))
        })
    }

    /// Drops a dead letter. None when there is no such letter.
    pub(crate) fn bury(self: &Arc<Self>, number: u64) -> Result<Option<Confirm>> {
        self.change(|state, _| {
            if state.closed {
                return Err(error::closed());
            }
            let Some(letter) = state.dead.take(number) else { return Ok(None) };
            let Some((journal, _)) = self.journal() else { return Ok(Some(Confirm::ready())) };
            let (confirm, confirmed) = oneshot::channel();
            let effect = Effect::Bury { queue: Arc::clone(self), letter, confirm };
            let appended = journal.append(0, |_| (Write::Bury(vec![number]), effect));
            if appended { Ok(Some(Confirm::waiting(confirmed))) } else { Err(error::closed()) }
        })
    }
}
