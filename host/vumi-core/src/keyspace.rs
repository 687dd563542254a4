//! Where a worker keeps its keys: the system's key-value store, or one of its own, under a prefix.
//!
//! Vumi's workers each had a `redis_manager` with an address and a `key_prefix` (specification: workers, section 9).
//! Here the address usually stands once, in the system's `kv`; a worker that names another one gets another one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::collections::{Answer, Change, Collections, Guard, Op, Scores};
use crate::error::Result;
use crate::kv::{KeyQuota, KvEntry, KvStore, Quota};

/// The key `redis_manager` of a worker. Everything may be left out.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RedisManager {
    /// Host of a Redis server of the worker's own; the system's `kv` unless given.
    pub host: Option<String>,
    /// Its port; 6379 unless given.
    pub port: Option<u16>,
    /// Its database number; 0 unless given.
    pub db: Option<u32>,
    /// Its password.
    pub password: Option<String>,
    /// Its user name, where it has an access list.
    pub username: Option<String>,
    /// What every key begins with.
    pub key_prefix: Option<String>,
    /// What stands between the parts of a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_separator: Option<String>,
}

/// Without the password.
impl std::fmt::Debug for RedisManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisManager")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("db", &self.db)
            .field("password", &self.password.as_ref().map(|_| "[secret]"))
            .field("key_prefix", &self.key_prefix)
            .finish_non_exhaustive()
    }
}

impl RedisManager {
    /// True when it names a server, so that the system's `kv` is not meant.
    pub fn names_a_server(&self) -> bool {
        self.host.is_some() || self.port.is_some() || self.db.is_some() || self.password.is_some()
    }

    /// What stands between the parts of a key: `:` unless given.
    pub fn separator(&self) -> &str {
        self.key_separator.as_deref().unwrap_or(":")
    }
}

/// Opens keyspaces; implemented by the wiring.
pub trait Keyspaces: Send + Sync + 'static {
    /// The keyspace that a worker's `redis_manager` names, its `key_prefix` applied. Connects later, and again
    /// whenever the connection is lost.
    ///
    /// # Errors
    /// When the settings make no sense.
    fn open(&self, manager: &RedisManager) -> Result<Keyspace>;
}

/// Keys under one prefix.
#[derive(Clone)]
pub struct Keyspace {
    /// Small values.
    pub kv: Arc<dyn KvStore>,
    /// Collections.
    pub collections: Arc<dyn Collections>,
    separator: String,
}

impl std::fmt::Debug for Keyspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyspace").finish_non_exhaustive()
    }
}

impl Keyspace {
    /// Without a prefix.
    pub fn new(kv: Arc<dyn KvStore>, collections: Arc<dyn Collections>) -> Self {
        Self { kv, collections, separator: ":".to_owned() }
    }

    /// What stands between a prefix and what follows it in keyspaces made [`Keyspace::under`] this one.
    #[must_use]
    pub fn separated_by(mut self, separator: &str) -> Self {
        separator.clone_into(&mut self.separator);
        self
    }

    /// Every key begins with `prefix` and the separator; an empty prefix changes nothing.
    #[must_use]
    pub fn under(&self, prefix: &str) -> Self {
        if prefix.is_empty() {
            return self.clone();
        }
        let prefix = format!("{prefix}{}", self.separator);
        Self {
            kv: Arc::new(Prefixed { inner: Arc::clone(&self.kv), prefix: prefix.clone() }),
            collections: Arc::new(Prefixed { inner: Arc::clone(&self.collections), prefix }),
            separator: self.separator.clone(),
        }
    }
}

/// A store whose keys all begin with a prefix, which its user does not see.
struct Prefixed<T: ?Sized> {
    prefix: String,
    inner: Arc<T>,
}

impl<T: ?Sized> Prefixed<T> {
    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn put(&self, key: &mut String) {
        key.insert_str(0, &self.prefix);
    }
}

#[async_trait]
impl KvStore for Prefixed<dyn KvStore> {
    async fn get(&self, key: &str) -> Result<Option<String>> {
        self.inner.get(&self.key(key)).await
    }

    async fn set(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<()> {
        self.inner.set(&self.key(key), value, ttl).await
    }

    async fn set_if_absent(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<bool> {
        self.inner.set_if_absent(&self.key(key), value, ttl).await
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        self.inner.delete(&self.key(key)).await
    }

    async fn incr(&self, key: &str, amount: i64) -> Result<i64> {
        self.inner.incr(&self.key(key), amount).await
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>> {
        self.inner.ttl(&self.key(key)).await
    }

    async fn set_within(
        &self,
        key: &str,
        value: &str,
        ttl: Option<Duration>,
        quota: KeyQuota<'_>,
    ) -> Result<Quota<()>> {
        let counter = self.key(quota.counter);
        self.inner.set_within(&self.key(key), value, ttl, KeyQuota { counter: &counter, ..quota }).await
    }

    async fn incr_within(&self, key: &str, amount: i64, quota: KeyQuota<'_>) -> Result<Quota<i64>> {
        let counter = self.key(quota.counter);
        self.inner.incr_within(&self.key(key), amount, KeyQuota { counter: &counter, ..quota }).await
    }

    async fn delete_within(&self, key: &str, counter: &str) -> Result<bool> {
        self.inner.delete_within(&self.key(key), &self.key(counter)).await
    }

    async fn list(&self, prefix: &str, limit: usize) -> Result<Vec<KvEntry>> {
        let mut entries = self.inner.list(&self.key(prefix), limit).await?;
        for entry in &mut entries {
            if let Some(bare) = entry.key.strip_prefix(&self.prefix) {
                entry.key = bare.to_owned();
            }
        }
        Ok(entries)
    }

    /// The store belongs to all of its keyspaces: whoever opened it closes it.
    async fn close(&self) {}
}

#[async_trait]
impl Collections for Prefixed<dyn Collections> {
    async fn text(&self, key: &str) -> Result<Option<String>> {
        self.inner.text(&self.key(key)).await
    }

    async fn hash(&self, key: &str) -> Result<BTreeMap<String, String>> {
        self.inner.hash(&self.key(key)).await
    }

    async fn field(&self, key: &str, field: &str) -> Result<Option<String>> {
        self.inner.field(&self.key(key), field).await
    }

    async fn members(&self, key: &str) -> Result<BTreeSet<String>> {
        self.inner.members(&self.key(key)).await
    }

    async fn has(&self, key: &str, member: &str) -> Result<bool> {
        self.inner.has(&self.key(key), member).await
    }

    async fn list(&self, key: &str, skip: u64, limit: u64) -> Result<Vec<String>> {
        self.inner.list(&self.key(key), skip, limit).await
    }

    async fn sorted(&self, key: &str, scores: Scores, limit: u64) -> Result<Vec<(String, f64)>> {
        self.inner.sorted(&self.key(key), scores, limit).await
    }

    async fn score(&self, key: &str, member: &str) -> Result<Option<f64>> {
        self.inner.score(&self.key(key), member).await
    }

    async fn len(&self, key: &str) -> Result<u64> {
        self.inner.len(&self.key(key)).await
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>> {
        self.inner.ttl(&self.key(key)).await
    }

    async fn keys(&self, prefix: &str, limit: u64) -> Result<Vec<String>> {
        let keys = self.inner.keys(&self.key(prefix), limit).await?;
        Ok(keys.into_iter().map(|key| key.strip_prefix(&self.prefix).map(str::to_owned).unwrap_or(key)).collect())
    }

    async fn apply(&self, mut change: Change) -> Result<Option<Vec<Answer>>> {
        for guard in &mut change.guards {
            self.put(guard_key(guard));
        }
        for op in &mut change.ops {
            match op {
                Op::Delete { keys } => keys.iter_mut().for_each(|key| self.put(key)),
                Op::SetText { key, .. }
                | Op::Expire { key, .. }
                | Op::HashSet { key, .. }
                | Op::HashRemove { key, .. }
                | Op::SetAdd { key, .. }
                | Op::SetRemove { key, .. }
                | Op::SetPop { key }
                | Op::PushHead { key, .. }
                | Op::PushTail { key, .. }
                | Op::PopHead { key }
                | Op::PopTail { key }
                | Op::ListRemove { key, .. }
                | Op::SortedAdd { key, .. }
                | Op::SortedRemove { key, .. } => self.put(key),
            }
        }
        self.inner.apply(change).await
    }
}

fn guard_key(guard: &mut Guard) -> &mut String {
    match guard {
        Guard::Exists { key }
        | Guard::Absent { key }
        | Guard::TextIs { key, .. }
        | Guard::FieldIs { key, .. }
        | Guard::Has { key, .. }
        | Guard::HasNot { key, .. }
        | Guard::Below { key, .. }
        | Guard::HeadIs { key, .. }
        | Guard::TailIs { key, .. } => key,
    }
}
