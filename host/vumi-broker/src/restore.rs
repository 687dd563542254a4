//! Opening a broker's file: checks it, reads everything, and counts the deliveries that the last run could not count.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rusqlite::{Connection, ErrorCode};
use vumi_core::DeadLetter;
use vumi_sqlite::{Database, DbError, Durability, OpenError, Options};

use crate::error::BrokerError;
use crate::marks::Marks;
use crate::queue::Message;
use crate::write::{self, Write, sql};

/// All that a file held.
pub(crate) struct Restored {
    pub(crate) database: Database,
    pub(crate) marks: Marks,
    pub(crate) queues: Vec<RestoredQueue>,
    /// Higher than any number of a message or dead letter.
    pub(crate) next_id: u64,
    /// Higher than the row of any queue.
    pub(crate) next_row: u64,
}

/// One queue with its messages and dead letters, each in order.
pub(crate) struct RestoredQueue {
    pub(crate) row: u64,
    pub(crate) name: String,
    pub(crate) messages: Vec<Message>,
    pub(crate) dead: Vec<DeadLetter>,
}

#[derive(Default)]
struct Contents {
    run: u64,
    queues: Vec<RestoredQueue>,
    /// Where in `queues` the queue of a row is.
    places: HashMap<u64, usize>,
    next_id: u64,
}

/// Opens the file and reads it.
pub(crate) fn open(path: &Path, durability: Durability) -> Result<Restored, BrokerError> {
    let options = Options { durability, readers: 1, ..Options::file(path) };
    let database = Database::open(options, write::MIGRATIONS).map_err(refused)?;
    match read(path, &database) {
        Ok((marks, contents)) => {
            let next_row = contents.queues.iter().map(|queue| queue.row + 1).max().unwrap_or(0);
            Ok(Restored { database, marks, queues: contents.queues, next_id: contents.next_id, next_row })
        }
        Err(error) => {
            database.close_blocking();
            Err(error)
        }
    }
}

fn read(path: &Path, database: &Database) -> Result<(Marks, Contents), BrokerError> {
    let damaged = |cause: DbError| BrokerError::Damaged { path: path.to_owned(), cause: plain(&cause) };
    let mut contents = database.read_blocking(contents).map_err(damaged)?;
    let beside = marks_path(path);
    let no_marks = |cause: std::io::Error| BrokerError::Write { path: beside.clone(), cause: cause.to_string() };
    let rows = contents.queues.iter().map(|queue| queue.row).max().unwrap_or(0);
    let (marks, handed_out) = Marks::open(&beside, contents.run, rows).map_err(no_marks)?;
    let counted = Write::Attempts(count(&mut contents.queues, &handed_out));
    let run = contents.run + 1;
    database
        .write_blocking(move |connection| {
            counted.run(connection)?;
            connection.execute("UPDATE run SET number = ?1", [sql(run)])?;
            // Names that nothing refers to any more.
            connection.execute(
                "DELETE FROM queue WHERE id NOT IN (SELECT queue FROM message UNION SELECT queue FROM dead)",
                [],
            )
        })
        .map_err(|cause| match &cause {
            DbError::Sql(sqlite) | DbError::NotCommitted(sqlite) if is_damage(sqlite) => damaged(cause),
            _ => BrokerError::Write { path: path.to_owned(), cause: plain(&cause) },
        })?;
    contents.queues.retain(|queue| !queue.messages.is_empty() || !queue.dead.is_empty());
    // Only now: until the counts are in the database, the marks are needed.
    marks.begin(run).map_err(no_marks)?;
    Ok((marks, contents))
}

/// The file that notes what was handed out.
fn marks_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".marks");
    name.into()
}

/// Counts one more attempt for each message that was handed out; the new counts.
fn count(queues: &mut [RestoredQueue], handed_out: &[u64]) -> Vec<(u64, u32)> {
    let mut counted = Vec::new();
    for queue in queues {
        let up_to = usize::try_from(queue.row).ok().and_then(|row| handed_out.get(row)).copied().unwrap_or(0);
        for message in queue.messages.iter_mut().take_while(|message| message.id <= up_to) {
            message.attempts = message.attempts.saturating_add(1);
            counted.push((message.id, message.attempts));
        }
    }
    counted
}

fn contents(connection: &Connection) -> rusqlite::Result<Contents> {
    let run = connection.query_row("SELECT number FROM run", [], |row| number(row, 0))?;
    let mut contents = Contents { run, ..Contents::default() };
    let mut statement = connection.prepare("SELECT id, name FROM queue ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id = number(row, 0)?;
        contents.places.insert(id, contents.queues.len());
        contents.queues.push(RestoredQueue { row: id, name: row.get(1)?, messages: Vec::new(), dead: Vec::new() });
    }
    let mut statement = connection.prepare("SELECT id, queue, attempts, body FROM message ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, queue) = contents.place(row)?;
        queue.messages.push(Message {
            id,
            attempts: row.get(2)?,
            body: Bytes::from(row.get::<_, Vec<u8>>(3)?),
            trace: None,
        });
    }
    let mut statement =
        connection.prepare("SELECT id, queue, attempts, body, reason, at_micros FROM dead ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, queue) = contents.place(row)?;
        queue.dead.push(DeadLetter {
            id,
            queue: queue.name.clone(),
            reason: row.get(4)?,
            at_micros: row.get(5)?,
            attempts: row.get(2)?,
            body: Bytes::from(row.get::<_, Vec<u8>>(3)?),
        });
    }
    Ok(contents)
}

impl Contents {
    /// The number in the first column, and the queue that the second one names.
    fn place(&mut self, row: &rusqlite::Row<'_>) -> rusqlite::Result<(u64, &mut RestoredQueue)> {
        let id = number(row, 0)?;
        self.next_id = self.next_id.max(id + 1);
        let queue = number(row, 1)?;
        let found = self.places.get(&queue).and_then(|place| self.queues.get_mut(*place));
        Ok((id, found.ok_or(rusqlite::Error::QueryReturnedNoRows)?))
    }
}

fn number(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// A refusal to open; a truncated file is found out by SQLite itself.
fn refused(error: OpenError) -> BrokerError {
    match error {
        OpenError::Sqlite { path, cause } | OpenError::Migration { path, cause, .. } if is_damage(&cause) => {
            BrokerError::Damaged { path, cause: cause.to_string() }
        }
        other => BrokerError::Open(other),
    }
}

fn is_damage(cause: &rusqlite::Error) -> bool {
    matches!(cause.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// SQLite's own words, without ours around them.
fn plain(error: &DbError) -> String {
    match error {
        DbError::Sql(cause) | DbError::NotCommitted(cause) => match cause.as_ref() {
            rusqlite::Error::QueryReturnedNoRows => "a table lacks a row that it must have".to_owned(),
            cause => cause.to_string(),
        },
        other => other.to_string(),
    }
}
