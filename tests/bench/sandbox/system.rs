//! A host in this process: phone simulator, broker, dispatcher, app, and all the way back to the phone.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::feed::Tap;
use vumi_core::{AppWorker, QueueOutbox};
use vumi_core::{
    Broker, Channel, Feed, Flow, Happening, Hook, KvStore, Middleware, Outcome, Placed, Result, Stack, Store,
    SystemClock,
};
use vumi_dispatch::registry::RouterComponent;
use vumi_dispatch::routers::SimpleConfig;
use vumi_dispatch::{Dispatcher, DispatcherShared, Passed, Place};
use vumi_message::Message;
use vumi_sandbox::{App, AppConfig, ComponentCache, EngineOptions, Sandbox, Surroundings};
use vumi_store::{Durability, MemoryBounds};
use vumi_transport::simulator::Simulator;
use vumi_transport::{Built, PhoneMessage, Readiness, SimulatorHandle, TransportShared, TransportWorker};

use crate::alone::NoMetrics;
use crate::measure::{Sample, times};

const PHONES: &str = "phones";
const APP: &str = "bench";

/// Longest wait for what happens at once on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where messages, keys and records are kept.
pub enum Keeping {
    Memory,
    Disk(PathBuf, Durability),
}

/// What a system is made of.
pub struct Setup {
    pub component: PathBuf,
    pub keeping: Keeping,
    /// Whether the app is told what became of its replies, as it is by default.
    pub acks: bool,
    pub users: usize,
}

/// A running system.
pub struct System {
    phones: SimulatorHandle,
    board: Arc<Board>,
    backends: Backends,
    outer: CancellationToken,
    inner: CancellationToken,
    transport: JoinHandle<()>,
    workers: Vec<JoinHandle<()>>,
}

struct Backends {
    broker: Arc<dyn Broker>,
    kv: Arc<dyn KvStore>,
    store: Arc<dyn Store>,
}

/// What the phones show, as the admin page learns it: one bell per user, rung by each answer.
struct Board {
    bells: Vec<Notify>,
    answers: AtomicU64,
    runs: AtomicU64,
    failed: AtomicU64,
}

impl System {
    /// Starts everything on the current runtime, the guests on threads of their own.
    pub async fn start(setup: Setup, guests: &Handle) -> Self {
        let backends = Backends::open(&setup.keeping);
        let (outer, inner) = (CancellationToken::new(), CancellationToken::new());
        let board = Board::new(setup.users);
        let feed = Feed::tapped(Arc::clone(&board) as Arc<dyn Tap>);
        let dispatcher = dispatcher(&backends, &feed);
        let app = app(&setup, &backends, &feed);
        let Built { transport, once, simulator } = Simulator::built();
        let transport = Arc::new(TransportWorker {
            name: PHONES.to_owned(),
            transport,
            once,
            shared: TransportShared::default(),
            broker: Arc::clone(&backends.broker),
            kv: Arc::clone(&backends.kv),
            store: Arc::clone(&backends.store),
            feed: feed.clone(),
            stack: if setup.acks { Stack::default() } else { no_events() },
            clock: Arc::new(SystemClock),
            readiness: Readiness::default(),
        });
        let readiness = transport.readiness.clone();
        let stop = inner.clone();
        let dispatching = tokio::spawn(async move { dispatcher.run(stop).await.expect("the dispatcher works") });
        let stop = inner.clone();
        let working = guests.spawn(async move { app.run(stop).await.expect("the app works") });
        let stop = outer.clone();
        let carrying = tokio::spawn(async move { transport.run(stop).await.expect("the transport works") });
        tokio::time::timeout(PATIENCE, readiness.wait()).await.expect("the transport becomes ready");
        let phones = simulator.expect("the way into the simulator");
        Self { phones, board, backends, outer, inner, transport: carrying, workers: vec![dispatching, working] }
    }

    /// All users write and wait for the answer, again and again. What follows an answer (acks, which the app handles
    /// too) belongs to the work, so the phase ends when the queues are empty.
    pub async fn phase(&self, phase: Duration) -> Sample {
        let (phones, board) = (self.phones.clone(), Arc::clone(&self.board));
        let began = Instant::now();
        let work = times(self.board.bells.len(), phase, move |user| {
            let (phones, board) = (phones.clone(), Arc::clone(&board));
            async move {
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
        let nanos = tokio::time::timeout(phase + PATIENCE, work).await.expect("every message is answered");
        tokio::time::timeout(PATIENCE, self.drained()).await.expect("the queues become empty");
        let elapsed = began.elapsed();
        assert_eq!(self.board.failed.load(Ordering::Relaxed), 0, "every run ends well");
        Sample::new(nanos, elapsed)
    }

    async fn drained(&self) {
        loop {
            let queues = self.backends.broker.queues().await.expect("the broker answers");
            if queues.iter().all(|queue| queue.ready + queue.unacked == 0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// How often the app ran for each message of a user.
    pub fn runs_per_message(&self) -> f64 {
        self.board.runs.load(Ordering::Relaxed) as f64 / self.board.answers.load(Ordering::Relaxed) as f64
    }

    /// Stops everything in order.
    pub async fn stop(self) {
        self.outer.cancel();
        self.transport.await.expect("the transport ends well");
        self.inner.cancel();
        for worker in self.workers {
            worker.await.expect("a worker ends well");
        }
        self.backends.broker.close().await;
        self.backends.kv.close().await;
        self.backends.store.close().await;
    }
}

impl Backends {
    fn open(keeping: &Keeping) -> Self {
        let options = BrokerOptions::default();
        match keeping {
            Keeping::Memory => Self {
                broker: EmbeddedBroker::in_memory(options),
                kv: vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock)),
                store: vumi_store::store_in_memory().expect("a store"),
            },
            Keeping::Disk(folder, durability) => {
                std::fs::create_dir_all(folder).expect("the folder can be made");
                let kv = folder.join(vumi_store::KV_FILE);
                let store = folder.join(vumi_store::STORE_FILE);
                Self {
                    broker: EmbeddedBroker::open(&folder.join("broker.sqlite"), *durability, options)
                        .expect("a broker"),
                    kv: vumi_store::kv_at(kv, *durability, Arc::new(SystemClock)).expect("a key-value store"),
                    store: vumi_store::store_at(store, *durability).expect("a store"),
                }
            }
        }
    }
}

impl Board {
    fn new(users: usize) -> Arc<Self> {
        let bells = std::iter::repeat_with(Notify::new).take(users).collect();
        Arc::new(Self { bells, answers: AtomicU64::new(0), runs: AtomicU64::new(0), failed: AtomicU64::new(0) })
    }
}

impl Tap for Board {
    fn see(&self, happening: &Happening) {
        match happening {
            Happening::Run(run) => {
                self.runs.fetch_add(1, Ordering::Relaxed);
                self.failed.fetch_add(u64::from(run.outcome != Outcome::Ok), Ordering::Relaxed);
            }
            Happening::Message(record) if record.direction == "outbound" => {
                let user = record.user.as_deref().and_then(|user| user.strip_prefix("+2783")?.parse::<usize>().ok());
                if let Some(bell) = user.and_then(|user| self.bells.get(user)) {
                    self.answers.fetch_add(1, Ordering::Relaxed);
                    bell.notify_one();
                }
            }
            _ => {}
        }
    }
}

fn dispatcher(backends: &Backends, feed: &Feed) -> Arc<Dispatcher> {
    let shared = DispatcherShared {
        transport_names: vec![PHONES.to_owned()],
        exposed_names: vec![APP.to_owned()],
        ..DispatcherShared::default()
    };
    let simple = SimpleConfig {
        route_mappings: [(PHONES.to_owned(), vec![APP.to_owned()])].into(),
        transport_mappings: [].into(),
    };
    Arc::new(Dispatcher {
        name: "switch".to_owned(),
        router: simple.build(Place { shared: &shared, context: &vumi_tests::context::context() }).expect("a router"),
        shared,
        stack: Stack::default(),
        broker: Arc::clone(&backends.broker),
        feed: feed.clone(),
        passed: Passed::default(),
    })
}

fn app(setup: &Setup, backends: &Backends, feed: &Feed) -> Arc<AppWorker> {
    let config = AppConfig::of(setup.component.display().to_string());
    let sandbox = Sandbox::new(&EngineOptions::default()).expect("an engine");
    let component = sandbox.load(&ComponentCache::none(), &setup.component).expect("the component fits");
    let around = Surroundings {
        kv: Arc::clone(&backends.kv),
        store: Arc::clone(&backends.store),
        feed: feed.clone(),
        outbox: Arc::new(QueueOutbox::new(Arc::clone(&backends.broker), APP, Stack::default())),
        metrics: Arc::new(NoMetrics),
        io: Handle::current(),
        recordings: None,
    };
    Arc::new(AppWorker {
        app: Arc::new(App::new(&sandbox, APP, &config, &component, around).expect("an app")),
        connector: APP.to_owned(),
        broker: Arc::clone(&backends.broker),
        feed: feed.clone(),
        stack: Stack::default(),
        prefetch: config.amqp_prefetch_count,
        parallel: config.parallel,
        inbound_endpoints: None,
    })
}

/// Middleware that lets no event out of the transport.
fn no_events() -> Stack {
    struct NoEvents;

    #[async_trait]
    impl Middleware for NoEvents {
        async fn handle(&self, hook: Hook, _: &str, message: Message) -> Result<Flow> {
            Ok(match hook.channel {
                Channel::Event => Flow::Stop("not in this benchmark".to_owned()),
                _ => Flow::Continue(message),
            })
        }
    }
    Stack::new(vec![Placed { middleware: Arc::new(NoEvents), consume_priority: 0, publish_priority: 0 }])
}
