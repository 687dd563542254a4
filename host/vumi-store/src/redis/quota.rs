//! Writes under a quota.
//!
//! The counter is Vumi's: `count#<sandbox_id>` holds a plain decimal number, one for each key. Vumi never noticed that a
//! key expired, so that an app that kept sessions ran out of keys in the end. Here an index beside the counter (a sorted
//! set, `<counter>#expiring-keys`) knows the moments at which counted keys expire; those that are over are subtracted
//! when the owner makes its next key. Keys that Vumi wrote are in the counter but not in the index: they count as they
//! did.
//!
//! A counted key is written through these calls alone. A plain [`vumi_core::KvStore::delete`] of one leaves the counter as
//! it is (Redis does not know who counts a key), which errs on the safe side: the owner may then have fewer keys than
//! allowed, never more.
//!
//! Where key and counter are in one place (a server; in a cluster, keys that share a hash tag), each write is one script.
//! Otherwise see [`super::spread`].

use vumi_core::{KeyQuota, Quota};

use super::RedisStore;
use super::call::Script;
use super::health::Access;
use super::slot::{beside, tag};
use crate::StoreError;

/// What the index is called, after the counter.
const INDEX: &str = "#expiring-keys";

/// Puts the scripts' shared part before one of them.
macro_rules! counting {
    ($file:literal) => {
        Script::new(concat!(include_str!("scripts/counter.lua"), include_str!(concat!("scripts/", $file))))
    };
}
pub(super) use counting;

/// The scripts for keys that are beside their counter.
pub(super) struct Scripts {
    within: Script,
    delete_within: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self { within: counting!("within.lua"), delete_within: counting!("delete_within.lua") }
    }
}

/// What is written.
#[derive(Clone, Copy)]
pub(super) enum Write<'a> {
    /// A text, with milliseconds to live.
    Set(&'a str, Option<u64>),
    /// An amount to add.
    Incr(i64),
}

impl Write<'_> {
    /// Milliseconds to live as the scripts take them: empty for ever.
    pub(super) fn ttl(&self) -> String {
        match self {
            Self::Set(_, Some(ms)) => ms.to_string(),
            _ => String::new(),
        }
    }
}

impl RedisStore {
    /// The index that belongs to a counter.
    pub(super) fn index_of(&self, counter: &str) -> String {
        if self.link.options.cluster { beside(counter, INDEX) } else { format!("{counter}{INDEX}") }
    }

    /// Whether one script may deal with a key and its counter. In a cluster they must share a hash tag; that they are in
    /// one slot by chance is not enough, as it is not so for the owner's next key.
    fn together(&self, key: &str, counter: &str) -> bool {
        !self.link.options.cluster || tag(counter).is_some_and(|shared| tag(key) == Some(shared))
    }

    /// Writes a key under a quota; also the sum, if something was added to.
    pub(super) async fn write_within(
        &self,
        key: &str,
        write: Write<'_>,
        quota: KeyQuota<'_>,
    ) -> Result<(Quota<()>, i64), StoreError> {
        let index = self.index_of(quota.counter);
        if !self.together(key, quota.counter) {
            return self.write_spread(key, write, quota, &index).await;
        }
        let (what, value) = match write {
            Write::Set(value, _) => ("set", value.to_owned()),
            Write::Incr(amount) => ("incr", amount.to_string()),
        };
        let (soft, hard) = (quota.soft.to_string(), quota.hard.to_string());
        let keys = [key, quota.counter, index.as_str()];
        let args = [what, value.as_str(), &write.ttl(), &soft, &hard];
        let answer: Vec<String> = self.link.script(Access::Write, &self.quota.within, &keys, &args).await?;
        let number = answer.get(1).map(String::as_str).unwrap_or_default();
        Ok(match (answer.first().map(String::as_str), write) {
            (Some("changed"), Write::Incr(_)) => (Quota::Changed(()), parse(number)?),
            (Some("changed"), Write::Set(..)) => (Quota::Changed(()), 0),
            (Some("created"), _) => {
                let value = if let Write::Incr(amount) = write { amount } else { 0 };
                (Quota::Created { value: (), count: parse(number)?.unsigned_abs() }, value)
            }
            _ => (Quota::TooMany, 0),
        })
    }

    /// Deletes a counted key and lowers its counter.
    pub(super) async fn delete_counted(&self, key: &str, counter: &str) -> Result<bool, StoreError> {
        let index = self.index_of(counter);
        if !self.together(key, counter) {
            return self.delete_spread(key, counter, &index).await;
        }
        let keys = [key, counter, index.as_str()];
        let gone: u64 = self.link.script(Access::Remove, &self.quota.delete_within, &keys, &[]).await?;
        Ok(gone > 0)
    }
}

/// A number that a script answered with.
pub(super) fn parse(text: &str) -> Result<i64, StoreError> {
    text.parse().map_err(|_| StoreError::NotAnInteger)
}
