//! [`Database`], the handle that everybody else sees.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use rusqlite::Connection;
use tokio::sync::watch;

use crate::connect;
use crate::error::{DbError, OpenError};
use crate::job;
use crate::migrate;
use crate::options::Options;
use crate::pending::{Pending, block_on};
use crate::queue::{Place, Queue};
use crate::reader;
use crate::wal::{self, Wal};
use crate::writer::{Counters, Writer};

/// An open database. Clones share it; when the last one is dropped, or after [`Database::close`], the jobs that are
/// queued still run, then the file is closed. Only `close` says when: to open the same file again, call it.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    writes: Arc<Queue>,
    /// The readers' queue; in memory the same as `writes`.
    reads: Arc<Queue>,
    counters: Arc<Counters>,
    /// Its sender is dropped when the writer thread has ended.
    running: watch::Receiver<()>,
}

/// Figures of a running database, counted since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Write jobs answered, whatever the answer.
    pub jobs: u64,
    /// Transactions committed.
    pub commits: u64,
    /// Transactions that could not be committed; something is wrong with the disk.
    pub failed_commits: u64,
    /// Write jobs that wait now.
    pub queued: usize,
}

impl Database {
    /// Opens the database, making it when missing, and brings its schema up to date: `migrations` is the list of SQL
    /// texts that lead from an empty file to this release's schema. Releases only ever append to it.
    ///
    /// Blocks for as long as the migrations take (and up to five seconds for a foreign lock): call it at start-up.
    ///
    /// # Errors
    /// [`OpenError`], one sentence for the user each. A file that is refused is left as it was.
    pub fn open(options: Options, migrations: &[&str]) -> Result<Self, OpenError> {
        let opened = connect::writer(&options.location)?;
        let shown = opened.path.as_deref().unwrap_or(Path::new(":memory:"));
        // Checked before anything is changed: a file that is not for us stays as it is.
        let version = migrate::check(&opened.connection, shown, migrations)?;
        if let Some(path) = &opened.path {
            connect::start_log(&opened.connection, path, options.durability)?;
        }
        migrate::run(&opened.connection, shown, migrations, version)?;

        let writes = Arc::new(Queue::new(options.queue_bound));
        let mut reads = Arc::clone(&writes);
        let mut connections = Vec::new();
        if let Some(path) = &opened.path {
            reads = Arc::new(Queue::new(options.queue_bound));
            for _ in 0..options.readers.max(1) {
                connections.push(connect::reader(path)?);
            }
        }
        let (sender, running) = watch::channel(());
        let counters = Arc::new(Counters::default());
        // Made first: if a thread cannot be had below, dropping this ends the threads that run already.
        let database = Self(Arc::new(Inner {
            writes: Arc::clone(&writes),
            reads: Arc::clone(&reads),
            counters: Arc::clone(&counters),
            running,
        }));
        let mut readers = Vec::new();
        for connection in connections {
            let queue = Arc::clone(&reads);
            let handle = thread::Builder::new()
                .name("sqlite-reader".to_owned())
                .spawn(move || reader::run(&connection, &queue))
                .map_err(OpenError::Thread)?;
            readers.push(handle);
        }
        let writer = Writer {
            connection: opened.connection,
            queue: writes,
            batch_max: options.batch_max,
            counters,
            wal: opened.path.as_deref().map(|path| Wal::new(path, wal::LIMIT_BYTES)),
            readers,
            lock: opened.lock,
            running: sender,
        };
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(OpenError::Thread)?;
        Ok(database)
    }

    /// Queues a write now, without waiting for room, and returns its answer-to-be. Order of submission is order of
    /// execution, also across tasks and threads: call it under your own lock to tie the order to something else.
    ///
    /// The job runs on the writer thread, so it must be quick, must use `prepare_cached`, and must neither begin nor end
    /// a transaction (savepoints are fine) nor wait for this database. It runs even if the answer is dropped.
    ///
    /// When no room is left, nothing is queued and the answer is [`DbError::Full`] at once. A caller that can wait uses
    /// [`Database::write`], or [`Database::room`] to keep waiting and queueing apart.
    pub fn submit<T, F>(&self, job: F) -> Pending<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        match self.0.writes.try_reserve() {
            Ok(place) => push(&self.0.writes, place, job),
            Err(error) => Pending::refused(error),
        }
    }

    /// Waits for room for one write, in turn with all others who wait.
    ///
    /// # Errors
    /// [`DbError::Closed`].
    pub async fn room(&self) -> Result<Slot<'_>, DbError> {
        let place = self.0.writes.reserve().await?;
        Ok(Slot { queue: &self.0.writes, place })
    }

    /// Waits for room, queues a write (see [`Database::submit`] for what a job may do) and waits until it is committed.
    ///
    /// When the returned future is dropped, the job either was never queued or runs to its end.
    ///
    /// # Errors
    /// Any [`DbError`] but `Full`.
    pub async fn write<T, F>(&self, job: F) -> Result<T, DbError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.room().await?.submit(job).await
    }

    /// Runs a read on a reader thread, or in memory on the writer thread after all writes that were submitted before.
    ///
    /// The job sees one state of the data throughout: that of the last commit, so everything that was confirmed before
    /// the call. Keep it short: for as long as it runs, the write-ahead log cannot be reused. In a file it cannot write;
    /// in memory it must not.
    ///
    /// # Errors
    /// Any [`DbError`] but `Full`.
    pub async fn read<T, F>(&self, job: F) -> Result<T, DbError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let place = self.0.reads.reserve().await?;
        push(&self.0.reads, place, job).await
    }

    /// As [`Database::write`], blocking this thread: for start-up, never within an async task or a job.
    ///
    /// # Errors
    /// As [`Database::write`].
    pub fn write_blocking<T, F>(&self, job: F) -> Result<T, DbError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        block_on(self.write(job))
    }

    /// As [`Database::read`], blocking this thread: for start-up, never within an async task or a job.
    ///
    /// # Errors
    /// As [`Database::read`].
    pub fn read_blocking<T, F>(&self, job: F) -> Result<T, DbError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        block_on(self.read(job))
    }

    /// Refuses new jobs, lets those that are queued run, copies the write-ahead log into the file, closes the file,
    /// releases the lock; returns when all that is done. May be called more than once and from several tasks.
    pub async fn close(&self) {
        self.0.shut();
        // Resolves with an error when the writer thread drops its sender, which is its last act.
        let mut running = self.0.running.clone();
        while running.changed().await.is_ok() {}
    }

    /// As [`Database::close`], blocking this thread.
    pub fn close_blocking(&self) {
        block_on(self.close());
    }

    /// Figures for metrics and tests.
    pub fn stats(&self) -> Stats {
        let counters = &self.0.counters;
        Stats {
            jobs: counters.jobs.load(Ordering::Relaxed),
            commits: counters.commits.load(Ordering::Relaxed),
            failed_commits: counters.failed_commits.load(Ordering::Relaxed),
            queued: self.0.writes.len(),
        }
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Database").field(&self.stats()).finish()
    }
}

/// Room for one write, from [`Database::room`]; given back when dropped unused.
pub struct Slot<'a> {
    queue: &'a Queue,
    place: Place<'a>,
}

impl Slot<'_> {
    /// Queues a write in this place; as [`Database::submit`], but never full.
    pub fn submit<T, F>(self, job: F) -> Pending<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        push(self.queue, self.place, job)
    }
}

impl std::fmt::Debug for Slot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

fn push<T, F>(queue: &Queue, place: Place<'_>, work: F) -> Pending<T>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    let (job, answer) = job::pack(work);
    match queue.push(place, job) {
        Ok(()) => Pending::waiting(answer),
        Err(error) => Pending::refused(error),
    }
}

impl Inner {
    fn shut(&self) {
        self.reads.close();
        self.writes.close();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shut();
    }
}
