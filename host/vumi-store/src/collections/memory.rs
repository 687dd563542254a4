//! Collections in memory: gone when the process ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use vumi_core::{Answer, Change, Clock, Collections, Result, Scores};

use super::model::Model;
use crate::expiry::now_ms;

/// See the module's text.
pub struct MemoryCollections {
    model: Mutex<Model>,
    clock: Arc<dyn Clock>,
}

impl MemoryCollections {
    /// Nothing in them yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { model: Mutex::new(Model::default()), clock }
    }

    fn now(&self) -> i64 {
        now_ms(&*self.clock)
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
        let now = self.now();
        let mut model = self.model.lock();
        model.sweep(now);
        Ok(model.apply(&change, now)?)
    }
}
