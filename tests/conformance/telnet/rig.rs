//! A transport in its worker with the embedded broker and stores, and clients that speak to it. Every wait has a limit.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::component::Configured;
use vumi_core::{
    Admission, Broker, Consumer, Feed, MessageQuery, MessageRecord, Sequenced, Stack, Store, SystemClock, names,
};
use vumi_message::{NewUserMessage, UserMessage};
use vumi_store::{MemoryBounds, kv_in_memory, store_in_memory};
use vumi_tests::context;
use vumi_transport::{Built, Readiness, Sites, TransportConfig, TransportPlace, TransportShared, TransportWorker};

const LIMIT: Duration = Duration::from_secs(20);

/// The name of the transport.
const NAME: &str = "telnet";

/// A running transport.
pub(crate) struct Rig {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) readiness: Readiness,
    pub(crate) feed: broadcast::Receiver<Arc<Sequenced>>,
    inbound: Box<dyn Consumer>,
    event: Box<dyn Consumer>,
    at: SocketAddr,
    shutdown: CancellationToken,
    worker: JoinHandle<vumi_core::Result<()>>,
}

/// A transport's map as it stands in a configuration file.
pub(crate) struct Read(pub(crate) Configured<TransportShared, TransportConfig>);

impl<'de> serde::Deserialize<'de> for Read {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TransportConfig::read(deserializer).map(Read)
    }
}

/// Fails the test when `work` takes too long.
pub(crate) async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, work).await.unwrap_or_else(|_| panic!("{what}: not within {LIMIT:?}"))
}

impl Rig {
    pub(crate) async fn start(yaml: &str) -> Self {
        Self::start_with(yaml, BrokerOptions::default()).await
    }

    pub(crate) async fn start_with(yaml: &str, options: BrokerOptions) -> Self {
        let rig = Self::launch(yaml, options).await;
        let at = soon("the transport is ready", rig.readiness.wait()).await;
        Self { at: at.parse().unwrap(), ..rig }
    }

    /// Starts a transport without waiting until it is ready.
    pub(crate) async fn launch(yaml: &str, options: BrokerOptions) -> Self {
        let Configured { shared, component } = serde_saphyr::from_str::<Read>(yaml).unwrap().0;
        let place =
            TransportPlace { name: NAME, shared: &shared, context: &context::context(), sites: &Sites::default() };
        let built = component.build(place).unwrap();
        Self::run(built, shared, options).await
    }

    /// Starts a transport that is built.
    pub(crate) async fn run(built: Built, shared: TransportShared, options: BrokerOptions) -> Self {
        let broker: Arc<dyn Broker> = EmbeddedBroker::in_memory(options);
        let store: Arc<dyn Store> = store_in_memory().unwrap();
        let readiness = Readiness::default();
        let shutdown = CancellationToken::new();
        let feed = Feed::default();
        let watch = feed.watch();
        let inbound = broker.consume(&names::inbound(NAME), 0).await.unwrap();
        let event = broker.consume(&names::event(NAME), 0).await.unwrap();
        let worker = TransportWorker {
            name: NAME.to_owned(),
            transport: built.transport,
            once: built.once,
            shared,
            broker: Arc::clone(&broker),
            kv: kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock)),
            store: Arc::clone(&store),
            feed: feed.clone(),
            stack: Stack::default(),
            clock: Arc::new(SystemClock),
            readiness: readiness.clone(),
        };
        let worker = tokio::spawn(Arc::new(worker).run(shutdown.clone()));
        let at = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { broker, store, readiness, feed: watch, inbound, event, at, shutdown, worker }
    }

    /// Where the transport listens.
    pub(crate) fn at(&self) -> SocketAddr {
        self.at
    }

    pub(crate) async fn connect(&self) -> Client {
        Client { stream: soon("a connection", TcpStream::connect(self.at)).await.unwrap() }
    }

    /// Connects and takes the message `new`.
    pub(crate) async fn connect_new(&mut self) -> Client {
        let client = self.connect().await;
        let message = self.inbound().await;
        assert_eq!((&message["session_event"], &message["from_addr"]), (&"new".into(), &client.address().into()));
        client
    }

    /// The next message from a user.
    pub(crate) async fn inbound(&mut self) -> Value {
        next(&mut self.inbound).await
    }

    /// The next event.
    pub(crate) async fn event(&mut self) -> Value {
        next(&mut self.event).await
    }

    /// The next body of any other queue.
    pub(crate) async fn next_of(&self, queue: &str) -> Value {
        next(&mut self.broker.consume(queue, 0).await.unwrap()).await
    }

    /// Bodies in a queue.
    pub(crate) async fn waiting(&self, queue: &str) -> u64 {
        let queues = self.broker.queues().await.unwrap();
        queues.iter().find(|info| info.name == queue).map_or(0, |info| info.ready + info.unacked)
    }

    /// Puts a message to a user into the queue; returns its id.
    pub(crate) async fn put(&self, to: &str, content: Option<&str>, session_event: Option<&str>) -> String {
        let mut message = UserMessage::new(NewUserMessage {
            to_addr: Some(to.to_owned()),
            from_addr: Some("shop".to_owned()),
            transport_name: Some(NAME.to_owned()),
            transport_type: Some("telnet".to_owned()),
            content: content.map(str::to_owned),
            ..NewUserMessage::default()
        });
        message.set("session_event", session_event).unwrap();
        self.put_body(message.to_json()).await;
        message.message_id().to_owned()
    }

    pub(crate) async fn put_body(&self, body: String) {
        let queue = names::outbound(NAME);
        self.broker.publish(&queue, Bytes::from(body), Admission::Inside).await.unwrap().await.unwrap();
    }

    /// What the store holds, newest first.
    pub(crate) async fn records(&self) -> Vec<MessageRecord> {
        self.store.messages(MessageQuery::default()).await.unwrap()
    }

    /// Tells the transport to stop.
    pub(crate) fn shut(&self) {
        self.shutdown.cancel();
    }

    /// Stops the transport, which must end well and soon.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        soon("the transport stops", self.worker).await.unwrap().unwrap();
    }
}

async fn next(consumer: &mut Box<dyn Consumer>) -> Value {
    let mut delivery = soon("a message", consumer.next()).await.unwrap();
    let body = serde_json::from_slice(&delivery.body).unwrap();
    delivery.ack().await.unwrap().await.unwrap();
    body
}

/// A telnet client.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
}

impl Client {
    /// Its address, as the transport sees it.
    pub(crate) fn address(&self) -> String {
        self.stream.local_addr().unwrap().to_string()
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        soon("writing", self.stream.write_all(bytes)).await.unwrap();
    }

    /// Reads as many bytes as `text` has and compares.
    pub(crate) async fn expect(&mut self, text: &str) {
        let mut bytes = vec![0; text.len()];
        soon(text, self.stream.read_exact(&mut bytes)).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&bytes), text);
    }

    /// Reads to the end.
    pub(crate) async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        soon("the end of the connection", self.stream.read_to_end(&mut bytes)).await.unwrap();
        String::from_utf8(bytes).unwrap()
    }
}
