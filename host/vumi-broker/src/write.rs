//! What the journal writes: the tables, and each change as SQL.
//!
//! A queue is named once in the table `queue`, in the transaction that first needs it; messages refer to its row.
//! Numbers of messages and of dead letters come from one source, so they never meet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use rusqlite::{Connection, params};

/// The schema; releases only ever append to it.
pub(crate) const MIGRATIONS: &[&str] = &["
    CREATE TABLE queue (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE message (
        id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, attempts INTEGER NOT NULL, body BLOB NOT NULL
    ) STRICT;
    CREATE TABLE dead (
        id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, attempts INTEGER NOT NULL, body BLOB NOT NULL,
        reason TEXT NOT NULL, at_micros INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE run (number INTEGER NOT NULL) STRICT;
    INSERT INTO run VALUES (1);
"];

/// The row of a queue in the table `queue`.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// Whether it is in the file for sure.
    pub(crate) recorded: AtomicBool,
}

/// A new message.
#[derive(Debug)]
pub(crate) struct Insert {
    pub(crate) id: u64,
    pub(crate) row: Arc<Row>,
    pub(crate) body: Bytes,
}

/// One change, all of it or nothing.
#[derive(Debug)]
pub(crate) enum Write {
    /// A message was published.
    Insert(Insert),
    /// A message was done, and this came of it.
    Done { id: u64, inserts: Vec<Insert> },
    /// A message was given up.
    Reject { id: u64, letter: u64, row: Arc<Row>, attempts: u32, body: Bytes, reason: String, at_micros: i64 },
    /// A dead letter came back as a new message.
    Revive { letter: u64, insert: Insert },
    /// Dead letters were dropped.
    Bury(Vec<u64>),
    /// Numbers of messages and how often each has been handed out.
    Attempts(Vec<(u64, u32)>),
    /// The broker was closed in order: the marks of this run are void.
    EndRun,
}

/// A number as SQLite holds it.
pub(crate) fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Write {
    /// Runs the statements.
    pub(crate) fn run(&self, connection: &Connection) -> rusqlite::Result<()> {
        match self {
            Self::Insert(insert) => insert.run(connection),
            Self::Done { id, inserts } => {
                delete(connection, *id)?;
                inserts.iter().try_for_each(|insert| insert.run(connection))
            }
            Self::Reject { id, letter, row, attempts, body, reason, at_micros } => {
                delete(connection, *id)?;
                row.record(connection)?;
                connection
                    .prepare_cached(
                        "INSERT INTO dead (id, queue, attempts, body, reason, at_micros) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![sql(*letter), sql(row.id), attempts, body.as_ref(), reason, at_micros])
                    .map(drop)
            }
            Self::Revive { letter, insert } => {
                bury(connection, *letter)?;
                insert.run(connection)
            }
            Self::Bury(letters) => letters.iter().try_for_each(|letter| bury(connection, *letter)),
            Self::Attempts(counts) => {
                let mut statement = connection.prepare_cached("UPDATE message SET attempts = ?2 WHERE id = ?1")?;
                counts.iter().try_for_each(|(id, attempts)| statement.execute(params![sql(*id), attempts]).map(drop))
            }
            Self::EndRun => connection.execute("UPDATE run SET number = number + 1", []).map(drop),
        }
    }

    /// Bytes that this adds to a transaction, roughly; never 0.
    pub(crate) fn size(&self) -> usize {
        const ROW: usize = 32;
        match self {
            Self::Insert(insert) | Self::Revive { insert, .. } => ROW + insert.body.len(),
            Self::Done { inserts, .. } => ROW + inserts.iter().map(|insert| ROW + insert.body.len()).sum::<usize>(),
            Self::Reject { body, .. } => ROW + body.len(),
            Self::Bury(letters) => ROW * (1 + letters.len()),
            Self::Attempts(counts) => ROW * (1 + counts.len()),
            Self::EndRun => ROW,
        }
    }

    /// The queues that are in the file once this is committed.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Arc<Row>> {
        let (one, many) = match self {
            Self::Insert(insert) | Self::Revive { insert, .. } => (Some(&insert.row), [].as_slice()),
            Self::Reject { row, .. } => (Some(row), [].as_slice()),
            Self::Done { inserts, .. } => (None, inserts.as_slice()),
            Self::Bury(_) | Self::Attempts(_) | Self::EndRun => (None, [].as_slice()),
        };
        one.into_iter().chain(many.iter().map(|insert| &insert.row))
    }
}

impl Insert {
    fn run(&self, connection: &Connection) -> rusqlite::Result<()> {
        self.row.record(connection)?;
        connection
            .prepare_cached("INSERT INTO message (id, queue, attempts, body) VALUES (?1, ?2, 0, ?3)")?
            .execute(params![sql(self.id), sql(self.row.id), self.body.as_ref()])
            .map(drop)
    }
}

impl Row {
    fn record(&self, connection: &Connection) -> rusqlite::Result<()> {
        if self.recorded.load(Ordering::Relaxed) {
            return Ok(());
        }
        connection
            .prepare_cached("INSERT INTO queue (id, name) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING")?
            .execute(params![sql(self.id), self.name])
            .map(drop)
    }
}

fn delete(connection: &Connection, message: u64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM message WHERE id = ?1")?.execute([sql(message)]).map(drop)
}

fn bury(connection: &Connection, letter: u64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM dead WHERE id = ?1")?.execute([sql(letter)]).map(drop)
}
