//! The operations: checks 1 to 11 and 17.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use vumi_core::{Change, Op};
use vumi_message::Payload;
use vumi_worker::tagpool::{Tag, TagPools};

use crate::backends::{Keys, on_each_backend};

fn pools(keys: &Keys) -> TagPools {
    keys.clock.set(1_400_000_000.25);
    TagPools::new(&keys.space, keys.clock.clone())
}

fn tag(name: &str) -> Tag {
    Tag::new("P", name)
}

async fn declare(pools: &TagPools, names: &[&str]) {
    pools.declare_tags(&names.iter().map(|name| tag(name)).collect::<Vec<_>>()).await.unwrap();
}

async fn acquire(pools: &TagPools) -> Option<String> {
    pools.acquire_tag("P", None, None).await.unwrap().map(|tag| tag.name)
}

fn object(value: Value) -> Payload {
    let Value::Object(payload) = value else { panic!("{value} is no object") };
    payload
}

fn names(tags: &[Tag]) -> Vec<&str> {
    let mut names: Vec<&str> = tags.iter().map(|tag| tag.name.as_str()).collect();
    names.sort_unstable();
    names
}

on_each_backend! {
    async fn check_01_tags_are_given_out_in_sorted_order(keys: Keys) {
        let pools = pools(&keys);
        declare(&pools, &["b", "a", "c"]).await;
        assert_eq!(keys.set("tagpools:list").await, ["P"]);
        assert_eq!(keys.list("tagpools:P:free:list").await, ["a", "b", "c"]);
        for name in ["a", "b", "c"] {
            assert_eq!(acquire(&pools).await.as_deref(), Some(name));
        }
        assert_eq!(acquire(&pools).await, None);
    }

    async fn check_02_declaring_again_changes_nothing_that_is_there(keys: Keys) {
        let pools = pools(&keys);
        declare(&pools, &["t1", "t2"]).await;
        assert_eq!(acquire(&pools).await.as_deref(), Some("t1"));
        for _ in 0..2 {
            declare(&pools, &["t1", "t3"]).await;
            assert_eq!(keys.set("tagpools:P:inuse:set").await, ["t1"]);
            assert_eq!(keys.list("tagpools:P:free:list").await, ["t2", "t3"]);
        }
    }

    async fn check_03_released_tags_go_to_the_end(keys: Keys) {
        let pools = pools(&keys);
        declare(&pools, &["t1", "t2", "t3"]).await;
        acquire(&pools).await;
        acquire(&pools).await;
        pools.release_tag(&tag("t1")).await.unwrap();
        assert_eq!(keys.list("tagpools:P:free:list").await, ["t3", "t1"]);
        assert_eq!(keys.set("tagpools:P:free:set").await, ["t1", "t3"]);
        assert_eq!(keys.set("tagpools:P:inuse:set").await, ["t2"]);
        assert_eq!(names(&pools.free_tags("P").await.unwrap()), ["t1", "t3"]);
        assert_eq!(names(&pools.inuse_tags("P").await.unwrap()), ["t2"]);
    }

    async fn check_04_a_specific_tag(keys: Keys) {
        let pools = pools(&keys);
        declare(&pools, &["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9"]).await;
        let acquired = pools.acquire_specific_tag(&tag("t5"), None, None).await.unwrap();
        assert_eq!(acquired, Some(tag("t5")));
        assert_eq!(keys.list("tagpools:P:free:list").await, ["t0", "t1", "t2", "t3", "t4", "t6", "t7", "t8", "t9"]);
        assert_eq!(pools.acquire_specific_tag(&tag("t5"), None, None).await.unwrap(), None);
        assert_eq!(pools.acquire_specific_tag(&tag("t99"), None, None).await.unwrap(), None);
    }

    async fn check_05_what_does_not_exist(keys: Keys) {
        let pools = pools(&keys);
        assert_eq!(acquire(&pools).await, None);
        assert_eq!(pools.free_tags("P").await.unwrap(), []);
        assert_eq!(pools.inuse_tags("P").await.unwrap(), []);
        pools.release_tag(&tag("t1")).await.unwrap();
        assert_eq!(keys.all().await, Vec::<String>::new());
        declare(&pools, &["t1"]).await;
        let before = keys.all().await;
        pools.release_tag(&tag("t1")).await.unwrap();
        pools.release_tag(&tag("t2")).await.unwrap();
        assert_eq!(keys.all().await, before);
        assert_eq!(keys.list("tagpools:P:free:list").await, ["t1"]);
    }

    async fn check_06_owners_and_reasons(keys: Keys) {
        let pools = pools(&keys);
        declare(&pools, &["t1"]).await;
        let reason = object(json!({"why": "x", "owner": "somebody else", "timestamp": "never"}));
        pools.acquire_tag("P", Some("me"), Some(&reason)).await.unwrap().unwrap();
        let (owner, reason) = pools.acquired_by(&tag("t1")).await.unwrap();
        assert_eq!(owner.as_deref(), Some("me"));
        let reason = reason.unwrap();
        assert_eq!((&reason["why"], &reason["owner"], reason.len()), (&json!("x"), &json!("me"), 3));
        assert_eq!(reason["timestamp"].as_f64(), Some(1_400_000_000.25));
        assert_eq!(pools.owned_tags(Some("me")).await.unwrap(), [tag("t1")]);
        assert_eq!(keys.set("tagpools:owners:me:tags").await, [r#"["P", "t1"]"#]);
        pools.release_tag(&tag("t1")).await.unwrap();
        assert_eq!(pools.owned_tags(Some("me")).await.unwrap(), []);
        assert_eq!(keys.all().await, ["tagpools:P:free:list", "tagpools:P:free:set", "tagpools:list"]);
    }

    async fn check_07_tags_without_an_owner(keys: Keys) {
        let pools = pools(&keys);
        declare(&pools, &["t1", "t2"]).await;
        acquire(&pools).await;
        assert_eq!(pools.owned_tags(None).await.unwrap(), [tag("t1")]);
        assert_eq!(keys.set("tagpools:unowned:tags").await, [r#"["P", "t1"]"#]);
        let (owner, reason) = pools.acquired_by(&tag("t1")).await.unwrap();
        assert_eq!((owner, &reason.unwrap()["owner"]), (None, &Value::Null));
        pools.release_tag(&tag("t1")).await.unwrap();
        assert_eq!(pools.owned_tags(None).await.unwrap(), []);
    }

    async fn check_08_a_released_tag_has_no_history(keys: Keys) {
        let pools = pools(&keys);
        declare(&pools, &["t1", "t2"]).await;
        pools.acquire_tag("P", Some("me"), None).await.unwrap();
        pools.release_tag(&tag("t1")).await.unwrap();
        assert_eq!(pools.acquired_by(&tag("t1")).await.unwrap(), (None, None));
        assert_eq!(pools.acquired_by(&tag("t2")).await.unwrap(), (None, None));
        // Vumi left the reason behind.
        let fields = vec![("t2".to_owned(), r#"{"owner": "you", "timestamp": 1.0}"#.to_owned())];
        let leave = Op::HashSet { key: "tagpools:P:reason:hash".into(), fields };
        keys.collections().apply(Change::new().then(leave)).await.unwrap();
        assert_eq!(pools.acquired_by(&tag("t2")).await.unwrap(), (None, None));
    }

    async fn check_09_purge(keys: Keys) {
        let pools = pools(&keys);
        declare(&pools, &["t1", "t2"]).await;
        pools.set_metadata("P", &object(json!({"a": 1}))).await.unwrap();
        acquire(&pools).await;
        let before = keys.all().await;
        let error = pools.purge_pool("P").await.unwrap_err().to_string();
        assert_eq!(error, "1 tags of pool P still in use.");
        assert_eq!(keys.all().await, before);
        pools.release_tag(&tag("t1")).await.unwrap();
        pools.purge_pool("P").await.unwrap();
        assert!(pools.list_pools().await.unwrap().is_empty());
        assert_eq!(acquire(&pools).await, None);
        assert_eq!(keys.all().await, Vec::<String>::new());
    }

    async fn check_10_metadata(keys: Keys) {
        let pools = pools(&keys);
        assert_eq!(pools.get_metadata("P").await.unwrap(), Payload::new());
        for metadata in [json!({"a": {"b": 1}}), json!({"c": 2}), json!({})] {
            pools.set_metadata("P", &object(metadata.clone())).await.unwrap();
            assert_eq!(Value::Object(pools.get_metadata("P").await.unwrap()), metadata);
        }
        assert_eq!(pools.list_pools().await.unwrap(), BTreeSet::from(["P".to_owned()]));
        assert_eq!(pools.free_tags("P").await.unwrap(), []);
        pools.set_metadata("P", &object(json!({"a": {"b": 1.50}}))).await.unwrap();
        let hash = keys.collections().hash("tagpools:P:metadata").await.unwrap();
        assert_eq!(hash["a"], r#"{"b": 1.5}"#);
    }

    async fn check_11_names_in_any_script(keys: Keys) {
        let pools = pools(&keys);
        let tag = Tag::new("poöl", "tág");
        pools.declare_tags(std::slice::from_ref(&tag)).await.unwrap();
        let reason = object(json!({"why": "é"}));
        assert_eq!(pools.acquire_tag("poöl", Some("mé"), Some(&reason)).await.unwrap(), Some(tag.clone()));
        assert_eq!(pools.acquired_by(&tag).await.unwrap().0.as_deref(), Some("mé"));
        assert_eq!(pools.owned_tags(Some("mé")).await.unwrap(), std::slice::from_ref(&tag));
        assert_eq!(keys.set("tagpools:owners:mé:tags").await, [r#"["po\u00f6l", "t\u00e1g"]"#]);
        assert_eq!(pools.inuse_tags("poöl").await.unwrap(), std::slice::from_ref(&tag));
        pools.set_metadata("poöl", &object(json!({"ö": "ü"}))).await.unwrap();
        assert_eq!(pools.get_metadata("poöl").await.unwrap()["ö"], "ü");
        assert!(pools.purge_pool("poöl").await.unwrap_err().to_string().contains("poöl"));
        pools.release_tag(&tag).await.unwrap();
        assert_eq!(pools.acquire_specific_tag(&tag, None, None).await.unwrap(), Some(tag.clone()));
        pools.release_tag(&tag).await.unwrap();
        pools.purge_pool("poöl").await.unwrap();
        assert_eq!(keys.all().await, Vec::<String>::new());
    }

    async fn check_17_no_tag_is_given_out_twice(keys: Keys) {
        let names: Vec<String> = (0..50).map(|n| format!("t{n:02}")).collect();
        declare(&pools(&keys), &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let taken = Arc::new(parking_lot::Mutex::new(Vec::new()));
        let work = |n: usize| {
            // Processes of their own, that share nothing but the store.
            let (pools, taken) = (pools(&keys), taken.clone());
            tokio::spawn(async move {
                while let Some(tag) = pools.acquire_tag("P", Some(&format!("client {n}")), None).await.unwrap() {
                    taken.lock().push(tag.name);
                }
            })
        };
        for client in (0..5).map(work).collect::<Vec<_>>() {
            client.await.unwrap();
        }
        let mut taken = taken.lock().clone();
        taken.sort();
        assert_eq!(taken, names);
    }

    async fn what_changes_at_the_last_moment_is_noticed(keys: Keys) {
        let first = pools(&keys);
        declare(&first, &["t1", "t2"]).await;
        let late = |turn| TagPools::new(&keys.interrupted("apply", turn), keys.clock.clone());
        type Turn = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
        let other = first.clone();
        let turn: Turn = Box::pin(async move { assert_eq!(acquire(&other).await.as_deref(), Some("t1")) });
        assert_eq!(acquire(&late(turn)).await.as_deref(), Some("t2"));

        // The tag gets another owner before it is released: whoever holds it then loses it, wholly.
        let other = first.clone();
        let turn: Turn = Box::pin(async move {
            other.release_tag(&tag("t1")).await.unwrap();
            other.acquire_tag("P", Some("me"), None).await.unwrap();
        });
        late(turn).release_tag(&tag("t1")).await.unwrap();
        assert_eq!(first.owned_tags(Some("me")).await.unwrap(), []);
        assert_eq!(keys.list("tagpools:P:free:list").await, ["t1"]);

        // A tag is declared by another at the same moment: it is there once.
        let other = first.clone();
        let turn: Turn = Box::pin(async move { declare(&other, &["t3"]).await });
        declare(&late(turn), &["t3", "t4"]).await;
        assert_eq!(keys.list("tagpools:P:free:list").await, ["t1", "t3", "t4"]);

        // A tag is acquired while its pool is purged.
        first.release_tag(&tag("t2")).await.unwrap();
        let other = first.clone();
        let turn: Turn = Box::pin(async move { drop(acquire(&other).await) });
        let error = late(turn).purge_pool("P").await.unwrap_err().to_string();
        assert_eq!(error, "1 tags of pool P still in use.");
    }

    async fn a_tag_that_moves_all_the_time_is_never_lost(keys: Keys) {
        let first = pools(&keys);
        declare(&first, &["t1", "t2", "t3"]).await;
        let work = |n: usize| {
            let pools = pools(&keys);
            tokio::spawn(async move {
                for _ in 0..30 {
                    if let Some(tag) = pools.acquire_tag("P", Some(&n.to_string()), None).await.unwrap() {
                        pools.declare_tags(&[tag.clone(), Tag::new("P", "t4")]).await.unwrap();
                        assert_eq!(pools.acquired_by(&tag).await.unwrap().0, Some(n.to_string()));
                        pools.release_tag(&tag).await.unwrap();
                    }
                    tokio::task::yield_now().await;
                }
            })
        };
        for client in (0..5).map(work).collect::<Vec<_>>() {
            client.await.unwrap();
        }
        let mut free = keys.list("tagpools:P:free:list").await;
        free.sort();
        assert_eq!(free, ["t1", "t2", "t3", "t4"]);
        assert_eq!(keys.all().await, ["tagpools:P:free:list", "tagpools:P:free:set", "tagpools:list"]);
    }

    async fn many_tags_at_once(keys: Keys) {
        let pools = pools(&keys);
        let names: Vec<String> = (0..2_500).map(|n| format!("t{n:04}")).collect();
        let mut tags: Vec<Tag> = names.iter().map(|name| tag(name)).collect();
        tags.reverse();
        tags.push(Tag::new("Q", "only"));
        pools.declare_tags(&tags).await.unwrap();
        assert_eq!(keys.list("tagpools:P:free:list").await, names);
        assert_eq!(pools.list_pools().await.unwrap(), BTreeSet::from(["P".to_owned(), "Q".to_owned()]));
        pools.declare_tags(&[]).await.unwrap();
    }
}
