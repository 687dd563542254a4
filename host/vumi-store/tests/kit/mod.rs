//! What the tests of this crate share: a clock that stands until it is moved, and the backends to be tested.

#![allow(dead_code, reason = "each test file is a crate of its own and uses a part of this")]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may fail loudly")]

pub(crate) mod child;
pub(crate) mod collections;
pub(crate) mod log;
pub(crate) mod redis;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use vumi_core::{Clock, KvStore};
use vumi_message::Timestamp;
use vumi_store::{Durability, KV_FILE, MemoryBounds, SqliteKv, StoreError};

/// A clock that stands still between calls of [`FakeClock::advance`].
pub(crate) struct FakeClock(AtomicI64);

impl FakeClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_700_000_000_000_000)))
    }

    pub(crate) fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).expect("a moderate time");
        self.0.fetch_add(micros, Ordering::SeqCst);
    }

    pub(crate) fn advance_secs(&self, seconds: u64) {
        self.advance(Duration::from_secs(seconds));
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// A key-value store under test.
pub(crate) struct KvBench {
    pub(crate) kv: Arc<dyn KvStore>,
    /// The store's own clock; Redis has one that nobody can move.
    pub(crate) clock: Arc<FakeClock>,
    /// True for Redis: its time goes on by itself, and only the calls under a quota change a counter.
    pub(crate) redis: bool,
    /// Deleted with the bench.
    directory: Option<TempDir>,
}

impl KvBench {
    pub(crate) fn memory() -> Self {
        let clock = FakeClock::new();
        let kv = vumi_store::kv_in_memory(MemoryBounds::default(), Arc::clone(&clock) as Arc<dyn Clock>);
        Self { kv, clock, redis: false, directory: None }
    }

    pub(crate) fn sqlite() -> Self {
        let (clock, directory) = (FakeClock::new(), tempfile::tempdir().expect("a directory"));
        let kv = Arc::new(open_kv(directory.path(), &clock).expect("opens"));
        Self { kv, clock, redis: false, directory: Some(directory) }
    }

    pub(crate) fn redis() -> Self {
        Self::on_redis(redis::Kind::Server)
    }

    pub(crate) fn cluster() -> Self {
        Self::on_redis(redis::Kind::Cluster)
    }

    pub(crate) fn tagged_cluster() -> Self {
        Self::on_redis(redis::Kind::TaggedCluster)
    }

    fn on_redis(kind: redis::Kind) -> Self {
        Self { kv: redis::keyspace(kind).kv, clock: FakeClock::new(), redis: true, directory: None }
    }

    pub(crate) async fn get(&self, key: &str) -> Option<String> {
        self.kv.get(key).await.expect("gets")
    }

    pub(crate) async fn set(&self, key: &str, value: &str) {
        self.kv.set(key, value, None).await.expect("sets");
    }

    pub(crate) async fn set_for(&self, key: &str, value: &str, seconds: u64) {
        self.kv.set(key, value, Some(Duration::from_secs(seconds))).await.expect("sets");
    }

    /// The number in a counter; one that is not there is zero.
    pub(crate) async fn count(&self, counter: &str) -> u64 {
        self.get(counter).await.map_or(0, |text| text.parse().expect("a decimal number"))
    }
}

/// Opens the key-value store of a directory.
pub(crate) fn open_kv(directory: &Path, clock: &Arc<FakeClock>) -> Result<SqliteKv, StoreError> {
    SqliteKv::open(directory.join(KV_FILE), Durability::Process, Arc::clone(clock) as Arc<dyn Clock>)
}

/// Calls `attempt` until it succeeds, for ten seconds at most.
pub(crate) async fn eventually<T, E: std::fmt::Debug>(mut attempt: impl FnMut() -> Result<T, E>) -> T {
    let mut last = None;
    for _ in 0..2_000 {
        match attempt() {
            Ok(value) => return value,
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("did not succeed within ten seconds: {last:?}");
}
