//! Setting, getting, deleting.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::kit::KvBench;

/// Keys that something on the way might mistake for something else.
pub(crate) fn odd_keys() -> Vec<String> {
    let mut keys: Vec<String> =
        ["", " ", "#", "%", "_", "*", "?", "\\", "'", "\"", "\0", "a\0b", "a\0", "\n", "ключ", "🔑"]
            .iter()
            .map(|key| (*key).to_owned())
            .collect();
    keys.extend(["e\u{301}", "é", "\u{fffd}", "\u{10ffff}", "K", "k", "1", "01", "1.0", "NULL"].map(str::to_owned));
    keys.push("x".repeat(1024));
    keys
}

pub(crate) async fn a_value_is_what_was_set_last(bench: KvBench) {
    assert_eq!(bench.get("k").await, None);
    bench.set("k", "1").await;
    assert_eq!(bench.get("k").await.as_deref(), Some("1"));
    bench.set("k", "a much longer value than before").await;
    assert_eq!(bench.get("k").await.as_deref(), Some("a much longer value than before"));
    bench.set("k", "").await;
    assert_eq!(bench.get("k").await.as_deref(), Some(""));
    assert_eq!(bench.get("other").await, None);
    assert_eq!(bench.kv.ttl("k").await.expect("ttl"), None);
}

pub(crate) async fn set_if_absent_sets_once(bench: KvBench) {
    assert!(bench.kv.set_if_absent("k", "1", None).await.expect("sets"));
    assert!(!bench.kv.set_if_absent("k", "2", Some(std::time::Duration::from_secs(5))).await.expect("sets"));
    assert_eq!(bench.get("k").await.as_deref(), Some("1"));
    assert_eq!(bench.kv.ttl("k").await.expect("ttl"), None, "nothing changed");
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..32 {
        let kv = Arc::clone(&bench.kv);
        tasks.spawn(async move { kv.set_if_absent("race", &n.to_string(), None).await.expect("sets") });
    }
    let won = tasks.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1);
}

pub(crate) async fn delete_tells_whether_the_key_was_there(bench: KvBench) {
    assert!(!bench.kv.delete("k").await.expect("deletes"));
    bench.set("k", "1").await;
    assert!(bench.kv.delete("k").await.expect("deletes"));
    assert_eq!(bench.get("k").await, None);
    assert!(!bench.kv.delete("k").await.expect("deletes"));
}

pub(crate) async fn any_text_is_a_key(bench: KvBench) {
    let keys = odd_keys();
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(bench.get(key).await, None, "{key:?} is a key of its own");
        bench.set(key, &n.to_string()).await;
    }
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(bench.get(key).await, Some(n.to_string()), "{key:?}");
    }
    for (n, key) in keys.iter().enumerate() {
        assert!(bench.kv.delete(key).await.expect("deletes"), "{key:?}");
        let next = keys.get(n + 1);
        if let Some(next) = next {
            assert!(bench.get(next).await.is_some(), "{key:?} took {next:?} along");
        }
    }
    assert_eq!(bench.kv.list("", 10).await.expect("lists"), []);
}

pub(crate) async fn any_text_is_a_value(bench: KvBench) {
    for value in odd_keys().into_iter().chain([r#"{"x": "42"}"#.to_owned(), "\u{1F600}".repeat(20_000)]) {
        bench.set("k", &value).await;
        assert_eq!(bench.get("k").await.as_deref(), Some(value.as_str()));
    }
}

/// One writer per key counts up; whoever begins to read after a write was confirmed sees it or a later one.
pub(crate) async fn a_confirmed_write_is_seen_by_all(bench: KvBench) {
    const KEYS: usize = 3;
    const LAST: i64 = 200;
    let confirmed: Arc<Vec<AtomicI64>> = Arc::new((0..KEYS).map(|_| AtomicI64::new(0)).collect());
    let mut tasks = tokio::task::JoinSet::new();
    for key in 0..KEYS {
        bench.set(&format!("k{key}"), "0").await;
        let (kv, confirmed) = (Arc::clone(&bench.kv), Arc::clone(&confirmed));
        tasks.spawn(async move {
            for n in 1..=LAST {
                // Two ways to write, two ways to wait.
                if n % 3 == 0 {
                    assert_eq!(kv.incr(&format!("k{key}"), 1).await.expect("adds"), n);
                } else {
                    kv.set(&format!("k{key}"), &n.to_string(), None).await.expect("sets");
                }
                confirmed[key].store(n, Ordering::SeqCst);
                tokio::task::yield_now().await;
            }
        });
    }
    for reader in 0..6 {
        let (kv, confirmed) = (Arc::clone(&bench.kv), Arc::clone(&confirmed));
        tasks.spawn(async move {
            let key = reader % KEYS;
            let mut seen = 0;
            while seen < LAST {
                let at_least = confirmed[key].load(Ordering::SeqCst).max(seen);
                let value = kv.get(&format!("k{key}")).await.expect("gets").expect("is there");
                seen = value.parse().expect("a number");
                assert!(seen >= at_least, "read {seen} after {at_least} was there");
                tokio::task::yield_now().await;
            }
        });
    }
    tasks.join_all().await;
}
