//! Keys that fall due, in buckets: one set for all that fall due within the same few seconds, and a sorted set of the
//! buckets. Stored failures and once-off schedules have this layout in common (specification: messages, section 7;
//! schedule, section 1).
//!
//! Nothing is lost when a process dies while it works on a key. To work on it, a process *claims* it: in one step the
//! key moves from its bucket to one that falls due a minute later, so that exactly one process has it; when the work
//! is done it is taken out there. If the process does not live to do that, the key falls due again.

use std::collections::BTreeSet;
use std::sync::Arc;

use vumi_core::{Change, Collections, Guard, Op, Result, Scores};
use vumi_message::Timestamp;
use vumi_message::retry::retry_bucket;

/// How long a process has for a key that it claimed, in seconds.
pub(crate) const LEASE: u64 = 60;

/// See the module's text.
pub(crate) struct Buckets {
    collections: Arc<dyn Collections>,
    timestamps: String,
    prefix: String,
    granularity: u64,
}

impl Buckets {
    /// `timestamps` is the key of the sorted set, `prefix` what the keys of the buckets' sets begin with,
    /// `granularity` in seconds.
    pub(crate) fn new(collections: Arc<dyn Collections>, timestamps: String, prefix: String, granularity: u64) -> Self {
        Self { collections, timestamps, prefix, granularity }
    }

    /// The bucket for what falls due `delay` seconds after `now`: always later than that.
    pub(crate) fn bucket(&self, now: Timestamp, delay: u64) -> Timestamp {
        retry_bucket(now.secs(), delay, self.granularity)
    }

    /// The key of the set of the bucket that is called `name`: its time, `YYYY-MM-DDTHH:MM:SS`.
    pub(crate) fn set(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The name of the bucket whose set has this key.
    pub(crate) fn name<'a>(&self, set: &'a str) -> Option<&'a str> {
        set.strip_prefix(&self.prefix)
    }

    /// Adds to a change: puts a key into a bucket.
    pub(crate) fn put(&self, change: Change, bucket: Timestamp, key: &str) -> Change {
        let name = bucket.iso_seconds();
        change.then(Op::SetAdd { key: self.set(&name), members: vec![key.to_owned()] }).then(Op::SortedAdd {
            key: self.timestamps.clone(),
            member: name,
            score: bucket.secs() as f64,
        })
    }

    /// Adds to a change: takes a key out of a bucket, which must hold it.
    pub(crate) fn take(&self, change: Change, name: &str, key: &str) -> Change {
        change
            .when(Guard::Has { key: self.set(name), member: key.to_owned() })
            .then(Op::SetRemove { key: self.set(name), members: vec![key.to_owned()] })
    }

    /// The name of the oldest bucket that is not later than `until`.
    pub(crate) async fn oldest(&self, until: Timestamp) -> Result<Option<String>> {
        let scores = Scores { min: None, max: Some(until.secs() as f64) };
        let found = self.collections.sorted(&self.timestamps, scores, 1).await?;
        Ok(found.into_iter().next().map(|(name, _)| name))
    }

    /// The names of all buckets, oldest first.
    pub(crate) async fn all(&self) -> Result<Vec<String>> {
        let found = self.collections.sorted(&self.timestamps, Scores::default(), u64::MAX).await?;
        Ok(found.into_iter().map(|(name, _)| name).collect())
    }

    /// The keys in a bucket.
    pub(crate) async fn keys(&self, name: &str) -> Result<BTreeSet<String>> {
        self.collections.members(&self.set(name)).await
    }

    /// Moves a key from one bucket to another, and makes the steps of `change` with it. False when it was not in the
    /// first.
    pub(crate) async fn shift(&self, change: Change, from: &str, to: Timestamp, key: &str) -> Result<bool> {
        let change = self.put(self.take(change, from, key), to, key);
        Ok(self.collections.apply(change).await?.is_some())
    }

    /// Forgets a bucket if it is empty.
    pub(crate) async fn forget_if_empty(&self, name: &str) -> Result<()> {
        let change = Change::new()
            .when(Guard::Absent { key: self.set(name) })
            .then(Op::SortedRemove { key: self.timestamps.clone(), members: vec![name.to_owned()] });
        self.collections.apply(change).await.map(drop)
    }
}
