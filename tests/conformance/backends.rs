//! The stores in which workers keep their keys. Each check is made on each of them.

mod turns;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::component::Configured;
use vumi_core::{Broker, Clock, Collections, Context, Keyspace, Worker};
use vumi_message::Timestamp;
use vumi_store::{
    COLLECTIONS_FILE, Durability, MemoryBounds, RedisOptions, RedisStore, collections_at, collections_in_memory,
    kv_in_memory,
};
use vumi_test_servers::shared_redis;
use vumi_tests::context::{OneKeyspace, context_with};
use vumi_worker::registry::WorkerPlace;
use vumi_worker::{WorkerConfig, WorkerShared};

use turns::Turns;

/// How long a test waits for what should happen soon.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A clock that a test sets.
#[derive(Default)]
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    /// Sets it, in seconds since the epoch.
    pub(crate) fn set(&self, seconds: f64) {
        self.0.store((seconds * 1e6).round() as i64, Ordering::SeqCst);
    }

    pub(crate) fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Keys that no other test sees, and a clock that stands at 1970 until it is set.
pub(crate) struct Keys {
    pub(crate) space: Keyspace,
    pub(crate) clock: Arc<HandClock>,
    _folder: Option<tempfile::TempDir>,
}

impl Keys {
    pub(crate) fn in_memory() -> Self {
        let clock = Arc::<HandClock>::default();
        let kv = kv_in_memory(MemoryBounds::default(), clock.clone());
        let collections = Arc::new(Turns::fair(collections_in_memory(clock.clone())));
        Self { space: Keyspace::new(kv, collections), clock, _folder: None }
    }

    /// In a file.
    pub(crate) fn on_disk() -> Self {
        let clock = Arc::<HandClock>::default();
        let kv = kv_in_memory(MemoryBounds::default(), clock.clone());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(COLLECTIONS_FILE);
        let collections = collections_at(file, Durability::Process, clock.clone()).unwrap();
        Self { space: Keyspace::new(kv, Arc::new(Turns::fair(collections))), clock, _folder: Some(folder) }
    }

    /// In Redis, whose own clock decides when keys expire.
    pub(crate) async fn in_redis() -> Self {
        let url = tokio::task::spawn_blocking(|| shared_redis().url(0)).await.unwrap();
        let store = RedisStore::open(RedisOptions::parse(&url).unwrap());
        let space = Keyspace::new(store.clone(), store).under(&vumi_message::new_id());
        Self { space, clock: Arc::default(), _folder: None }
    }

    pub(crate) fn collections(&self) -> &dyn Collections {
        &*self.space.collections
    }

    /// A context with these keys and this clock, and a broker in memory.
    pub(crate) fn context(&self) -> Context {
        self.context_with(EmbeddedBroker::in_memory(BrokerOptions::default()))
    }

    pub(crate) fn context_with(&self, broker: Arc<dyn Broker>) -> Context {
        let keyspaces = Arc::new(OneKeyspace(self.space.clone()));
        Context { keyspaces, ..context_with(broker, self.clock.clone()) }
    }

    /// The same keys, for a process that is interrupted just before its first call of this name.
    pub(crate) fn interrupted(&self, call: &'static str, turn: impl Future<Output = ()> + Send + 'static) -> Keyspace {
        let collections = Arc::new(Turns::interrupted(Arc::clone(&self.space.collections), call, turn));
        Keyspace::new(Arc::clone(&self.space.kv), collections)
    }

    /// The members of a set, in order.
    pub(crate) async fn set(&self, key: &str) -> Vec<String> {
        self.collections().members(key).await.unwrap().into_iter().collect()
    }

    /// A whole list.
    pub(crate) async fn list(&self, key: &str) -> Vec<String> {
        self.collections().list(key, 0, u64::MAX).await.unwrap()
    }

    /// All keys, in order.
    pub(crate) async fn all(&self) -> Vec<String> {
        let mut keys = self.collections().keys("", 10_000).await.unwrap();
        keys.sort();
        keys
    }
}

/// Makes each check a test for each backend.
macro_rules! on_each_backend {
    ($($(#[$meta:meta])* async fn $name:ident($keys:ident: Keys) $body:block)+) => {
        $($(#[$meta])* async fn $name($keys: crate::backends::Keys) $body)+

        mod memory {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(crate::backends::Keys::in_memory()).await;
                }
            )+
        }

        mod disk {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(crate::backends::Keys::on_disk()).await;
                }
            )+
        }

        mod redis {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(crate::backends::Keys::in_redis().await).await;
                }
            )+
        }
    };
}
pub(crate) use on_each_backend;

/// A worker as a configuration file describes it.
pub(crate) fn worker(yaml: &str, context: &Context) -> Arc<dyn Worker> {
    try_worker(yaml, context).unwrap()
}

/// The same, or what is wrong with it.
pub(crate) fn try_worker(yaml: &str, context: &Context) -> Result<Arc<dyn Worker>, String> {
    struct Read(Configured<WorkerShared, WorkerConfig>);
    impl<'de> serde::Deserialize<'de> for Read {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            WorkerConfig::read(deserializer).map(Read)
        }
    }
    let Read(Configured { shared, component }) = serde_saphyr::from_str(yaml).map_err(|error| error.to_string())?;
    component.build(WorkerPlace { shared: &shared, context }).map_err(|error| error.to_string())
}

/// Fails the test when `work` takes too long.
pub(crate) async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, work).await.unwrap_or_else(|_| panic!("{what}: not within {LIMIT:?}"))
}

/// Asks until the answer is yes.
pub(crate) async fn until(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    soon(what, async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// A worker that runs, until dropped.
pub(crate) struct Running {
    shutdown: tokio_util::sync::CancellationToken,
    task: tokio::task::JoinHandle<vumi_core::Result<()>>,
    /// Where it listens, if it does.
    pub(crate) at: Option<String>,
}

impl Running {
    /// Starts a worker, and waits until it works.
    pub(crate) async fn start(yaml: &str, context: &Context) -> Self {
        let mut feed = context.feed.watch();
        let shutdown = tokio_util::sync::CancellationToken::new();
        let task = tokio::spawn(worker(yaml, context).run(shutdown.clone()));
        let at = soon("the worker is ready", async {
            loop {
                if let vumi_core::Happening::Ready { name, at } = &feed.recv().await.unwrap().happening {
                    assert_eq!(name, &format!("worker:{}", context.name));
                    break at.clone();
                }
            }
        })
        .await;
        Self { shutdown, task, at }
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        soon("the worker stops", &mut self.task).await.unwrap().unwrap();
    }

    /// Ends it as a crash would, in the middle of whatever it does.
    pub(crate) async fn kill(mut self) {
        self.task.abort();
        assert!((&mut self.task).await.unwrap_err().is_cancelled());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
