//! [`MemoryKv`]: the key-value store in this process.
//!
//! One mutex guards all of it. Every operation holds it for well under a microsecond and nobody waits inside, so that
//! finer locks would buy little, and each call is atomic for free, the counters of the quotas included.

mod counted;
mod entries;
mod state;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::{Mutex, MutexGuard};
use vumi_core::{Clock, KeyQuota, KvEntry, KvStore, Quota, Result};

use crate::expiry::now_ms;
use entries::PARTS;
use state::State;

/// How much a [`MemoryKv`] holds at most. A write beyond is refused with [`crate::StoreError::Full`]; what has expired
/// is thrown away before that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryBounds {
    /// Keys, counters included. Default 1 000 000.
    pub keys: usize,
    /// Bytes of keys and values, with 200 bytes added for each key, which is about what its upkeep takes. Default
    /// 512 MiB.
    pub bytes: usize,
}

impl Default for MemoryBounds {
    fn default() -> Self {
        Self { keys: 1_000_000, bytes: 512 * 1024 * 1024 }
    }
}

/// The key-value store in this process. What it holds is gone when the process ends.
///
/// Expired keys are invisible at once, and thrown away a few at a time by later writes, so that no single call pays
/// for many. A listing goes through the keys in steps, between which others may change them: it costs time in proportion
/// to all keys, but holds nobody up.
pub struct MemoryKv {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
}

impl MemoryKv {
    /// An empty store that tells the time by `clock`.
    pub fn new(bounds: MemoryBounds, clock: Arc<dyn Clock>) -> Self {
        Self { state: Mutex::new(State::new(bounds)), clock }
    }

    /// The number of keys that are held, including expired ones that are not yet thrown away.
    pub fn len(&self) -> usize {
        self.state.lock().len()
    }

    /// True when nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn now(&self) -> i64 {
        now_ms(self.clock.as_ref())
    }
}

impl std::fmt::Debug for MemoryKv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryKv").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl MemoryKv {
    /// One operation. Whoever waits for the lock gets it next: a guest that asks without end would otherwise take it
    /// again before the other has woken up, and keep it away for half a millisecond.
    fn with<T>(&self, operation: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock();
        let answer = operation(&mut state);
        MutexGuard::unlock_fair(state);
        answer
    }
}

#[async_trait]
impl KvStore for MemoryKv {
    async fn get(&self, key: &str) -> Result<Option<String>> {
        Ok(self.with(|state| state.get(key, || self.now())))
    }

    async fn set(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<()> {
        let now = self.now();
        Ok(self.with(|state| state.set(key, value, ttl, now))?)
    }

    async fn set_if_absent(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<bool> {
        let now = self.now();
        Ok(self.with(|state| state.set_if_absent(key, value, ttl, now))?)
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        let now = self.now();
        Ok(self.with(|state| state.delete(key, now)))
    }

    async fn incr(&self, key: &str, amount: i64) -> Result<i64> {
        let now = self.now();
        Ok(self.with(|state| state.incr(key, amount, now))?)
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>> {
        let now = self.now();
        Ok(self.with(|state| state.ttl_ms(key, now)).map(Duration::from_millis))
    }

    async fn set_within(
        &self,
        key: &str,
        value: &str,
        ttl: Option<Duration>,
        quota: KeyQuota<'_>,
    ) -> Result<Quota<()>> {
        let now = self.now();
        Ok(self.with(|state| state.set_within(key, value, ttl, &quota, now))?)
    }

    async fn incr_within(&self, key: &str, amount: i64, quota: KeyQuota<'_>) -> Result<Quota<i64>> {
        let now = self.now();
        Ok(self.with(|state| state.incr_within(key, amount, &quota, now))?)
    }

    async fn delete_within(&self, key: &str, _counter: &str) -> Result<bool> {
        // The key knows its counter; a key that was never counted must not lower it.
        self.delete(key).await
    }

    async fn list(&self, prefix: &str, limit: usize) -> Result<Vec<KvEntry>> {
        let now = self.now();
        let mut found = BTreeMap::new();
        for part in 0..PARTS {
            self.state.lock().list(part, prefix, limit, &mut found, now);
            tokio::task::yield_now().await;
        }
        Ok(found.into_values().collect())
    }

    async fn close(&self) {}
}
