//! Keys that expire. With the embedded backends time stands still and is moved; with Redis it passes.

use std::time::Duration;

use vumi_core::{Answer, Change};

use crate::kit::collections::*;

const BRIEF: Duration = Duration::from_secs(1);

pub(crate) async fn a_key_expires(bench: Bench) {
    bench.one(hash_set("k", &[("f", "v")])).await;
    assert_eq!(bench.all.ttl("k").await.expect("reads"), None);
    assert_eq!(bench.all.ttl("absent").await.expect("reads"), None);
    assert_eq!(bench.one(expire("k", 1_000)).await, Answer::Count(1));
    let left = bench.all.ttl("k").await.expect("reads").expect("expires");
    assert!(left <= BRIEF, "{left:?}");
    assert!(bench.clock.is_none() || left == BRIEF, "{left:?}");
    bench.goes_after("k", BRIEF).await;
    assert!(bench.all.hash("k").await.expect("reads").is_empty());
    assert_eq!(bench.all.len("k").await.expect("reads"), 0);
    assert_eq!(bench.all.ttl("k").await.expect("reads"), None);
    assert_eq!(bench.all.keys("", 10).await.expect("lists"), [""; 0]);
    assert_eq!(bench.one(delete(&["k"])).await, Answer::Count(0));
    assert_eq!(bench.one(expire("k", 1_000)).await, Answer::Count(0));
}

pub(crate) async fn an_expiry_outlasts_changes_but_not_deletion(bench: Bench) {
    let expires = async |key: &str| bench.all.ttl(key).await.expect("reads").is_some();
    bench.one(hash_set("k", &[("f", "v")])).await;
    bench.one(expire("k", 1_000_000)).await;
    bench.one(hash_set("k", &[("g", "v")])).await;
    bench.one(hash_remove("k", &["f"])).await;
    assert!(expires("k").await, "saving does not renew or remove it");
    bench.one(expire("k", 2_000_000)).await;
    let left = bench.all.ttl("k").await.expect("reads").expect("expires");
    assert!(left > Duration::from_secs(1_900), "{left:?}");
    bench.apply(Change::new().then(delete(&["k"])).then(hash_set("k", &[("f", "v")]))).await;
    assert!(!expires("k").await);
    bench.one(set_text("k", "v")).await;
    bench.one(expire("k", 1_000_000)).await;
    bench.one(set_text("k", "w")).await;
    assert!(!expires("k").await, "a text is set anew");
}

pub(crate) async fn an_expired_key_is_free(bench: Bench) {
    let keys = ["guard", "kind", "list", "text"];
    for key in keys {
        bench.apply(Change::new().then(hash_set(key, &[("old", "v")])).then(expire(key, 100))).await;
    }
    bench.pass(Duration::from_millis(100)).await;
    for key in keys {
        bench.is_gone(key).await;
    }
    let change = Change::new()
        .when(absent("guard"))
        .then(hash_set("guard", &[("new", "v")]))
        .then(set_add("kind", &["m"]))
        .then(push_tail("list", &["a"]))
        .then(set_text("text", "v"));
    let answers = bench.apply(change).await.expect("they are free");
    assert_eq!(answers, [Answer::Count(1), Answer::Count(1), Answer::Count(1), Answer::Done]);
    assert_eq!(bench.all.len("guard").await.expect("counts"), 1, "nothing of the old one");
    assert_eq!(bench.all.ttl("guard").await.expect("reads"), None);
}

pub(crate) async fn extreme_times_are_taken(bench: Bench) {
    bench.one(set_add("long", &["m"])).await;
    assert_eq!(bench.one(expire("long", u64::MAX)).await, Answer::Count(1));
    let left = bench.all.ttl("long").await.expect("reads").expect("expires");
    assert!(left > Duration::from_secs(1_000_000_000_000), "{left:?}");
    bench.one(set_add("short", &["m"])).await;
    assert_eq!(bench.one(expire("short", 0)).await, Answer::Count(1), "a millisecond at least");
    bench.goes_after("short", Duration::from_millis(1)).await;
}
