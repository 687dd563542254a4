//! Where the host keeps things: small values by key for apps, sessions and the record of what was sent
//! ([`KvStore`]), hashes, sets, lists and sorted sets for sessions, tag pools, windows and schedules ([`Collections`]),
//! facts for people, such as the messages that passed and the runs of apps ([`Store`]), the apps that were deployed
//! ([`Catalog`]), and recordings of their runs ([`Recordings`]).
//!
//! | Backend | Trait | Keeps | Use |
//! | --- | --- | --- | --- |
//! | [`MemoryKv`] | [`KvStore`] | in this process, until it ends | without a data directory; tests |
//! | [`SqliteKv`] | [`KvStore`] | in one file | with a data directory |
//! | [`MemoryCollections`] | [`Collections`] | in this process, until it ends | without a data directory; tests |
//! | [`SqliteCollections`] | [`Collections`] | in this process and one file | with a data directory |
//! | [`RedisStore`] | [`KvStore`], [`Collections`] | in Redis, a Redis cluster or Valkey | several hosts; data of a Vumi |
//! | [`SqliteStore`] | [`Store`] | in one file, or in memory | both |
//! | [`SqliteCatalog`] | [`Catalog`] | in one file, or in memory | both |
//! | [`SqliteRecordings`] | [`Recordings`] | in one file, or in memory | both |
//!
//! All backends of one trait behave the same: the files `tests/*_contract.rs` hold the rules and run them against
//! each.
//!
//! ```
//! # async fn example() -> Result<(), vumi_core::Error> {
//! use std::sync::Arc;
//! use vumi_core::{KvStore, SystemClock};
//!
//! let kv = vumi_store::kv_in_memory(vumi_store::MemoryBounds::default(), Arc::new(SystemClock));
//! kv.set("greeting", "hello", None).await?;
//! assert_eq!(kv.get("greeting").await?.as_deref(), Some("hello"));
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
//! ```

mod catalog;
mod collections;
mod error;
mod expiry;
mod flat;
mod memory_kv;
mod number;
mod parts;
mod recorder;
mod recordings;
mod redis;
mod sqlite_kv;
mod sqlite_store;

use std::path::PathBuf;
use std::sync::Arc;

#[cfg(doc)]
use vumi_core::{Catalog, Collections, KvStore, Recordings, Store};
use vumi_core::{Clock, RecordingBounds};

pub use catalog::{CatalogRefusal, SqliteCatalog, VersionRole};
pub use collections::{MemoryCollections, SqliteCollections};
pub use error::StoreError;
pub use memory_kv::{MemoryBounds, MemoryKv};
pub use recordings::SqliteRecordings;
pub use redis::{RedisOptions, RedisStore};
pub use sqlite_kv::SqliteKv;
pub use sqlite_store::{SqliteStore, StoreOptions};
pub use vumi_sqlite::{Durability, Location};

/// Name of the key-value store's file within a data directory.
pub const KV_FILE: &str = "kv.sqlite";

/// Name of the collections' file within a data directory.
pub const COLLECTIONS_FILE: &str = "collections.sqlite";

/// Name of the message store's file within a data directory.
pub const STORE_FILE: &str = "store.sqlite";

/// Name of the catalog's file within a data directory.
pub const CATALOG_FILE: &str = "catalog.sqlite";

/// Name of the file of recordings within a data directory.
pub const RECORDINGS_FILE: &str = "recordings.sqlite";

/// A key-value store in this process: gone when the process ends.
pub fn kv_in_memory(bounds: MemoryBounds, clock: Arc<dyn Clock>) -> Arc<MemoryKv> {
    Arc::new(MemoryKv::new(bounds, clock))
}

/// Collections in this process: gone when the process ends.
pub fn collections_in_memory(clock: Arc<dyn Clock>) -> Arc<MemoryCollections> {
    Arc::new(MemoryCollections::new(clock))
}

/// Collections in the file `path` (by custom [`COLLECTIONS_FILE`]) with the default bounds; the file is made when missing.
/// Blocks while it reads all of it.
///
/// # Errors
/// [`StoreError::Open`] or [`StoreError::Database`], one sentence for the user.
pub fn collections_at(
    path: impl Into<PathBuf>,
    durability: Durability,
    clock: Arc<dyn Clock>,
) -> Result<Arc<SqliteCollections>, StoreError> {
    SqliteCollections::open(path, durability, MemoryBounds::default(), clock).map(Arc::new)
}

/// A key-value store in the file `path` (by custom [`KV_FILE`]), which is made when missing. Blocks while it opens.
///
/// # Errors
/// [`StoreError::Open`], one sentence for the user.
pub fn kv_at(
    path: impl Into<PathBuf>,
    durability: Durability,
    clock: Arc<dyn Clock>,
) -> Result<Arc<SqliteKv>, StoreError> {
    SqliteKv::open(path, durability, clock).map(Arc::new)
}

/// A message store in this process with the default bounds: gone when the process ends.
///
/// # Errors
/// [`StoreError::Open`] or [`StoreError::Thread`], when the operating system gives no memory or no thread.
pub fn store_in_memory() -> Result<Arc<SqliteStore>, StoreError> {
    SqliteStore::open(Location::Memory, Durability::default(), StoreOptions::default()).map(Arc::new)
}

/// A message store in the file `path` (by custom [`STORE_FILE`]) with the default bounds; the file is made when
/// missing. Blocks while it opens.
///
/// # Errors
/// [`StoreError::Open`] or [`StoreError::Thread`], one sentence for the user.
pub fn store_at(path: impl Into<PathBuf>, durability: Durability) -> Result<Arc<SqliteStore>, StoreError> {
    SqliteStore::open(Location::File(path.into()), durability, StoreOptions::default()).map(Arc::new)
}

/// A catalog in this process: gone when the process ends.
///
/// # Errors
/// [`StoreError::Open`], when the operating system gives no memory or no thread.
pub fn catalog_in_memory() -> Result<Arc<SqliteCatalog>, StoreError> {
    SqliteCatalog::open(Location::Memory, Durability::default()).map(Arc::new)
}

/// A catalog in the file `path` (by custom [`CATALOG_FILE`]), which is made when missing. Blocks while it opens.
///
/// # Errors
/// [`StoreError::Open`], one sentence for the user.
pub fn catalog_at(path: impl Into<PathBuf>, durability: Durability) -> Result<Arc<SqliteCatalog>, StoreError> {
    SqliteCatalog::open(Location::File(path.into()), durability).map(Arc::new)
}

/// Recordings in this process: gone when the process ends.
///
/// # Errors
/// [`StoreError::Open`] or [`StoreError::Thread`], when the operating system gives no memory or no thread.
pub fn recordings_in_memory(
    bounds: RecordingBounds,
    clock: Arc<dyn Clock>,
) -> Result<Arc<SqliteRecordings>, StoreError> {
    SqliteRecordings::open(Location::Memory, Durability::default(), bounds, clock).map(Arc::new)
}

/// Recordings in the file `path` (by custom [`RECORDINGS_FILE`]), which is made when missing. Blocks while it opens, and
/// while it forgets what is beyond the bounds.
///
/// # Errors
/// [`StoreError::Open`], [`StoreError::Database`] or [`StoreError::Thread`], one sentence for the user.
pub fn recordings_at(
    path: impl Into<PathBuf>,
    durability: Durability,
    bounds: RecordingBounds,
    clock: Arc<dyn Clock>,
) -> Result<Arc<SqliteRecordings>, StoreError> {
    SqliteRecordings::open(Location::File(path.into()), durability, bounds, clock).map(Arc::new)
}
