//! Workers on a broker: the embedded one, or a real RabbitMQ on which the test is another program beside them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vumi_broker::{AmqpBroker, AmqpOptions, BrokerOptions, EmbeddedBroker};
use vumi_core::component::Configured;
use vumi_core::{
    Admission, AppWorker, Broker, Context, DeadLetter, Happening, QueueInfo, QueueOutbox, Result, Stack, SystemClock,
};
use vumi_dispatch::{Dispatcher, DispatcherShared, Passed, Place, RouterConfig};
use vumi_tests::context::context_with;
use vumi_transport::{Once, Readiness, TransportShared, TransportWorker};
use vumi_worker::AppPlace;
use vumi_worker::app::base::{Endpoints, NativeApp, Sender};

use super::parts::{Network, Obeys, Orders};
use crate::applications::rig::shared as app_shared;
use crate::backends::{LIMIT, soon, until};

/// Makes each check a test on each broker.
macro_rules! on_each_broker {
    ($($(#[$meta:meta])* async fn $name:ident($bench:ident: Bench) $body:block)+) => {
        $($(#[$meta])* async fn $name($bench: crate::routing_naming::kit::Bench) $body)+

        mod embedded {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(crate::routing_naming::kit::Bench::embedded()).await;
                }
            )+
        }

        mod rabbitmq {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(crate::routing_naming::kit::Bench::rabbitmq().await).await;
                }
            )+
        }
    };
}
pub(super) use on_each_broker;

/// A broker with workers on it.
pub(super) struct Bench {
    /// What the workers are given.
    pub(super) context: Context,
    /// The test's own connection.
    own: Arc<dyn Broker>,
    /// Where the broker is, if it is not in this process.
    url: Option<String>,
}

async fn connect(url: &str) -> Arc<dyn Broker> {
    let broker = AmqpBroker::open(&AmqpOptions::new(url)).unwrap();
    until("RabbitMQ is connected", async || broker.is_connected()).await;
    broker
}

impl Bench {
    /// On the embedded broker.
    pub(super) fn embedded() -> Self {
        Self::on(EmbeddedBroker::in_memory(BrokerOptions::default()))
    }

    /// On this one in memory.
    pub(super) fn on(broker: Arc<dyn Broker>) -> Self {
        Self { context: context_with(Arc::clone(&broker), Arc::new(SystemClock)), own: broker, url: None }
    }

    /// On a vhost of its own of the RabbitMQ that tests share.
    pub(super) async fn rabbitmq() -> Self {
        let url = tokio::task::spawn_blocking(|| vumi_test_servers::shared_rabbitmq().vhost("routing")).await.unwrap();
        let context = context_with(connect(&url).await, Arc::new(SystemClock));
        Self { context, own: connect(&url).await, url: Some(url) }
    }

    /// The same queues for another host: over a new connection, where there are connections.
    pub(super) async fn reconnected(self) -> Self {
        let Some(url) = self.url else { return self };
        self.context.broker.close().await;
        let context = context_with(connect(&url).await, Arc::new(SystemClock));
        Self { context, own: self.own, url: Some(url) }
    }

    /// Publishes a body.
    pub(super) async fn put(&self, queue: &str, body: impl Into<Bytes>) {
        let published = async { self.own.publish(queue, body.into(), Admission::Edge(LIMIT)).await?.await };
        soon(queue, published).await.unwrap();
    }

    /// Takes the next body out of a queue that no worker consumes.
    pub(super) async fn take(&self, queue: &str) -> Value {
        let mut consumer = self.own.consume(queue, 1).await.unwrap();
        let mut delivery = soon(queue, consumer.next()).await.unwrap();
        soon(queue, async { delivery.ack().await?.await }).await.unwrap();
        serde_json::from_slice(&delivery.body).unwrap()
    }

    /// The queues that the workers know.
    pub(super) async fn queues(&self) -> Vec<QueueInfo> {
        self.context.broker.queues().await.unwrap()
    }

    /// Bodies that are ready in a queue, and those in somebody's hands.
    pub(super) async fn held(&self, queue: &str) -> (u64, u64) {
        let all = self.queues().await;
        all.iter().find(|info| info.name == queue).map_or((0, 0), |info| (info.ready, info.unacked))
    }

    /// Waits until a queue holds so many ready bodies and so many in somebody's hands.
    pub(super) async fn until_held(&self, queue: &str, held: (u64, u64)) {
        until(&format!("{queue} holds {held:?}"), async || self.held(queue).await == held).await;
    }

    /// The dead letters of a queue.
    pub(super) async fn dead(&self, queue: &str) -> Vec<DeadLetter> {
        self.context.broker.dead_letters(queue, 100).await.unwrap()
    }

    /// Starts a transport and waits until it is ready.
    pub(super) async fn transport(&self, name: &str, shared: TransportShared, stack: Stack) -> Works<Network> {
        let works = self.closed_transport(name, shared, stack);
        works.part.open();
        until("the transport is ready", async || works.part.link().is_some()).await;
        let outbound = format!("{name}.outbound");
        until("the transport consumes", async || {
            self.queues().await.iter().any(|info| info.name == outbound && info.consumers == 1)
        })
        .await;
        works
    }

    /// Starts a transport whose network is away.
    pub(super) fn closed_transport(&self, name: &str, shared: TransportShared, stack: Stack) -> Works<Network> {
        let network = Arc::new(Network::default());
        let worker = Arc::new(TransportWorker {
            name: name.to_owned(),
            transport: Arc::<Network>::clone(&network),
            once: Once::Record,
            shared,
            broker: Arc::clone(&self.context.broker),
            kv: vumi_store::kv_in_memory(vumi_store::MemoryBounds::default(), Arc::clone(&self.context.clock)),
            store: Arc::clone(&self.context.store),
            feed: self.context.feed.clone(),
            stack,
            clock: Arc::clone(&self.context.clock),
            readiness: Readiness::default(),
        });
        Works::start(network, |stop| worker.run(stop))
    }

    /// Starts an app with these shared keys, called by its connector, and waits until it consumes.
    pub(super) async fn app(&self, connector: &str, keys: &str, stack: Stack) -> Works<Orders> {
        let shared = app_shared(keys);
        let (prefetch, parallel) = (shared.amqp_prefetch_count.unwrap_or(0), shared.parallel);
        let inbound_endpoints = shared.inbound_endpoints.clone();
        let place = AppPlace {
            name: connector.to_owned(),
            connector: connector.to_owned(),
            shared,
            outbox: Arc::new(QueueOutbox::new(Arc::clone(&self.context.broker), connector, stack.clone())),
            context: self.context.clone(),
        };
        let orders = Arc::new(Orders::default());
        let app = NativeApp::new(Obeys(Arc::clone(&orders)), Arc::new(Sender::new(&place, Endpoints::Any)));
        let worker = Arc::new(AppWorker {
            app: Arc::new(app),
            connector: connector.to_owned(),
            broker: Arc::clone(&self.context.broker),
            feed: self.context.feed.clone(),
            stack,
            prefetch,
            parallel,
            inbound_endpoints,
        });
        self.up(&format!("app:{connector}"), || Works::start(orders, |stop| worker.run(stop))).await
    }

    /// Starts a dispatcher with these keys, called `switch`, and waits until it consumes.
    pub(super) async fn dispatcher(&self, yaml: &str, stack: Stack) -> Works<Passed> {
        struct Read(Configured<DispatcherShared, RouterConfig>);
        impl<'de> serde::Deserialize<'de> for Read {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                RouterConfig::read(deserializer).map(Read)
            }
        }
        let Read(Configured { shared, component }) = serde_saphyr::from_str(yaml).unwrap();
        let dispatcher = Arc::new(Dispatcher {
            name: "switch".to_owned(),
            router: component.build(Place { shared: &shared, context: &self.context }).unwrap(),
            shared,
            stack,
            broker: Arc::clone(&self.context.broker),
            feed: self.context.feed.clone(),
            passed: Passed::default(),
        });
        self.up("dispatcher:switch", || Works::start(Arc::default(), |stop| dispatcher.run(stop))).await
    }

    /// Starts a worker and waits until it says that it works.
    async fn up<T>(&self, name: &str, start: impl FnOnce() -> Works<T>) -> Works<T> {
        let mut feed = self.context.feed.watch();
        let works = start();
        let ready = async {
            loop {
                match &feed.recv().await.unwrap().happening {
                    Happening::Ready { name: who, .. } if who == name => return,
                    _ => {}
                }
            }
        };
        soon(name, ready).await;
        works
    }
}

/// A worker at work, until dropped.
pub(super) struct Works<T> {
    /// What the test sees of it.
    pub(super) part: Arc<T>,
    stop: CancellationToken,
    task: JoinHandle<Result<()>>,
}

impl<T> Works<T> {
    fn start<F>(part: Arc<T>, run: impl FnOnce(CancellationToken) -> F) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(stop.clone()));
        Self { part, stop, task }
    }

    /// Tells it to stop; it goes on as long as it has something to finish.
    pub(super) fn tell_to_stop(&self) {
        self.stop.cancel();
    }

    /// Asserts that it is not done with stopping yet.
    pub(super) async fn is_still_stopping(&mut self) {
        let ended = tokio::time::timeout(Duration::from_millis(100), &mut self.task).await;
        assert!(ended.is_err(), "it ended: {ended:?}");
    }

    /// Stops it, and waits until it has.
    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        soon("the worker stops", &mut self.task).await.unwrap().unwrap();
    }
}

impl<T> Drop for Works<T> {
    fn drop(&mut self) {
        self.stop.cancel();
        self.task.abort();
    }
}
