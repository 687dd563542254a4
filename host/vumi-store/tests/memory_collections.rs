//! What only the collections in memory do: their bounds, and getting rid of what has expired.

#![allow(clippy::expect_used, reason = "tests may fail loudly")]

mod kit;

use std::sync::Arc;
use std::time::Duration;

use kit::FakeClock;
use kit::collections::*;
use vumi_core::{Answer, Change, Clock, Collections, Op};
use vumi_store::{MemoryBounds, MemoryCollections};

fn within(bounds: MemoryBounds) -> (MemoryCollections, Arc<FakeClock>) {
    let clock = FakeClock::new();
    (MemoryCollections::within(bounds, Arc::clone(&clock) as Arc<dyn Clock>), clock)
}

async fn one(all: &MemoryCollections, op: Op) -> Answer {
    all.apply(Change::new().then(op)).await.expect("applies").expect("no guards").remove(0)
}

async fn refused(all: &MemoryCollections, change: Change) {
    let error = all.apply(change).await.expect_err("is full");
    assert!(error.is_temporary());
    let text = error.to_string();
    assert!(text.starts_with("the collections are full (bound: "), "{text}");
}

#[tokio::test]
async fn the_number_of_keys_is_bounded() {
    let (all, clock) = within(MemoryBounds { keys: 3, ..MemoryBounds::default() });
    one(&all, set_add("a", &["m"])).await;
    one(&all, hash_set("b", &[("f", "v")])).await;
    one(&all, expire("b", 1_000)).await;
    refused(&all, Change::new().then(set_text("c", "v")).then(set_text("d", "v"))).await;
    assert_eq!(all.held(), 2, "none of the two");
    one(&all, push_tail("c", &["a"])).await;
    refused(&all, Change::new().then(sorted_add("d", "m", 1.0))).await;
    one(&all, set_add("a", &["n"])).await;
    clock.advance_secs(1);
    one(&all, set_text("d", "what has expired makes room")).await;
    one(&all, delete(&["a"])).await;
    one(&all, set_text("e", "v")).await;
    assert_eq!(all.held(), 3);
}

#[tokio::test]
async fn the_number_of_bytes_is_bounded() {
    let (all, clock) = within(MemoryBounds { bytes: 10_000, ..MemoryBounds::default() });
    let large = "x".repeat(4_000);
    one(&all, push_tail("list", &[&large])).await;
    one(&all, hash_set("brief", &[("f", &large)])).await;
    one(&all, expire("brief", 1_000)).await;
    refused(&all, Change::new().then(push_tail("list", &[&large]))).await;
    refused(&all, Change::new().then(set_add("new", &[&large]))).await;
    assert_eq!(all.len("list").await.expect("counts"), 1);
    clock.advance_secs(1);
    one(&all, push_tail("list", &[&large])).await;
    refused(&all, Change::new().then(sorted_add("z", &large, 1.0))).await;
    assert_eq!(one(&all, pop_head("list")).await, value(&large));
    one(&all, set_text("text", &large)).await;
    one(&all, list_remove("list", &large)).await;
    one(&all, delete(&["text"])).await;
    assert_eq!(all.held(), 0);
    one(&all, set_text("all", &"x".repeat(9_600))).await;
}

#[tokio::test]
async fn expired_keys_go_as_fast_as_new_ones_come() {
    let (all, clock) = within(MemoryBounds::default());
    for n in 0..20_000 {
        let key = format!("session:{n}");
        all.apply(Change::new().then(hash_set(&key, &[("f", "v")])).then(expire(&key, 1_000))).await.expect("applies");
        clock.advance(Duration::from_millis(10));
        assert!(all.held() <= 102, "{} keys are held", all.held());
    }
}

#[tokio::test]
async fn one_change_pays_for_few_of_many_expired_keys() {
    let (all, clock) = within(MemoryBounds::default());
    for n in 0..5_000 {
        let key = n.to_string();
        all.apply(Change::new().then(set_text(&key, "v")).then(expire(&key, 1_000))).await.expect("applies");
    }
    clock.advance_secs(1);
    one(&all, set_text("k", "v")).await;
    assert!((4_900..5_000).contains(&all.held()), "{}", all.held());
    for _ in 0..1_000 {
        one(&all, delete(&["absent"])).await;
    }
    assert_eq!(all.held(), 1);
}
