//! [`EmbeddedBroker`]: the broker of one process, in memory or with a file.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use vumi_core::{Admission, Broker, Confirm, Consumer, DeadLetter, QueueInfo, Result};
use vumi_sqlite::Durability;

use crate::consumer::SeatedConsumer;
use crate::error::{self, BrokerError};
use crate::handle::{Admitted, QueueHandle};
use crate::journal::Journal;
use crate::options::BrokerOptions;
use crate::restore;
use crate::settle::Settler;
use crate::shared::{Shared, first_id};

/// The broker of one process.
///
/// Queues come into being when they are declared, published to or consumed; a message that is published before any
/// consumer came is kept. Consumers of one queue take turns.
///
/// In memory, a message is confirmed at once and everything ends with the process. With a file, a message is confirmed
/// and handed out once it is written, and so is everything else that is confirmed. Where a confirm of
/// [`Delivery::done`](vumi_core::Delivery::done) or `reject` fails because the file cannot be written, nothing of it
/// was done and the delivery is back in its queue.
///
/// After [`Broker::close`] everything is refused with a temporary error; deliveries that are settled then stay in
/// their queues. Dropping the broker closes it without waiting for the end.
pub struct EmbeddedBroker {
    shared: Arc<Shared>,
}

impl EmbeddedBroker {
    /// A broker in memory.
    pub fn in_memory(options: BrokerOptions) -> Arc<Self> {
        Arc::new(Self { shared: Arc::new(Shared::new(&options, None)) })
    }

    /// A broker with the file `path` (customarily `broker.sqlite`), which is made when missing; its directory must
    /// exist. Beside it appear `<file>-wal`, `<file>-shm`, `<file>.lock` and `<file>.marks`.
    ///
    /// Messages and dead letters that the file holds are in their queues in the old order; what was to be handed out
    /// after a delay is handed out at once. Blocks while it reads the file: call it at start-up.
    ///
    /// # Errors
    /// [`BrokerError`], one sentence for the user each.
    pub fn open(path: &Path, durability: Durability, options: BrokerOptions) -> Result<Arc<Self>, BrokerError> {
        let found = restore::open(path, durability)?;
        let journal = Journal::start(found.database, found.marks, found.next_id.max(first_id()))?;
        let broker = Self::on(journal, found.next_row, &options);
        found.queues.into_iter().for_each(|queue| broker.shared.restore(queue));
        Ok(Arc::new(broker))
    }

    /// A broker on a running journal, in which the rows of new queues begin at `next_row`.
    pub(crate) fn on(journal: Arc<Journal>, next_row: u64, options: &BrokerOptions) -> Self {
        Self { shared: Arc::new(Shared::new(options, Some((journal, next_row)))) }
    }
}

#[async_trait]
impl Broker for EmbeddedBroker {
    async fn declare(&self, queue: &str) -> Result<()> {
        self.shared.queue(queue).map(drop)
    }

    async fn publish(&self, queue: &str, body: Bytes, admission: Admission) -> Result<Confirm> {
        let queue = self.shared.queue(queue)?;
        queue.check_size(&body)?;
        let (number, mut answer, wait) = match queue.publish(body, admission)? {
            Admitted::Now(confirm) => return Ok(confirm),
            Admitted::Wait(number, answer, wait) => (number, answer, wait),
        };
        // Dropped before `answer`, so that who calls it in always finds it.
        let place = InLine { queue: &queue, number };
        match tokio::time::timeout(wait, &mut answer).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(error::closed())),
            Err(_) if queue.leave_line(place.number) => Err(queue.out_of_time()),
            // Its turn came, or the broker was closed, at the last moment.
            Err(_) => answer.try_recv().unwrap_or_else(|_| Err(error::closed())),
        }
    }

    fn has_room(&self, queue: &str) -> bool {
        self.shared.find(queue).is_none_or(|queue| queue.has_room())
    }

    async fn room(&self, queue: &str) {
        let Some(queue) = self.shared.find(queue) else { return };
        let Some((number, mut answer)) = queue.wait_for_room() else { return };
        let _place = InLine { queue: &queue, number };
        // An error means that the broker was closed: then there is nothing to wait for.
        let _ = (&mut answer).await;
    }

    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Box<dyn Consumer>> {
        let queue = self.shared.queue(queue)?;
        let seat = queue.sit(prefetch);
        let settle = Arc::new(Settler { queue: Arc::clone(&queue), shared: Arc::clone(&self.shared) });
        Ok(Box::new(SeatedConsumer::new(queue, settle, seat)))
    }

    async fn queues(&self) -> Result<Vec<QueueInfo>> {
        let mut found: Vec<_> = self.shared.all().iter().map(|queue| queue.info()).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>> {
        Ok(self.shared.find(queue).map(|queue| queue.dead_letters(limit)).unwrap_or_default())
    }

    async fn revive(&self, queue: &str, id: u64) -> Result<bool> {
        let Some(queue) = self.shared.find(queue) else { return Ok(false) };
        done(queue.revive(id)?).await
    }

    async fn bury(&self, queue: &str, id: u64) -> Result<bool> {
        let Some(queue) = self.shared.find(queue) else { return Ok(false) };
        done(queue.bury(id)?).await
    }

    async fn close(&self) {
        self.shared.shut();
        if let Some(journal) = self.shared.journal() {
            journal.ended().await;
        }
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        self.shared.shut();
    }
}

impl std::fmt::Debug for EmbeddedBroker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let durable = self.shared.journal().is_some();
        f.debug_struct("EmbeddedBroker").field("durable", &durable).finish_non_exhaustive()
    }
}

/// Whether something was found, once what was done to it is safe.
async fn done(found: Option<Confirm>) -> Result<bool> {
    match found {
        Some(confirm) => confirm.await.map(|()| true),
        None => Ok(false),
    }
}

/// A place in the line of a queue, given up when the call is.
struct InLine<'a> {
    queue: &'a Arc<QueueHandle>,
    number: u64,
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.queue.leave_line(self.number);
    }
}
