//! The worker around a transport that does as it is told, with a broker, kv and store that can fail.

mod fakes;
mod inbound;
mod life;
mod outbound;
mod repeats;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vumi_core::{
    Error, Feed, Flow, Hook, Link, Middleware, Placed, Result, Sent, Stack, SystemClock, Transport, names,
};
use vumi_message::{Message, NewUserMessage, UserMessage};

use super::{Once, Readiness, TransportShared, TransportWorker};
use fakes::{FakeBroker, FakeKv, FakeStore, FakeTransport, Handle};

/// A worker and all around it.
struct Stage {
    broker: Arc<FakeBroker>,
    kv: Arc<FakeKv>,
    store: Arc<FakeStore>,
    transport: Arc<FakeTransport>,
    shared: TransportShared,
    once: Once,
    stack: Stack,
    feed: Feed,
    readiness: Readiness,
    shutdown: CancellationToken,
}

impl Stage {
    fn new(transport: FakeTransport) -> Self {
        Self {
            broker: Arc::default(),
            kv: Arc::default(),
            store: Arc::default(),
            transport: Arc::new(transport),
            shared: TransportShared::default(),
            once: Once::Record,
            stack: Stack::default(),
            feed: Feed::default(),
            readiness: Readiness::default(),
            shutdown: CancellationToken::new(),
        }
    }

    /// One whose network takes everything under the id `remote`.
    fn accepting() -> Self {
        Self::new(FakeTransport::new(|_| Ok(Sent::Accepted("remote".into()))))
    }

    fn start(&self) -> JoinHandle<Result<()>> {
        let worker = TransportWorker {
            name: "t".into(),
            transport: Arc::<FakeTransport>::clone(&self.transport),
            once: self.once,
            shared: self.shared.clone(),
            broker: Arc::new(Handle(Arc::clone(&self.broker))),
            kv: Arc::<FakeKv>::clone(&self.kv),
            store: Arc::<FakeStore>::clone(&self.store),
            feed: self.feed.clone(),
            stack: self.stack.clone(),
            clock: Arc::new(SystemClock),
            readiness: self.readiness.clone(),
        };
        tokio::spawn(Arc::new(worker).run(self.shutdown.clone()))
    }

    async fn link(&self) -> Arc<dyn Link> {
        self.readiness.wait().await;
        self.transport.link.lock().clone().unwrap()
    }

    fn put(&self, message: &UserMessage) {
        self.broker.put("t.outbound", Bytes::from(message.to_json()), 0);
    }

    /// Waits until all outbound messages are settled, then stops the worker.
    async fn finish(&self, worker: JoinHandle<Result<()>>) {
        self.broker.settled("t.outbound").await;
        self.stop(worker).await;
    }

    async fn stop(&self, worker: JoinHandle<Result<()>>) {
        self.shutdown.cancel();
        worker.await.unwrap().unwrap();
    }

    fn sent(&self) -> Vec<String> {
        self.transport.sent.lock().clone()
    }

    fn record(&self, id: &str) -> Option<String> {
        self.kv.map.lock().get(&format!("sent:t:{id}")).cloned()
    }

    /// Direction and id of all that was recorded.
    fn recorded(&self) -> Vec<(String, String)> {
        let records = self.store.records.lock();
        records.iter().map(|record| (record.direction.clone(), record.id.clone())).collect()
    }

    fn dead(&self) -> Vec<String> {
        self.broker.dead.lock().iter().map(|(_, reason)| reason.clone()).collect()
    }
}

fn message(id: &str, to: &str, content: &str) -> UserMessage {
    UserMessage::new(NewUserMessage {
        message_id: Some(id.into()),
        to_addr: Some(to.into()),
        from_addr: Some("8007".into()),
        transport_name: Some("t".into()),
        transport_type: Some("sms".into()),
        content: Some(content.into()),
        ..NewUserMessage::default()
    })
}

/// Middleware that does the same to every message.
struct Always(fn(Hook) -> bool, fn() -> Result<String>);

#[async_trait]
impl Middleware for Always {
    async fn handle(&self, hook: Hook, _: &str, message: Message) -> Result<Flow> {
        if self.0(hook) { self.1().map(Flow::Stop) } else { Ok(Flow::Continue(message)) }
    }
}

fn stack(when: fn(Hook) -> bool, what: fn() -> Result<String>) -> Stack {
    Stack::new(vec![Placed { middleware: Arc::new(Always(when, what)), consume_priority: 0, publish_priority: 0 }])
}
