//! Keys that expire, by a clock that the test moves.

use std::time::Duration;

use vumi_core::{KeyQuota, Quota};

use crate::kit::KvBench;

const QUOTA: KeyQuota<'static> = KeyQuota { counter: "count", soft: 80, hard: 100 };

pub(crate) async fn check_06_a_ttl_counts_down(bench: KvBench) {
    bench.set_for("k", "1", 5).await;
    assert_eq!(bench.kv.ttl("k").await.expect("ttl"), Some(Duration::from_secs(5)));
    bench.clock.advance(Duration::from_millis(1_500));
    assert_eq!(bench.kv.ttl("k").await.expect("ttl"), Some(Duration::from_millis(3_500)));
    assert_eq!(bench.get("k").await.as_deref(), Some("1"));
    assert_eq!(bench.kv.ttl("absent").await.expect("ttl"), None);
}

pub(crate) async fn a_key_is_gone_at_its_moment(bench: KvBench) {
    bench.set_for("k", "1", 5).await;
    bench.clock.advance(Duration::from_millis(4_999));
    assert_eq!(bench.get("k").await.as_deref(), Some("1"));
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(bench.get("k").await, None);
    assert_eq!(bench.kv.ttl("k").await.expect("ttl"), None);
}

pub(crate) async fn set_without_ttl_removes_the_expiry(bench: KvBench) {
    bench.set_for("k", "1", 5).await;
    bench.set("k", "2").await;
    assert_eq!(bench.kv.ttl("k").await.expect("ttl"), None);
    bench.set_for("q", "1", 5).await;
    let answer = bench.kv.set_within("q", "2", None, QUOTA).await.expect("sets");
    assert_eq!(answer, Quota::Changed(()));
    bench.clock.advance_secs(3_600);
    assert_eq!(bench.get("k").await.as_deref(), Some("2"));
    assert_eq!(bench.get("q").await.as_deref(), Some("2"));
}

pub(crate) async fn a_new_ttl_replaces_the_old(bench: KvBench) {
    bench.set_for("later", "1", 5).await;
    bench.set_for("later", "2", 50).await;
    bench.set_for("sooner", "1", 50).await;
    bench.set_for("sooner", "2", 5).await;
    bench.set("kept", "1").await;
    bench.set_for("kept", "2", 5).await;
    bench.clock.advance_secs(10);
    assert_eq!(bench.get("later").await.as_deref(), Some("2"));
    assert_eq!(bench.get("sooner").await, None);
    assert_eq!(bench.get("kept").await, None);
    // A write may clear up what is due; what was put off must survive that, and go when its own time comes.
    bench.set("another", "x").await;
    assert_eq!(bench.kv.ttl("later").await.expect("ttl"), Some(Duration::from_secs(40)));
    bench.clock.advance_secs(40);
    bench.set("another", "y").await;
    assert_eq!(bench.get("later").await, None);
}

pub(crate) async fn an_expired_key_is_absent_for_every_operation(bench: KvBench) {
    let keys = ["set_if_absent", "delete", "incr", "set_within", "incr_within", "delete_within", "list"];
    for key in keys {
        bench.set_for(key, "7", 1).await;
    }
    bench.clock.advance_secs(2);
    assert_eq!(bench.kv.list("", 10).await.expect("lists"), []);
    assert!(!bench.kv.delete("delete").await.expect("deletes"));
    assert!(!bench.kv.delete_within("delete_within", "count").await.expect("deletes"));
    assert!(bench.kv.set_if_absent("set_if_absent", "new", None).await.expect("sets"));
    assert_eq!(bench.get("set_if_absent").await.as_deref(), Some("new"));
    assert_eq!(bench.kv.incr("incr", 3).await.expect("adds"), 3);
    assert_eq!(bench.kv.ttl("incr").await.expect("ttl"), None, "the old expiry is gone with the old key");
    let answer = bench.kv.set_within("set_within", "new", None, QUOTA).await.expect("sets");
    assert_eq!(answer, Quota::Created { value: (), count: 1 });
    let answer = bench.kv.incr_within("incr_within", 3, QUOTA).await.expect("adds");
    assert_eq!(answer, Quota::Created { value: 3, count: 2 });
}

pub(crate) async fn a_ttl_is_never_shorter_than_asked_for(bench: KvBench) {
    bench.kv.set("k", "1", Some(Duration::from_micros(1_001))).await.expect("sets");
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(bench.get("k").await.as_deref(), Some("1"));
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(bench.get("k").await, None);
}

pub(crate) async fn extreme_ttls_are_taken(bench: KvBench) {
    bench.kv.set("long", "1", Some(Duration::MAX)).await.expect("sets");
    bench.clock.advance_secs(1_000_000_000);
    assert_eq!(bench.get("long").await.as_deref(), Some("1"));
    assert!(bench.kv.ttl("long").await.expect("ttl").is_some_and(|left| left > Duration::from_secs(1_000_000_000)));
    bench.set("none", "1").await;
    bench.kv.set("none", "2", Some(Duration::ZERO)).await.expect("sets");
    assert_eq!(bench.get("none").await, None, "no time at all");
}
