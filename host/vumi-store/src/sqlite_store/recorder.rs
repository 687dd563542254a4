//! The thread that writes runs and log lines, a batch at a time. A batch gathers for a moment, and while the thread waits
//! for the disk.

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
const SETTLE: Duration = Duration::from_secs(10);

/// The buffer and its thread. When this is dropped, the thread writes what it has and ends.
pub(super) struct Recorder {
    buffer: Arc<Buffer>,
    /// The sender is dropped when the thread has ended.
    progress: watch::Receiver<Progress>,
}

/// How far the thread is.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// How many of the accepted records are dealt with.
    done: u64,
    /// Whether the disk refuses the next ones.
    failing: bool,
}

impl Recorder {
    pub(super) fn start(database: Database, options: StoreOptions) -> Result<Self, StoreError> {
        let buffer = Arc::new(Buffer::new(&options));
        let (sender, progress) = watch::channel(Progress::default());
        let theirs = Arc::clone(&buffer);
        thread::Builder::new()
            .name("store-recorder".to_owned())
            .spawn(move || run(&theirs, &database, options, &sender))
            .map_err(StoreError::Thread)?;
        Ok(Self { buffer, progress })
    }

    pub(super) fn put(&self, record: Record) {
        self.buffer.put(record);
    }

    pub(super) fn dropped(&self) -> u64 {
        self.buffer.dropped()
    }

    /// Waits until all that was put before is written, unless that cannot be done now.
    pub(super) async fn settle(&self) {
        let accepted = self.buffer.accepted();
        self.buffer.hurry();
        let mut progress = self.progress.clone();
        let settled = progress.wait_for(|progress| progress.done >= accepted || progress.failing);
        // Errors mean that it takes too long, or that the thread has ended; the reader does without either way.
        drop(tokio::time::timeout(SETTLE, settled).await);
    }

    /// Refuses records from now on and waits until those that were taken are dealt with.
    pub(super) async fn close(&self) {
        self.buffer.close();
        let mut progress = self.progress.clone();
        while progress.changed().await.is_ok() {}
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.buffer.close();
    }
}

fn run(buffer: &Buffer, database: &Database, options: StoreOptions, progress: &watch::Sender<Progress>) {
    while let Some(batch) = buffer.take(BATCH) {
        let count = batch.len() as u64;
        let rows = Arc::new(rows(buffer, batch));
        let attempt = || write(database, options, Arc::clone(&rows));
        if !insist(buffer, RETRY, attempt, || progress.send_modify(|progress| progress.failing = true)) {
            for table in [Table::Runs, Table::Logs] {
                let lost = rows.iter().filter(|row| row.table == table).count();
                buffer.count_dropped(kind(table), lost as u64);
            }
        }
        progress.send_modify(|progress| *progress = Progress { done: progress.done + count, failing: false });
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

/// Tries until it works; false when it never will, or when it failed and the buffer is closed. `on_failure` is called at
/// the first failure.
fn insist(
    buffer: &Buffer,
    pause: Duration,
    mut attempt: impl FnMut() -> Result<(), DbError>,
    on_failure: impl Fn(),
) -> bool {
    let mut failed = false;
    while let Err(error) = attempt() {
        if !failed {
            tracing::warn!(%error, "runs and log lines cannot be written");
            on_failure();
            failed = true;
        }
        if !error.is_temporary() || !buffer.pause(pause) {
            return false;
        }
    }
    true
}

fn write(database: &Database, options: StoreOptions, rows: Arc<Vec<NewRow>>) -> Result<(), DbError> {
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
    use std::cell::Cell;
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
        let told = Cell::new(0);
        let attempt = || {
            attempts += 1;
            if attempts < 4 { Err(FULL) } else { Ok(()) }
        };
        assert!(insist(&buffer(), pause, attempt, || told.set(told.get() + 1)));
        assert_eq!((attempts, told.get()), (4, 1));
        assert!(began.elapsed() >= 3 * pause);
    }

    #[test]
    fn a_lasting_failure_is_given_up_at_once() {
        let mut attempts = 0;
        let attempt = || {
            attempts += 1;
            Err(DbError::TransactionEnded)
        };
        assert!(!insist(&buffer(), Duration::from_secs(60), attempt, || ()));
        assert_eq!(attempts, 1);
    }

    #[test]
    fn closing_cuts_the_pause_short() {
        let buffer = buffer();
        let began = Instant::now();
        std::thread::scope(|scope| {
            let insisting = scope.spawn(|| insist(&buffer, Duration::from_secs(60), || Err(FULL), || ()));
            buffer.close();
            assert!(!insisting.join().expect("no panic"));
        });
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}
