//! The end of flights that nobody reports.

use std::sync::Arc;

use vumi_core::{Answer, Change, Op, Scores};
use vumi_message::Timestamp;

use super::error::WindowError;
use super::keys::WindowKeys;
use super::manager::{WindowManager, score};
use super::monitor::WindowWatcher;
use crate::every::every;

/// Expired flights that are read at a time.
const BATCH: u64 = 1_000;

impl WindowManager {
    /// The items that took off `flight_lifetime` ago or earlier.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn get_expired_flight_keys(&self, window: &str) -> Result<Vec<String>, WindowError> {
        self.expired(&WindowKeys::of(window)?, u64::MAX).await
    }

    /// Ends all flights that have expired, of every window: they free their slots, what is kept of them goes after one
    /// more `flight_lifetime`, and the watcher is told of each once, whichever process finds it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn clear_expired_flight_keys(&self, watcher: Option<&dyn WindowWatcher>) -> Result<(), WindowError> {
        for window in self.get_windows().await? {
            // A window of a reserved name, made by Vumi, is not ours to touch.
            let Ok(keys) = WindowKeys::of(&window) else { continue };
            loop {
                let expired = self.expired(&keys, BATCH).await?;
                for key in &expired {
                    let mine = self.expire(&keys, key).await?;
                    if let Some(watcher) = watcher.filter(|_| mine) {
                        watcher.expired(&window, key).await;
                    }
                }
                if (expired.len() as u64) < BATCH {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Clears expired flights every `gc_interval`, at once for the first time, until [`WindowManager::stop`].
    pub fn collect_garbage(self: &Arc<Self>, watcher: Option<Arc<dyn WindowWatcher>>) {
        let manager = Arc::clone(self);
        self.tasks.spawn(async move {
            every(manager.interval, &manager.stopping, || async {
                if let Err(error) = manager.clear_expired_flight_keys(watcher.as_deref()).await {
                    tracing::error!("expired flights could not be cleared: {error}");
                }
            })
            .await;
        });
    }

    async fn expired(&self, keys: &WindowKeys<'_>, limit: u64) -> Result<Vec<String>, WindowError> {
        let lifetime = i64::try_from(self.lifetime.as_micros()).unwrap_or(i64::MAX);
        // Reckoned in whole microseconds: the boundary itself counts.
        let until = Timestamp::from_micros(self.clock.now().micros().saturating_sub(lifetime));
        let scores = Scores { min: None, max: Some(score(until)) };
        let found = self.collections.sorted(&keys.flight_times(), scores, limit).await?;
        Ok(found.into_iter().map(|(key, _)| key).collect())
    }

    /// Ends one flight; true when this process was the one to do it.
    async fn expire(&self, keys: &WindowKeys<'_>, key: &str) -> Result<bool, WindowError> {
        let mut leftovers = vec![keys.data(key), keys.external(key)];
        leftovers.extend(self.collections.text(&keys.external(key)).await?.map(|id| keys.internal(&id)));
        let ttl_ms = u64::try_from(self.lifetime.as_millis()).unwrap_or(u64::MAX);
        let mut change = Change::new();
        change.ops.extend(keys.land(key));
        change.ops.extend(leftovers.into_iter().map(|key| Op::Expire { key, ttl_ms }));
        let answers = self.collections.apply(change).await?.unwrap_or_default();
        Ok(answers.get(1) == Some(&Answer::Count(1)))
    }
}
