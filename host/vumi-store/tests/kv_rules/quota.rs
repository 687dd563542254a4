//! Keys that are counted for their owner, and the limits on their number (specification: sandbox, section 5).

use std::sync::Arc;
use std::time::Duration;

use vumi_core::{KeyQuota, Quota};

use crate::kit::KvBench;

const COUNTER: &str = "count#s1";

fn quota(soft: u64, hard: u64) -> KeyQuota<'static> {
    KeyQuota { counter: COUNTER, soft, hard }
}

/// Vumi's default.
fn usual() -> KeyQuota<'static> {
    quota(80, 100)
}

impl KvBench {
    async fn set_within(&self, key: &str, quota: KeyQuota<'_>) -> Quota<()> {
        self.kv.set_within(key, "v", None, quota).await.expect("sets")
    }

    async fn set_within_for(&self, key: &str, seconds: u64, quota: KeyQuota<'_>) -> Quota<()> {
        self.kv.set_within(key, "v", Some(Duration::from_secs(seconds)), quota).await.expect("sets")
    }

    /// Makes keys until the owner has `count` of them.
    async fn fill(&self, count: u64, quota: KeyQuota<'_>) {
        for n in self.count(quota.counter).await..count {
            let made = self.set_within(&format!("fill {n}"), quota).await;
            assert_eq!(made, Quota::Created { value: (), count: n + 1 });
        }
    }
}

fn created(count: u64) -> Quota<()> {
    Quota::Created { value: (), count }
}

pub(crate) async fn check_05_keys_are_counted(bench: KvBench) {
    let key = "sandboxes#s1#k";
    let value = r#"{"x": "42"}"#;
    assert_eq!(bench.kv.set_within(key, value, None, usual()).await.expect("sets"), created(1));
    assert_eq!(bench.get(key).await.as_deref(), Some(value));
    assert_eq!(bench.get(COUNTER).await.as_deref(), Some("1"));
    assert_eq!(bench.kv.set_within(key, value, None, usual()).await.expect("sets"), Quota::Changed(()));
    assert_eq!(bench.get(COUNTER).await.as_deref(), Some("1"));
    assert!(bench.kv.delete_within(key, COUNTER).await.expect("deletes"));
    assert_eq!(bench.get(COUNTER).await.as_deref(), Some("0"));
    assert!(!bench.kv.delete_within(key, COUNTER).await.expect("deletes"));
    assert_eq!(bench.get(COUNTER).await.as_deref(), Some("0"));
}

pub(crate) async fn check_06_a_counted_key_with_a_ttl(bench: KvBench) {
    assert_eq!(bench.set_within_for("k", 5, usual()).await, created(1));
    assert_eq!(bench.kv.ttl("k").await.expect("ttl"), Some(Duration::from_secs(5)));
    assert_eq!(bench.get(COUNTER).await.as_deref(), Some("1"));
}

pub(crate) async fn check_07_limits(bench: KvBench) {
    bench.fill(79, usual()).await;
    // Up to the soft limit no warning: the caller warns when `count` is above it.
    assert_eq!(bench.set_within("80", usual()).await, created(80));
    assert_eq!(bench.set_within("81", usual()).await, created(81));
    bench.fill(98, usual()).await;
    assert_eq!(bench.set_within("99", usual()).await, created(99));
    assert_eq!(bench.set_within("100", usual()).await, Quota::TooMany);
    assert_eq!(bench.get("100").await, None);
    assert_eq!(bench.get(COUNTER).await.as_deref(), Some("99"));
    assert_eq!(bench.kv.incr_within("100", 1, usual()).await.expect("answers"), Quota::TooMany);
    assert_eq!(bench.get("100").await, None);
    assert_eq!(bench.get(COUNTER).await.as_deref(), Some("99"));
    assert!(bench.kv.delete_within("99", COUNTER).await.expect("deletes"));
    assert_eq!(bench.set_within("100", usual()).await, created(99), "room again");
}

pub(crate) async fn check_08_small_limits(bench: KvBench) {
    let limits = quota(8, 10);
    bench.fill(8, limits).await;
    assert_eq!(bench.set_within("ninth", limits).await, created(9));
    assert_eq!(bench.set_within("tenth", limits).await, Quota::TooMany);
}

pub(crate) async fn check_09_incr_within(bench: KvBench) {
    let incr = async |amount| bench.kv.incr_within("n", amount, usual()).await.expect("adds");
    assert_eq!(incr(1).await, Quota::Created { value: 1, count: 1 });
    assert_eq!(incr(4).await, Quota::Changed(5));
    bench.set("n", r#""abc""#).await;
    let error = bench.kv.incr_within("n", 1, usual()).await.expect_err("no number");
    assert_eq!(error.to_string(), "value is not an integer or out of range");
    assert_eq!(bench.get("n").await.as_deref(), Some(r#""abc""#));
    assert_eq!(bench.get(COUNTER).await.as_deref(), Some("1"));
}

pub(crate) async fn soft_at_or_above_hard_decides(bench: KvBench) {
    bench.fill(10, quota(10, 10)).await;
    assert_eq!(bench.set_within("eleventh", quota(10, 10)).await, Quota::TooMany);
    bench.fill(12, quota(12, 10)).await;
    assert_eq!(bench.set_within("thirteenth", quota(12, 10)).await, Quota::TooMany);
    assert_eq!(bench.count(COUNTER).await, 12);
    let nothing = KeyQuota { counter: "count#none", soft: 0, hard: 0 };
    assert_eq!(bench.set_within("first", nothing).await, Quota::TooMany);
    assert_eq!(bench.get("count#none").await, None, "no counter is left behind");
}

pub(crate) async fn existing_keys_are_never_limited(bench: KvBench) {
    let limits = quota(2, 3);
    bench.set("plain", "1").await;
    bench.fill(2, limits).await;
    assert_eq!(bench.set_within("third", limits).await, Quota::TooMany);
    assert_eq!(bench.set_within("fill 0", limits).await, Quota::Changed(()));
    assert_eq!(bench.set_within("plain", limits).await, Quota::Changed(()));
    bench.set("plain", "1").await;
    assert_eq!(bench.kv.incr_within("plain", 1, limits).await.expect("adds"), Quota::Changed(2));
    assert_eq!(bench.count(COUNTER).await, 2, "a key that is not counted stays so");
}

pub(crate) async fn a_failed_incr_leaves_the_counter(bench: KvBench) {
    assert_eq!(bench.set_within("k", usual()).await, created(1));
    bench.kv.incr_within("k", 1, usual()).await.expect_err("no number");
    bench.set("n", &i64::MAX.to_string()).await;
    bench.kv.incr_within("n", 1, usual()).await.expect_err("too large");
    assert_eq!(bench.get("n").await, Some(i64::MAX.to_string()));
    assert_eq!(bench.count(COUNTER).await, 1);
}

pub(crate) async fn a_plain_delete_lowers_the_counter(bench: KvBench) {
    bench.fill(3, usual()).await;
    assert!(bench.kv.delete("fill 1").await.expect("deletes"));
    assert_eq!(bench.get(COUNTER).await.as_deref(), Some("2"));
    // A plain set of a counted key does not make it another key.
    bench.set("fill 0", "x").await;
    assert_eq!(bench.get(COUNTER).await.as_deref(), Some("2"));
    assert!(bench.kv.delete("fill 0").await.expect("deletes"));
    assert_eq!(bench.get(COUNTER).await.as_deref(), Some("1"));
}

pub(crate) async fn expiry_lowers_the_counter(bench: KvBench) {
    let limits = quota(3, 4);
    for (n, key) in (1..).zip(["a", "b"]) {
        assert_eq!(bench.set_within_for(key, 5, limits).await, created(n));
    }
    assert_eq!(bench.set_within("c", limits).await, created(3));
    assert_eq!(bench.set_within("d", limits).await, Quota::TooMany);
    bench.clock.advance_secs(5);
    assert_eq!(bench.get(COUNTER).await.as_deref(), Some("1"), "seen without any write");
    let listed = bench.kv.list("count#", 10).await.expect("lists");
    assert_eq!(listed.first().map(|entry| entry.value.as_str()), Some("1"));
    assert_eq!(bench.set_within("d", limits).await, created(2));
    assert_eq!(bench.get(COUNTER).await.as_deref(), Some("2"));
    assert_eq!(bench.set_within("a", limits).await, created(3), "an expired key is made anew");
}

pub(crate) async fn an_expiry_put_off_or_brought_forward_is_followed(bench: KvBench) {
    for key in ["later", "never", "sooner"] {
        bench.set_within_for(key, 10, usual()).await;
    }
    bench.set_within("kept", usual()).await;
    bench.set_for("later", "v", 100).await;
    bench.set("never", "v").await;
    bench.set_within_for("sooner", 5, usual()).await;
    bench.set_for("kept", "v", 20).await;
    assert_eq!(bench.get(COUNTER).await.as_deref(), Some("4"));
    for (after, left) in [(5, 3), (10, 3), (5, 2), (80, 1), (100, 1)] {
        bench.clock.advance_secs(after);
        assert_eq!(bench.count(COUNTER).await, left);
        bench.set("a write that may clear up", "x").await;
        assert_eq!(bench.count(COUNTER).await, left);
    }
}

pub(crate) async fn a_key_made_anew_is_counted_as_it_was_made(bench: KvBench) {
    bench.set_within_for("k", 5, usual()).await;
    bench.clock.advance_secs(5);
    bench.set("k", "plain").await;
    assert_eq!(bench.count(COUNTER).await, 0, "the key that was counted is gone");
    bench.kv.delete("k").await.expect("deletes");
    assert_eq!(bench.count(COUNTER).await, 0);
    let other = KeyQuota { counter: "count#other", ..usual() };
    bench.set_within_for("k", 5, usual()).await;
    bench.clock.advance_secs(5);
    assert_eq!(bench.set_within("k", other).await, created(1));
    assert_eq!((bench.count(COUNTER).await, bench.count("count#other").await), (0, 1));
}

pub(crate) async fn owners_are_counted_apart(bench: KvBench) {
    let other = KeyQuota { counter: "count#s2", soft: 2, hard: 3 };
    bench.fill(5, usual()).await;
    assert_eq!(bench.set_within("sandboxes#s2#a", other).await, created(1));
    assert_eq!(bench.set_within("sandboxes#s2#b", other).await, created(2));
    assert_eq!(bench.set_within("sandboxes#s2#c", other).await, Quota::TooMany);
    assert_eq!(bench.set_within("fill 9", usual()).await, created(6));
    assert!(bench.kv.delete_within("sandboxes#s2#a", "count#s2").await.expect("deletes"));
    assert_eq!((bench.count(COUNTER).await, bench.count("count#s2").await), (6, 1));
}

pub(crate) async fn a_counter_that_is_no_number_refuses_new_keys(bench: KvBench) {
    bench.set_within("k", usual()).await;
    bench.set(COUNTER, "abc").await;
    let error = bench.kv.set_within("new", "v", None, usual()).await.expect_err("no number");
    assert_eq!(error.to_string(), "value is not an integer or out of range");
    bench.kv.incr_within("new", 1, usual()).await.expect_err("no number");
    assert_eq!(bench.get("new").await, None);
    assert!(bench.kv.delete_within("k", COUNTER).await.expect("deletes"));
    assert_eq!(bench.get(COUNTER).await.as_deref(), Some("abc"), "left alone");
}

pub(crate) async fn a_counter_changed_by_hand_stays_at_zero_or_above(bench: KvBench) {
    bench.fill(3, usual()).await;
    assert!(bench.kv.delete(COUNTER).await.expect("deletes"));
    assert!(bench.kv.delete_within("fill 0", COUNTER).await.expect("deletes"));
    assert_eq!(bench.get(COUNTER).await, None);
    assert_eq!(bench.set_within("new", usual()).await, created(1));
    for key in ["fill 1", "fill 2"] {
        assert!(bench.kv.delete_within(key, COUNTER).await.expect("deletes"));
    }
    assert_eq!(bench.get(COUNTER).await.as_deref(), Some("0"));
    bench.set(COUNTER, "-5").await;
    assert_eq!(bench.set_within("newer", usual()).await, created(1));
}

pub(crate) async fn concurrent_writers_never_pass_the_limit(bench: KvBench) {
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..16 {
        let kv = Arc::clone(&bench.kv);
        tasks.spawn(async move {
            let mut made = 0;
            for n in 0..20 {
                let answer = kv.set_within(&format!("{task} {n}"), "v", None, usual()).await.expect("answers");
                made += u64::from(matches!(answer, Quota::Created { .. }));
            }
            made
        });
    }
    let made: u64 = tasks.join_all().await.into_iter().sum();
    assert_eq!(made, 99, "16 times 20 writers, 99 keys fit");
    assert_eq!(bench.count(COUNTER).await, 99);
    assert_eq!(bench.kv.list("", 1_000).await.expect("lists").len(), 100, "and the counter");
}

pub(crate) async fn concurrent_makers_and_deleters_leave_the_true_number(bench: KvBench) {
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8_u64 {
        let (kv, redis) = (Arc::clone(&bench.kv), bench.redis);
        tasks.spawn(async move {
            for n in 0..100 {
                // All tasks share ten keys.
                let key = format!("key {}", (n * 7 + task * 3) % 10);
                match (n + task) % 4 {
                    0 => drop(kv.set_within(&key, "1", None, usual()).await.expect("sets")),
                    1 => drop(kv.incr_within(&key, 1, usual()).await.expect("adds")),
                    _ if redis || (n + task) % 4 == 2 => {
                        kv.delete_within(&key, COUNTER).await.expect("deletes");
                    }
                    // Redis does not know who counts a key.
                    _ => drop(kv.delete(&key).await.expect("deletes")),
                }
            }
        });
    }
    tasks.join_all().await;
    let live = bench.kv.list("key ", 100).await.expect("lists").len();
    assert_eq!(bench.count(COUNTER).await, live as u64);
}
