//! The writer thread: takes all jobs that wait, runs them in one transaction, commits once, answers them all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use rusqlite::{CachedStatement, Connection};
use tokio::sync::watch;

use crate::error::DbError;
use crate::job::Job;
use crate::lock::LockFile;
use crate::queue::{AbandonOnDrop, Queue};
use crate::wal::{self, Wal};

/// What the writer has done since it started.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) jobs: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) failed_commits: AtomicU64,
}

/// All that the writer thread owns.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) queue: Arc<Queue>,
    pub(crate) batch_max: usize,
    pub(crate) counters: Arc<Counters>,
    /// None in memory.
    pub(crate) wal: Option<Wal>,
    /// The reader threads: joined before the last checkpoint, which they would hinder.
    pub(crate) readers: Vec<JoinHandle<()>>,
    pub(crate) lock: Option<LockFile>,
    /// Dropped last, which tells those who wait for the end of the thread.
    pub(crate) running: watch::Sender<()>,
}

impl Writer {
    /// Works until the queue is closed and empty, then closes the file.
    pub(crate) fn run(mut self) {
        let queue = Arc::clone(&self.queue);
        let guard = AbandonOnDrop(&queue);
        let mut jobs = Vec::new();
        while queue.take(self.batch_max, &mut jobs) {
            self.batch(&mut jobs);
            if let Some(wal) = &mut self.wal {
                wal.bound(&self.connection);
            }
        }
        drop(guard);
        let Self { connection, wal, readers, lock, running, .. } = self;
        for reader in readers {
            if reader.join().is_err() {
                tracing::error!("a database reader thread panicked");
            }
        }
        if wal.is_some() {
            wal::truncate(&connection);
        }
        if let Err((_, error)) = connection.close() {
            tracing::warn!(%error, "the database did not close cleanly; its log is kept");
        }
        drop(lock);
        drop(running);
    }

    /// Runs and answers all jobs: in one transaction, unless one of them brings a transaction down.
    fn batch(&self, jobs: &mut Vec<Box<dyn Job>>) {
        let mut waiting = jobs.drain(..).peekable();
        let mut done = Vec::with_capacity(waiting.len());
        while waiting.peek().is_some() {
            let outcome =
                self.begin().and_then(|()| self.run_all(&mut waiting, &mut done)).and_then(|()| self.commit());
            if outcome.is_err() {
                self.counters.failed_commits.fetch_add(1, Ordering::Relaxed);
                self.recover();
            }
            if done.is_empty() {
                // The transaction did not even begin, and would not for the next job either.
                done.extend(&mut waiting);
            }
            self.counters.jobs.fetch_add(done.len() as u64, Ordering::Relaxed);
            for job in done.drain(..) {
                job.finish(outcome.clone());
            }
        }
    }

    fn begin(&self) -> Result<(), DbError> {
        if !self.connection.is_autocommit() {
            // Left over from a rollback that failed.
            self.statement("ROLLBACK")?;
        }
        self.statement("BEGIN IMMEDIATE")
    }

    fn commit(&self) -> Result<(), DbError> {
        self.statement("COMMIT")?;
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Moves jobs from `waiting` to `done` as they are run. An error means that the transaction is lost.
    fn run_all(
        &self,
        waiting: &mut impl Iterator<Item = Box<dyn Job>>,
        done: &mut Vec<Box<dyn Job>>,
    ) -> Result<(), DbError> {
        // Looked up once for the whole batch: with many small jobs the search in the statement cache would show.
        let mut marks = Marks { set: self.prepare("SAVEPOINT job")?, release: self.prepare("RELEASE job")? };
        for mut job in waiting {
            let outcome = self.run_one(job.as_mut(), &mut marks);
            done.push(job);
            outcome?;
        }
        Ok(())
    }

    /// Runs a job in a savepoint. An error means that the whole transaction is lost, not only this job.
    fn run_one(&self, job: &mut dyn Job, marks: &mut Marks<'_>) -> Result<(), DbError> {
        execute(&mut marks.set)?;
        let result = job.run(&self.connection);
        if self.connection.is_autocommit() {
            // After some errors (disk full, input/output) SQLite rolls the whole transaction back by itself
            // (<https://sqlite.org/lang_transaction.html>); going on would commit each statement alone.
            return Err(match result {
                Err(DbError::Sql(cause)) => DbError::NotCommitted(cause),
                _ => DbError::TransactionEnded,
            });
        }
        if result.is_err() {
            self.statement("ROLLBACK TO job")?;
        }
        execute(&mut marks.release)
    }

    /// After a failed transaction: nothing of it may stay, and the next one shall have room.
    fn recover(&self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.statement("ROLLBACK")
        {
            tracing::error!(%error, "a failed database transaction could not be rolled back");
        }
        if self.wal.is_some() {
            // On a full disk the log cannot grow; once copied into the file, its space can be used again.
            wal::passive(&self.connection);
        }
    }

    fn statement(&self, sql: &str) -> Result<(), DbError> {
        execute(&mut self.prepare(sql)?)
    }

    fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>, DbError> {
        self.connection.prepare_cached(sql).map_err(not_committed)
    }
}

/// The statements that stand around each job.
struct Marks<'c> {
    set: CachedStatement<'c>,
    release: CachedStatement<'c>,
}

fn execute(statement: &mut CachedStatement<'_>) -> Result<(), DbError> {
    statement.execute([]).map(drop).map_err(not_committed)
}

fn not_committed(cause: rusqlite::Error) -> DbError {
    DbError::NotCommitted(Arc::new(cause))
}
