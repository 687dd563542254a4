//! What can go wrong in a store, and the verdict that callers at the seam get.
//!
//! The verdict follows from who is at fault: a caller that adds to a text gets a permanent error, which it may show to
//! an app; a disk that is full or a store that is closing is the host's own trouble, temporary, so that the message
//! that needed it is tried again and never given up for it.

use std::io;

use vumi_sqlite::{DbError, OpenError};

use crate::catalog::CatalogRefusal;

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The operating system gave no thread.
    #[error("cannot start the thread that writes {records} ({cause})")]
    Thread {
        /// What it would have written, e.g. `runs and log lines`.
        records: &'static str,
        /// What the operating system said.
        cause: io::Error,
    },
    /// A value that was to be added to, or a counter, holds no decimal integer of 64 bits. The text is Redis' own.
    #[error("value is not an integer or out of range")]
    NotAnInteger,
    /// The sum has no place in 64 bits. The text is Redis' own.
    #[error("increment or decrement would overflow")]
    Overflow,
    /// A key holds another kind of value than the operation is for. The text is Redis' own.
    #[error("WRONGTYPE Operation against a key holding the wrong kind of value")]
    WrongType,
    /// The score of a member of a sorted set is not a finite number.
    #[error("the score of a member of a sorted set must be a finite number")]
    NotAScore,
    /// The key-value store in memory has reached its bound and nothing in it has expired.
    #[error(
        "the key-value store in memory is full (bound: {keys} keys, {bytes} bytes); set `data_dir` to keep it on disk, \
         or let keys expire sooner"
    )]
    Full {
        /// The bound on keys.
        keys: usize,
        /// The bound on bytes.
        bytes: usize,
    },
    /// The collections have reached their bound and nothing in them has expired.
    #[error(
        "the collections are full (bound: {keys} keys, {bytes} bytes); use Redis for them, or let keys expire sooner"
    )]
    CollectionsFull {
        /// The bound on keys.
        keys: usize,
        /// The bound on bytes.
        bytes: usize,
    },
    /// An address of a Redis server that is none. The text is the whole sentence.
    #[error("{0}")]
    RedisAddress(String),
    /// Redis did not do a read or a write.
    #[error("{sentence}")]
    Redis {
        /// What is the matter, where, and how to mend it.
        sentence: String,
        /// Whether trying again can help.
        temporary: bool,
    },
    /// Keys of one change that a Redis cluster keeps in different places.
    #[error(
        "the keys `{one}` and `{other}` of one change belong to different slots of the Redis cluster; put a hash tag such \
         as `{{vumi}}` into `key_prefix`"
    )]
    Apart {
        /// A key.
        one: String,
        /// Another key.
        other: String,
    },
    /// A change that has too many parts.
    #[error("one change of collections has too many members, fields and values (at most {most}); split it")]
    TooLarge {
        /// The bound.
        most: usize,
    },
    /// The catalog does not do what it was asked. The text is the whole sentence.
    #[error(transparent)]
    Catalog(#[from] CatalogRefusal),
    /// The database could not do a read or a write.
    #[error("the {store} could not be {done}")]
    Database {
        /// Which store, e.g. `key-value store`.
        store: &'static str,
        /// `read` or `written`.
        done: &'static str,
        /// What the database said.
        #[source]
        cause: DbError,
    },
}

impl From<StoreError> for vumi_core::Error {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::Database { cause, .. } => Self::temporary(text).because(cause),
            StoreError::Full { .. }
            | StoreError::CollectionsFull { .. }
            | StoreError::Redis { temporary: true, .. } => Self::temporary(text),
            StoreError::RedisAddress(_)
            | StoreError::Redis { temporary: false, .. }
            | StoreError::Apart { .. }
            | StoreError::TooLarge { .. }
            | StoreError::Open(_)
            | StoreError::Thread { .. }
            | StoreError::Catalog(_)
            | StoreError::NotAnInteger
            | StoreError::Overflow
            | StoreError::WrongType
            | StoreError::NotAScore => Self::permanent(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_s_trouble_is_temporary_and_keeps_its_cause() {
        let closed = StoreError::Database { store: "key-value store", done: "written", cause: DbError::Closed };
        let error = vumi_core::Error::from(closed);
        assert!(error.is_temporary());
        assert_eq!(error.report(), "the key-value store could not be written: the database is closed");
        let error = vumi_core::Error::from(StoreError::Full { keys: 3, bytes: 9 });
        assert!(error.is_temporary());
        assert_eq!(
            error.report(),
            "the key-value store in memory is full (bound: 3 keys, 9 bytes); set `data_dir` to keep it on disk, or let \
             keys expire sooner"
        );
    }
}
