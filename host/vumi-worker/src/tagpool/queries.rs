//! The operations that look at tag pools (specification: tagpool, section 2).

use std::collections::BTreeSet;

use serde_json::Value;
use vumi_core::Error;
use vumi_message::{Payload, json};

use super::error::TagPoolError;
use super::keys::{POOLS, free_set, in_use, metadata, owned, reasons};
use super::pools::TagPools;
use super::tag::Tag;

impl TagPools {
    /// The free tags of a pool.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn free_tags(&self, pool: &str) -> Result<Vec<Tag>, TagPoolError> {
        self.tags_in(pool, &free_set(pool)).await
    }

    /// The tags of a pool that are in use.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn inuse_tags(&self, pool: &str) -> Result<Vec<Tag>, TagPoolError> {
        self.tags_in(pool, &in_use(pool)).await
    }

    async fn tags_in(&self, pool: &str, key: &str) -> Result<Vec<Tag>, TagPoolError> {
        let names = self.collections.members(key).await?;
        Ok(names.into_iter().map(|name| Tag::new(pool, name)).collect())
    }

    /// Who holds a tag, and the reason with `timestamp` and `owner`; both `None` when it is not in use.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn acquired_by(&self, tag: &Tag) -> Result<(Option<String>, Option<Payload>), TagPoolError> {
        // Vumi left the reasons of released tags behind.
        if !self.collections.has(&in_use(&tag.pool), &tag.name).await? {
            return Ok((None, None));
        }
        let reason = self.collections.field(&reasons(&tag.pool), &tag.name).await?;
        let reason = reason.and_then(|text| json::parse_object(text.as_bytes()).ok());
        let owner = reason.as_ref().and_then(|reason| reason.get("owner")).and_then(Value::as_str);
        Ok((owner.map(str::to_owned), reason))
    }

    /// The tags that an owner holds; of nobody (`None`), those in use without an owner.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn owned_tags(&self, owner: Option<&str>) -> Result<Vec<Tag>, TagPoolError> {
        let texts = self.collections.members(&owned(owner)).await?;
        Ok(texts.iter().filter_map(|text| Tag::from_text(text)).collect())
    }

    /// The metadata of a pool; empty when there is none.
    ///
    /// # Errors
    /// Those of the store, and one for metadata that is not JSON.
    pub async fn get_metadata(&self, pool: &str) -> Result<Payload, TagPoolError> {
        let hash = self.collections.hash(&metadata(pool)).await?;
        let fields = hash.into_iter().map(|(field, text)| match json::parse(text.as_bytes()) {
            Ok(value) => Ok((field, value)),
            Err(error) => {
                let text = format!("the metadata `{field}` of the pool {pool} cannot be read");
                Err(TagPoolError::Store(Error::permanent(text).because(error)))
            }
        });
        fields.collect()
    }

    /// The names of all pools, those without tags included.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list_pools(&self) -> Result<BTreeSet<String>, TagPoolError> {
        Ok(self.collections.members(POOLS).await?)
    }
}
