//! [`SqliteStore`]: the message store in one SQLite file, or in memory.
//!
//! Messages are written one by one and answered after the commit, because the phone simulator relies on them. Runs and
//! log lines are many, and nothing but people's curiosity depends on them: they go through a bounded buffer to a thread
//! that writes them in batches.

mod messages;
mod options;
mod records;
mod sink;

use async_trait::async_trait;
use vumi_core::{LogLine, MessageQuery, MessageRecord, Result, Run, Store};
use vumi_sqlite::{Database, DbError, Durability, Location, Options};

use crate::error::StoreError;
use crate::recorder::Recorder;
pub use options::StoreOptions;
use records::Table;
use sink::{Report, Reports};

/// The schema; releases only append. `at` is in microseconds since the epoch; `record` is the record's JSON text.
///
/// Positions (`seq`) rise by one without gaps, because rows are only ever deleted from the oldest on and never all of
/// them: each new row gets the highest position plus one.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE messages (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        direction TEXT NOT NULL,
        transport_name TEXT NOT NULL,
        user TEXT,
        id TEXT NOT NULL,
        body TEXT NOT NULL,
        UNIQUE (transport_name, direction, id)
    ) STRICT;
    CREATE INDEX messages_transport ON messages (transport_name);
    CREATE INDEX messages_user ON messages (user) WHERE user IS NOT NULL;
    CREATE TABLE runs (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        app TEXT NOT NULL,
        record TEXT NOT NULL
    ) STRICT;
    CREATE INDEX runs_app ON runs (app);
    CREATE TABLE logs (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        app TEXT NOT NULL,
        record TEXT NOT NULL
    ) STRICT;
    CREATE INDEX logs_app ON logs (app);
"];

/// The message store on SQLite. It keeps the newest records of each kind, as many as [`StoreOptions`] says, and forgets
/// older ones; a message that was forgotten can be stored again.
///
/// "Newest" goes by the order in which records were stored. Dropped runs and log lines count in the metric
/// `vumi_store_dropped_total`, label `kind` (`run` or `log`).
pub struct SqliteStore {
    database: Database,
    recorder: Recorder<Reports>,
    options: StoreOptions,
}

impl SqliteStore {
    /// Opens the store, making its file when missing; the file's directory must exist. Blocks while it opens, and
    /// while it forgets what is beyond the bounds.
    ///
    /// # Errors
    /// [`StoreError::Open`] or [`StoreError::Thread`], one sentence for the user.
    pub fn open(
        location: Location,
        durability: Durability,
        options: StoreOptions,
    ) -> std::result::Result<Self, StoreError> {
        let options = options.checked();
        let database = Database::open(Options { location, durability, ..Options::memory() }, MIGRATIONS)?;
        // The bounds may have been lowered since the file was last open.
        while database
            .write_blocking(move |connection| {
                let deleted = messages::trim(connection, options.max_messages)?
                    + records::trim(connection, Table::Runs, options.max_runs)?
                    + records::trim(connection, Table::Logs, options.max_logs)?;
                Ok(deleted > 0)
            })
            .map_err(|cause| failed("written", cause))?
        {}
        let recorder =
            Recorder::start(database.clone(), Reports(options), options.buffer_records, options.buffer_bytes)?;
        Ok(Self { database, recorder, options })
    }

    /// Runs and log lines that were dropped since the store was opened, because the buffer was full or because they
    /// could not be written.
    pub fn dropped(&self) -> u64 {
        self.recorder.dropped()
    }

    async fn records<T>(&self, table: Table, app: Option<&str>, limit: usize) -> Result<Vec<T>>
    where
        T: serde::de::DeserializeOwned + Send + 'static,
    {
        // So that a reader sees what was handed over before.
        self.recorder.settle().await;
        let app = app.map(str::to_owned);
        let read = self.database.read(move |connection| records::read(connection, table, app.as_deref(), limit)).await;
        Ok(read.map_err(|cause| failed("read", cause))?)
    }
}

fn failed(done: &'static str, cause: DbError) -> StoreError {
    StoreError::Database { store: "message store", done, cause }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("database", &self.database).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn put_message(&self, record: MessageRecord) -> Result<bool> {
        let keep = self.options.max_messages;
        let written = self.database.write(move |connection| messages::put(connection, &record, keep)).await;
        Ok(written.map_err(|cause| failed("written", cause))?)
    }

    async fn messages(&self, query: MessageQuery) -> Result<Vec<MessageRecord>> {
        let read = self.database.read(move |connection| messages::read(connection, &query)).await;
        Ok(read.map_err(|cause| failed("read", cause))?)
    }

    fn put_run(&self, run: Run) {
        self.recorder.put(Report::Run(run));
    }

    async fn runs(&self, app: Option<&str>, limit: usize) -> Result<Vec<Run>> {
        self.records(Table::Runs, app, limit).await
    }

    fn put_log(&self, line: LogLine) {
        self.recorder.put(Report::Log(line));
    }

    async fn logs(&self, app: Option<&str>, limit: usize) -> Result<Vec<LogLine>> {
        self.records(Table::Logs, app, limit).await
    }

    async fn close(&self) {
        self.recorder.close().await;
        self.database.close().await;
    }
}
