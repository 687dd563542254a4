//! How deliveries of one queue are settled: [`Settle`] for the embedded broker.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::oneshot;
use vumi_core::{Confirm, Outgoing, Result, Settle};

use crate::effect::Effect;
use crate::error;
use crate::handle::QueueHandle;
use crate::journal::Journal;
use crate::queue::Message;
use crate::shared::Shared;
use crate::write::{Insert, Write};

/// Settles deliveries of one queue.
pub(crate) struct Settler {
    pub(crate) queue: Arc<QueueHandle>,
    pub(crate) shared: Arc<Shared>,
}

/// A body with a place reserved for it.
struct Placed {
    queue: Arc<QueueHandle>,
    body: Bytes,
}

#[async_trait]
impl Settle for Settler {
    async fn done(&self, tag: u64, outgoing: Vec<Outgoing>) -> Result<Confirm> {
        // Nothing here waits: a future that is dropped has either done all of it or nothing.
        let placed = self.reserve(outgoing)?;
        match self.shared.journal() {
            None => self.done_in_memory(tag, placed),
            Some(journal) => self.done_in_file(journal, tag, placed),
        }
    }

    fn retry(&self, tag: u64, delay: Duration) {
        self.queue.retry(tag, delay);
    }

    fn release(&self, tag: u64) {
        self.queue.release_delivery(tag);
    }

    async fn reject(&self, tag: u64, reason: &str) -> Result<Confirm> {
        self.queue.reject(tag, reason)
    }
}

impl Settler {
    /// Reserves a place for each body; all or none.
    fn reserve(&self, outgoing: Vec<Outgoing>) -> Result<Vec<Placed>> {
        let mut placed = Vec::with_capacity(outgoing.len());
        for Outgoing { queue, body } in outgoing {
            let one = self.shared.queue(&queue).and_then(|queue| {
                queue.check_size(&body)?;
                queue.reserve(body.len())?;
                Ok(Placed { queue, body })
            });
            match one {
                Ok(one) => placed.push(one),
                Err(error) => {
                    release(&placed);
                    return Err(error);
                }
            }
        }
        Ok(placed)
    }

    fn done_in_memory(&self, tag: u64, placed: Vec<Placed>) -> Result<Confirm> {
        if let Err(error) = self.queue.settle(tag) {
            release(&placed);
            return Err(error);
        }
        for Placed { queue, body } in placed {
            queue.arrive_unwritten(body);
        }
        Ok(Confirm::ready())
    }

    fn done_in_file(&self, journal: &Journal, tag: u64, placed: Vec<Placed>) -> Result<Confirm> {
        if let Err(error) = self.queue.begin_settling(tag) {
            release(&placed);
            return Err(error);
        }
        let (confirm, confirmed) = oneshot::channel();
        let appended = journal.append(placed.len() as u64, |first| {
            let mut inserts = Vec::with_capacity(placed.len());
            let mut outgoing = Vec::with_capacity(placed.len());
            for (id, Placed { queue, body }) in (first..).zip(placed) {
                inserts.extend(queue.row().map(|row| Insert { id, row: Arc::clone(row), body: body.clone() }));
                outgoing.push((queue, Message::new(id, body)));
            }
            let effect = Effect::Done { queue: Arc::clone(&self.queue), id: tag, outgoing, confirm };
            (Write::Done { id: tag, inserts }, effect)
        });
        // A closed journal means a closed broker, in which places no longer matter.
        if appended { Ok(Confirm::waiting(confirmed)) } else { Err(error::closed()) }
    }
}

fn release(placed: &[Placed]) {
    for Placed { queue, body } in placed {
        queue.release(body.len());
    }
}
