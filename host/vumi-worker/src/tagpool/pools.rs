//! The operations that change tag pools (specification: tagpool, section 2). Each is one step, whoever else is at it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Mutex;
use vumi_core::{Change, Clock, Collections, Guard, Keyspace, Op};
use vumi_message::{Payload, json};

use super::error::TagPoolError;
use super::keys::{POOLS, free_list, free_set, in_use, metadata, owned, reasons};
use super::tag::Tag;

/// How often an operation is tried that another process may have forestalled.
const TRIES: u32 = 100;

/// Names that are declared in one step.
const DECLARED: usize = 1_000;

/// Tag pools. Clones share everything.
#[derive(Clone)]
pub struct TagPools {
    pub(super) collections: Arc<dyn Collections>,
    clock: Arc<dyn Clock>,
    /// Those in this process who want the next free tag do not get in each other's way.
    turn: Arc<Mutex<()>>,
}

impl std::fmt::Debug for TagPools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TagPools").finish_non_exhaustive()
    }
}

impl TagPools {
    /// The tag pools that are kept here.
    pub fn new(space: &Keyspace, clock: Arc<dyn Clock>) -> Self {
        Self { collections: Arc::clone(&space.collections), clock, turn: Arc::default() }
    }

    /// Registers the tags' pools, and adds those names that are new, in sorted order, behind the free ones.
    ///
    /// # Errors
    /// [`TagPoolError::Contended`], or the store's.
    pub async fn declare_tags(&self, tags: &[Tag]) -> Result<(), TagPoolError> {
        let mut pools: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for tag in tags {
            pools.entry(&tag.pool).or_default().insert(&tag.name);
        }
        for (pool, names) in pools {
            let names: Vec<&str> = names.into_iter().collect();
            for names in names.chunks(DECLARED) {
                self.declare(pool, names).await?;
            }
        }
        Ok(())
    }

    async fn declare(&self, pool: &str, names: &[&str]) -> Result<(), TagPoolError> {
        for _ in 0..TRIES {
            let free = self.collections.members(&free_set(pool)).await?;
            let used = self.collections.members(&in_use(pool)).await?;
            let is_new = |name: &&&str| !free.contains(**name) && !used.contains(**name);
            let new: Vec<String> = names.iter().filter(is_new).map(|name| (*name).to_owned()).collect();
            let mut change = Change::new().then(Op::SetAdd { key: POOLS.to_owned(), members: vec![pool.to_owned()] });
            if !new.is_empty() {
                for member in &new {
                    change = change
                        .when(Guard::HasNot { key: free_set(pool), member: member.clone() })
                        .when(Guard::HasNot { key: in_use(pool), member: member.clone() });
                }
                change = change
                    .then(Op::SetAdd { key: free_set(pool), members: new.clone() })
                    .then(Op::PushTail { key: free_list(pool), values: new });
            }
            if self.collections.apply(change).await?.is_some() {
                return Ok(());
            }
        }
        Err(TagPoolError::Contended(pool.to_owned()))
    }

    /// Takes the tag that has been free longest, for an owner and a reason. `None` when none is free.
    ///
    /// # Errors
    /// [`TagPoolError::Contended`], or the store's.
    pub async fn acquire_tag(
        &self,
        pool: &str,
        owner: Option<&str>,
        reason: Option<&Payload>,
    ) -> Result<Option<Tag>, TagPoolError> {
        let _turn = self.turn.lock().await;
        for _ in 0..TRIES {
            let head = self.collections.list(&free_list(pool), 0, 1).await?;
            let Some(name) = head.into_iter().next() else { return Ok(None) };
            let tag = Tag::new(pool, name.as_str());
            let change = Change::new()
                .when(Guard::HeadIs { key: free_list(pool), value: Some(name) })
                .then(Op::PopHead { key: free_list(pool) });
            if self.collections.apply(self.acquired(change, &tag, owner, reason)).await?.is_some() {
                log(&tag, owner, "a tag is acquired");
                return Ok(Some(tag));
            }
        }
        Err(TagPoolError::Contended(pool.to_owned()))
    }

    /// Takes a certain tag; `None` when it is not free.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn acquire_specific_tag(
        &self,
        tag: &Tag,
        owner: Option<&str>,
        reason: Option<&Payload>,
    ) -> Result<Option<Tag>, TagPoolError> {
        let change = Change::new()
            .when(Guard::Has { key: free_set(&tag.pool), member: tag.name.clone() })
            .then(Op::ListRemove { key: free_list(&tag.pool), value: tag.name.clone() });
        if self.collections.apply(self.acquired(change, tag, owner, reason)).await?.is_none() {
            return Ok(None);
        }
        log(tag, owner, "a tag is acquired");
        Ok(Some(tag.clone()))
    }

    /// Adds to a change: a tag that has left the free list is in use.
    fn acquired(&self, change: Change, tag: &Tag, owner: Option<&str>, reason: Option<&Payload>) -> Change {
        let mut reason = reason.cloned().unwrap_or_default();
        reason.insert("timestamp".to_owned(), Value::from(self.clock.now().micros() as f64 / 1e6));
        reason.insert("owner".to_owned(), owner.into());
        let name = || vec![tag.name.clone()];
        change
            .then(Op::SetRemove { key: free_set(&tag.pool), members: name() })
            .then(Op::SetAdd { key: in_use(&tag.pool), members: name() })
            .then(Op::HashSet {
                key: reasons(&tag.pool),
                fields: vec![(tag.name.clone(), json::object_to_text(&reason))],
            })
            .then(Op::SetAdd { key: owned(owner), members: vec![tag.to_text()] })
    }

    /// Puts a tag that is in use behind the free ones. Nothing happens to one that is not in use.
    ///
    /// # Errors
    /// [`TagPoolError::Contended`], or the store's.
    pub async fn release_tag(&self, tag: &Tag) -> Result<(), TagPoolError> {
        let name = || vec![tag.name.clone()];
        for _ in 0..TRIES {
            let reason = self.collections.field(&reasons(&tag.pool), &tag.name).await?;
            let owner = reason.as_deref().and_then(owner_of);
            let change = Change::new()
                .when(Guard::Has { key: in_use(&tag.pool), member: tag.name.clone() })
                // The owner has not changed since it was read.
                .when(Guard::FieldIs { key: reasons(&tag.pool), field: tag.name.clone(), value: reason })
                .then(Op::SetRemove { key: in_use(&tag.pool), members: name() })
                .then(Op::SetAdd { key: free_set(&tag.pool), members: name() })
                .then(Op::PushTail { key: free_list(&tag.pool), values: name() })
                .then(Op::HashRemove { key: reasons(&tag.pool), fields: name() })
                .then(Op::SetRemove { key: owned(owner.as_deref()), members: vec![tag.to_text()] });
            if self.collections.apply(change).await?.is_some() {
                log(tag, owner.as_deref(), "a tag is released");
                return Ok(());
            }
            if !self.collections.has(&in_use(&tag.pool), &tag.name).await? {
                return Ok(());
            }
        }
        Err(TagPoolError::Contended(tag.pool.clone()))
    }

    /// Replaces all metadata of a pool, and registers the pool.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn set_metadata(&self, pool: &str, fields: &Payload) -> Result<(), TagPoolError> {
        let mut change = Change::new()
            .then(Op::SetAdd { key: POOLS.to_owned(), members: vec![pool.to_owned()] })
            .then(Op::Delete { keys: vec![metadata(pool)] });
        if !fields.is_empty() {
            let fields = fields.iter().map(|(field, value)| (field.clone(), json::to_text(value))).collect();
            change = change.then(Op::HashSet { key: metadata(pool), fields });
        }
        self.collections.apply(change).await?;
        Ok(())
    }

    /// Deletes a pool and everything in it.
    ///
    /// # Errors
    /// [`TagPoolError::InUse`], [`TagPoolError::Contended`], or the store's.
    pub async fn purge_pool(&self, pool: &str) -> Result<(), TagPoolError> {
        for _ in 0..TRIES {
            let gone = vec![free_list(pool), free_set(pool), metadata(pool), reasons(pool)];
            let change = Change::new()
                .when(Guard::Absent { key: in_use(pool) })
                .then(Op::Delete { keys: gone })
                .then(Op::SetRemove { key: POOLS.to_owned(), members: vec![pool.to_owned()] });
            if self.collections.apply(change).await?.is_some() {
                tracing::info!(pool, "a tag pool is purged");
                return Ok(());
            }
            let tags = self.collections.len(&in_use(pool)).await?;
            if tags > 0 {
                return Err(TagPoolError::InUse { tags, pool: pool.to_owned() });
            }
        }
        Err(TagPoolError::Contended(pool.to_owned()))
    }
}

/// Who holds a tag, from the reason that is kept of it.
pub(super) fn owner_of(reason: &str) -> Option<String> {
    json::parse_object(reason.as_bytes()).ok()?.get("owner")?.as_str().map(str::to_owned)
}

/// The history of a tag is kept here and nowhere else.
fn log(tag: &Tag, owner: Option<&str>, what: &str) {
    tracing::info!(pool = tag.pool, tag = tag.name, owner, "{what}");
}
