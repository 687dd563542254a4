//! Collections in one SQLite file.
//!
//! They are held in memory, where they are read and decided on; each change is written to a log in the file before it is
//! answered. When the program starts, the log is replayed. Changes that come while the disk is being waited for share the
//! next wait, so the cost of one falls with their number.
//!
//! A reader may see a change a moment before it is on the disk; whoever *decides* on what was read does it in a change of
//! its own, which is written after the one it relied on, or not at all.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use vumi_core::{Answer, Change, Clock, Collections, Result, Scores};
use vumi_sqlite::{Database, DbError, Durability, Options};

use super::entries::Entry;
use super::journal::{self, Loaded, MIGRATIONS};
use super::model::Model;
use super::steps::has_changed;
use crate::expiry::now_ms;
use crate::flat::{check, op_keys};
use crate::{MemoryBounds, StoreError};

/// Changes in the log after which it is folded into the entries.
const FOLD: usize = 10_000;

/// Collections in one file, bounded by memory: see the module's text.
pub struct SqliteCollections {
    database: Database,
    state: Arc<Mutex<State>>,
    /// Held by whoever reads the file anew.
    reading: tokio::sync::Mutex<()>,
    bounds: MemoryBounds,
    clock: Arc<dyn Clock>,
}

struct State {
    model: Model,
    /// The number of the last change.
    number: i64,
    /// A change could not be written: the model is ahead of the file, which has to be read anew.
    stale: bool,
    /// Counts how often the file was read.
    epoch: u64,
    /// Changes in the log, and the keys that they touched.
    logged: usize,
    touched: HashSet<String>,
}

impl State {
    fn take(&mut self, loaded: Loaded) {
        self.model = loaded.model;
        self.number = loaded.number;
        self.logged = loaded.logged;
        self.touched = loaded.touched.into_iter().collect();
        self.stale = false;
        self.epoch += 1;
    }
}

impl SqliteCollections {
    /// Opens the file `path`, making it when missing; its directory must exist. Blocks while it reads all of it.
    ///
    /// # Errors
    /// [`StoreError::Open`] or [`StoreError::Database`], one sentence for the user.
    pub fn open(
        path: impl Into<PathBuf>,
        durability: Durability,
        bounds: MemoryBounds,
        clock: Arc<dyn Clock>,
    ) -> std::result::Result<Self, StoreError> {
        // One reader: everything is read from memory.
        let options = Options { durability, readers: 1, ..Options::file(path) };
        let database = Database::open(options, MIGRATIONS)?;
        let loaded = database.write_blocking(journal::load).map_err(|cause| failed("read", cause))?;
        let empty = Model::default();
        let mut state = State { model: empty, number: 0, stale: false, epoch: 0, logged: 0, touched: HashSet::new() };
        state.take(loaded);
        let state = Arc::new(Mutex::new(state));
        Ok(Self { database, state, reading: tokio::sync::Mutex::new(()), bounds, clock })
    }

    /// Refuses further changes, waits until all are in the file, and lets it go.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// The number of keys that are held, including expired ones that are not yet thrown away.
    pub fn held(&self) -> usize {
        self.state.lock().model.entries.len()
    }

    fn now(&self) -> i64 {
        now_ms(&*self.clock)
    }

    /// Reads from the model.
    async fn read<T>(&self, read: impl FnOnce(&Model, i64) -> std::result::Result<T, StoreError> + Send) -> Result<T> {
        let now = self.now();
        self.freshen().await?;
        Ok(read(&self.state.lock().model, now)?)
    }

    /// Reads the file anew if a change could not be written to it.
    async fn freshen(&self) -> std::result::Result<(), StoreError> {
        if !self.state.lock().stale {
            return Ok(());
        }
        let _alone = self.reading.lock().await;
        if !self.state.lock().stale {
            return Ok(());
        }
        // As a write, because it then comes after every change that is still queued; new ones are not made meanwhile.
        let loaded = self.database.write(journal::load).await.map_err(|cause| failed("read", cause))?;
        self.state.lock().take(loaded);
        tracing::info!("the collections were read anew from their file");
        Ok(())
    }

    /// Folds the log into the entries, in the background, if it has grown long. Called under the lock, so that its place
    /// among the changes is the one whose state it writes.
    fn fold_if_due(&self, state: &mut State) {
        if state.logged < FOLD {
            return;
        }
        let touched = std::mem::take(&mut state.touched);
        let entry = |key: String| {
            let entry = state.model.entries.get(&key).cloned();
            (key, entry)
        };
        let touched: Vec<(String, Option<Entry>)> = touched.into_iter().map(entry).collect();
        let keys: Vec<String> = touched.iter().map(|(key, _)| key.clone()).collect();
        let (number, logged, epoch) = (state.number, std::mem::take(&mut state.logged), state.epoch);
        let pending = self.database.submit(move |connection| journal::fold(connection, number, &touched));
        let shared = Arc::clone(&self.state);
        tokio::spawn(async move {
            if let Err(error) = pending.await {
                tracing::debug!(%error, "the log of the collections could not be folded; later");
                let mut state = shared.lock();
                if state.epoch == epoch {
                    state.touched.extend(keys);
                    state.logged += logged;
                }
            }
        });
    }
}

fn failed(done: &'static str, cause: DbError) -> StoreError {
    StoreError::Database { store: "collections", done, cause }
}

impl std::fmt::Debug for SqliteCollections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteCollections").field("database", &self.database).finish_non_exhaustive()
    }
}

#[async_trait]
impl Collections for SqliteCollections {
    async fn text(&self, key: &str) -> Result<Option<String>> {
        self.read(|model, now| model.text(key, now)).await
    }

    async fn hash(&self, key: &str) -> Result<BTreeMap<String, String>> {
        self.read(|model, now| model.hash(key, now)).await
    }

    async fn field(&self, key: &str, field: &str) -> Result<Option<String>> {
        self.read(|model, now| model.field(key, field, now)).await
    }

    async fn members(&self, key: &str) -> Result<BTreeSet<String>> {
        self.read(|model, now| model.members(key, now)).await
    }

    async fn has(&self, key: &str, member: &str) -> Result<bool> {
        self.read(|model, now| model.has(key, member, now)).await
    }

    async fn list(&self, key: &str, skip: u64, limit: u64) -> Result<Vec<String>> {
        self.read(|model, now| model.list(key, skip, limit, now)).await
    }

    async fn sorted(&self, key: &str, scores: Scores, limit: u64) -> Result<Vec<(String, f64)>> {
        self.read(|model, now| model.sorted(key, scores, limit, now)).await
    }

    async fn score(&self, key: &str, member: &str) -> Result<Option<f64>> {
        self.read(|model, now| model.score(key, member, now)).await
    }

    async fn len(&self, key: &str) -> Result<u64> {
        self.read(|model, now| model.len(key, now)).await
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>> {
        self.read(|model, now| Ok(model.ttl(key, now))).await
    }

    async fn keys(&self, prefix: &str, limit: u64) -> Result<Vec<String>> {
        self.read(|model, now| Ok(model.keys(prefix, limit, now))).await
    }

    async fn apply(&self, change: Change) -> Result<Option<Vec<Answer>>> {
        check(&change)?;
        loop {
            self.freshen().await?;
            // Room in the queue first: once decided, a change must be written before all later ones.
            let place = self.database.room().await.map_err(|cause| failed("written", cause))?;
            let (answers, pending, epoch) = {
                let mut state = self.state.lock();
                if state.stale {
                    continue;
                }
                let now = self.now();
                let Some(answers) = state.model.apply(&change, &self.bounds, now)? else { return Ok(None) };
                if !change.ops.iter().zip(&answers).any(|(op, answer)| has_changed(op, answer)) {
                    return Ok(Some(answers));
                }
                let swept = std::mem::take(&mut state.model.swept);
                state.touched.extend(swept.iter().chain(change.ops.iter().flat_map(op_keys)).cloned());
                let steps = journal::steps(swept, &change.ops);
                state.number += 1;
                state.logged += 1;
                let number = state.number;
                let pending = place.submit(move |connection| journal::append(connection, number, now, &steps));
                self.fold_if_due(&mut state);
                (answers, pending, state.epoch)
            };
            // In a task of its own: if the caller gives up, somebody must still notice that it failed.
            let shared = Arc::clone(&self.state);
            let written = tokio::spawn(async move {
                let written = pending.await;
                if written.is_err() {
                    let mut state = shared.lock();
                    state.stale |= state.epoch == epoch;
                }
                written
            });
            return match written.await {
                Ok(written) => Ok(written.map(|()| Some(answers)).map_err(|cause| failed("written", cause))?),
                Err(_) => Err(failed("written", DbError::Closed).into()),
            };
        }
    }
}

#[cfg(test)]
mod tests;
