//! Listing by prefix.

use vumi_core::KvEntry;

use super::values::odd_keys;
use crate::kit::KvBench;

async fn keys(bench: &KvBench, prefix: &str, limit: usize) -> Vec<String> {
    let entries = bench.kv.list(prefix, limit).await.expect("lists");
    entries.into_iter().map(|entry| entry.key).collect()
}

pub(crate) async fn keys_are_listed_in_order_up_to_the_limit(bench: KvBench) {
    for n in [7, 3, 9, 1, 0, 2, 8, 4, 6, 5] {
        bench.set(&format!("a#{n}"), "v").await;
        bench.set(&format!("b#{n}"), "v").await;
    }
    assert_eq!(keys(&bench, "a#", 4).await, ["a#0", "a#1", "a#2", "a#3"]);
    assert_eq!(keys(&bench, "b#", 100).await.len(), 10);
    assert_eq!(keys(&bench, "", usize::MAX).await.len(), 20);
    assert_eq!(keys(&bench, "a#5", 100).await, ["a#5"]);
    assert_eq!(keys(&bench, "a#55", 100).await, [""; 0]);
    assert_eq!(keys(&bench, "", 0).await, [""; 0]);
}

pub(crate) async fn a_prefix_is_taken_literally(bench: KvBench) {
    let mut all = odd_keys();
    all.extend(["a%b", "a_b", "axb", "A%b", "a*b", "a?b", "a[b", "a\\b"].map(str::to_owned));
    for key in &all {
        bench.set(key, "v").await;
    }
    all.sort();
    for prefix in all.iter().chain([&"a".to_owned(), &"a[".to_owned()]) {
        let wanted: Vec<_> = all.iter().filter(|key| key.starts_with(prefix)).cloned().collect();
        assert_eq!(keys(&bench, prefix, usize::MAX).await, wanted, "{prefix:?}");
    }
}

pub(crate) async fn a_listing_tells_value_and_time_left(bench: KvBench) {
    bench.set_for("a", "1", 10).await;
    bench.set("b", "2").await;
    bench.set_for("c", "3", 1).await;
    bench.clock.advance_secs(4);
    let entry = |key: &str, value: &str, ttl_ms| KvEntry { key: key.to_owned(), value: value.to_owned(), ttl_ms };
    let listed = bench.kv.list("", 10).await.expect("lists");
    assert_eq!(listed, [entry("a", "1", Some(6_000)), entry("b", "2", None)]);
}

pub(crate) async fn prefixes_at_the_edges_of_the_alphabet(bench: KvBench) {
    let all = ["\u{d7fe}z", "\u{d7ff}", "\u{d7ff}z", "\u{e000}", "\u{10ffff}", "\u{10ffff}\u{10ffff}"];
    for key in all {
        bench.set(key, "v").await;
    }
    assert_eq!(keys(&bench, "\u{d7ff}", 10).await, ["\u{d7ff}", "\u{d7ff}z"]);
    assert_eq!(keys(&bench, "\u{10ffff}", 10).await, ["\u{10ffff}", "\u{10ffff}\u{10ffff}"]);
    assert_eq!(keys(&bench, "", 10).await, all);
}
