//! What Redis promises of keys under a quota, in place of the rules that move the clock: Vumi's data are read and counted
//! as Vumi left them, and keys that have expired make room. On a server, and on a cluster whose keys are together or
//! apart.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may fail loudly")]

mod kit;

use std::sync::Arc;
use std::time::Duration;

use kit::redis::{Kind, keyspace};
use vumi_core::{Collections, KeyQuota, KvStore, Quota, Scores};

const COUNTER: &str = "count#s1";
const INDEX: &str = "count#s1#expiring-keys";

const fn quota(soft: u64, hard: u64) -> KeyQuota<'static> {
    KeyQuota { counter: COUNTER, soft, hard }
}

struct Bench {
    kv: Arc<dyn KvStore>,
    all: Arc<dyn Collections>,
    /// Keys are together with their counter.
    together: bool,
}

impl Bench {
    fn new(kind: Kind) -> Self {
        let keyspace = keyspace(kind);
        Self { kv: keyspace.kv, all: keyspace.collections, together: kind != Kind::Cluster }
    }

    async fn put(&self, key: &str, ttl_ms: Option<u64>, quota: KeyQuota<'_>) -> Quota<()> {
        self.kv.set_within(key, "v", ttl_ms.map(Duration::from_millis), quota).await.expect("answers")
    }

    async fn count(&self) -> String {
        self.kv.get(COUNTER).await.expect("reads").unwrap_or_default()
    }

    async fn gone(&self, key: &str) {
        for _ in 0..2_000 {
            if self.kv.get(key).await.expect("reads").is_none() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{key} stays");
    }
}

fn created(count: u64) -> Quota<()> {
    Quota::Created { value: (), count }
}

/// Makes a test of each rule for each kind of Redis.
macro_rules! on_all {
    ($($rule:ident),* $(,)?) => {
        $(mod $rule {
            use super::{Bench, Kind};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn server() {
                super::rules::$rule(Bench::new(Kind::Server)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn cluster() {
                super::rules::$rule(Bench::new(Kind::Cluster)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn tagged_cluster() {
                super::rules::$rule(Bench::new(Kind::TaggedCluster)).await;
            }
        })*
    };
}

on_all! {
    check_06_a_ttl_in_seconds,
    data_of_vumi_are_counted_as_vumi_did,
    keys_that_have_expired_make_room,
    an_expiry_that_was_put_off_is_followed,
    an_expired_key_is_made_anew,
    a_deleted_key_is_not_counted_down_twice,
    no_time_at_all,
    the_index_keeps_nothing_for_ever,
    expiring_keys_and_many_writers,
}

mod rules {
    use super::*;

    /// Whatever is in the index may still expire, or stands there at infinity (in a cluster without hash tag).
    async fn index(bench: &Bench) -> Vec<(String, f64)> {
        // In a cluster without hash tag the index has a name of its own; see `slot.rs`.
        bench.all.sorted(INDEX, Scores::default(), 1_000).await.expect("reads")
    }

    pub(super) async fn check_06_a_ttl_in_seconds(bench: Bench) {
        assert_eq!(bench.put("k", Some(5_000), quota(80, 100)).await, created(1));
        let left = bench.kv.ttl("k").await.expect("reads").expect("expires");
        assert!(left <= Duration::from_secs(5) && left > Duration::from_secs(1), "{left:?}");
        assert_eq!(bench.count().await, "1");
    }

    pub(super) async fn data_of_vumi_are_counted_as_vumi_did(bench: Bench) {
        // What Vumi's `set` and `incr` leave behind: texts, and a counter that says 3.
        bench.kv.set("sandboxes#s1#a", r#"{"x": "42"}"#, None).await.expect("sets");
        bench.kv.set("sandboxes#s1#n", "7", None).await.expect("sets");
        bench.kv.set("sandboxes#s1#t", "1", Some(Duration::from_secs(1_000))).await.expect("sets");
        bench.kv.set(COUNTER, "3", None).await.expect("sets");
        assert_eq!(bench.put("sandboxes#s1#a", None, quota(3, 5)).await, Quota::Changed(()));
        let sum = bench.kv.incr_within("sandboxes#s1#n", 5, quota(3, 5)).await.expect("adds");
        assert_eq!(sum, Quota::Changed(12));
        assert_eq!(bench.put("sandboxes#s1#new", None, quota(3, 5)).await, created(4));
        assert_eq!(bench.put("sandboxes#s1#more", None, quota(3, 5)).await, Quota::TooMany);
        assert_eq!(bench.count().await, "4");
        assert!(bench.kv.delete_within("sandboxes#s1#a", COUNTER).await.expect("deletes"));
        assert!(bench.kv.delete_within("sandboxes#s1#new", COUNTER).await.expect("deletes"));
        assert!(!bench.kv.delete_within("sandboxes#s1#new", COUNTER).await.expect("deletes"));
        assert_eq!(bench.count().await, "2", "plain decimal, as Vumi reads it");
        let ttl = bench.kv.ttl(COUNTER).await.expect("reads");
        assert_eq!(ttl, None, "Vumi would count on in it: it must not expire");
    }

    pub(super) async fn keys_that_have_expired_make_room(bench: Bench) {
        let limits = quota(3, 4);
        assert_eq!(bench.put("a", Some(300), limits).await, created(1));
        assert_eq!(bench.put("b", Some(300), limits).await, created(2));
        assert_eq!(bench.put("c", None, limits).await, created(3));
        bench.gone("a").await;
        bench.gone("b").await;
        assert_eq!(bench.put("d", None, limits).await, created(2));
        assert_eq!(bench.put("a", None, limits).await, created(3));
        assert_eq!(bench.put("e", None, limits).await, Quota::TooMany);
        assert_eq!(bench.count().await, "3");
    }

    pub(super) async fn an_expiry_that_was_put_off_is_followed(bench: Bench) {
        let limits = quota(80, 100);
        for key in ["later", "never", "sooner", "kept"] {
            bench.put(key, (key != "kept").then_some(if key == "sooner" { 1_000_000 } else { 300 }), limits).await;
        }
        assert_eq!(bench.put("later", Some(1_000_000), limits).await, Quota::Changed(()));
        assert_eq!(bench.put("never", None, limits).await, Quota::Changed(()));
        assert_eq!(bench.put("sooner", Some(300), limits).await, Quota::Changed(()));
        assert_eq!(bench.put("kept", Some(300), limits).await, Quota::Changed(()));
        assert_eq!(bench.count().await, "4");
        bench.gone("sooner").await;
        bench.gone("kept").await;
        assert_eq!(bench.put("new", None, limits).await, created(3), "later, never, new");
        assert_eq!(bench.kv.get("later").await.expect("reads").as_deref(), Some("v"));
    }

    pub(super) async fn an_expired_key_is_made_anew(bench: Bench) {
        let limits = quota(80, 100);
        for _ in 0..3 {
            assert_eq!(bench.put("k", Some(150), limits).await, created(1));
            bench.gone("k").await;
        }
        let sum = bench.kv.incr_within("k", 5, limits).await.expect("adds");
        assert_eq!(sum, Quota::Created { value: 5, count: 1 });
        assert_eq!(bench.kv.ttl("k").await.expect("reads"), None);
        assert_eq!(bench.count().await, "1");
    }

    pub(super) async fn a_deleted_key_is_not_counted_down_twice(bench: Bench) {
        let limits = quota(80, 100);
        bench.put("brief", Some(200), limits).await;
        bench.put("a", None, limits).await;
        bench.put("b", None, limits).await;
        assert!(bench.kv.delete_within("brief", COUNTER).await.expect("deletes"));
        assert_eq!(bench.count().await, "2");
        bench.put("other", Some(200), limits).await;
        bench.gone("other").await;
        assert_eq!(bench.put("c", None, limits).await, created(3), "brief was given back once");
    }

    pub(super) async fn no_time_at_all(bench: Bench) {
        let limits = quota(80, 100);
        assert_eq!(bench.put("k", Some(0), limits).await, created(1));
        assert_eq!(bench.kv.get("k").await.expect("reads"), None);
        assert_eq!(bench.put("a", None, limits).await, created(1));
        assert_eq!(bench.put("a", Some(0), limits).await, Quota::Changed(()));
        assert_eq!(bench.kv.get("a").await.expect("reads"), None);
        assert_eq!(bench.put("b", None, limits).await, created(1));
    }

    pub(super) async fn the_index_keeps_nothing_for_ever(bench: Bench) {
        let limits = quota(80, 100);
        for n in 0..5 {
            bench.put(&format!("brief {n}"), Some(200), limits).await;
        }
        bench.put("deleted", Some(1_000_000), limits).await;
        bench.kv.delete_within("deleted", COUNTER).await.expect("deletes");
        for n in 0..5 {
            bench.gone(&format!("brief {n}")).await;
        }
        bench.put("last", None, limits).await;
        let left: Vec<String> = index(&bench).await.into_iter().map(|(key, _)| key).collect();
        assert!(left.is_empty() || left.len() == 1 && left[0].ends_with("last"), "{left:?}");
        let keys = bench.all.keys("", 100).await.expect("lists");
        assert!(keys.len() <= 3, "last, the counter, and an index at most: {keys:?}");
    }

    /// Keys come, change, expire and are deleted under many hands: never more than the limit, and in the end the counter
    /// tells the truth.
    pub(super) async fn expiring_keys_and_many_writers(bench: Bench) {
        const LIMITS: KeyQuota<'static> = quota(8, 10);
        let bench = Arc::new(bench);
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..6_u64 {
            let bench = Arc::clone(&bench);
            tasks.spawn(async move {
                for n in 0..40 {
                    let key = format!("key {}", (n * 7 + task * 3) % 20);
                    match (n + task) % 5 {
                        0 => drop(bench.put(&key, None, LIMITS).await),
                        1 | 2 => drop(bench.put(&key, Some(20), LIMITS).await),
                        3 => drop(bench.kv.incr_within(&key, 1, LIMITS).await.err()),
                        _ => drop(bench.kv.delete_within(&key, COUNTER).await.expect("deletes")),
                    }
                    let live = bench.kv.list("key ", 100).await.expect("lists").len();
                    assert!(live < 10, "{live} keys");
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.expect("works");
        }
        // Nothing expires any more; the next key settles what has.
        for n in 0..20 {
            let key = format!("key {n}");
            if bench.kv.ttl(&key).await.expect("reads").is_some() {
                bench.gone(&key).await;
            }
        }
        let live = bench.kv.list("key ", 100).await.expect("lists").len() as u64;
        match bench.put("one more", None, quota(80, 100)).await {
            Quota::Created { count, .. } if bench.together => assert_eq!(count, live + 1),
            // Races may leave a place taken, never the other way round.
            Quota::Created { count, .. } => assert!(count > live, "{count} counted of {}", live + 1),
            other => panic!("{other:?}"),
        }
    }
}
