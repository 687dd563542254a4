//! The host of good and bad apps: one engine, one broker, one kv, one store, an app worker for each app.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::feed::Tap;
use vumi_core::{
    Admission, AppWorker, Broker, Feed, Happening, KvStore, Outcome, QueueOutbox, Stack, Store, SystemClock, names,
};
use vumi_message::{NewUserMessage, UserMessage};
use vumi_sandbox::{
    App, AppConfig, ComponentCache, Datapoint, EngineOptions, LoadedComponent, MetricSink, Sandbox, Surroundings,
};
use vumi_store::MemoryBounds;
use vumi_tests::guests::guest;

use crate::PATIENCE;
use crate::attack::ATTACKS;

/// The well-behaved app.
pub const GOOD: &str = "good";

/// A running host.
pub struct Host {
    pub broker: Arc<dyn Broker>,
    pub tally: Arc<Tally>,
    kv: Arc<dyn KvStore>,
    store: Arc<dyn Store>,
    stop: CancellationToken,
    workers: Vec<JoinHandle<()>>,
    drains: Vec<JoinHandle<()>>,
}

impl Host {
    /// Starts the apps on the guests' threads; what else there is to do runs on the current ones.
    pub async fn start(guests: &Handle, parallel: usize) -> Self {
        let broker: Arc<dyn Broker> = EmbeddedBroker::in_memory(BrokerOptions::default());
        let store: Arc<dyn Store> = vumi_store::store_in_memory().expect("a store");
        let kv: Arc<dyn KvStore> = vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock));
        let tally = Arc::new(Tally::new(parallel));
        let mut host =
            Self { broker, tally, kv, store, stop: CancellationToken::new(), workers: Vec::new(), drains: Vec::new() };
        let sandbox = Sandbox::new(&EngineOptions::default()).expect("an engine");
        let component = sandbox.load(&ComponentCache::none(), &guest("probe")).expect("the component fits");
        let feed = Feed::tapped(Arc::clone(&host.tally) as Arc<dyn Tap>);
        host.work(guests, host.app(&sandbox, &component, &feed, GOOD, AppConfig::of("probe").parallel));
        for (name, _) in ATTACKS {
            host.work(guests, host.app(&sandbox, &component, &feed, name, parallel));
            host.drain(name).await;
        }
        host
    }

    fn app(
        &self,
        sandbox: &Arc<Sandbox>,
        component: &LoadedComponent,
        feed: &Feed,
        name: &str,
        parallel: usize,
    ) -> AppWorker {
        let config = AppConfig { parallel, ..AppConfig::of("probe") };
        let around = Surroundings {
            kv: Arc::clone(&self.kv),
            store: Arc::clone(&self.store),
            feed: feed.clone(),
            outbox: Arc::new(QueueOutbox::new(Arc::clone(&self.broker), name, Stack::default())),
            metrics: Arc::new(NoMetrics),
            io: Handle::current(),
            recordings: None,
        };
        AppWorker {
            app: Arc::new(App::new(sandbox, name, &config, component, around).expect("an app")),
            connector: name.to_owned(),
            broker: Arc::clone(&self.broker),
            feed: feed.clone(),
            stack: Stack::default(),
            prefetch: config.amqp_prefetch_count,
            parallel: config.parallel,
            inbound_endpoints: None,
        }
    }

    fn work(&mut self, guests: &Handle, worker: AppWorker) {
        let stop = self.stop.clone();
        let work = async move { Arc::new(worker).run(stop).await.expect("the app works") };
        self.workers.push(guests.spawn(work));
    }

    /// Takes what a neighbour sends, so that it is never held up.
    async fn drain(&mut self, name: &str) {
        let mut sent = self.broker.consume(&names::outbound(name), 0).await.expect("a queue");
        self.drains.push(tokio::spawn(async move {
            while let Some(mut delivery) = sent.next().await {
                delivery.ack().await.expect("it is settled");
            }
        }));
    }

    /// Stops everything.
    pub async fn stop(self) {
        self.stop.cancel();
        for worker in self.workers {
            tokio::time::timeout(PATIENCE, worker).await.expect("an app stops").expect("it ends well");
        }
        for drain in self.drains {
            drain.abort();
        }
        self.broker.close().await;
        self.kv.close().await;
        self.store.close().await;
    }
}

/// A message from one of an app's users, and its id.
pub fn message(user: usize, content: &str) -> (String, bytes::Bytes) {
    let message = UserMessage::new(NewUserMessage {
        from_addr: Some(format!("+2783{user:07}")),
        to_addr: Some("8007".into()),
        transport_name: Some("phones".into()),
        transport_type: Some("sms".into()),
        content: Some(content.to_owned()),
        ..NewUserMessage::default()
    });
    (message.message_id().to_owned(), message.to_json().into())
}

/// Puts a message into an app's queue.
pub async fn send(broker: &dyn Broker, app: &str, body: bytes::Bytes) {
    let published = broker.publish(&names::inbound(app), body, Admission::Edge(PATIENCE)).await;
    published.expect("room").await.expect("it is kept");
}

/// Counts the neighbours' runs, and tells when each may be sent its next message.
pub struct Tally {
    /// In the order of [`ATTACKS`].
    neighbours: Vec<Neighbour>,
}

struct Neighbour {
    outcomes: Mutex<BTreeMap<&'static str, u64>>,
    room: Arc<Semaphore>,
}

impl Tally {
    fn new(parallel: usize) -> Self {
        let neighbour = |_| Neighbour { outcomes: Mutex::default(), room: Arc::new(Semaphore::new(parallel)) };
        Self { neighbours: (0..ATTACKS.len()).map(neighbour).collect() }
    }

    /// One permit for each message that a neighbour can take at once.
    pub fn room(&self, neighbour: usize) -> Arc<Semaphore> {
        Arc::clone(&self.neighbours[neighbour].room)
    }

    /// The runs of each neighbour as a text.
    pub fn outcomes(&self) -> impl Iterator<Item = String> {
        self.neighbours.iter().map(|neighbour| {
            let outcomes = neighbour.outcomes.lock();
            outcomes.iter().map(|(code, count)| format!("{count} {code}")).collect::<Vec<_>>().join(", ")
        })
    }
}

impl Tap for Tally {
    fn see(&self, happening: &Happening) {
        let Happening::Run(run) = happening else { return };
        let Some(at) = ATTACKS.iter().position(|(name, _)| *name == run.app) else {
            assert_eq!(run.outcome, Outcome::Ok, "{:?}", run.error);
            return;
        };
        let neighbour = &self.neighbours[at];
        *neighbour.outcomes.lock().entry(run.outcome.code()).or_default() += 1;
        // After a fault of the host the same message runs again.
        if run.outcome != Outcome::HostFault {
            neighbour.room.add_permits(1);
        }
    }
}

struct NoMetrics;

impl MetricSink for NoMetrics {
    fn fire(&self, _: Datapoint) {}
}
