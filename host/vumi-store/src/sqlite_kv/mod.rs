//! [`SqliteKv`]: the key-value store in one SQLite file.
//!
//! Every change is one job of the database's writer thread, which makes it atomic; it is answered after the commit.

mod cache;
mod ops;
mod rows;
mod sweep;
mod tx;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;
use vumi_core::{Clock, KeyQuota, KvEntry, KvStore, Quota, Result};
use vumi_sqlite::{Database, DbError, Durability, Options};

use crate::error::StoreError;
use crate::expiry::{is_live, left_ms, now_ms};
use cache::{Cache, Known, Lookup};
use ops::Answer;
use sweep::Sweep;
use tx::Tx;

/// The schema; releases only append.
///
/// Keys are compared byte by byte, so that order and prefixes are those of the text. `expires_at` is in milliseconds
/// since the epoch; `counter` is the key of the counter that counts this key.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE kv (
        key TEXT NOT NULL PRIMARY KEY,
        value TEXT NOT NULL,
        expires_at INTEGER,
        counter TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX kv_expires ON kv (expires_at) WHERE expires_at IS NOT NULL;
    CREATE INDEX kv_counted ON kv (counter, expires_at) WHERE counter IS NOT NULL;
"];

/// The key-value store in one file. Its size is bounded by the disk alone: a write that finds no room there is a
/// temporary error. A bounded cache in memory answers most reads.
///
/// Expired keys are invisible at once, and deleted in small batches between later writes.
pub struct SqliteKv {
    database: Database,
    clock: Arc<dyn Clock>,
    cache: Arc<Cache>,
    sweep: Arc<Sweep>,
}

impl SqliteKv {
    /// Opens the file `path`, making it when missing; its directory must exist. Blocks while it opens.
    ///
    /// # Errors
    /// [`StoreError::Open`], one sentence for the user.
    pub fn open(
        path: impl Into<PathBuf>,
        durability: Durability,
        clock: Arc<dyn Clock>,
    ) -> std::result::Result<Self, StoreError> {
        let options = Options { durability, ..Options::file(path) };
        let database = Database::open(options, MIGRATIONS)?;
        Ok(Self { database, clock, cache: Arc::new(Cache::new(cache::BYTES)), sweep: Arc::new(Sweep::default()) })
    }

    fn now(&self) -> i64 {
        now_ms(self.clock.as_ref())
    }

    /// Runs a change and waits until it is committed. The caller's own error (the inner result) rolls nothing back.
    async fn write<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Answer<T> + Send + 'static,
    {
        let now = self.now();
        self.sweep.start_if_due(&self.database, &self.cache, now);
        let cache = Arc::clone(&self.cache);
        let written = self.database.write(move |connection| {
            let mut tx = Tx::new(connection, now, cache);
            let answer = job(&mut tx)?;
            Ok((answer, tx.into_changes()))
        });
        let (answer, changes) = written.await.map_err(|cause| failed("written", cause))?;
        changes.committed();
        Ok(answer?)
    }

    /// The visible value with its moment of expiry, and the time at which it was looked up.
    async fn look_up(&self, key: &str) -> Result<(Known, i64)> {
        let now = self.now();
        let fill = match self.cache.get(key) {
            Lookup::Hit(known) => return Ok((known.filter(|(_, expires)| is_live(*expires, now)), now)),
            Lookup::Miss(fill) => fill,
        };
        let key = key.to_owned();
        let read = self.read(move |connection, now| {
            Ok((rows::shown(connection, &key, now)?, rows::is_counter(connection, &key)?))
        });
        let (known, counter) = read.await?;
        // Not for the cache: the value of a counter changes as rows expire, without being written.
        if !counter {
            fill.put(known.clone());
        }
        Ok((known, now))
    }

    /// Runs a read on the last committed state.
    async fn read<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, i64) -> rusqlite::Result<T> + Send + 'static,
    {
        let now = self.now();
        let answer = self.database.read(move |connection| job(connection, now)).await;
        Ok(answer.map_err(|cause| failed("read", cause))?)
    }
}

fn failed(done: &'static str, cause: DbError) -> StoreError {
    StoreError::Database { store: "key-value store", done, cause }
}

impl std::fmt::Debug for SqliteKv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteKv").field("database", &self.database).finish_non_exhaustive()
    }
}

/// A quota that a job can take along.
struct OwnedQuota {
    counter: String,
    soft: u64,
    hard: u64,
}

impl OwnedQuota {
    fn of(quota: KeyQuota<'_>) -> Self {
        Self { counter: quota.counter.to_owned(), soft: quota.soft, hard: quota.hard }
    }

    fn lend(&self) -> KeyQuota<'_> {
        KeyQuota { counter: &self.counter, soft: self.soft, hard: self.hard }
    }
}

#[async_trait]
impl KvStore for SqliteKv {
    async fn get(&self, key: &str) -> Result<Option<String>> {
        let (known, _) = self.look_up(key).await?;
        Ok(known.map(|(value, _)| value))
    }

    async fn set(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<()> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.write(move |tx| tx.set(&key, &value, ttl).map(Ok)).await
    }

    async fn set_if_absent(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<bool> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.write(move |tx| tx.set_if_absent(&key, &value, ttl).map(Ok)).await
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        let key = key.to_owned();
        self.write(move |tx| tx.delete_live(&key).map(Ok)).await
    }

    async fn incr(&self, key: &str, amount: i64) -> Result<i64> {
        let key = key.to_owned();
        self.write(move |tx| tx.incr(&key, amount)).await
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>> {
        let (known, now) = self.look_up(key).await?;
        let expires = known.and_then(|(_, expires)| expires);
        Ok(expires.map(|at| Duration::from_millis(left_ms(at, now))))
    }

    async fn set_within(
        &self,
        key: &str,
        value: &str,
        ttl: Option<Duration>,
        quota: KeyQuota<'_>,
    ) -> Result<Quota<()>> {
        let (key, value, quota) = (key.to_owned(), value.to_owned(), OwnedQuota::of(quota));
        self.write(move |tx| tx.set_within(&key, &value, ttl, &quota.lend())).await
    }

    async fn incr_within(&self, key: &str, amount: i64, quota: KeyQuota<'_>) -> Result<Quota<i64>> {
        let (key, quota) = (key.to_owned(), OwnedQuota::of(quota));
        self.write(move |tx| tx.incr_within(&key, amount, &quota.lend())).await
    }

    async fn delete_within(&self, key: &str, _counter: &str) -> Result<bool> {
        // The key knows its counter; a key that was never counted must not lower it.
        self.delete(key).await
    }

    async fn list(&self, prefix: &str, limit: usize) -> Result<Vec<KvEntry>> {
        let prefix = prefix.to_owned();
        self.read(move |connection, now| rows::list(connection, &prefix, limit, now)).await
    }

    async fn close(&self) {
        self.database.close().await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use vumi_core::SystemClock;

    use super::*;

    fn open() -> (tempfile::TempDir, SqliteKv) {
        let directory = tempfile::tempdir().expect("a directory");
        let kv = SqliteKv::open(directory.path().join("kv"), Durability::Process, Arc::new(SystemClock));
        (directory, kv.expect("opens"))
    }

    fn is_cached(kv: &SqliteKv, key: &str) -> bool {
        matches!(kv.cache.get(key), Lookup::Hit(_))
    }

    #[tokio::test]
    async fn reads_and_writes_leave_their_value_in_the_cache() {
        let (_directory, kv) = open();
        kv.set("set", "1", None).await.expect("sets");
        kv.incr("incr", 1).await.expect("adds");
        kv.delete("incr").await.expect("deletes");
        kv.get("absent").await.expect("gets");
        assert!(is_cached(&kv, "set") && is_cached(&kv, "incr") && is_cached(&kv, "absent"));
        let quota = KeyQuota { counter: "count", soft: 8, hard: 10 };
        kv.set_within("counted", "1", None, quota).await.expect("sets");
        assert_eq!(kv.get("count").await.expect("gets").as_deref(), Some("1"));
        assert!(is_cached(&kv, "counted") && !is_cached(&kv, "count"));
        assert_eq!(kv.cache.under_way(), 0);
        kv.close().await;
    }

    #[tokio::test]
    async fn nothing_stays_announced_whatever_becomes_of_a_call() {
        let (_directory, kv) = open();
        let quota = KeyQuota { counter: "count", soft: 0, hard: 0 };
        kv.set_within("refused", "1", None, quota).await.expect("answers");
        kv.set("text", "x", Some(Duration::from_millis(1))).await.expect("sets");
        kv.incr("text", 1).await.err();
        for n in 0..100 {
            // Polled once, so that the job is queued, and given up.
            let key = format!("key {n}");
            let mut write = pin!(kv.set(&key, "1", Some(Duration::ZERO)));
            let mut read = pin!(kv.get(&key));
            poll_fn(|context| {
                let _ = (write.as_mut().poll(context), read.as_mut().poll(context));
                Poll::Ready(())
            })
            .await;
        }
        let failing = |tx: &mut Tx<'_>| -> Answer<()> {
            tx.set("rolled back", "1", None)?;
            Err(rusqlite::Error::InvalidQuery)
        };
        kv.write(failing).await.expect_err("fails");
        assert_eq!(kv.get("rolled back").await.expect("gets"), None);
        kv.close().await;
        kv.set("closed", "1", None).await.expect_err("closed");
        kv.get("closed").await.expect_err("closed");
        assert_eq!(kv.cache.under_way(), 0);
    }
}
