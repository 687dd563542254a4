//! What only the key-value store in memory does: its bounds, and getting rid of what has expired.

#![allow(clippy::expect_used, reason = "tests may fail loudly")]

mod kit;

use std::sync::Arc;
use std::time::Duration;

use kit::FakeClock;
use vumi_core::{Clock, KeyQuota, KvStore};
use vumi_store::{MemoryBounds, MemoryKv};

const SECOND: Option<Duration> = Some(Duration::from_secs(1));
const QUOTA: KeyQuota<'static> = KeyQuota { counter: "count", soft: 80, hard: 100 };

fn open(bounds: MemoryBounds) -> (MemoryKv, Arc<FakeClock>) {
    let clock = FakeClock::new();
    (MemoryKv::new(bounds, Arc::clone(&clock) as Arc<dyn Clock>), clock)
}

fn with_keys(keys: usize) -> (MemoryKv, Arc<FakeClock>) {
    open(MemoryBounds { keys, ..MemoryBounds::default() })
}

async fn refused<T: std::fmt::Debug>(answer: impl Future<Output = vumi_core::Result<T>>) {
    let error = answer.await.expect_err("is full");
    assert!(error.is_temporary());
    assert!(error.to_string().starts_with("the key-value store in memory is full (bound: "), "{error}");
}

#[tokio::test]
async fn the_number_of_keys_is_bounded() {
    let (kv, clock) = with_keys(3);
    kv.set("a", "1", None).await.expect("sets");
    kv.set("b", "1", SECOND).await.expect("sets");
    refused(kv.set_within("counted", "1", None, QUOTA)).await;
    assert_eq!(kv.get("count").await.expect("gets"), None, "neither the key nor its counter");
    kv.set("c", "1", None).await.expect("sets");
    refused(kv.set("d", "1", None)).await;
    refused(kv.set_if_absent("d", "1", None)).await;
    refused(kv.incr("d", 1)).await;
    kv.set("a", "2", None).await.expect("an existing key is no new one");
    assert_eq!(kv.incr("a", 1).await.expect("adds"), 3);
    clock.advance_secs(1);
    kv.set("d", "1", None).await.expect("what has expired makes room");
    refused(kv.set("e", "1", None)).await;
    assert!(kv.delete("a").await.expect("deletes"));
    kv.set("e", "1", None).await.expect("sets");
    assert_eq!(kv.len(), 3);
}

#[tokio::test]
async fn the_number_of_bytes_is_bounded() {
    let (kv, clock) = open(MemoryBounds { bytes: 10_000, ..MemoryBounds::default() });
    kv.set("a", &"x".repeat(4_000), SECOND).await.expect("sets");
    kv.set("b", &"x".repeat(4_000), None).await.expect("sets");
    refused(kv.set("c", &"x".repeat(4_000), None)).await;
    refused(kv.set("b", &"x".repeat(8_000), None)).await;
    assert_eq!(kv.get("b").await.expect("gets").map(|value| value.len()), Some(4_000));
    kv.set("b", "small", None).await.expect("a smaller value is always taken");
    kv.set("c", &"x".repeat(4_000), None).await.expect("sets");
    refused(kv.set("d", &"x".repeat(4_000), None)).await;
    clock.advance_secs(1);
    kv.set("d", &"x".repeat(4_000), None).await.expect("what has expired makes room");
    kv.delete("d").await.expect("deletes");
    kv.delete("c").await.expect("deletes");
    kv.delete("b").await.expect("deletes");
    kv.set("all", &"x".repeat(9_700), None).await.expect("all the room is there again");
}

#[tokio::test]
async fn expired_keys_go_as_fast_as_new_ones_come() {
    let (kv, clock) = with_keys(1_000_000);
    for n in 0..50_000 {
        kv.set(&format!("key {n}"), "v", SECOND).await.expect("sets");
        clock.advance(Duration::from_millis(10));
        assert!(kv.len() <= 102, "{} keys are held", kv.len());
    }
}

#[tokio::test]
async fn one_write_pays_for_few_of_many_expired_keys() {
    let (kv, clock) = with_keys(1_000_000);
    for n in 0..10_000 {
        kv.set(&format!("key {n}"), "v", SECOND).await.expect("sets");
    }
    clock.advance_secs(1);
    kv.set("k", "v", None).await.expect("sets");
    assert!((9_900..10_000).contains(&kv.len()), "{}", kv.len());
    for _ in 0..1_000 {
        kv.delete("absent").await.expect("deletes");
    }
    assert_eq!(kv.len(), 1);
}

#[tokio::test]
async fn a_counter_that_stays_at_zero_goes_after_a_while() {
    let (kv, clock) = with_keys(1_000_000);
    for n in 0..100 {
        let counter = format!("count#{n}");
        kv.set_within(&format!("key {n}"), "v", SECOND, KeyQuota { counter: &counter, ..QUOTA }).await.expect("sets");
    }
    assert_eq!(kv.len(), 200);
    for _ in 0..100 {
        clock.advance_secs(60);
        kv.set("k", "v", None).await.expect("sets");
    }
    assert_eq!(kv.len(), 1);
    // One that is used again in time stays.
    kv.set_within("a", "v", SECOND, QUOTA).await.expect("sets");
    clock.advance_secs(2);
    kv.set_within("b", "v", None, QUOTA).await.expect("sets");
    clock.advance_secs(100_000);
    kv.set("k", "v", None).await.expect("sets");
    assert_eq!(kv.get("count").await.expect("gets").as_deref(), Some("1"));
}
