//! Workers with middleware, joined by a broker in memory. Every wait has a limit.

use std::io::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::fmt::MakeWriter;
use vumi_core::middleware_config::MiddlewareList;
use vumi_core::{
    Admission, AppWorker, Application, Channel, Clock, Context, Direction, Error, Flow, Handled, Hook, Input, Link,
    MessageQuery, MessageRecord, Middleware, Outbox, Placed, QueueOutbox, Result, Sent, Stack, Transport,
};
use vumi_dispatch::MiddlewareConfig;
use vumi_message::{Message, NewUserMessage, Timestamp, UserMessage};
use vumi_tests::PATIENCE;
use vumi_transport::{Once, Readiness, TransportShared, TransportWorker};

use crate::telnet::rig::{Read, soon};

/// The keys of a worker, of which those that concern middleware are of interest here.
pub(crate) fn list(keys: &str) -> std::result::Result<MiddlewareList, String> {
    let yaml = format!("class: simulator\n{keys}\n");
    serde_saphyr::from_str::<Read>(&yaml).map(|read| read.0.shared.middleware).map_err(|error| error.to_string())
}

/// The middleware of a worker with these keys, as the host builds it.
pub(crate) fn build(keys: &str, context: &Context) -> std::result::Result<Stack, String> {
    let list = list(keys)?;
    let placed = list.entries().iter().map(|entry| {
        let read = MiddlewareConfig::read(list.component(entry)).map_err(|error| error.to_string())?;
        Ok(Placed {
            middleware: read.component.build(context).map_err(|error| error.report())?,
            consume_priority: entry.consume_priority,
            publish_priority: entry.publish_priority,
        })
    });
    placed.collect::<std::result::Result<_, String>>().map(Stack::new)
}

/// One middleware in the place of the outermost.
pub(crate) fn only(middleware: impl Middleware) -> Stack {
    Stack::new(vec![Placed { middleware: Arc::new(middleware), consume_priority: 0, publish_priority: 0 }])
}

/// A user message as it leaves a stack on publish.
pub(crate) async fn pass(stack: &Stack, channel: Channel, message: &UserMessage) -> UserMessage {
    match stack.pass(Hook { direction: Direction::Publish, channel }, "t1", message.clone().into()).await.unwrap() {
        Flow::Continue(Message::User(message)) => message,
        other => panic!("no user message: {other:?}"),
    }
}

/// A user message from one address to another.
pub(crate) fn user(from_addr: Option<&str>, to_addr: Option<&str>) -> UserMessage {
    UserMessage::new(NewUserMessage {
        from_addr: from_addr.map(str::to_owned),
        to_addr: to_addr.map(str::to_owned),
        transport_name: Some("t1".into()),
        transport_type: Some("sms".into()),
        content: Some("hi".into()),
        ..NewUserMessage::default()
    })
}

/// A message with one field changed.
pub(crate) fn with(mut message: UserMessage, field: &str, value: impl Into<Value>) -> UserMessage {
    message.set(field, value).unwrap();
    message
}

/// Middleware that does the same at every hook that is meant.
pub(crate) struct At(pub(crate) fn(Hook) -> bool, pub(crate) fn() -> Result<String>);

#[async_trait]
impl Middleware for At {
    async fn handle(&self, hook: Hook, _: &str, message: Message) -> Result<Flow> {
        if (self.0)(hook) { (self.1)().map(Flow::Stop) } else { Ok(Flow::Continue(message)) }
    }
}

/// A clock that is set, in seconds since the epoch.
#[derive(Default)]
pub(crate) struct SetClock(AtomicI64);

impl SetClock {
    pub(crate) fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.load(Ordering::Relaxed))
    }
}

/// The log of this thread.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Listens until the guard is dropped.
    pub(crate) fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let lines = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).without_time().finish();
        let guard = tracing::subscriber::set_default(lines);
        (log, guard)
    }

    /// The lines that hold a text.
    pub(crate) fn with(&self, text: &str) -> Vec<String> {
        let bytes = self.0.lock().unwrap();
        String::from_utf8_lossy(&bytes).lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A network that takes everything but the text `fail`.
#[derive(Default)]
pub(crate) struct Network {
    link: Mutex<Option<Arc<dyn Link>>>,
    pub(crate) sent: Mutex<Vec<UserMessage>>,
}

impl Network {
    /// A message comes in from the network.
    pub(crate) async fn comes(&self, message: UserMessage) -> Result<()> {
        let link = self.link.lock().unwrap().clone().unwrap();
        link.inbound(message).await
    }
}

#[async_trait]
impl Transport for Network {
    async fn run(self: Arc<Self>, link: Arc<dyn Link>) -> Result<()> {
        *self.link.lock().unwrap() = Some(Arc::clone(&link));
        link.ready("nowhere");
        link.shutdown().cancelled().await;
        Ok(())
    }

    async fn send(&self, message: &UserMessage) -> Result<Sent> {
        self.sent.lock().unwrap().push(message.clone());
        match message.content() {
            Some("fail") => Err(Error::permanent("never")),
            _ => Ok(Sent::Accepted("s1".into())),
        }
    }
}

/// An application that answers every message with `ho`, and remembers what it was told of each answer: whether it went
/// out (`Ok(true)`), was dropped (`Ok(false)`), or why it could not go.
pub(crate) struct Answers {
    outbox: QueueOutbox,
    pub(crate) seen: Mutex<Vec<UserMessage>>,
    pub(crate) told: Mutex<Vec<std::result::Result<bool, String>>>,
}

#[async_trait]
impl Application for Answers {
    fn name(&self) -> &str {
        "answers"
    }

    async fn handle(&self, input: &Input) -> Handled {
        let Input::Message(message) = input else { return Handled::default() };
        self.seen.lock().unwrap().push(UserMessage::clone(message));
        let reply = message.reply(Some("ho"), true, vumi_message::Payload::new()).unwrap();
        let told = self.outbox.send(reply).await;
        self.told.lock().unwrap().push(told.as_ref().map(Option::is_some).map_err(Error::report));
        Handled { confirms: told.into_iter().flatten().collect(), again: None }
    }
}

/// A system in memory.
pub(crate) struct Stage {
    pub(crate) context: Context,
    shutdown: CancellationToken,
    workers: Vec<JoinHandle<Result<()>>>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self { context: vumi_tests::context::context(), shutdown: CancellationToken::new(), workers: Vec::new() }
    }

    /// Starts the transport `t1`.
    pub(crate) async fn transport(&mut self, stack: Stack) -> Arc<Network> {
        let network = Arc::<Network>::default();
        let readiness = Readiness::default();
        let worker = TransportWorker {
            name: "t1".to_owned(),
            transport: Arc::<Network>::clone(&network),
            once: Once::Record,
            shared: TransportShared::default(),
            broker: Arc::clone(&self.context.broker),
            kv: self.context.keyspaces.open(&vumi_core::RedisManager::default()).unwrap().kv,
            store: Arc::clone(&self.context.store),
            feed: self.context.feed.clone(),
            stack,
            clock: Arc::clone(&self.context.clock),
            readiness: readiness.clone(),
        };
        self.workers.push(tokio::spawn(Arc::new(worker).run(self.shutdown.clone())));
        soon("the transport is ready", readiness.wait()).await;
        network
    }

    /// Starts an application at the connector `a1`.
    pub(crate) fn app(&mut self, stack: Stack) -> Arc<Answers> {
        let app = Arc::new(Answers {
            outbox: QueueOutbox::new(Arc::clone(&self.context.broker), "a1", stack.clone()),
            seen: Mutex::default(),
            told: Mutex::default(),
        });
        let worker = AppWorker {
            app: Arc::<Answers>::clone(&app),
            connector: "a1".to_owned(),
            broker: Arc::clone(&self.context.broker),
            feed: self.context.feed.clone(),
            stack,
            prefetch: 20,
            parallel: 1,
            inbound_endpoints: None,
        };
        self.workers.push(tokio::spawn(Arc::new(worker).run(self.shutdown.clone())));
        app
    }

    /// Publishes a message and waits until somebody has settled it.
    pub(crate) async fn put(&self, queue: &str, message: &UserMessage) {
        let broker = &self.context.broker;
        broker.publish(queue, message.to_json().into(), Admission::Inside).await.unwrap().await.unwrap();
        let settled = async {
            while self.held(queue).await != 0 {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, settled).await.unwrap_or_else(|_| panic!("nobody settles what is in {queue}"));
    }

    /// Bodies in a queue, those in somebody's hands included.
    pub(crate) async fn held(&self, queue: &str) -> u64 {
        let queues = self.context.broker.queues().await.unwrap();
        queues.iter().find(|info| info.name == queue).map_or(0, |info| info.ready + info.unacked)
    }

    /// The next body of a queue.
    pub(crate) async fn next(&self, queue: &str) -> Value {
        let mut consumer = self.context.broker.consume(queue, 0).await.unwrap();
        let mut delivery = soon(queue, consumer.next()).await.unwrap();
        delivery.ack().await.unwrap().await.unwrap();
        serde_json::from_slice(&delivery.body).unwrap()
    }

    /// Dead letters of all queues.
    pub(crate) async fn dead(&self) -> u64 {
        self.context.broker.queues().await.unwrap().iter().map(|info| info.dead).sum()
    }

    /// Direction and id of what the store holds under a name, the oldest first.
    pub(crate) async fn stored(&self, name: &str) -> Vec<(String, String)> {
        let query = MessageQuery { transport_name: Some(name.to_owned()), ..MessageQuery::default() };
        let records: Vec<MessageRecord> = self.context.store.messages(query).await.unwrap();
        records.into_iter().rev().map(|record| (record.direction, record.id)).collect()
    }

    /// Stops all workers, which must end well and soon.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        for worker in self.workers {
            soon("a worker stops", worker).await.unwrap().unwrap();
        }
    }
}
