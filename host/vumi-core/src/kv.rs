//! The key-value store keeps small values for apps, sessions and the record of what was sent.
//!
//! Values are text. The sandbox stores JSON text, and counters plain decimal, exactly as Vumi did in Redis
//! (specification: sandbox, section 5), so that data written by either is read by both.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::Result;

/// A bound on the number of keys that one owner may have, counted in a key of its own.
#[derive(Clone, Copy, Debug)]
pub struct KeyQuota<'a> {
    /// The key that holds the owner's number of keys (`count#<sandbox_id>`).
    pub counter: &'a str,
    /// Above this number each new key is worth a warning.
    pub soft: u64,
    /// A new key that would reach this number is refused, unless the number is still within `soft`.
    pub hard: u64,
}

/// What became of a write under a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota<T> {
    /// An existing key was changed.
    Changed(T),
    /// A new key was made; the owner now has `count` keys.
    Created {
        /// The answer of the operation.
        value: T,
        /// The owner's number of keys, the new one included.
        count: u64,
    },
    /// The hard limit forbids a new key; nothing changed.
    TooMany,
}

/// A key for display.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct KvEntry {
    /// The full key.
    pub key: String,
    /// The stored text.
    pub value: String,
    /// Milliseconds until it expires, if it does.
    pub ttl_ms: Option<u64>,
}

/// The key-value store. Each call is atomic.
#[async_trait]
pub trait KvStore: Send + Sync + 'static {
    /// The value, unless absent or expired.
    async fn get(&self, key: &str) -> Result<Option<String>>;

    /// Sets the value; without `ttl` an existing expiry is removed.
    async fn set(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<()>;

    /// Sets the value if the key is absent; true when it did.
    async fn set_if_absent(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<bool>;

    /// Removes the key; true when it existed.
    async fn delete(&self, key: &str) -> Result<bool>;

    /// Adds to an integer, starting from 0 when absent; keeps the expiry. A value that is no integer, or a sum
    /// beyond 64 bits, is a permanent error with the text that Redis gives (`value is not an integer or out of
    /// range`, `increment or decrement would overflow`), and changes nothing.
    async fn incr(&self, key: &str, amount: i64) -> Result<i64>;

    /// Time left until the key expires; `None` when it is absent or never expires.
    async fn ttl(&self, key: &str) -> Result<Option<Duration>>;

    /// [`KvStore::set`] under a quota.
    async fn set_within(&self, key: &str, value: &str, ttl: Option<Duration>, quota: KeyQuota<'_>)
    -> Result<Quota<()>>;

    /// [`KvStore::incr`] under a quota; an error leaves the counter as it was.
    async fn incr_within(&self, key: &str, amount: i64, quota: KeyQuota<'_>) -> Result<Quota<i64>>;

    /// [`KvStore::delete`] of a key that was counted in `counter`.
    async fn delete_within(&self, key: &str, counter: &str) -> Result<bool>;

    /// Keys that start with `prefix`, in order, for display.
    async fn list(&self, prefix: &str, limit: usize) -> Result<Vec<KvEntry>>;

    /// Stops: everything confirmed is safe.
    async fn close(&self);
}
