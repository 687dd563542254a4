//! What can go wrong: [`OpenError`] when a database is opened (a user's matter: one sentence each that says what, where
//! and how to mend), [`DbError`] for one job of a running database.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::ErrorCode;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process (or another [`crate::Database`] of this one) holds the lock file.
    #[error(
        "{}: in use by {holder}; stop that process or choose another data directory",
        path.display()
    )]
    InUse {
        /// The database file.
        path: PathBuf,
        /// Who holds it, as far as the lock file tells: `process 123` or `another process`.
        holder: String,
    },
    /// The lock file or the database file cannot be made or written.
    #[error(
        "{}: cannot be opened for writing ({cause}); make sure that its directory exists and that the user who runs this \
         program may write there",
        path.display()
    )]
    NotWritable {
        /// The file that could not be opened.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// The file exists but is something else.
    #[error("{}: not an SQLite database; move it away or choose another data directory", path.display())]
    NotADatabase {
        /// The database file.
        path: PathBuf,
    },
    /// Another program, which does not know our lock file, holds SQLite's own lock.
    #[error("{}: locked by another program, such as an open sqlite3 shell; close that program", path.display())]
    Locked {
        /// The database file.
        path: PathBuf,
    },
    /// The file system cannot hold a write-ahead log (network file systems mostly).
    #[error(
        "{}: write-ahead logging is not possible here (journal mode stays {mode:?}); put the data directory on a local \
         disk",
        path.display()
    )]
    NoWal {
        /// The database file.
        path: PathBuf,
        /// The journal mode that SQLite kept.
        mode: String,
    },
    /// The file was written by a newer release of this program.
    #[error(
        "{}: written by a newer release (schema version {found}, this release knows {known}); run that release or \
         restore a backup from before the upgrade",
        path.display()
    )]
    Newer {
        /// The database file.
        path: PathBuf,
        /// The schema version in the file (`PRAGMA user_version`).
        found: i64,
        /// The highest schema version that this release knows: its number of migrations.
        known: i64,
    },
    /// The file is a sound database with tables, but none that this program made.
    #[error(
        "{}: a database of another program (it holds tables but no schema version); choose another data directory",
        path.display()
    )]
    Foreign {
        /// The database file.
        path: PathBuf,
    },
    /// A migration failed; the file is as it was before that migration.
    #[error("{}: cannot be brought to schema version {version} ({cause})", path.display())]
    Migration {
        /// The database file.
        path: PathBuf,
        /// The schema version that the migration would have led to, counted from 1.
        version: i64,
        /// What SQLite said.
        cause: rusqlite::Error,
    },
    /// Any other refusal by SQLite.
    #[error("{}: cannot be opened ({cause})", path.display())]
    Sqlite {
        /// The database file, or `:memory:`.
        path: PathBuf,
        /// What SQLite said.
        cause: rusqlite::Error,
    },
    /// The operating system gave no thread.
    #[error("cannot start a database thread ({0})")]
    Thread(io::Error),
}

/// Why a job was not done. Whatever the variant, the job is not confirmed; and nothing of it is in the database, except
/// as said for [`DbError::NotCommitted`] and [`DbError::TransactionEnded`].
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// The job itself returned an error; it was undone, its neighbours were not.
    #[error("the database refused a statement ({0})")]
    Sql(Arc<rusqlite::Error>),
    /// The job ran, but the transaction that it was part of could not be committed (disk full, input/output error). It
    /// is undone for everyone who reads the running database. As with every failed commit, it cannot be excluded that
    /// the disk kept it all the same and that it is there after a crash, so repeat it in a way that may run twice.
    #[error("the database could not commit ({0})")]
    NotCommitted(Arc<rusqlite::Error>),
    /// The job panicked; it was undone, its neighbours were not. The text is the panic's message.
    #[error("a database job panicked ({0})")]
    Panicked(String),
    /// A job ended the transaction that it shares with others (it ran `COMMIT` or `ROLLBACK`), which it must not. It and
    /// those that ran before it in that transaction get this; whether their writes are kept depends on what it ran.
    #[error("a database job ended the transaction that it shares with others")]
    TransactionEnded,
    /// So many jobs wait already that no room is left; nothing was queued.
    #[error("too many database jobs are waiting (bound: {bound})")]
    Full {
        /// The bound on waiting jobs, [`crate::Options::queue_bound`].
        bound: usize,
    },
    /// The database is closed or closing; the job did not run.
    #[error("the database is closed")]
    Closed,
}

impl DbError {
    /// Whether the same job may succeed when tried again later: true for a full queue, a failed commit, a full disk,
    /// an input/output error, a lock or lack of memory; false for a mistake in the job and for a closed database.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Full { .. } => true,
            Self::NotCommitted(cause) => cause.sqlite_error_code() != Some(ErrorCode::ConstraintViolation),
            Self::Sql(cause) => matches!(
                cause.sqlite_error_code(),
                Some(
                    ErrorCode::DatabaseBusy
                        | ErrorCode::DatabaseLocked
                        | ErrorCode::DiskFull
                        | ErrorCode::SystemIoFailure
                        | ErrorCode::OutOfMemory
                        | ErrorCode::OperationInterrupted
                )
            ),
            Self::Panicked(_) | Self::TransactionEnded | Self::Closed => false,
        }
    }
}
