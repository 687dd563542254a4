//! Deleting what has expired: a small batch between writes, once a second, and one after the other while more is left.
//! Nothing expires faster than it was written, so a store that nobody writes to needs no sweep.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use vumi_sqlite::Database;

use super::cache::Cache;
use super::tx::Tx;

/// Rows deleted by one sweep at most: about a millisecond of the writer's time.
const BATCH: usize = 100;

/// Milliseconds from one sweep to the next, unless more is left.
const PAUSE_MS: i64 = 1_000;

/// When to sweep next.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// In milliseconds since the epoch.
    due: AtomicI64,
}

impl Sweep {
    /// Queues a sweep if it is time.
    pub(super) fn start_if_due(self: &Arc<Self>, database: &Database, cache: &Arc<Cache>, now: i64) {
        let due = self.due.load(Ordering::Relaxed);
        // A due time far ahead means that the clock was set back.
        if now < due && due - now <= PAUSE_MS {
            return;
        }
        self.due.store(now.saturating_add(PAUSE_MS), Ordering::Relaxed);
        let (sweep, cache) = (Arc::clone(self), Arc::clone(cache));
        // Nobody waits for the answer: what is not swept now is swept the next time.
        drop(database.submit(move |connection| {
            let mut tx = Tx::new(connection, now, cache);
            if tx.delete_expired(BATCH)? == BATCH {
                sweep.due.store(now, Ordering::Relaxed);
            }
            Ok(tx.into_changes())
        }));
    }
}
