//! The two-way mapping between items and the ids that the other side gave them.

use vumi_core::{Change, Guard, Op};

use super::error::WindowError;
use super::keys::WindowKeys;
use super::manager::{TRIES, WindowManager};

impl WindowManager {
    /// Notes what the other side calls an item. What it was called before is forgotten.
    ///
    /// # Errors
    /// [`WindowError::Contended`], or the store's.
    pub async fn set_external_id(&self, window: &str, key: &str, external_id: &str) -> Result<(), WindowError> {
        let keys = WindowKeys::of(window)?;
        let steps = [
            Op::SetText { key: keys.internal(external_id), value: key.to_owned() },
            Op::SetText { key: keys.external(key), value: external_id.to_owned() },
        ];
        self.replace_external_id(&keys, key, &steps).await
    }

    /// The item that the other side calls so.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn get_internal_id(&self, window: &str, external_id: &str) -> Result<Option<String>, WindowError> {
        Ok(self.collections.text(&WindowKeys::of(window)?.internal(external_id)).await?)
    }

    /// What the other side calls an item.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn get_external_id(&self, window: &str, key: &str) -> Result<Option<String>, WindowError> {
        Ok(self.collections.text(&WindowKeys::of(window)?.external(key)).await?)
    }

    /// Forgets what the other side calls an item.
    ///
    /// # Errors
    /// [`WindowError::Contended`], or the store's.
    pub async fn clear_external_id(&self, window: &str, key: &str) -> Result<(), WindowError> {
        self.replace_external_id(&WindowKeys::of(window)?, key, &[]).await
    }

    async fn replace_external_id(&self, keys: &WindowKeys<'_>, key: &str, steps: &[Op]) -> Result<(), WindowError> {
        for _ in 0..TRIES {
            let old = self.collections.text(&keys.external(key)).await?;
            let mut gone = vec![keys.external(key)];
            gone.extend(old.as_deref().map(|id| keys.internal(id)));
            let mut change = Change::new()
                .when(Guard::TextIs { key: keys.external(key), value: old })
                .then(Op::Delete { keys: gone });
            change.ops.extend_from_slice(steps);
            if self.collections.apply(change).await?.is_some() {
                return Ok(());
            }
        }
        Err(WindowError::Contended(key.to_owned()))
    }
}
