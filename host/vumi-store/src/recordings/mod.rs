//! [`SqliteRecordings`]: recordings of runs and differences that a shadow showed, in one SQLite file or in memory.
//!
//! Putting one never waits: it goes through a bounded buffer to a thread that writes batches. Each batch also forgets
//! what is beyond the bounds. What has become too old is hidden from readers at once, and leaves the file with the next
//! batch or at the next opening.

mod differences;
mod sink;
mod tapes;

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::Connection;
use vumi_core::{Clock, Difference, Recording, RecordingBounds, RecordingQuery, Recordings, Result};
use vumi_sqlite::{Database, DbError, Durability, Location, Options};

use crate::error::StoreError;
use crate::recorder::Recorder;
use sink::{Finding, Findings, Limits};

/// Recordings and differences that may wait to be written. Beyond, they are dropped and counted.
const BUFFER_RECORDS: usize = 10_000;

/// Bytes of text in the recordings and differences that may wait to be written.
const BUFFER_BYTES: usize = 32 * 1024 * 1024;

/// The schema; releases only append. `at` is in microseconds since the epoch; `record` is the record's JSON text, without
/// the tape of a recording.
///
/// The tape stands last, so that who lists recordings does not read it. `kept` has one row: how many recordings there
/// are, and how many bytes their tapes have together. Positions of differences rise by one without gaps, because rows
/// are only deleted from the oldest on and never all of them.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE recordings (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        at INTEGER NOT NULL,
        app TEXT NOT NULL,
        user TEXT,
        tape_bytes INTEGER NOT NULL,
        record TEXT NOT NULL,
        tape TEXT NOT NULL
    ) STRICT;
    CREATE INDEX recordings_at ON recordings (at);
    CREATE INDEX recordings_app ON recordings (app, at);
    CREATE INDEX recordings_user ON recordings (user, at) WHERE user IS NOT NULL;
    CREATE TABLE kept (
        recordings INTEGER NOT NULL,
        bytes INTEGER NOT NULL
    ) STRICT;
    INSERT INTO kept (recordings, bytes) VALUES (0, 0);
    CREATE TABLE differences (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        app TEXT NOT NULL,
        record TEXT NOT NULL
    ) STRICT;
    CREATE INDEX differences_app ON differences (app);
"];

/// Recordings and differences on SQLite, within [`RecordingBounds`]; a number of zero is taken as one.
///
/// Of recordings those go first that began first. A recording over one of the same id replaces it. What is dropped, be
/// it that it does not fit into the buffer, cannot be written, or is a tape larger than all tapes may be together,
/// counts in the metric `vumi_store_dropped_total`, label `kind` (`recording` or `difference`).
pub struct SqliteRecordings {
    database: Database,
    recorder: Recorder<Findings>,
    limits: Limits,
}

impl SqliteRecordings {
    /// Opens the recordings, making their file when missing; the file's directory must exist. Blocks while it opens,
    /// and while it forgets what is beyond the bounds.
    ///
    /// # Errors
    /// [`StoreError::Open`], [`StoreError::Database`] or [`StoreError::Thread`], one sentence for the user.
    pub fn open(
        location: Location,
        durability: Durability,
        bounds: RecordingBounds,
        clock: Arc<dyn Clock>,
    ) -> std::result::Result<Self, StoreError> {
        let limits = Limits::new(bounds, clock);
        let database = Database::open(Options { location, durability, ..Options::memory() }, MIGRATIONS)?;
        // The bounds may have been lowered since the file was last open, and time has passed.
        loop {
            let limits = limits.clone();
            let forgotten = database.write_blocking(move |connection| limits.enforce_some(connection));
            if forgotten.map_err(|cause| failed("written", cause))? == 0 {
                break;
            }
        }
        let recorder = Recorder::start(database.clone(), Findings::new(limits.clone()), BUFFER_RECORDS, BUFFER_BYTES)?;
        Ok(Self { database, recorder, limits })
    }

    /// Recordings and differences that were dropped since the opening.
    pub fn dropped(&self) -> u64 {
        self.recorder.dropped()
    }

    async fn read<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        // So that a reader sees what was handed over before.
        self.recorder.settle().await;
        Ok(self.database.read(job).await.map_err(|cause| failed("read", cause))?)
    }
}

fn failed(done: &'static str, cause: DbError) -> StoreError {
    StoreError::Database { store: "store of recordings", done, cause }
}

/// A record from its JSON text. One that this release cannot read, because another wrote it, is left out.
fn readable<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text)
        .inspect_err(|error| tracing::warn!(%error, "a recording or difference cannot be read and is left out"))
        .ok()
}

impl std::fmt::Debug for SqliteRecordings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteRecordings").field("database", &self.database).finish_non_exhaustive()
    }
}

#[async_trait]
impl Recordings for SqliteRecordings {
    fn put(&self, recording: Recording) {
        let fits = recording.tape.len() as u64 <= self.limits.bounds.bytes;
        let finding = Finding::Recording(recording);
        if fits {
            self.recorder.put(finding);
        } else {
            self.recorder.refuse(&finding);
        }
    }

    async fn list(&self, query: RecordingQuery) -> Result<Vec<Recording>> {
        let oldest = self.limits.oldest();
        self.read(move |connection| tapes::list(connection, &query, oldest)).await
    }

    async fn get(&self, id: &str) -> Result<Option<Recording>> {
        let (id, oldest) = (id.to_owned(), self.limits.oldest());
        self.read(move |connection| tapes::get(connection, &id, oldest)).await
    }

    fn put_difference(&self, difference: Difference) {
        self.recorder.put(Finding::Difference(difference));
    }

    async fn differences(&self, app: &str, before: Option<u64>, limit: usize) -> Result<Vec<Difference>> {
        let app = app.to_owned();
        self.read(move |connection| differences::read(connection, &app, before, limit)).await
    }

    async fn close(&self) {
        self.recorder.close().await;
        self.database.close().await;
    }
}
