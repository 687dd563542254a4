//! Workers built from their configuration, with a clock that is set and a broker that may be away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::component::Configured;
use vumi_core::{
    Admission, Broker, Clock, Confirm, Consumer, Context, DeadLetter, Error, Happening, QueueInfo, Result, Sequenced,
    Worker,
};
use vumi_message::Timestamp;
use vumi_tests::context::context_with;
use vumi_worker::registry::WorkerPlace;
use vumi_worker::{WorkerConfig, WorkerShared};

use crate::telnet::rig::soon;

/// A clock that stands still until it is set.
pub(crate) struct SetClock(AtomicI64);

impl SetClock {
    pub(crate) fn at(secs: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(secs * 1_000_000)))
    }

    pub(crate) fn set(&self, secs: i64) {
        self.0.store(secs * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// An embedded broker that plays a shared one: it can be away, and it remembers what was announced.
pub(crate) struct OuterBroker {
    pub(crate) inner: Arc<EmbeddedBroker>,
    pub(crate) away: AtomicBool,
    pub(crate) announced: Mutex<Vec<(String, String, Bytes)>>,
}

impl OuterBroker {
    pub(crate) fn new() -> Arc<Self> {
        let inner = EmbeddedBroker::in_memory(BrokerOptions::default());
        Arc::new(Self { inner, away: AtomicBool::new(false), announced: Mutex::default() })
    }

    fn here(&self) -> Result<()> {
        if self.away.load(Ordering::SeqCst) { Err(Error::temporary("the broker is away")) } else { Ok(()) }
    }
}

#[async_trait]
impl Broker for OuterBroker {
    async fn declare(&self, queue: &str) -> Result<()> {
        self.inner.declare(queue).await
    }

    async fn publish(&self, queue: &str, body: Bytes, admission: Admission) -> Result<Confirm> {
        self.here()?;
        self.inner.publish(queue, body, admission).await
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

    async fn announce(&self, exchange: &str, key: &str, body: Bytes) -> Result<Confirm> {
        self.here()?;
        self.announced.lock().push((exchange.to_owned(), key.to_owned(), body));
        Ok(Confirm::ready())
    }

    fn is_shared(&self) -> bool {
        true
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

/// A worker's map as it stands in a configuration file.
struct Read(Configured<WorkerShared, WorkerConfig>);

impl<'de> serde::Deserialize<'de> for Read {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        WorkerConfig::read(deserializer).map(Read)
    }
}

/// Builds a worker; an error is the text that a user would see.
pub(crate) fn build(yaml: &str, context: &Context) -> std::result::Result<Arc<dyn Worker>, String> {
    let Configured { shared, component } = serde_saphyr::from_str::<Read>(yaml).map_err(|error| error.to_string())?.0;
    component.check(&shared).map_err(|error| error.to_string())?;
    component.build(WorkerPlace { shared: &shared, context }).map_err(|error| error.to_string())
}

/// A context in memory with a broker of its own and this clock.
pub(crate) fn context(clock: &Arc<SetClock>) -> Context {
    context_with(EmbeddedBroker::in_memory(BrokerOptions::default()), Arc::clone(clock) as Arc<dyn Clock>)
}

/// A worker that runs.
pub(crate) struct Running {
    pub(crate) at: Option<String>,
    stop: CancellationToken,
    task: JoinHandle<Result<()>>,
}

impl Running {
    /// Builds a worker and waits until it works.
    pub(crate) async fn start(yaml: &str, context: &Context) -> Self {
        let worker = build(yaml, context).unwrap();
        let mut feed = context.feed.watch();
        let stop = CancellationToken::new();
        let task = tokio::spawn(worker.run(stop.clone()));
        let at = soon("the worker is ready", readiness(&mut feed)).await;
        Self { at, stop, task }
    }

    /// Stops it in order.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        soon("the worker stops", self.task).await.unwrap().unwrap();
    }
}

async fn readiness(feed: &mut broadcast::Receiver<Arc<Sequenced>>) -> Option<String> {
    loop {
        if let Happening::Ready { name, at } = &feed.recv().await.unwrap().happening {
            assert_eq!(name, "worker:test");
            return at.clone();
        }
    }
}

pub(crate) async fn put(broker: &dyn Broker, queue: &str, body: impl Into<Bytes>) {
    broker.publish(queue, body.into(), Admission::Inside).await.unwrap().await.unwrap();
}

/// The next body of a queue.
pub(crate) async fn take(consumer: &mut dyn Consumer) -> Value {
    let mut delivery = soon("a message", consumer.next()).await.unwrap();
    let body = serde_json::from_slice(&delivery.body).unwrap();
    delivery.ack().await.unwrap().await.unwrap();
    body
}

/// What is known of a queue; nothing held where there is none.
pub(crate) async fn queue(broker: &dyn Broker, name: &str) -> (u64, u64) {
    let all = broker.queues().await.unwrap();
    all.iter().find(|queue| queue.name == name).map_or((0, 0), |queue| (queue.ready + queue.unacked, queue.dead))
}

/// Waits until a queue is empty.
pub(crate) async fn emptied(broker: &dyn Broker, name: &str) {
    let began = std::time::Instant::now();
    while queue(broker, name).await.0 > 0 {
        assert!(began.elapsed().as_secs() < 20, "{name} is not emptied");
        tokio::task::yield_now().await;
    }
}

/// Reasons of a queue's dead letters.
pub(crate) async fn reasons(broker: &dyn Broker, name: &str) -> Vec<String> {
    broker.dead_letters(name, 100).await.unwrap().into_iter().map(|letter| letter.reason).collect()
}
