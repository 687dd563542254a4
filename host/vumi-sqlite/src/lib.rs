//! One SQLite file with a group-committing writer: the ground that the embedded durable broker, key-value store and
//! message store stand on.
//!
//! On a disk, the costly part of a write is not the write but the wait until the disk has confirmed it (a few
//! milliseconds, whatever the size). So writes are not committed one by one. Callers hand over *jobs*, small functions
//! that run statements on a connection; one writer thread takes all jobs that are waiting, runs them in one transaction
//! and commits once. While that commit waits for the disk, the next jobs gather. Nobody waits for a timer, and a
//! thousand concurrent writers cost hardly more disk waits than one.
//!
//! Promises:
//! - A [`Pending`] that resolves to `Ok` is committed, and with [`Durability::Power`] it is on the disk.
//! - Jobs run in the order in which they were submitted.
//! - Each job has a savepoint of its own: one that fails or panics is undone alone and does not spoil its neighbours.
//! - The number of waiting jobs is bounded; see [`Database::submit`] and [`Database::write`].
//! - One process at a time owns a file, guarded by an advisory lock on `<file>.lock`.
//!
//! Reads run on a small pool of threads with connections of their own; write-ahead logging (WAL) lets them go on while
//! the writer writes. See <https://sqlite.org/wal.html> and <https://sqlite.org/pragma.html#pragma_synchronous>.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use vumi_sqlite::{Database, Options};
//!
//! let database = Database::open(
//!     Options::memory(),
//!     &["CREATE TABLE pair (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT"],
//! )?;
//! database
//!     .write(|connection| {
//!         connection
//!             .prepare_cached("INSERT INTO pair (key, value) VALUES (?1, ?2)")?
//!             .execute(["colour", "blue"])
//!     })
//!     .await?;
//! let value: String = database
//!     .read(|connection| {
//!         connection
//!             .prepare_cached("SELECT value FROM pair WHERE key = ?1")?
//!             .query_row(["colour"], |row| row.get(0))
//!     })
//!     .await?;
//! assert_eq!(value, "blue");
//! database.close().await;
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
//! ```

mod connect;
mod database;
mod error;
mod job;
mod lock;
mod migrate;
mod options;
mod pending;
mod queue;
mod reader;
mod wal;
mod writer;

pub use database::{Database, Slot, Stats};
pub use error::{DbError, OpenError};
pub use options::{Durability, Location, Options};
pub use pending::Pending;
