//! The shadow's kv: reads go through to what the live version sees, writes stay in an overlay that the live version
//! never sees.
//!
//! Both versions are to find the same values, although the live one has run first. So the live run's kv is watched: what
//! a key held before that run touched it is noted, and the shadow's run on the same message reads that.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use parking_lot::Mutex;
use vumi_core::{Error, KeyQuota, KvEntry, KvStore, Quota, Result};

use super::witness;

/// Keys that an overlay holds; beyond them the shadow's writes fail.
const MOST: usize = 100_000;

/// The live version's kv, watched.
pub(super) struct Watched(Arc<dyn KvStore>);

impl Watched {
    pub(super) fn new(kv: Arc<dyn KvStore>) -> Self {
        Self(kv)
    }

    /// Notes what a key holds before it is changed.
    async fn look(&self, key: &str) -> Result<()> {
        if witness::is_new(key) {
            let value = self.0.get(key).await?;
            witness::held(key, value.as_deref());
        }
        Ok(())
    }
}

#[async_trait]
impl KvStore for Watched {
    async fn get(&self, key: &str) -> Result<Option<String>> {
        let value = self.0.get(key).await?;
        witness::held(key, value.as_deref());
        Ok(value)
    }

    async fn set(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<()> {
        self.look(key).await?;
        self.0.set(key, value, ttl).await
    }

    async fn set_if_absent(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<bool> {
        self.look(key).await?;
        self.0.set_if_absent(key, value, ttl).await
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        self.look(key).await?;
        self.0.delete(key).await
    }

    async fn incr(&self, key: &str, amount: i64) -> Result<i64> {
        self.look(key).await?;
        self.0.incr(key, amount).await
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>> {
        self.0.ttl(key).await
    }

    async fn set_within(
        &self,
        key: &str,
        value: &str,
        ttl: Option<Duration>,
        quota: KeyQuota<'_>,
    ) -> Result<Quota<()>> {
        self.look(key).await?;
        self.look(quota.counter).await?;
        self.0.set_within(key, value, ttl, quota).await
    }

    async fn incr_within(&self, key: &str, amount: i64, quota: KeyQuota<'_>) -> Result<Quota<i64>> {
        self.look(key).await?;
        self.look(quota.counter).await?;
        self.0.incr_within(key, amount, quota).await
    }

    async fn delete_within(&self, key: &str, counter: &str) -> Result<bool> {
        self.look(key).await?;
        self.look(counter).await?;
        self.0.delete_within(key, counter).await
    }

    async fn list(&self, prefix: &str, limit: usize) -> Result<Vec<KvEntry>> {
        self.0.list(prefix, limit).await
    }

    /// The store belongs to the host.
    async fn close(&self) {}
}

/// The shadow's kv.
pub(super) struct Overlay {
    below: Arc<dyn KvStore>,
    written: Mutex<HashMap<String, Written>>,
}

/// What the shadow wrote to a key; without a value it deleted it.
struct Written {
    value: Option<String>,
    until: Option<Instant>,
}

impl Overlay {
    pub(super) fn new(below: Arc<dyn KvStore>) -> Self {
        Self { below, written: Mutex::default() }
    }

    fn write(&self, key: &str, value: Option<String>, until: Option<Instant>) -> Result<()> {
        let mut written = self.written.lock();
        if written.len() >= MOST && !written.contains_key(key) {
            return Err(Error::permanent(format!("the overlay of a version in the shadow holds at most {MOST} keys")));
        }
        written.insert(key.to_owned(), Written { value, until });
        Ok(())
    }

    /// The value and until when it holds, if the shadow wrote it.
    fn own(&self, key: &str) -> Option<(Option<String>, Option<Instant>)> {
        let written = self.written.lock();
        let own = written.get(key)?;
        let expired = own.until.is_some_and(|until| until <= Instant::now());
        Some((own.value.clone().filter(|_| !expired), own.until))
    }

    fn until(ttl: Option<Duration>) -> Option<Instant> {
        ttl.and_then(|ttl| Instant::now().checked_add(ttl))
    }

    /// Counts a key that is new. The answer is the count, or `None` when there are too many.
    async fn count(&self, quota: KeyQuota<'_>) -> Result<Option<u64>> {
        let count = self.number(quota.counter).await?.saturating_add(1);
        let count = u64::try_from(count).unwrap_or(0);
        if count >= quota.hard && count > quota.soft {
            return Ok(None);
        }
        self.write(quota.counter, Some(count.to_string()), None)?;
        Ok(Some(count))
    }

    async fn number(&self, key: &str) -> Result<i64> {
        match self.get(key).await? {
            None => Ok(0),
            Some(text) => text.parse().map_err(|_| Error::permanent("value is not an integer or out of range")),
        }
    }
}

#[async_trait]
impl KvStore for Overlay {
    async fn get(&self, key: &str) -> Result<Option<String>> {
        if let Some((value, _)) = self.own(key) {
            return Ok(value);
        }
        match witness::before(key) {
            Some(value) => Ok(value),
            None => self.below.get(key).await,
        }
    }

    async fn set(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<()> {
        self.write(key, Some(value.to_owned()), Self::until(ttl))
    }

    async fn set_if_absent(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<bool> {
        if self.get(key).await?.is_some() {
            return Ok(false);
        }
        self.set(key, value, ttl).await.map(|()| true)
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        let existed = self.get(key).await?.is_some();
        self.write(key, None, None)?;
        Ok(existed)
    }

    async fn incr(&self, key: &str, amount: i64) -> Result<i64> {
        let sum = self.number(key).await?.checked_add(amount);
        let sum = sum.ok_or_else(|| Error::permanent("increment or decrement would overflow"))?;
        let until = self.own(key).and_then(|(_, until)| until);
        self.write(key, Some(sum.to_string()), until)?;
        Ok(sum)
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>> {
        match self.own(key) {
            Some((_, until)) => Ok(until.map(|until| until.saturating_duration_since(Instant::now()))),
            None => self.below.ttl(key).await,
        }
    }

    async fn set_within(
        &self,
        key: &str,
        value: &str,
        ttl: Option<Duration>,
        quota: KeyQuota<'_>,
    ) -> Result<Quota<()>> {
        if self.get(key).await?.is_some() {
            return self.set(key, value, ttl).await.map(Quota::Changed);
        }
        let Some(count) = self.count(quota).await? else { return Ok(Quota::TooMany) };
        self.set(key, value, ttl).await?;
        Ok(Quota::Created { value: (), count })
    }

    async fn incr_within(&self, key: &str, amount: i64, quota: KeyQuota<'_>) -> Result<Quota<i64>> {
        if self.get(key).await?.is_some() {
            return self.incr(key, amount).await.map(Quota::Changed);
        }
        let Some(count) = self.count(quota).await? else { return Ok(Quota::TooMany) };
        let value = self.incr(key, amount).await?;
        Ok(Quota::Created { value, count })
    }

    async fn delete_within(&self, key: &str, counter: &str) -> Result<bool> {
        let existed = self.delete(key).await?;
        if existed {
            let count = self.number(counter).await?;
            self.write(counter, Some(count.saturating_sub(1).max(0).to_string()), None)?;
        }
        Ok(existed)
    }

    async fn list(&self, prefix: &str, limit: usize) -> Result<Vec<KvEntry>> {
        self.below.list(prefix, limit).await
    }

    /// The store below belongs to the host.
    async fn close(&self) {}
}
