//! What a committed change sets going, and what is undone when it could not be committed.

use std::sync::Arc;

use tokio::sync::oneshot;
use vumi_core::{DeadLetter, Error, Result};
use vumi_sqlite::DbError;

use crate::handle::QueueHandle;
use crate::queue::Message;

/// Where the caller waits.
pub(crate) type Confirming = oneshot::Sender<Result<()>>;

/// See the module's text.
pub(crate) enum Effect {
    /// Nobody waits.
    None,
    /// A message in its reserved place.
    Publish { queue: Arc<QueueHandle>, message: Message, confirm: Confirming },
    /// A settled message, and those that came of it in their reserved places.
    Done { queue: Arc<QueueHandle>, id: u64, outgoing: Vec<(Arc<QueueHandle>, Message)>, confirm: Confirming },
    /// A message that becomes a dead letter.
    Reject { queue: Arc<QueueHandle>, id: u64, letter: DeadLetter, confirm: Confirming },
    /// A dead letter that becomes a message, in its reserved place.
    Revive { queue: Arc<QueueHandle>, letter: DeadLetter, message: Message, confirm: Confirming },
    /// A dead letter that goes.
    Bury { queue: Arc<QueueHandle>, letter: DeadLetter, confirm: Confirming },
}

impl Effect {
    /// Takes effect, or is undone, and tells who waits.
    pub(crate) fn apply(self, outcome: Result<(), DbError>) {
        let failed = outcome.err().map(|cause| {
            Error::temporary("the broker could not write to its file, so nothing of this was done").because(cause)
        });
        let confirm = match (self, failed.is_none()) {
            (Self::None, _) => return,
            (Self::Publish { queue, message, confirm }, true) => {
                queue.arrive(message);
                confirm
            }
            (Self::Publish { queue, message, confirm }, false) => {
                queue.release(message.body.len());
                confirm
            }
            (Self::Done { queue, id, outgoing, confirm }, true) => {
                queue.settled(id);
                outgoing.into_iter().for_each(|(target, message)| target.arrive(message));
                confirm
            }
            (Self::Done { queue, id, outgoing, confirm }, false) => {
                outgoing.iter().for_each(|(target, message)| target.release(message.body.len()));
                queue.unsettled(id);
                confirm
            }
            (Self::Reject { queue, id, letter, confirm }, true) => {
                queue.died(id, letter);
                confirm
            }
            (Self::Reject { queue, id, confirm, .. }, false) => {
                queue.unsettled(id);
                confirm
            }
            (Self::Revive { queue, message, confirm, .. }, true) => {
                queue.arrive(message);
                confirm
            }
            (Self::Revive { queue, letter, message, confirm }, false) => {
                queue.release(message.body.len());
                queue.keep_dead(letter);
                confirm
            }
            (Self::Bury { confirm, .. }, true) => confirm,
            (Self::Bury { queue, letter, confirm }, false) => {
                queue.keep_dead(letter);
                confirm
            }
        };
        // Nobody listens when the caller stopped waiting; the work is done all the same.
        let _ = confirm.send(failed.map_or(Ok(()), Err));
    }
}
