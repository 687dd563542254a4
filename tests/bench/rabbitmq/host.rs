//! A host in this process: phone simulator and app, with RabbitMQ between them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vumi_broker::{AmqpBroker, AmqpOptions};
use vumi_core::feed::Tap;
use vumi_core::{AppWorker, Broker, Feed, Happening, QueueOutbox, Stack, Store, SystemClock};
use vumi_sandbox::{App, AppConfig, ComponentCache, Datapoint, EngineOptions, MetricSink, Sandbox, Surroundings};
use vumi_store::MemoryBounds;
use vumi_transport::simulator::Simulator;
use vumi_transport::{Built, PhoneMessage, Readiness, SimulatorHandle, TransportShared, TransportWorker};

/// Transport and app share the connector, so there is no dispatcher between them.
const NAME: &str = "phones";

const PATIENCE: Duration = Duration::from_secs(60);

/// See the module's text.
pub struct Host {
    phones: SimulatorHandle,
    board: Arc<Board>,
    broker: Arc<AmqpBroker>,
    stop: CancellationToken,
    workers: Vec<JoinHandle<()>>,
}

/// One bell per user, rung by each answer.
struct Board {
    bells: Vec<Notify>,
    answers: AtomicU64,
}

impl Tap for Board {
    fn see(&self, happening: &Happening) {
        let Happening::Message(record) = happening else { return };
        if record.direction != "outbound" {
            return;
        }
        let user = record.user.as_deref().and_then(|user| user.strip_prefix("+2783")?.parse::<usize>().ok());
        if let Some(bell) = user.and_then(|user| self.bells.get(user)) {
            self.answers.fetch_add(1, Ordering::Relaxed);
            bell.notify_one();
        }
    }
}

struct NoMetrics;

impl MetricSink for NoMetrics {
    fn fire(&self, _: Datapoint) {}
}

impl Host {
    pub async fn start(url: &str, component: &Path, guests: &Handle, users: usize) -> Self {
        let broker = AmqpBroker::open(&AmqpOptions::new(url)).expect("the address makes sense");
        let shared: Arc<dyn Broker> = Arc::clone(&broker) as Arc<dyn Broker>;
        let store: Arc<dyn Store> = vumi_store::store_in_memory().expect("a store");
        let bells = std::iter::repeat_with(Notify::new).take(users).collect();
        let board = Arc::new(Board { bells, answers: AtomicU64::new(0) });
        let feed = Feed::tapped(Arc::clone(&board) as Arc<dyn Tap>);
        let sandbox = Sandbox::new(&EngineOptions::default()).expect("an engine");
        let loaded = sandbox.load(&ComponentCache::none(), component).expect("the component fits");
        let around = Surroundings {
            kv: vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock)),
            store: Arc::clone(&store),
            feed: feed.clone(),
            outbox: Arc::new(QueueOutbox::new(Arc::clone(&shared), NAME, Stack::default())),
            metrics: Arc::new(NoMetrics),
            io: Handle::current(),
            recordings: None,
        };
        let mut config = AppConfig::of(component.display().to_string());
        config.limits.kv_keys = 10_000;
        let app = Arc::new(AppWorker {
            app: Arc::new(App::new(&sandbox, NAME, &config, &loaded, around).expect("an app")),
            connector: NAME.to_owned(),
            broker: Arc::clone(&shared),
            feed: feed.clone(),
            stack: Stack::default(),
            prefetch: config.amqp_prefetch_count,
            parallel: config.parallel,
            inbound_endpoints: None,
        });
        let Built { transport, once, simulator } = Simulator::built();
        let transport = Arc::new(TransportWorker {
            name: NAME.to_owned(),
            transport,
            once,
            shared: TransportShared { amqp_prefetch_count: Some(128), ..TransportShared::default() },
            broker: shared,
            kv: vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock)),
            store,
            feed,
            stack: Stack::default(),
            clock: Arc::new(SystemClock),
            readiness: Readiness::default(),
        });
        let readiness = transport.readiness.clone();
        let stop = CancellationToken::new();
        let (of_app, of_transport) = (stop.clone(), stop.clone());
        let workers = vec![
            guests.spawn(async move { app.run(of_app).await.expect("the app works") }),
            tokio::spawn(async move { transport.run(of_transport).await.expect("the transport works") }),
        ];
        tokio::time::timeout(PATIENCE, readiness.wait()).await.expect("the transport becomes ready");
        Self { phones: simulator.expect("the way into the simulator"), board, broker, stop, workers }
    }

    /// Messages of users answered per second, until the queues are empty.
    pub async fn phase(&self, phase: Duration) -> f64 {
        let (before, began) = (self.board.answers.load(Ordering::Relaxed), Instant::now());
        let end = began + phase;
        let mut tasks = tokio::task::JoinSet::new();
        for user in 0..self.board.bells.len() {
            let (phones, board) = (self.phones.clone(), Arc::clone(&self.board));
            tasks.spawn(async move {
                while Instant::now() < end {
                    let message = PhoneMessage {
                        from_addr: format!("+2783{user:07}"),
                        to_addr: "8007".to_owned(),
                        transport_type: "sms".to_owned(),
                        content: Some("bench".to_owned()),
                        session_event: None,
                    };
                    phones.inject(message).await.expect("the message is taken");
                    board.bells[user].notified().await;
                }
            });
        }
        tokio::time::timeout(phase + PATIENCE, tasks.join_all()).await.expect("every message is answered");
        let empty = async {
            loop {
                let queues = self.broker.queues().await.expect("RabbitMQ answers");
                if queues.iter().all(|queue| queue.ready + queue.unacked == 0) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, empty).await.expect("the queues become empty");
        let answers = self.board.answers.load(Ordering::Relaxed) - before;
        answers as f64 / began.elapsed().as_secs_f64()
    }

    pub async fn stop(self) {
        self.stop.cancel();
        for worker in self.workers {
            worker.await.expect("a worker ends well");
        }
        self.broker.close().await;
    }
}
