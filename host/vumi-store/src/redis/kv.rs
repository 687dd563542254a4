//! [`KvStore`] on Redis: each call is one command, except under a quota (see [`super::quota`]).

use std::time::Duration;

use async_trait::async_trait;
use redis::cmd;
use vumi_core::{KeyQuota, KvEntry, KvStore, Quota, Result};

use super::RedisStore;
use super::health::Access;

/// The longest time to live that Redis takes, in milliseconds: a moment beyond has no place in 64 bits.
const LONGEST_MS: u64 = 9_000_000_000_000_000_000;

/// Milliseconds, rounded up: never shorter than asked for.
pub(super) fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX).min(LONGEST_MS)
}

#[async_trait]
impl KvStore for RedisStore {
    async fn get(&self, key: &str) -> Result<Option<String>> {
        Ok(self.link.command(Access::Read, cmd("GET").arg(key).take()).await?)
    }

    async fn set(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<()> {
        let mut set = cmd("SET");
        set.arg(key).arg(value);
        match ttl.map(millis) {
            // No time at all: Redis refuses that as a time to live.
            Some(0) => return self.delete(key).await.map(drop),
            Some(ms) => drop(set.arg("PX").arg(ms)),
            None => {}
        }
        Ok(self.link.command(Access::Write, set).await?)
    }

    async fn set_if_absent(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<bool> {
        let mut set = cmd("SET");
        set.arg(key).arg(value).arg("NX");
        match ttl.map(millis) {
            Some(0) => return Ok(!self.exists(key).await?),
            Some(ms) => drop(set.arg("PX").arg(ms)),
            None => {}
        }
        let done: Option<String> = self.link.command(Access::Write, set).await?;
        Ok(done.is_some())
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        let gone: u64 = self.link.command(Access::Remove, cmd("DEL").arg(key).take()).await?;
        Ok(gone > 0)
    }

    async fn incr(&self, key: &str, amount: i64) -> Result<i64> {
        Ok(self.link.command(Access::Write, cmd("INCRBY").arg(key).arg(amount).take()).await?)
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>> {
        Ok(self.time_left(key).await?)
    }

    async fn set_within(
        &self,
        key: &str,
        value: &str,
        ttl: Option<Duration>,
        quota: KeyQuota<'_>,
    ) -> Result<Quota<()>> {
        Ok(self.write_within(key, super::quota::Write::Set(value, ttl.map(millis)), quota).await?.0)
    }

    async fn incr_within(&self, key: &str, amount: i64, quota: KeyQuota<'_>) -> Result<Quota<i64>> {
        let (answer, sum) = self.write_within(key, super::quota::Write::Incr(amount), quota).await?;
        Ok(match answer {
            Quota::Changed(()) => Quota::Changed(sum),
            Quota::Created { count, .. } => Quota::Created { value: sum, count },
            Quota::TooMany => Quota::TooMany,
        })
    }

    async fn delete_within(&self, key: &str, counter: &str) -> Result<bool> {
        Ok(self.delete_counted(key, counter).await?)
    }

    /// Looks through all keys of the database, a thousand at a time, so that Redis serves others between; texts only.
    async fn list(&self, prefix: &str, limit: usize) -> Result<Vec<KvEntry>> {
        let mut entries = Vec::new();
        for key in self.first_keys(prefix, limit, true).await? {
            // Whatever vanished since, or is no text after all, is left out.
            let value: Option<String> = match self.link.command(Access::Read, cmd("GET").arg(&key).take()).await {
                Err(crate::StoreError::WrongType) => None,
                answer => answer?,
            };
            if let Some(value) = value {
                let left = self.time_left(&key).await?;
                let ttl_ms = left.map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
                entries.push(KvEntry { key, value, ttl_ms });
            }
        }
        Ok(entries)
    }

    /// Drops the connections, for both traits of the store.
    async fn close(&self) {
        self.link.close();
    }
}

impl RedisStore {
    pub(super) async fn exists(&self, key: &str) -> std::result::Result<bool, crate::StoreError> {
        let there: u64 = self.link.command(Access::Read, cmd("EXISTS").arg(key).take()).await?;
        Ok(there > 0)
    }

    /// Time until a key expires.
    pub(super) async fn time_left(&self, key: &str) -> std::result::Result<Option<Duration>, crate::StoreError> {
        let left: i64 = self.link.command(Access::Read, cmd("PTTL").arg(key).take()).await?;
        // -1 never expires, -2 is not there.
        Ok(u64::try_from(left).ok().map(Duration::from_millis))
    }
}
