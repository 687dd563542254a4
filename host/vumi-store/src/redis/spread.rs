//! Writes under a quota in a cluster where a key and its counter are in different places, so that no script can deal with
//! both. (With a hash tag such as `{vumi}` in `key_prefix` they are in one place, and everything is simpler and faster.)
//!
//! The counter goes first: a place is reserved in it, then the key is made *if it is still absent*, and when somebody else
//! made it the place is given back. A key is deleted before its place is given back. So at every moment there are at
//! least as many places taken as there are keys, and never more places than the limit: whatever is interrupted where, the
//! owner has at most too few keys. What a crash between the two steps leaves behind is one place that is taken for
//! nothing, until the key's time to live is over.
//!
//! The index beside the counter knows here every counted key, those without expiry at infinity: an entry is made together
//! with the place, never later, as it could then arrive after the key was deleted, and give back a place that is not its
//! own. For the same reason a change of the time to live moves an entry but never makes one.

use redis::cmd;
use vumi_core::{KeyQuota, Quota};

use super::RedisStore;
use super::call::Script;
use super::health::Access;
use super::quota::{Write, counting, parse};
use crate::StoreError;

/// How often a key may vanish and come back under our hands before the call gives up.
const ATTEMPTS: usize = 20;

/// The scripts; each deals with the counter, or with the key.
pub(super) struct Scripts {
    reserve: Script,
    release: Script,
    touch: Script,
    due: Script,
    settle: Script,
    add_to: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            reserve: counting!("reserve.lua"),
            release: counting!("release.lua"),
            touch: Script::new(include_str!("scripts/touch.lua")),
            due: Script::new(include_str!("scripts/due.lua")),
            settle: counting!("settle.lua"),
            add_to: Script::new(include_str!("scripts/add_to.lua")),
        }
    }
}

/// A place in a counter.
enum Place {
    /// Taken; the owner's number of keys, and whether the counter was raised for it.
    Taken {
        count: u64,
        raised: bool,
    },
    Refused,
}

impl RedisStore {
    pub(super) async fn write_spread(
        &self,
        key: &str,
        write: Write<'_>,
        quota: KeyQuota<'_>,
        index: &str,
    ) -> Result<(Quota<()>, i64), StoreError> {
        for _ in 0..ATTEMPTS {
            if let Some(sum) = self.change_existing(key, write, quota.counter, index).await? {
                return Ok((Quota::Changed(()), sum));
            }
            let Place::Taken { count, raised } = self.reserve(key, write, quota, index).await? else {
                return Ok((Quota::TooMany, 0));
            };
            let made = self.make(key, write).await;
            match made {
                Ok(true) => {
                    if matches!(write, Write::Set(_, Some(0))) {
                        self.release(quota.counter, index, key).await?;
                    }
                    let value = if let Write::Incr(amount) = write { amount } else { 0 };
                    return Ok((Quota::Created { value: (), count }, value));
                }
                // Somebody else made it first; their place stands for it.
                Ok(false) if raised => self.release(quota.counter, index, "").await?,
                Ok(false) => {}
                Err(error) => {
                    // It may have been made all the same: the place stays taken.
                    return Err(error);
                }
            }
        }
        let sentence = format!("the key `{key}` is made and deleted by others all the time; try again");
        Err(StoreError::Redis { sentence, temporary: true })
    }

    pub(super) async fn delete_spread(&self, key: &str, counter: &str, index: &str) -> Result<bool, StoreError> {
        let gone: u64 = self.link.command(Access::Remove, cmd("DEL").arg(key).take()).await?;
        if gone > 0 {
            self.release(counter, index, key).await?;
        }
        Ok(gone > 0)
    }

    /// Changes the key if it is there; the sum, if something was added to.
    async fn change_existing(
        &self,
        key: &str,
        write: Write<'_>,
        counter: &str,
        index: &str,
    ) -> Result<Option<i64>, StoreError> {
        let (value, ttl) = match write {
            Write::Incr(amount) => {
                let amount = amount.to_string();
                let scripts = &self.spread;
                let sum: Option<String> = self.link.script(Access::Write, &scripts.add_to, &[key], &[&amount]).await?;
                return sum.as_deref().map(parse).transpose();
            }
            Write::Set(_, Some(0)) => {
                return Ok(self.delete_spread(key, counter, index).await?.then_some(0));
            }
            Write::Set(value, ttl) => (value, ttl),
        };
        let mut set = cmd("SET");
        set.arg(key).arg(value).arg("XX");
        if let Some(ms) = ttl {
            set.arg("PX").arg(ms);
        }
        let done: Option<String> = self.link.command(Access::Write, set).await?;
        if done.is_none() {
            return Ok(None);
        }
        let _: i64 = self.link.script(Access::Write, &self.spread.touch, &[index], &[key, &write.ttl()]).await?;
        Ok(Some(0))
    }

    async fn make(&self, key: &str, write: Write<'_>) -> Result<bool, StoreError> {
        let mut set = cmd("SET");
        match write {
            Write::Incr(amount) => drop(set.arg(key).arg(amount).arg("NX")),
            Write::Set(_, Some(0)) => return Ok(!self.exists(key).await?),
            Write::Set(value, None) => drop(set.arg(key).arg(value).arg("NX")),
            Write::Set(value, Some(ms)) => drop(set.arg(key).arg(value).arg("NX").arg("PX").arg(ms)),
        }
        let done: Option<String> = self.link.command(Access::Write, set).await?;
        Ok(done.is_some())
    }

    async fn reserve(
        &self,
        key: &str,
        write: Write<'_>,
        quota: KeyQuota<'_>,
        index: &str,
    ) -> Result<Place, StoreError> {
        let (ttl, soft, hard) = (write.ttl(), quota.soft.to_string(), quota.hard.to_string());
        let mut anyway = "";
        loop {
            let keys = [quota.counter, index];
            let args = [key, ttl.as_str(), &soft, &hard, anyway];
            let answer: Vec<String> = self.link.script(Access::Write, &self.spread.reserve, &keys, &args).await?;
            let count = || parse(answer.get(1).map(String::as_str).unwrap_or_default());
            match answer.first().map(String::as_str) {
                Some("due") => {
                    self.settle(quota.counter, index).await?;
                    anyway = "1";
                }
                Some("made") => return Ok(Place::Taken { count: count()?.unsigned_abs(), raised: true }),
                Some("taken") => return Ok(Place::Taken { count: count()?.unsigned_abs(), raised: false }),
                _ => return Ok(Place::Refused),
            }
        }
    }

    /// Gives the places of keys back that have expired.
    async fn settle(&self, counter: &str, index: &str) -> Result<(), StoreError> {
        let due: Vec<String> = self.link.script(Access::Read, &self.spread.due, &[index], &[]).await?;
        for pair in due.chunks_exact(2) {
            let [key, moment] = pair else { continue };
            let left: i64 = self.link.command(Access::Read, cmd("PTTL").arg(key).take()).await?;
            let args = [key.as_str(), moment, &left.to_string()];
            let _: i64 = self.link.script(Access::Write, &self.spread.settle, &[counter, index], &args).await?;
        }
        Ok(())
    }

    /// Gives a place back; `key` is struck out of the index, unless it is empty.
    async fn release(&self, counter: &str, index: &str, key: &str) -> Result<(), StoreError> {
        let _: i64 = self.link.script(Access::Remove, &self.spread.release, &[counter, index], &[key]).await?;
        Ok(())
    }
}
