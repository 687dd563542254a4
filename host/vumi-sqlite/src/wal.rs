//! Keeping the write-ahead log small.
//!
//! SQLite copies the log into the file every so many pages (a *checkpoint*) and then writes the log from its start
//! again, but only at a moment when no reader needs the old part. Readers that overlap without a gap could let the log
//! grow without bound (<https://sqlite.org/wal.html#avoiding_excessively_large_wal_files>). So the writer looks at the
//! log's size after each commit and, past a limit, runs a checkpoint that waits for the readers.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

/// The size of the log, in bytes, past which a checkpoint waits for readers: 64 MiB.
pub(crate) const LIMIT_BYTES: u32 = 64 * 1024 * 1024;

/// The log of one database file.
#[derive(Debug)]
pub(crate) struct Wal {
    path: PathBuf,
    limit: u64,
    /// The size at which to try next, in bytes: raised after a vain attempt, which costs seconds.
    next: u64,
}

impl Wal {
    /// The log beside the file `database`, held to about `limit` bytes.
    pub(crate) fn new(database: &Path, limit: u32) -> Self {
        let limit = u64::from(limit);
        let mut name = database.as_os_str().to_owned();
        name.push("-wal");
        Self { path: name.into(), limit, next: limit }
    }

    /// Cuts the log back if it is past the limit.
    pub(crate) fn bound(&mut self, connection: &Connection) {
        let Ok(size) = std::fs::metadata(&self.path).map(|found| found.len()) else {
            return;
        };
        if size <= self.next {
            return;
        }
        if truncate(connection) {
            self.next = self.limit;
        } else {
            self.next = size.saturating_add(self.limit);
            tracing::warn!(
                file = %self.path.display(), size,
                "the database's log is large and cannot be cut back: a read has been running for long"
            );
        }
    }
}

/// Copies the log into the file, waiting for readers, and empties it; false when that is not possible now, in which
/// case nothing is lost: the log stays.
pub(crate) fn truncate(connection: &Connection) -> bool {
    checkpoint(connection, "TRUNCATE")
}

/// Copies of the log into the file what can be copied without waiting, so that the log's space can be used again.
pub(crate) fn passive(connection: &Connection) -> bool {
    checkpoint(connection, "PASSIVE")
}

fn checkpoint(connection: &Connection, mode: &str) -> bool {
    let busy = connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get::<_, bool>(0));
    match busy {
        Ok(busy) => !busy,
        Err(error) => {
            tracing::warn!(%error, "a checkpoint of the database failed; its log is kept");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_past_its_limit_is_cut_back_unless_a_read_needs_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("d.db");
        let connection = Connection::open(&file).expect("opens");
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; \
                 PRAGMA busy_timeout = 10; CREATE TABLE t (x)",
            )
            .expect("sets up");
        let fill = || {
            for _ in 0..10 {
                connection.execute("INSERT INTO t VALUES (zeroblob(20000))", []).expect("writes");
            }
        };
        let size = || std::fs::metadata(directory.path().join("d.db-wal")).expect("there is a log").len();
        let mut wal = Wal::new(&file, 100_000);

        let reader = Connection::open(&file).expect("opens");
        reader.execute_batch("BEGIN; SELECT * FROM t").expect("reads");
        fill();
        let grown = size();
        assert!(grown > 100_000);
        wal.bound(&connection);
        assert_eq!(size(), grown, "kept for the reader");

        reader.execute_batch("COMMIT").expect("ends");
        wal.bound(&connection);
        assert_eq!(size(), grown, "not tried again until it has grown further");
        fill();
        wal.bound(&connection);
        assert_eq!(size(), 0);
        fill();
        wal.bound(&connection);
        assert_eq!(size(), 0, "back at the first limit");
    }
}
