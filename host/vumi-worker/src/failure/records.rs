//! What the failure worker keeps, in Vumi's own layout (specification: transports, common, section C3).

use std::sync::Arc;

use uuid::Uuid;
use vumi_core::{Change, Collections, Guard, Keyspace, Op, Result};
use vumi_message::retry::{RetryMetadata, RetryPolicy};
use vumi_message::{Failure, FailureCode, Timestamp, json};

use crate::buckets::{Buckets, LEASE};

const FAILURE_KEYS: &str = "failure_keys";

/// The failures of one transport.
pub(super) struct Records {
    collections: Arc<dyn Collections>,
    buckets: Buckets,
    policy: RetryPolicy,
}

/// A retry that this process has claimed.
#[derive(Debug)]
pub(super) struct Claim {
    /// Key of the failure.
    pub(super) key: String,
    /// The bucket that it was in.
    from: Timestamp,
    /// The bucket that it is in now.
    lease: String,
    /// The message to send again; `None` when its failure is gone.
    pub(super) message: Option<String>,
}

impl Records {
    pub(super) fn new(space: &Keyspace, transport_name: &str, policy: RetryPolicy, granularity: u64) -> Self {
        let collections = space.under(&format!("failures:{transport_name}")).collections;
        let (timestamps, prefix) = ("retry_timestamps".to_owned(), "retry_keys.".to_owned());
        Self { buckets: Buckets::new(Arc::clone(&collections), timestamps, prefix, granularity), collections, policy }
    }

    /// Keeps a failure, and plans its retry if it may pass; how long that waits, in seconds. A failure that came
    /// before is not kept twice.
    pub(super) async fn keep(&self, failure: &Failure, body: &[u8], now: Timestamp) -> Result<Option<u64>> {
        let mut message = failure.message().clone();
        let delay = (failure.failure_code() == FailureCode::Temporary).then(|| {
            let next = RetryMetadata::of(&message).next(&self.policy);
            next.put(&mut message);
            next.delay
        });
        // The key follows from the failure itself: when the same one comes again, because this process was stopped
        // between keeping and acknowledging it, its key is there already.
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, body).simple();
        let key = format!("failure.{}.{id}", failure.timestamp().iso_seconds());
        let field = |name: &str, value: String| (name.to_owned(), value);
        let fields = vec![
            field("message", json::object_to_text(&message)),
            field("reason", failure.reason().to_owned()),
            field("retry_delay", delay.unwrap_or(0).to_string()),
        ];
        let mut change = Change::new()
            .when(Guard::HasNot { key: FAILURE_KEYS.to_owned(), member: key.clone() })
            .then(Op::HashSet { key: key.clone(), fields })
            .then(Op::SetAdd { key: FAILURE_KEYS.to_owned(), members: vec![key.clone()] });
        if let Some(delay) = delay {
            change = self.buckets.put(change, self.buckets.bucket(now, delay), &key);
        }
        self.collections.apply(change).await?;
        Ok(delay)
    }

    /// The oldest bucket that has fallen due, with its keys.
    pub(super) async fn due(&self, now: Timestamp) -> Result<Option<(String, Vec<String>)>> {
        let Some(bucket) = self.buckets.oldest(now).await? else { return Ok(None) };
        let keys = self.buckets.keys(&bucket).await?.into_iter().collect();
        Ok(Some((bucket, keys)))
    }

    /// Claims a key of a bucket. `None` when another process has it.
    pub(super) async fn claim(&self, bucket: &str, key: &str, now: Timestamp) -> Result<Option<Claim>> {
        let lease = self.buckets.bucket(now, LEASE);
        if !self.buckets.shift(Change::new(), bucket, lease, key).await? {
            return Ok(None);
        }
        let message = self.collections.field(key, "message").await?;
        let from = bucket.parse().unwrap_or(now);
        Ok(Some(Claim { key: key.to_owned(), from, lease: lease.iso_seconds(), message }))
    }

    /// The message is sent. Its failure stays.
    pub(super) async fn done(&self, claim: &Claim) -> Result<()> {
        self.collections.apply(self.buckets.take(Change::new(), &claim.lease, &claim.key)).await?;
        self.buckets.forget_if_empty(&claim.lease).await
    }

    /// The message could not be sent now.
    pub(super) async fn give_back(&self, claim: &Claim) -> Result<()> {
        self.buckets.shift(Change::new(), &claim.lease, claim.from, &claim.key).await?;
        self.buckets.forget_if_empty(&claim.lease).await
    }

    /// Forgets a bucket that is empty.
    pub(super) async fn forget_if_empty(&self, bucket: &str) -> Result<()> {
        self.buckets.forget_if_empty(bucket).await
    }
}
