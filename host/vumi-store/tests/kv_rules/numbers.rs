//! Adding to numbers.

use std::sync::Arc;

use crate::kit::KvBench;

pub(crate) async fn check_09_incr(bench: KvBench) {
    assert_eq!(bench.kv.incr("n", 1).await.expect("adds"), 1);
    assert_eq!(bench.kv.incr("n", 4).await.expect("adds"), 5);
    assert_eq!(bench.kv.incr("n", -7).await.expect("adds"), -2);
    assert_eq!(bench.kv.incr("n", 0).await.expect("adds"), -2);
    assert_eq!(bench.get("n").await.as_deref(), Some("-2"), "plain decimal text");
    // A number that was set as JSON can be added to, and one that was added to can be set.
    bench.set("n", "5").await;
    assert_eq!(bench.kv.incr("n", 1).await.expect("adds"), 6);
    bench.set("n", r#""abc""#).await;
    assert!(bench.kv.incr("n", 1).await.is_err());
    assert_eq!(bench.get("n").await.as_deref(), Some(r#""abc""#), "unchanged");
}

pub(crate) async fn incr_keeps_the_expiry(bench: KvBench) {
    bench.set_for("n", "1", 10).await;
    bench.clock.advance_secs(4);
    assert_eq!(bench.kv.incr("n", 1).await.expect("adds"), 2);
    assert_eq!(bench.kv.ttl("n").await.expect("ttl"), Some(std::time::Duration::from_secs(6)));
    bench.clock.advance_secs(6);
    assert_eq!(bench.get("n").await, None);
}

pub(crate) async fn only_integers_are_added_to(bench: KvBench) {
    for text in ["", "abc", "\"5\"", "5.0", "1e3", "null", "[1]", " 5", "5 ", "+5", "05", "-0", "9223372036854775808"] {
        bench.set("n", text).await;
        let error = bench.kv.incr("n", 1).await.expect_err(text);
        assert_eq!(error.to_string(), "value is not an integer or out of range", "{text:?}");
        assert!(!error.is_temporary());
        assert_eq!(bench.get("n").await.as_deref(), Some(text), "unchanged");
    }
}

pub(crate) async fn sums_beyond_64_bits_are_refused(bench: KvBench) {
    for (number, amount) in [(i64::MAX, 1), (i64::MIN, -1), (1, i64::MAX), (-2, i64::MIN)] {
        bench.set("n", &number.to_string()).await;
        let error = bench.kv.incr("n", amount).await.expect_err("beyond");
        assert_eq!(error.to_string(), "increment or decrement would overflow");
        assert!(!error.is_temporary());
        assert_eq!(bench.get("n").await, Some(number.to_string()), "unchanged");
    }
    bench.set("n", &i64::MAX.to_string()).await;
    assert_eq!(bench.kv.incr("n", i64::MIN).await.expect("adds"), -1);
    assert_eq!(bench.kv.incr("new", i64::MIN).await.expect("adds"), i64::MIN);
}

pub(crate) async fn concurrent_incr_is_exact(bench: KvBench) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let kv = Arc::clone(&bench.kv);
        tasks.spawn(async move {
            let mut last = 0;
            for _ in 0..1_000 {
                let sum = kv.incr("n", 1).await.expect("adds");
                assert!(sum > last, "each answer is a sum of its own");
                last = sum;
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(bench.get("n").await.as_deref(), Some("16000"));
}
