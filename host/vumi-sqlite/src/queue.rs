//! The bounded queue between callers and a database thread.
//!
//! A semaphore counts the free places, so that callers can wait for one without blocking a thread and are served in
//! turn; the jobs themselves stand in a list under a mutex, which the thread empties in one go.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};
use tokio::sync::{Semaphore, SemaphorePermit, TryAcquireError};

use crate::error::DbError;
use crate::job::Job;

/// Jobs that wait for a thread.
pub(crate) struct Queue {
    list: Mutex<List>,
    filled: Condvar,
    room: Semaphore,
    bound: usize,
}

struct List {
    jobs: VecDeque<Box<dyn Job>>,
    open: bool,
}

/// A reserved place in the queue, given back when dropped unused.
#[derive(Debug)]
pub(crate) struct Place<'a>(SemaphorePermit<'a>);

impl Queue {
    /// An open queue for at most `bound` jobs (at least one).
    pub(crate) fn new(bound: usize) -> Self {
        let bound = bound.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            list: Mutex::new(List { jobs: VecDeque::new(), open: true }),
            filled: Condvar::new(),
            room: Semaphore::new(bound),
            bound,
        }
    }

    /// A place if one is free now.
    pub(crate) fn try_reserve(&self) -> Result<Place<'_>, DbError> {
        match self.room.try_acquire() {
            Ok(permit) => Ok(Place(permit)),
            Err(TryAcquireError::NoPermits) => Err(DbError::Full { bound: self.bound }),
            Err(TryAcquireError::Closed) => Err(DbError::Closed),
        }
    }

    /// A place, after waiting for one in turn.
    pub(crate) async fn reserve(&self) -> Result<Place<'_>, DbError> {
        match self.room.acquire().await {
            Ok(permit) => Ok(Place(permit)),
            Err(_) => Err(DbError::Closed),
        }
    }

    /// Puts a job in its place.
    pub(crate) fn push(&self, place: Place<'_>, job: Box<dyn Job>) -> Result<(), DbError> {
        let mut list = self.list.lock();
        if !list.open {
            return Err(DbError::Closed);
        }
        // Given back in `take`, when the job leaves the queue.
        place.0.forget();
        list.jobs.push_back(job);
        drop(list);
        self.filled.notify_one();
        Ok(())
    }

    /// Moves up to `max` jobs into `into`, waiting for the first; false once the queue is closed and empty.
    pub(crate) fn take(&self, max: usize, into: &mut Vec<Box<dyn Job>>) -> bool {
        let mut list = self.list.lock();
        while list.jobs.is_empty() {
            if !list.open {
                return false;
            }
            self.filled.wait(&mut list);
        }
        let count = list.jobs.len().min(max.max(1));
        into.extend(list.jobs.drain(..count));
        drop(list);
        self.room.add_permits(count);
        true
    }

    /// Refuses new jobs from now on; those that are in the queue stay.
    pub(crate) fn close(&self) {
        self.room.close();
        self.list.lock().open = false;
        self.filled.notify_all();
    }

    /// Closes and throws the waiting jobs away, which answers them with [`DbError::Closed`].
    pub(crate) fn abandon(&self) {
        self.close();
        // Dropped outside the lock: their destructors are foreign code.
        let jobs = std::mem::take(&mut self.list.lock().jobs);
        drop(jobs);
    }

    /// How many jobs wait.
    pub(crate) fn len(&self) -> usize {
        self.list.lock().jobs.len()
    }
}

/// Abandons a queue when its thread ends, however it ends: no caller may wait for a thread that is gone.
pub(crate) struct AbandonOnDrop<'a>(pub(crate) &'a Queue);

impl Drop for AbandonOnDrop<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
