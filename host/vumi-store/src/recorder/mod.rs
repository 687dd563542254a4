//! Writing what nobody waits for: a bounded buffer, and a thread that writes what stands in it, a batch at a time. While
//! the thread waits for the disk, the next batch gathers.
//!
//! What a buffer holds, and how it is written, is a [`Sink`]: runs and log lines of the message store are one,
//! recordings and differences another.

mod buffer;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::watch;
use vumi_sqlite::{Database, DbError};

use crate::error::StoreError;
use buffer::Buffer;

/// Records in one batch at most.
pub(crate) const BATCH: usize = 1_000;

/// Time between attempts to write while the disk refuses.
const RETRY: Duration = Duration::from_secs(1);

/// How long a reader waits for records that were handed over before; then it does without them.
const SETTLE: Duration = Duration::from_secs(10);

/// Something that is handed over without waiting.
pub(crate) trait Record: Send + 'static {
    /// Label `kind` of the metric that counts what is dropped.
    fn kind(&self) -> &'static str;

    /// The bytes of its long texts.
    fn size(&self) -> usize;
}

/// What a recorder writes, and how.
pub(crate) trait Sink: Send + Sync + 'static {
    /// What is handed over.
    type Record: Record;
    /// A record, ready to be written.
    type Row: Send + Sync + 'static;

    /// How the log speaks of these records.
    const WORDS: Words;

    /// Makes a record ready; none when it can never be written.
    fn row(&self, record: Self::Record) -> Option<Self::Row>;

    /// As [`Record::kind`].
    fn kind(row: &Self::Row) -> &'static str;

    /// Writes a batch and forgets what is beyond the bounds. It may be asked for the same batch again.
    fn write(&self, connection: &Connection, rows: &[Self::Row]) -> rusqlite::Result<()>;
}

/// Words for the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    /// The kinds of records, e.g. `runs and log lines`.
    pub(crate) records: &'static str,
    /// Where they are kept, e.g. `message store`.
    pub(crate) store: &'static str,
}

/// The buffer and its thread. When this is dropped, the thread writes what it has and ends.
pub(crate) struct Recorder<S: Sink> {
    buffer: Arc<Buffer<S::Record>>,
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

impl<S: Sink> Recorder<S> {
    /// Starts the thread. So many records, and so many bytes of their texts, may wait.
    pub(crate) fn start(
        database: Database,
        sink: S,
        buffer_records: usize,
        buffer_bytes: usize,
    ) -> Result<Self, StoreError> {
        let buffer = Arc::new(Buffer::new(buffer_records, buffer_bytes, S::WORDS));
        let (sender, progress) = watch::channel(Progress::default());
        let theirs = Arc::clone(&buffer);
        thread::Builder::new()
            .name("store-recorder".to_owned())
            .spawn(move || run(&theirs, &database, &Arc::new(sink), &sender))
            .map_err(|cause| StoreError::Thread { records: S::WORDS.records, cause })?;
        Ok(Self { buffer, progress })
    }

    /// Takes a record, or drops and counts it.
    pub(crate) fn put(&self, record: S::Record) {
        self.buffer.put(record);
    }

    /// Drops a record and counts it.
    pub(crate) fn refuse(&self, record: &S::Record) {
        self.buffer.count_dropped(record.kind(), 1);
    }

    /// How many records were dropped since the start.
    pub(crate) fn dropped(&self) -> u64 {
        self.buffer.dropped()
    }

    /// Waits until all that was put before is written, unless that cannot be done now.
    pub(crate) async fn settle(&self) {
        let accepted = self.buffer.accepted();
        self.buffer.hurry();
        let mut progress = self.progress.clone();
        let settled = progress.wait_for(|progress| progress.done >= accepted || progress.failing);
        // Errors mean that it takes too long, or that the thread has ended; the reader does without either way.
        drop(tokio::time::timeout(SETTLE, settled).await);
    }

    /// Refuses records from now on and waits until those that were taken are dealt with.
    pub(crate) async fn close(&self) {
        self.buffer.close();
        let mut progress = self.progress.clone();
        while progress.changed().await.is_ok() {}
    }
}

impl<S: Sink> Drop for Recorder<S> {
    fn drop(&mut self) {
        self.buffer.close();
    }
}

fn run<S: Sink>(buffer: &Buffer<S::Record>, database: &Database, sink: &Arc<S>, progress: &watch::Sender<Progress>) {
    while let Some(batch) = buffer.take(BATCH) {
        let count = batch.len() as u64;
        let rows = Arc::new(rows(buffer, sink.as_ref(), batch));
        let attempt = || {
            let (sink, rows) = (Arc::clone(sink), Arc::clone(&rows));
            database.write_blocking(move |connection| sink.write(connection, &rows))
        };
        let on_failure = || progress.send_modify(|progress| progress.failing = true);
        if !insist(buffer, S::WORDS, RETRY, attempt, on_failure) {
            for (kind, lost) in kinds::<S>(&rows) {
                buffer.count_dropped(kind, lost);
            }
        }
        progress.send_modify(|progress| *progress = Progress { done: progress.done + count, failing: false });
    }
}

/// The records, ready to be written; those that never will be are counted.
fn rows<S: Sink>(buffer: &Buffer<S::Record>, sink: &S, batch: Vec<S::Record>) -> Vec<S::Row> {
    let mut rows = Vec::with_capacity(batch.len());
    for record in batch {
        let kind = record.kind();
        match sink.row(record) {
            Some(row) => rows.push(row),
            None => buffer.count_dropped(kind, 1),
        }
    }
    rows
}

/// How many rows there are of each kind; kinds are few.
fn kinds<S: Sink>(rows: &[S::Row]) -> Vec<(&'static str, u64)> {
    let mut counts: Vec<(&'static str, u64)> = Vec::new();
    for kind in rows.iter().map(S::kind) {
        match counts.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((kind, 1)),
        }
    }
    counts
}

/// Tries until it works; false when it never will, or when it failed and the buffer is closed. `on_failure` is called at
/// the first failure.
fn insist<R: Record>(
    buffer: &Buffer<R>,
    words: Words,
    pause: Duration,
    mut attempt: impl FnMut() -> Result<(), DbError>,
    on_failure: impl Fn(),
) -> bool {
    let mut failed = false;
    while let Err(error) = attempt() {
        if !failed {
            tracing::warn!(%error, "{} cannot be written", words.records);
            on_failure();
            failed = true;
        }
        if !error.is_temporary() || !buffer.pause(pause) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Instant;

    use super::*;
    use buffer::tests::{WORDS, buffer};

    const FULL: DbError = DbError::Full { bound: 1 };

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
        assert!(insist(&buffer(10, 1_000), WORDS, pause, attempt, || told.set(told.get() + 1)));
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
        assert!(!insist(&buffer(10, 1_000), WORDS, Duration::from_secs(60), attempt, || ()));
        assert_eq!(attempts, 1);
    }

    #[test]
    fn closing_cuts_the_pause_short() {
        let buffer = buffer(10, 1_000);
        let began = Instant::now();
        std::thread::scope(|scope| {
            let insisting = scope.spawn(|| insist(&buffer, WORDS, Duration::from_secs(60), || Err(FULL), || ()));
            buffer.close();
            assert!(!insisting.join().expect("no panic"));
        });
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}
