//! The collections to be tested, and short ways to write changes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use vumi_core::{Answer, Change, Clock, Collections, Guard, Op};
use vumi_store::{COLLECTIONS_FILE, Durability, MemoryBounds, SqliteCollections, StoreError};

use super::{FakeClock, redis};

/// Collections under test.
pub(crate) struct Bench {
    pub(crate) all: Arc<dyn Collections>,
    /// None for Redis, whose clock nobody can move.
    pub(crate) clock: Option<Arc<FakeClock>>,
    /// Deleted with the bench.
    directory: Option<TempDir>,
}

impl Bench {
    pub(crate) fn memory() -> Self {
        let clock = FakeClock::new();
        let all = vumi_store::collections_in_memory(Arc::clone(&clock) as Arc<dyn Clock>);
        Self { all, clock: Some(clock), directory: None }
    }

    pub(crate) fn sqlite() -> Self {
        let (clock, directory) = (FakeClock::new(), tempfile::tempdir().expect("a directory"));
        let all = Arc::new(open_collections(directory.path(), &clock).expect("opens"));
        Self { all, clock: Some(clock), directory: Some(directory) }
    }

    pub(crate) fn redis() -> Self {
        Self { all: redis::keyspace(redis::Kind::Server).collections, clock: None, directory: None }
    }

    pub(crate) fn cluster() -> Self {
        Self { all: redis::keyspace(redis::Kind::TaggedCluster).collections, clock: None, directory: None }
    }

    /// Makes one step.
    pub(crate) async fn one(&self, op: Op) -> Answer {
        let mut answers = self.apply(Change::new().then(op)).await.expect("no guards");
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }

    pub(crate) async fn apply(&self, change: Change) -> Option<Vec<Answer>> {
        self.all.apply(change).await.expect("applies")
    }

    /// Whether a condition holds.
    pub(crate) async fn holds(&self, guard: Guard) -> bool {
        self.apply(Change::new().when(guard)).await.is_some()
    }

    /// Lets time pass: by the clock that stands still otherwise, or in earnest.
    pub(crate) async fn pass(&self, time: Duration) {
        match &self.clock {
            Some(clock) => clock.advance(time),
            None => tokio::time::sleep(time).await,
        }
    }

    /// Waits until a key is gone, which it must be after `ttl` and not before.
    pub(crate) async fn goes_after(&self, key: &str, ttl: Duration) {
        let since = std::time::Instant::now();
        self.pass(ttl.mul_f64(0.5)).await;
        // A machine that stood still for so long proves nothing.
        let there = self.holds(exists(key)).await;
        assert!(there || since.elapsed() >= ttl, "{key} went too early");
        self.pass(ttl.mul_f64(0.5)).await;
        self.is_gone(key).await;
    }

    /// Waits until a key is gone that has no time left.
    pub(crate) async fn is_gone(&self, key: &str) {
        for _ in 0..1_000 {
            if !self.holds(exists(key)).await {
                return;
            }
            assert!(self.clock.is_none(), "{key} is there at its moment");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{key} stays");
    }
}

/// Opens the collections of a directory.
pub(crate) fn open_collections(directory: &Path, clock: &Arc<FakeClock>) -> Result<SqliteCollections, StoreError> {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    SqliteCollections::open(directory.join(COLLECTIONS_FILE), Durability::Process, MemoryBounds::default(), clock)
}

pub(crate) fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

pub(crate) fn exists(key: &str) -> Guard {
    Guard::Exists { key: key.to_owned() }
}

pub(crate) fn absent(key: &str) -> Guard {
    Guard::Absent { key: key.to_owned() }
}

pub(crate) fn set_text(key: &str, value: &str) -> Op {
    Op::SetText { key: key.to_owned(), value: value.to_owned() }
}

pub(crate) fn delete(keys: &[&str]) -> Op {
    Op::Delete { keys: texts(keys) }
}

pub(crate) fn expire(key: &str, ttl_ms: u64) -> Op {
    Op::Expire { key: key.to_owned(), ttl_ms }
}

pub(crate) fn hash_set(key: &str, fields: &[(&str, &str)]) -> Op {
    let fields = fields.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect();
    Op::HashSet { key: key.to_owned(), fields }
}

pub(crate) fn hash_remove(key: &str, fields: &[&str]) -> Op {
    Op::HashRemove { key: key.to_owned(), fields: texts(fields) }
}

pub(crate) fn set_add(key: &str, members: &[&str]) -> Op {
    Op::SetAdd { key: key.to_owned(), members: texts(members) }
}

pub(crate) fn set_remove(key: &str, members: &[&str]) -> Op {
    Op::SetRemove { key: key.to_owned(), members: texts(members) }
}

pub(crate) fn set_pop(key: &str) -> Op {
    Op::SetPop { key: key.to_owned() }
}

pub(crate) fn push_head(key: &str, values: &[&str]) -> Op {
    Op::PushHead { key: key.to_owned(), values: texts(values) }
}

pub(crate) fn push_tail(key: &str, values: &[&str]) -> Op {
    Op::PushTail { key: key.to_owned(), values: texts(values) }
}

pub(crate) fn pop_head(key: &str) -> Op {
    Op::PopHead { key: key.to_owned() }
}

pub(crate) fn pop_tail(key: &str) -> Op {
    Op::PopTail { key: key.to_owned() }
}

pub(crate) fn list_remove(key: &str, value: &str) -> Op {
    Op::ListRemove { key: key.to_owned(), value: value.to_owned() }
}

pub(crate) fn sorted_add(key: &str, member: &str, score: f64) -> Op {
    Op::SortedAdd { key: key.to_owned(), member: member.to_owned(), score }
}

pub(crate) fn sorted_remove(key: &str, members: &[&str]) -> Op {
    Op::SortedRemove { key: key.to_owned(), members: texts(members) }
}

/// What was taken out.
pub(crate) fn value(text: &str) -> Answer {
    Answer::Value(Some(text.to_owned()))
}
