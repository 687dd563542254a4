//! A broker that does not take messages for one queue: it lets them wait, or refuses them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;
use vumi_core::{Admission, Broker, Confirm, Consumer, DeadLetter, Error, QueueInfo, Result};

/// See the module's text.
pub(super) struct StuckBroker {
    inner: Arc<dyn Broker>,
    queue: &'static str,
    stuck: watch::Sender<bool>,
    waiting: AtomicU32,
    to_refuse: AtomicU32,
    refused: AtomicU32,
}

impl StuckBroker {
    /// It lets messages for this queue wait until told otherwise.
    pub(super) fn new(inner: Arc<dyn Broker>, queue: &'static str) -> Self {
        let (stuck, _) = watch::channel(true);
        let zero = || AtomicU32::new(0);
        Self { inner, queue, stuck, waiting: zero(), to_refuse: zero(), refused: zero() }
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    pub(super) fn release(&self) {
        self.stuck.send_replace(false);
    }

    /// Refuses the next `count` messages, and then lets them pass.
    pub(super) fn refuse(&self, count: u32) {
        self.to_refuse.store(count, Ordering::SeqCst);
        self.release();
    }

    pub(super) fn refused(&self) -> u32 {
        self.refused.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Broker for StuckBroker {
    async fn publish(&self, queue: &str, body: Bytes, admission: Admission) -> Result<Confirm> {
        if queue == self.queue {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            self.stuck.subscribe().wait_for(|stuck| !stuck).await.unwrap();
            let one_less = |left: u32| left.checked_sub(1);
            if self.to_refuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
                self.refused.fetch_add(1, Ordering::SeqCst);
                return Err(Error::temporary("away"));
            }
        }
        self.inner.publish(queue, body, admission).await
    }

    async fn declare(&self, queue: &str) -> Result<()> {
        self.inner.declare(queue).await
    }

    fn has_room(&self, queue: &str) -> bool {
        self.inner.has_room(queue)
    }

    async fn room(&self, queue: &str) {
        self.inner.room(queue).await;
    }

    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Box<dyn Consumer>> {
        self.inner.consume(queue, prefetch).await
    }

    async fn queues(&self) -> Result<Vec<QueueInfo>> {
        self.inner.queues().await
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>> {
        self.inner.dead_letters(queue, limit).await
    }

    async fn revive(&self, queue: &str, id: u64) -> Result<bool> {
        self.inner.revive(queue, id).await
    }

    async fn bury(&self, queue: &str, id: u64) -> Result<bool> {
        self.inner.bury(queue, id).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
