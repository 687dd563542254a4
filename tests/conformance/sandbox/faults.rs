//! Faults of the host: a message whose app could not do its work for them is tried again, and no other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use vumi_core::{Error, KeyQuota, KvEntry, KvStore, Outcome, Quota, Result, SystemClock};
use vumi_store::{MemoryBounds, MemoryKv};

use super::kit::Rig;

/// A key-value store that can be away.
pub(super) struct Shaky {
    inner: Arc<MemoryKv>,
    pub(super) away: AtomicBool,
}

impl Shaky {
    pub(super) fn new() -> Arc<Self> {
        let inner = vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock));
        Arc::new(Self { inner, away: AtomicBool::new(false) })
    }

    fn there(&self) -> Result<&MemoryKv> {
        if self.away.load(Ordering::SeqCst) { Err(Error::temporary("the store is away")) } else { Ok(&self.inner) }
    }
}

#[async_trait]
impl KvStore for Shaky {
    async fn get(&self, key: &str) -> Result<Option<String>> {
        self.there()?.get(key).await
    }

    async fn set(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<()> {
        self.there()?.set(key, value, ttl).await
    }

    async fn set_if_absent(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<bool> {
        self.there()?.set_if_absent(key, value, ttl).await
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        self.there()?.delete(key).await
    }

    async fn incr(&self, key: &str, amount: i64) -> Result<i64> {
        self.there()?.incr(key, amount).await
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>> {
        self.there()?.ttl(key).await
    }

    async fn set_within(
        &self,
        key: &str,
        value: &str,
        ttl: Option<Duration>,
        quota: KeyQuota<'_>,
    ) -> Result<Quota<()>> {
        self.there()?.set_within(key, value, ttl, quota).await
    }

    async fn incr_within(&self, key: &str, amount: i64, quota: KeyQuota<'_>) -> Result<Quota<i64>> {
        self.there()?.incr_within(key, amount, quota).await
    }

    async fn delete_within(&self, key: &str, counter: &str) -> Result<bool> {
        self.there()?.delete_within(key, counter).await
    }

    async fn list(&self, prefix: &str, limit: usize) -> Result<Vec<KvEntry>> {
        self.there()?.list(prefix, limit).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[tokio::test]
async fn a_message_that_the_broker_did_not_take() {
    let mut rig = Rig::probe();
    rig.letters.fail(true);
    let answer = rig.ask("echo hi").await;
    answer.ended(Outcome::HostFault);
    let reason = answer.finished.again.as_deref().unwrap_or_default();
    assert!(reason.contains("the broker is away"), "{reason}");
    assert_eq!(answer.run().sent, 0);

    // Whatever the guest made of it: this one ends well.
    let coped = rig.ask("many-replies 1").await;
    coped.ended(Outcome::HostFault);
    assert!(coped.finished.again.is_some());

    rig.letters.fail(false);
    let answer = rig.ask("echo hi").await;
    assert_eq!((answer.text(), answer.finished.again.as_deref()), ("hi", None));
}

#[tokio::test]
async fn a_store_that_is_away() {
    let kv = Shaky::new();
    let mut rig = Rig::on("probe", Arc::clone(&kv) as Arc<dyn KvStore>, |_| {});
    assert_eq!(rig.ask("bench").await.text(), "bench");
    kv.away.store(true, Ordering::SeqCst);

    // `bench` gives up on the first error: its message is tried again.
    let answer = rig.ask("bench").await;
    answer.ended(Outcome::HostFault);
    let reason = answer.finished.again.as_deref().unwrap_or_default();
    assert!(reason.contains("the store is away"), "{reason}");
    assert!(answer.sent.is_empty());

    // These tell the user of it and end well: they have coped.
    for command in ["kv-get k", "kv-set k 1", "kv-delete k", "kv-incr k"] {
        let answer = rig.ask(command).await;
        answer.ended(Outcome::Ok);
        let sentence = r#"error Error::Unavailable("the key-value store is not available")"#;
        assert_eq!((answer.text(), answer.finished.again.as_deref()), (sentence, None), "{command}");
    }

    kv.away.store(false, Ordering::SeqCst);
    assert_eq!(rig.ask("bench").await.text(), "bench");
}

#[tokio::test]
async fn a_guest_that_fails_by_itself_is_not_tried_again() {
    let mut rig = Rig::probe();
    for command in ["fail no", "panic", "descend"] {
        assert_eq!(rig.ask(command).await.finished.again, None, "{command}");
    }
}
