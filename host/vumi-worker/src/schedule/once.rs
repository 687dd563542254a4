//! The once-off scheduler: what it keeps, and how items come in and go out (specification: schedule, section 1).
//!
//! Each pending item is a hash, a member of the set of all pending keys, and a member of one bucket (see
//! [`crate::buckets`]). Every change of these is one step, so that several processes may share a prefix.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use vumi_core::{Change, Clock, Collections, Error, Guard, Keyspace, Op, Result};
use vumi_message::{Timestamp, json, new_id};

use super::options::SchedulerOptions;
use crate::buckets::Buckets;

/// Takes what has fallen due.
#[async_trait]
pub trait Deliver: Send + Sync + 'static {
    /// One item. It is called again, a bucket later, when this fails, until that has happened `max_attempts` times.
    /// An error that says when to come back ([`Error::after`]) does not count. Must not take longer than a minute:
    /// after that another process may deliver the item too.
    async fn deliver(&self, scheduled_at: Timestamp, payload: &Value) -> Result<()>;

    /// An item was given up, for this reason, which is in the log already.
    async fn dropped(&self, payload: &Value, reason: &str) {
        let _ = (payload, reason);
    }

    /// Waits until there is room for an item.
    async fn room(&self) {}
}

/// An item that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// Key of its hash; [`Scheduler::clear`] takes it.
    pub key: String,
    /// Key of the set of its bucket.
    pub bucket_key: String,
}

/// See the module's text. It delivers in [`Scheduler::run`], or when it is told to.
pub struct Scheduler {
    pub(super) collections: Arc<dyn Collections>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) options: SchedulerOptions,
    pub(super) buckets: Buckets,
}

impl std::fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheduler").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Scheduler {
    /// A scheduler that keeps its items here.
    ///
    /// # Errors
    /// One sentence for options that make no sense.
    pub fn new(space: &Keyspace, clock: Arc<dyn Clock>, options: SchedulerOptions) -> Result<Self> {
        options.check()?;
        let collections = Arc::clone(&space.collections);
        let (timestamps, sets) = ("scheduled_timestamps", "scheduled_keys.");
        let buckets = Buckets::new(
            Arc::clone(&collections),
            format!("{}#{timestamps}", options.prefix),
            format!("{}#{sets}", options.prefix),
            options.granularity,
        );
        Ok(Self { collections, clock, options, buckets })
    }

    /// Schedules a payload for `delta` seconds after `now` (the present unless given).
    ///
    /// # Errors
    /// Those of the store.
    pub async fn schedule(&self, delta: i64, payload: &Value, now: Option<Timestamp>) -> Result<Scheduled> {
        let now = now.unwrap_or_else(|| self.clock.now());
        self.schedule_at(Timestamp::from_secs(now.secs().saturating_add(delta)), payload, now).await
    }

    /// Schedules a payload for a moment; one in the past is delivered at once.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn schedule_at(&self, due: Timestamp, payload: &Value, now: Timestamp) -> Result<Scheduled> {
        let bucket = self.buckets.bucket(due, 0);
        let key = format!("{}{}.{}", self.item_prefix(), now.iso_seconds(), new_id());
        let bucket_key = self.buckets.set(&bucket.iso_seconds());
        let field = |name: &str, value: String| (name.to_owned(), value);
        let fields = vec![
            field("payload", json::to_text(payload)),
            field("scheduled_at", now.iso_seconds()),
            field("bucket_key", bucket_key.clone()),
        ];
        let change = Change::new()
            .then(Op::HashSet { key: key.clone(), fields })
            .then(Op::SetAdd { key: self.pending_key(), members: vec![key.clone()] });
        self.collections.apply(self.buckets.put(change, bucket, &key)).await?;
        Ok(Scheduled { key, bucket_key })
    }

    /// Takes an item back. Nothing happens when it is not pending any more.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn clear(&self, key: &str) -> Result<()> {
        if !key.starts_with(&self.item_prefix()) {
            return Ok(());
        }
        // An item moves from bucket to bucket while it is delivered; after a few moves it is gone anyway.
        for _ in 0..TRIES {
            let Some(set) = self.collections.field(key, "bucket_key").await? else { break };
            let Some(name) = self.buckets.name(&set) else { break };
            let guard =
                Guard::FieldIs { key: key.to_owned(), field: "bucket_key".to_owned(), value: Some(set.clone()) };
            let change = self.forget(Change::new().when(guard), name, key);
            if self.collections.apply(change).await?.is_some() {
                return self.buckets.forget_if_empty(name).await;
            }
        }
        if self.collections.field(key, "bucket_key").await?.is_some() {
            return Err(Error::temporary(format!("the item {key} is being delivered again and again: try later")));
        }
        let members = vec![key.to_owned()];
        self.collections.apply(Change::new().then(Op::SetRemove { key: self.pending_key(), members })).await.map(drop)
    }

    /// The keys of all items that wait or are being delivered.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn pending(&self) -> Result<BTreeSet<String>> {
        self.collections.members(&self.pending_key()).await
    }

    /// Adds to a change: the item is no more.
    pub(super) fn forget(&self, change: Change, bucket: &str, key: &str) -> Change {
        let members = vec![key.to_owned()];
        change
            .then(Op::Delete { keys: members.clone() })
            .then(Op::SetRemove { key: self.pending_key(), members: members.clone() })
            .then(Op::SetRemove { key: self.buckets.set(bucket), members })
    }

    pub(super) fn pending_key(&self) -> String {
        format!("{}#scheduled_keys", self.options.prefix)
    }

    fn item_prefix(&self) -> String {
        format!("{}#scheduled.", self.options.prefix)
    }
}

/// How often a change is tried that another process may have forestalled.
const TRIES: u32 = 20;
