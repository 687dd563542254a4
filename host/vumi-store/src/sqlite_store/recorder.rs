//! The thread that writes runs and log lines, a batch at a time. While it waits for the disk, the next batch gathers.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::watch;
use vumi_sqlite::{Database, DbError};

use super::buffer::{Buffer, Record};
use super::options::StoreOptions;
use super::records::{self, NewRow, Table};
use crate::error::StoreError;

/// Records in one batch at most.
pub(super) const BATCH: usize = 1_000;

/// Time between attempts to write while the disk refuses.
const RETRY: Duration = Duration::from_secs(1);

/// How long a reader waits for records that were handed over before; then it does without them.
const SETTLE: Duration = Duration::from_secs(1);

/// The buffer and its thread. When this is dropped, the thread writes what it has and ends.
pub(super) struct Recorder {
    buffer: Arc<Buffer>,
    /// How many of the accepted records are dealt with; the sender is dropped when the thread has ended.
    done: watch::Receiver<u64>,
}

impl Recorder {
    pub(super) fn start(database: Database, options: StoreOptions) -> Result<Self, StoreError> {
        let buffer = Arc::new(Buffer::new(&options));
        let (sender, done) = watch::channel(0);
        let theirs = Arc::clone(&buffer);
        thread::Builder::new()
            .name("store-recorder".to_owned())
            .spawn(move || run(&theirs, &database, options, &sender))
            .map_err(StoreError::Thread)?;
        Ok(Self { buffer, done })
    }

    pub(super) fn put(&self, record: Record) {
        self.buffer.put(record);
    }

    pub(super) fn dropped(&self) -> u64 {
        self.buffer.dropped()
    }

    /// Waits until all that was put before is written, or could not be, but not for long.
    pub(super) async fn settle(&self) {
        let accepted = self.buffer.accepted();
        let mut done = self.done.clone();
        // An error means that the thread has ended, so that there is nothing to wait for.
        let _ = tokio::time::timeout(SETTLE, done.wait_for(|done| *done >= accepted)).await;
    }

    /// Refuses records from now on and waits until those that were taken are dealt with.
    pub(super) async fn close(&self) {
        self.buffer.close();
        let mut done = self.done.clone();
        while done.changed().await.is_ok() {}
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.buffer.close();
    }
}

fn run(buffer: &Buffer, database: &Database, options: StoreOptions, done: &watch::Sender<u64>) {
    while let Some(batch) = buffer.take(BATCH) {
        let count = batch.len() as u64;
        write(buffer, database, options, rows(buffer, batch));
        done.send_modify(|done| *done += count);
    }
}

/// The records as rows.
fn rows(buffer: &Buffer, batch: Vec<Record>) -> Vec<NewRow> {
    let mut rows = Vec::with_capacity(batch.len());
    for record in batch {
        let (table, at, json, app) = match record {
            Record::Run(run) => (Table::Runs, run.at, serde_json::to_string(&run), run.app),
            Record::Log(line) => (Table::Logs, line.at, serde_json::to_string(&line), line.app),
        };
        match json {
            Ok(record) => rows.push(NewRow { table, at: at.micros(), app, record }),
            Err(_) => buffer.count_dropped(kind(table), 1),
        }
    }
    rows
}

/// Writes a batch, or counts it as dropped.
fn write(buffer: &Buffer, database: &Database, options: StoreOptions, rows: Vec<NewRow>) {
    let rows = Arc::new(rows);
    if !insist(buffer, RETRY, || write_once(database, options, Arc::clone(&rows))) {
        for table in [Table::Runs, Table::Logs] {
            let lost = rows.iter().filter(|row| row.table == table).count();
            buffer.count_dropped(kind(table), lost as u64);
        }
    }
}

/// Tries until it works; false when it never will, or when it failed and the buffer is closed.
fn insist(buffer: &Buffer, pause: Duration, mut attempt: impl FnMut() -> Result<(), DbError>) -> bool {
    let mut told = false;
    while let Err(error) = attempt() {
        if !told {
            tracing::warn!(%error, "runs and log lines cannot be written");
            told = true;
        }
        if !error.is_temporary() || !buffer.pause(pause) {
            return false;
        }
    }
    true
}

fn write_once(database: &Database, options: StoreOptions, rows: Arc<Vec<NewRow>>) -> Result<(), DbError> {
    database.write_blocking(move |connection| {
        rows.iter().try_for_each(|row| records::insert(connection, row))?;
        records::trim(connection, Table::Runs, options.max_runs)?;
        records::trim(connection, Table::Logs, options.max_logs)?;
        Ok(())
    })
}

fn kind(table: Table) -> &'static str {
    match table {
        Table::Runs => "run",
        Table::Logs => "log",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const FULL: DbError = DbError::Full { bound: 1 };

    fn buffer() -> Buffer {
        Buffer::new(&StoreOptions::default())
    }

    #[test]
    fn a_passing_failure_is_waited_out() {
        let mut attempts = 0;
        let pause = Duration::from_millis(5);
        let began = Instant::now();
        let written = insist(&buffer(), pause, || {
            attempts += 1;
            if attempts < 4 { Err(FULL) } else { Ok(()) }
        });
        assert!(written);
        assert_eq!(attempts, 4);
        assert!(began.elapsed() >= 3 * pause);
    }

    #[test]
    fn a_lasting_failure_is_given_up_at_once() {
        let mut attempts = 0;
        let written = insist(&buffer(), Duration::from_secs(60), || {
            attempts += 1;
            Err(DbError::TransactionEnded)
        });
        assert!(!written);
        assert_eq!(attempts, 1);
    }

    #[test]
    fn closing_cuts_the_pause_short() {
        let buffer = buffer();
        let began = Instant::now();
        std::thread::scope(|scope| {
            let insisting = scope.spawn(|| insist(&buffer, Duration::from_secs(60), || Err(FULL)));
            buffer.close();
            assert!(!insisting.join().expect("no panic"));
        });
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}
