//! Opening the connections: the checks that turn a bad file into a clear sentence, and the settings (pragmas) of the
//! writer's and the readers' connections. Each setting is read back where its failure would break a promise.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::OpenError;
use crate::lock::{LockFile, private};
use crate::options::{Durability, Location};

/// How long a statement waits for a lock that a foreign program holds (an open sqlite3 shell, a backup).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepared statements kept per connection; every job is expected to use `prepare_cached`.
const STATEMENTS: usize = 128;

/// Pages of 4 KiB in the write-ahead log after which a commit also copies them into the file: 16 MiB. SQLite's default
/// of 4 MiB makes a busy queue flush the disk four times as often for this.
const CHECKPOINT_PAGES: u32 = 4_000;

/// The opened writer connection with what belongs to it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    /// The absolute path; none in memory.
    pub(crate) path: Option<PathBuf>,
    /// The held lock; none in memory.
    pub(crate) lock: Option<LockFile>,
}

/// Opens the writer's connection: takes the lock, makes the file when missing; changes nothing in it.
pub(crate) fn writer(location: &Location) -> Result<Opened, OpenError> {
    let Location::File(given) = location else {
        let connection = Connection::open_in_memory()
            .and_then(|connection| tune(&connection).map(|()| connection))
            .map_err(|cause| OpenError::Sqlite { path: ":memory:".into(), cause })?;
        return Ok(Opened { connection, path: None, lock: None });
    };
    let not_writable = |cause| OpenError::NotWritable { path: given.clone(), cause };
    // Absolute: a later change of the working directory must not split the file from its log, and a relative name that
    // begins with "file:" would be read as a URI.
    let path = std::path::absolute(given).map_err(not_writable)?;
    let lock = LockFile::take(&path)?;
    // Made here and not by SQLite, for the file's mode and for the operating system's own words when it fails.
    private(&path).map_err(not_writable)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags)
        .and_then(|connection| tune(&connection).map(|()| connection))
        .map_err(|cause| explain(&path, cause))?;
    Ok(Opened { connection, path: Some(path), lock: Some(lock) })
}

/// Switches the file to write-ahead logging and sets what a commit waits for.
pub(crate) fn start_log(connection: &Connection, path: &Path, durability: Durability) -> Result<(), OpenError> {
    let refused = |cause| explain(path, cause);
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(refused)?;
    if mode != "wal" {
        return Err(OpenError::NoWal { path: path.to_owned(), mode });
    }
    let synchronous = match durability {
        Durability::Power => "FULL",
        Durability::Process => "NORMAL",
    };
    connection
        .pragma_update(None, "synchronous", synchronous)
        .and_then(|()| connection.pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT_PAGES, |_| Ok(())))
        .and_then(|()| {
            // A log that grew during a long read is cut back to this size, in bytes, at its next reset.
            connection.pragma_update_and_check(None, "journal_size_limit", crate::wal::LIMIT_BYTES, |_| Ok(()))
        })
        .map_err(refused)
}

/// Opens a reader's connection to a file whose writer is open.
pub(crate) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
        .and_then(|connection| tune(&connection).map(|()| connection))
        .map_err(|cause| explain(path, cause))
}

/// The settings that every connection shares.
fn tune(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // In KiB when negative: 16 MiB of pages per connection.
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // The file may come from anywhere: nothing in its schema may call functions with side effects.
    connection.pragma_update(None, "trusted_schema", false)
}

/// Turns a refusal by SQLite into a sentence for the user.
pub(crate) fn explain(path: &Path, cause: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match cause.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotADatabase { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Locked { path },
        _ => OpenError::Sqlite { path, cause },
    }
}
