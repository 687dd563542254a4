//! A write job's view of the database: the rows, and the announcement of every change to the cache.

use std::sync::Arc;

use rusqlite::{Connection, Result};

use super::cache::{Cache, Change, Known};
use super::rows::{self, Stored};

/// One write job, within its transaction. All changes of rows go through it.
pub(super) struct Tx<'a> {
    pub(super) connection: &'a Connection,
    /// Milliseconds since the epoch.
    pub(super) now: i64,
    changes: Changes,
}

/// The keys that a job has changed. It is passed on with the job's answer, which the database holds back until after
/// the commit; wherever it is dropped (the answer is not wanted any more, the job or the commit failed), the keys are
/// free again.
pub(super) struct Changes {
    cache: Arc<Cache>,
    list: Vec<(Change, Option<Known>)>,
}

impl<'a> Tx<'a> {
    pub(super) fn new(connection: &'a Connection, now: i64, cache: Arc<Cache>) -> Self {
        Self { connection, now, changes: Changes { cache, list: Vec::new() } }
    }

    pub(super) fn into_changes(self) -> Changes {
        self.changes
    }

    /// The row as it is stored, expired or not.
    pub(super) fn load(&self, key: &str) -> Result<Option<Stored>> {
        rows::load(self.connection, key)
    }

    /// Adds a row whose key is not there.
    pub(super) fn insert(&mut self, key: &str, row: &Stored) -> Result<()> {
        let known = self.known(key, &row.value, row.expires)?;
        self.announce(key, known);
        rows::insert(self.connection, key, row)
    }

    /// Changes value and expiry of a row that is there; its counter stays.
    pub(super) fn change(&mut self, key: &str, value: &str, expires: Option<i64>) -> Result<()> {
        let known = self.known(key, value, expires)?;
        self.announce(key, known);
        rows::change(self.connection, key, value, expires)
    }

    /// Deletes a row, without regard to its counter.
    pub(super) fn delete(&mut self, key: &str) -> Result<()> {
        self.announce(key, Some(None));
        rows::delete(self.connection, key)
    }

    fn announce(&mut self, key: &str, known: Option<Known>) {
        let change = self.changes.cache.begin(key);
        self.changes.list.push((change, known));
    }

    /// What the cache may be told. Not the value of a counter: readers see that without the rows that have expired, so
    /// it changes without being written.
    fn known(&self, key: &str, value: &str, expires: Option<i64>) -> Result<Option<Known>> {
        let counter = rows::is_counter(self.connection, key)?;
        Ok((!counter).then(|| Some((value.to_owned(), expires))))
    }
}

impl Changes {
    /// Tells the cache what the keys are now. To be called after the commit.
    pub(super) fn committed(mut self) {
        for (change, known) in self.list.drain(..) {
            self.cache.end(change, known);
        }
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        for (change, _) in self.list.drain(..) {
            self.cache.end(change, None);
        }
    }
}
