//! What only a cluster does: keys in different places, nodes that go and come back, slots that move.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may fail loudly")]

mod kit;

use std::time::{Duration, Instant};

use kit::redis::{Kind, keyspace, open_impatient};
use vumi_core::{Change, Collections, KeyQuota, KvStore, Op, Quota};
use vumi_store::RedisStore;
use vumi_test_servers::RedisCluster;

fn add(key: &str, member: &str) -> Op {
    Op::SetAdd { key: key.to_owned(), members: vec![member.to_owned()] }
}

fn open(cluster: &RedisCluster, patience: Duration) -> std::sync::Arc<RedisStore> {
    let hosts: Vec<String> = cluster.urls().iter().map(|url| url.replace("redis://", "")).collect();
    open_impatient(&format!("redis+cluster://{}", hosts.join(",")), patience)
}

async fn until_set(store: &RedisStore, key: &str) {
    let since = Instant::now();
    while let Err(error) = store.set(key, "v", None).await {
        assert!(error.is_temporary(), "{error}");
        assert!(since.elapsed() < Duration::from_secs(30), "{error}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn keys_of_one_change_must_be_together() {
    let apart = keyspace(Kind::Cluster).collections;
    let error = apart.apply(Change::new().then(add("a", "m")).then(add("b", "m"))).await.expect_err("apart");
    assert!(!error.is_temporary());
    let text = error.report();
    assert!(
        text.contains(
            "belong to different slots of the Redis cluster; put a hash tag such as `{vumi}` into `key_prefix`"
        ),
        "{text}"
    );
    assert!(apart.members("a").await.expect("reads").is_empty());
    // One key is always together with itself, and a tag brings several together.
    assert!(apart.apply(Change::new().then(add("a", "m")).then(add("a", "n"))).await.expect("applies").is_some());
    assert!(apart.apply(Change::new().then(add("{t}a", "m")).then(add("{t}b", "n"))).await.is_ok());
}

#[tokio::test]
async fn keys_of_all_nodes_are_listed() {
    let keyspace = keyspace(Kind::Cluster);
    for n in 0..300 {
        keyspace.kv.set(&format!("k{n:03}"), "v", None).await.expect("sets");
    }
    let listed = keyspace.kv.list("k", 1_000).await.expect("lists");
    let wanted: Vec<String> = (0..300).map(|n| format!("k{n:03}")).collect();
    assert_eq!(listed.into_iter().map(|entry| entry.key).collect::<Vec<_>>(), wanted);
    assert_eq!(keyspace.collections.keys("k", 7).await.expect("lists").len(), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_go_and_come_back() {
    let mut cluster = RedisCluster::start(3);
    let store = open(&cluster, Duration::from_millis(500));
    let keys: Vec<String> = (0..60).map(|n| format!("key {n}")).collect();
    for key in &keys {
        until_set(&store, key).await;
    }
    cluster.nodes()[1].kill();
    let (mut served, mut failed) = (0, 0);
    for key in &keys {
        match store.get(key).await {
            Ok(value) => {
                assert_eq!(value.as_deref(), Some("v"));
                served += 1;
            }
            Err(error) => {
                assert!(error.is_temporary() && error.report().contains("127.0.0.1:"), "{}", error.report());
                failed += 1;
            }
        }
    }
    assert!(served > 0 && failed > 0, "{served} served, {failed} failed");
    cluster.nodes()[1].start_again();
    for key in &keys {
        until_set(&store, key).await;
    }
    for node in cluster.nodes() {
        node.kill();
    }
    let error = store.set("k", "v", None).await.expect_err("nobody is there");
    assert!(error.is_temporary(), "{error}");
    for node in cluster.nodes() {
        node.start_again();
    }
    for key in &keys {
        until_set(&store, key).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_on_the_move() {
    let mut cluster = RedisCluster::start(3);
    let store = open(&cluster, Duration::from_secs(1));
    let slot = cluster.nodes()[0].command(&["CLUSTER", "KEYSLOT", "{t}"]);
    let ids: Vec<String> = cluster.nodes().iter().map(|node| node.command(&["CLUSTER", "MYID"])).collect();
    let owned = |place: usize, cluster: &mut RedisCluster| {
        let number: usize = slot.parse().expect("a number");
        (16_384 * place / 3..16_384 * (place + 1) / 3).contains(&number) && !cluster.nodes().is_empty()
    };
    let from = (0..3).find(|place| owned(*place, &mut cluster)).expect("somebody has it");
    let to = (from + 1) % 3;
    store.set("{t}stays", "1", None).await.expect("sets");
    cluster.nodes()[to].command(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &ids[from]]);
    cluster.nodes()[from].command(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &ids[to]]);
    // The old owner has this one still; new ones go to the new owner, who must be asked in a special way.
    assert_eq!(store.get("{t}stays").await.expect("reads").as_deref(), Some("1"));
    store.set("{t}new", "2", None).await.expect("sets");
    assert_eq!(store.get("{t}new").await.expect("reads").as_deref(), Some("2"));
    assert_eq!(store.incr("{t}number", 5).await.expect("adds"), 5);
    assert_eq!(store.incr("{t}number", 5).await.expect("adds"), 10);
    let answers = store.apply(Change::new().then(add("{t}set", "m"))).await.expect("applies");
    assert_eq!(answers.map(|answers| answers.len()), Some(1));
    let quota = KeyQuota { counter: "{t}count", soft: 8, hard: 10 };
    // No owner serves several keys that are still on their way.
    let error = store.set_within("{t}counted", "v", None, quota).await.expect_err("on the way");
    assert!(
        error.is_temporary() && error.report().contains("cannot serve this key now (TRYAGAIN"),
        "{}",
        error.report()
    );

    let port = cluster.nodes()[to].port().to_string();
    cluster.nodes()[from].command(&["MIGRATE", "127.0.0.1", &port, "{t}stays", "0", "5000"]);
    for place in [to, from, (from + 2) % 3] {
        cluster.nodes()[place].command(&["CLUSTER", "SETSLOT", &slot, "NODE", &ids[to]]);
    }
    let made = store.set_within("{t}counted", "v", None, quota).await.expect("answers");
    assert_eq!(made, Quota::Created { value: (), count: 1 });
    for (key, value) in
        [("{t}stays", "1"), ("{t}new", "2"), ("{t}number", "10"), ("{t}counted", "v"), ("{t}count", "1")]
    {
        assert_eq!(store.get(key).await.expect("reads").as_deref(), Some(value), "{key}");
    }
    assert!(store.has("{t}set", "m").await.expect("reads"));
}
