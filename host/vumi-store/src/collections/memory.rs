//! Collections in memory: gone when the process ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use vumi_core::{Answer, Change, Clock, Collections, Result, Scores};

use super::model::Model;
use crate::MemoryBounds;
use crate::expiry::now_ms;
use crate::flat::check;

/// Collections in this process. What they hold is gone when the process ends.
///
/// Expired keys are invisible at once, and thrown away a few at a time by later changes.
pub struct MemoryCollections {
    model: Mutex<Model>,
    bounds: MemoryBounds,
    clock: Arc<dyn Clock>,
}

impl MemoryCollections {
    /// Nothing in them yet; the default bounds.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::within(MemoryBounds::default(), clock)
    }

    /// Nothing in them yet. A change that would lead beyond `bounds` (64 bytes are added for each field, member and
    /// value) is refused with [`crate::StoreError::CollectionsFull`], unless what has expired makes room.
    pub fn within(bounds: MemoryBounds, clock: Arc<dyn Clock>) -> Self {
        Self { model: Mutex::new(Model::default()), bounds, clock }
    }

    /// The number of keys that are held, including expired ones that are not yet thrown away.
    pub fn held(&self) -> usize {
        self.model.lock().entries.len()
    }

    fn now(&self) -> i64 {
        now_ms(&*self.clock)
    }
}

impl std::fmt::Debug for MemoryCollections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryCollections").field("held", &self.held()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Collections for MemoryCollections {
    async fn text(&self, key: &str) -> Result<Option<String>> {
        Ok(self.model.lock().text(key, self.now())?)
    }

    async fn hash(&self, key: &str) -> Result<BTreeMap<String, String>> {
        Ok(self.model.lock().hash(key, self.now())?)
    }

    async fn field(&self, key: &str, field: &str) -> Result<Option<String>> {
        Ok(self.model.lock().field(key, field, self.now())?)
    }

    async fn members(&self, key: &str) -> Result<BTreeSet<String>> {
        Ok(self.model.lock().members(key, self.now())?)
    }

    async fn has(&self, key: &str, member: &str) -> Result<bool> {
        Ok(self.model.lock().has(key, member, self.now())?)
    }

    async fn list(&self, key: &str, skip: u64, limit: u64) -> Result<Vec<String>> {
        Ok(self.model.lock().list(key, skip, limit, self.now())?)
    }

    async fn sorted(&self, key: &str, scores: Scores, limit: u64) -> Result<Vec<(String, f64)>> {
        Ok(self.model.lock().sorted(key, scores, limit, self.now())?)
    }

    async fn score(&self, key: &str, member: &str) -> Result<Option<f64>> {
        Ok(self.model.lock().score(key, member, self.now())?)
    }

    async fn len(&self, key: &str) -> Result<u64> {
        Ok(self.model.lock().len(key, self.now())?)
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>> {
        Ok(self.model.lock().ttl(key, self.now()))
    }

    async fn keys(&self, prefix: &str, limit: u64) -> Result<Vec<String>> {
        Ok(self.model.lock().keys(prefix, limit, self.now()))
    }

    async fn apply(&self, change: Change) -> Result<Option<Vec<Answer>>> {
        check(&change)?;
        let now = self.now();
        let mut model = self.model.lock();
        let answers = model.apply(&change, &self.bounds, now);
        // Only a log would ask for them.
        model.swept.clear();
        Ok(answers?)
    }
}
