//! The once-off scheduler at work: deliveries, and the recovery of what a process left behind.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use vumi_core::{Change, Error, Guard, Op, Result, Retry};
use vumi_message::{Timestamp, json};

use super::once::{Deliver, Scheduler};
use crate::buckets::LEASE;
use crate::every::{every, seconds};

/// Field of an item's hash: how often its delivery has failed.
const ATTEMPTS: &str = "attempts";

/// An item that this process delivers.
struct Taken<'a> {
    key: &'a str,
    /// The bucket that it is in meanwhile.
    lease: Timestamp,
    scheduled_at: Timestamp,
    attempts: u64,
    payload: Value,
}

impl Scheduler {
    /// Delivers what is due at `now`: everything in buckets that ended before, oldest first. How many items were
    /// delivered.
    ///
    /// # Errors
    /// Those of the store. What had been taken by then is delivered later.
    pub async fn deliver(&self, now: Timestamp, to: &dyn Deliver) -> Result<u64> {
        self.deliver_until(now, to, &CancellationToken::new()).await
    }

    /// Delivers every `delivery_period`, at once for the first time, until `shutdown` ends. An error is logged, and the
    /// work goes on with the next period.
    pub async fn run(&self, to: &dyn Deliver, shutdown: &CancellationToken) {
        let period = seconds("delivery_period", self.options.delivery_period).unwrap_or(Duration::from_secs(3));
        let delivering = every(period, shutdown, || async {
            if let Err(error) = self.deliver_until(self.clock.now(), to, shutdown).await {
                tracing::error!("a delivery of scheduled items failed: {}", error.report());
            }
        });
        let recovering = every(Duration::from_secs(LEASE), shutdown, || async {
            if let Err(error) = self.recover(self.clock.now()).await {
                tracing::error!("scheduled items could not be recovered: {}", error.report());
            }
        });
        tokio::join!(delivering, recovering);
    }

    async fn deliver_until(&self, now: Timestamp, to: &dyn Deliver, shutdown: &CancellationToken) -> Result<u64> {
        let mut delivered = 0;
        let mut leases = BTreeSet::new();
        // The bucket of `now - g` is the last one that has ended.
        let until = self.buckets.bucket(now, 0).secs() - i64::try_from(self.options.granularity).unwrap_or(i64::MAX);
        while let Some(bucket) = self.buckets.oldest(Timestamp::from_secs(until)).await? {
            let too_old = self.is_too_old(&bucket, now);
            for key in self.buckets.keys(&bucket).await? {
                tokio::select! {
                    biased;
                    () = shutdown.cancelled() => return Ok(delivered),
                    () = to.room() => {}
                }
                // A run may take long; each item has its whole minute.
                let lease = self.buckets.bucket(now.max(self.clock.now()), LEASE);
                let Some(item) = self.take(&bucket, &key, lease).await? else { continue };
                leases.insert(lease.iso_seconds());
                if too_old {
                    self.drop_item(&item, to, &format!("it was due in the bucket {bucket}, longer ago than max_age"))
                        .await?;
                } else if self.hand_over(&item, now, to).await? {
                    delivered += 1;
                }
            }
            self.buckets.forget_if_empty(&bucket).await?;
        }
        for lease in leases {
            self.buckets.forget_if_empty(&lease).await?;
        }
        Ok(delivered)
    }

    fn is_too_old(&self, bucket: &str, now: Timestamp) -> bool {
        let (Some(max_age), Ok(due)) = (self.options.max_age, bucket.parse::<Timestamp>()) else { return false };
        now.secs().saturating_sub(due.secs()) > i64::try_from(max_age).unwrap_or(i64::MAX)
    }

    /// Takes an item, so that no other process does. `None` when one has, or when there is nothing to deliver.
    async fn take<'a>(&self, bucket: &str, key: &'a str, lease: Timestamp) -> Result<Option<Taken<'a>>> {
        if !self.buckets.shift(self.moved(key, lease), bucket, lease, key).await? {
            // Another process has it, or it was cleared by one that does not know of our steps.
            let change = Change::new().when(Guard::Absent { key: key.to_owned() });
            self.collections.apply(self.forget(change, bucket, key)).await?;
            return Ok(None);
        }
        let mut hash = self.collections.hash(key).await?;
        let payload = hash.remove("payload").unwrap_or_default();
        let payload = match json::parse(payload.as_bytes()) {
            Ok(payload) => payload,
            Err(error) => {
                tracing::error!(key, "a scheduled item is dropped, its payload cannot be read: {error}");
                self.collections.apply(self.forget(Change::new(), &lease.iso_seconds(), key)).await?;
                self.buckets.forget_if_empty(&lease.iso_seconds()).await?;
                return Ok(None);
            }
        };
        let text = |field: &str| hash.get(field).map(String::as_str).unwrap_or_default();
        let scheduled_at = text("scheduled_at").parse().unwrap_or(Timestamp::from_secs(0));
        Ok(Some(Taken { key, lease, scheduled_at, attempts: text(ATTEMPTS).parse().unwrap_or(0), payload }))
    }

    /// Begins a change that moves an item to another bucket.
    fn moved(&self, key: &str, to: Timestamp) -> Change {
        let fields = vec![("bucket_key".to_owned(), self.buckets.set(&to.iso_seconds()))];
        Change::new().when(Guard::Exists { key: key.to_owned() }).then(Op::HashSet { key: key.to_owned(), fields })
    }

    /// Calls back with an item; true when that went well.
    async fn hand_over(&self, item: &Taken<'_>, now: Timestamp, to: &dyn Deliver) -> Result<bool> {
        let error = match to.deliver(item.scheduled_at, &item.payload).await {
            Ok(()) => {
                let change = self.forget(Change::new(), &item.lease.iso_seconds(), item.key);
                self.collections.apply(change).await?;
                return Ok(true);
            }
            Err(error) => error,
        };
        if let Retry::After(delay) = error.retry() {
            tracing::debug!(item.key, "a scheduled item is put off: {}", error.report());
            self.put_back(item, self.buckets.bucket(now, delay.as_secs()), item.attempts).await?;
        } else if item.attempts + 1 < self.options.max_attempts {
            tracing::warn!(item.key, "a scheduled item is tried again: {}", error.report());
            self.put_back(item, self.buckets.bucket(now, 0), item.attempts + 1).await?;
        } else {
            let reason = format!("it could not be delivered {} times: {}", item.attempts + 1, error.report());
            self.drop_item(item, to, &reason).await?;
        }
        Ok(false)
    }

    async fn put_back(&self, item: &Taken<'_>, bucket: Timestamp, attempts: u64) -> Result<()> {
        let fields = vec![(ATTEMPTS.to_owned(), attempts.to_string())];
        let change = self.moved(item.key, bucket).then(Op::HashSet { key: item.key.to_owned(), fields });
        // False when it was cleared meanwhile.
        self.buckets.shift(change, &item.lease.iso_seconds(), bucket, item.key).await.map(drop)
    }

    async fn drop_item(&self, item: &Taken<'_>, to: &dyn Deliver, reason: &str) -> Result<()> {
        tracing::error!(item.key, "a scheduled item is dropped: {reason}");
        // Whoever has to know of it knows it before it is gone.
        to.dropped(&item.payload, reason).await;
        self.collections.apply(self.forget(Change::new(), &item.lease.iso_seconds(), item.key)).await.map(drop)
    }

    /// Puts items that are pending but have been in no bucket for a minute into the next one: a process that worked as
    /// Vumi's did had taken them out, and then died. How many there were.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn recover(&self, now: Timestamp) -> Result<u64> {
        let mut lost = self.pending().await?;
        for bucket in self.buckets.all().await? {
            for key in self.buckets.keys(&bucket).await? {
                lost.remove(&key);
            }
        }
        let mut recovered = 0;
        for key in lost {
            // It may have moved while the buckets were read: the guards decide.
            let Some(set) = self.collections.field(&key, "bucket_key").await? else {
                let members = vec![key.clone()];
                let change =
                    Change::new().when(Guard::Absent { key }).then(Op::SetRemove { key: self.pending_key(), members });
                self.collections.apply(change).await?;
                continue;
            };
            let due = self.buckets.name(&set).and_then(|name| name.parse::<Timestamp>().ok());
            if due.is_some_and(|due| due.secs().saturating_add_unsigned(LEASE) > now.secs()) {
                continue;
            }
            let bucket = match due.filter(|due| self.is_too_old(&due.iso_seconds(), now)) {
                // The next delivery drops it.
                Some(old) => old,
                None => self.buckets.bucket(now, 0),
            };
            let same = Guard::FieldIs { key: key.clone(), field: "bucket_key".to_owned(), value: Some(set.clone()) };
            let change = self.moved(&key, bucket).when(same).when(Guard::HasNot { key: set, member: key.clone() });
            if self.collections.apply(self.buckets.put(change, bucket, &key)).await?.is_some() {
                tracing::warn!(key, "a scheduled item is recovered: it was in no bucket");
                recovered += 1;
            }
        }
        Ok(recovered)
    }
}

/// The verdict of a callback that wants to be called again without that counting as a failure.
pub(super) fn put_off(error: Error, delay: Duration) -> Error {
    Error::after(delay, "it cannot be delivered now").because(error)
}
