//! What only the key-value store in a file does: outlast its process, and sweep.

#![allow(clippy::expect_used, reason = "tests may fail loudly")]

mod kit;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kit::{FakeClock, eventually, open_kv};
use vumi_core::{Clock, KeyQuota, KvStore, Quota};
use vumi_store::{Durability, KV_FILE};

const QUOTA: KeyQuota<'static> = KeyQuota { counter: "count", soft: 80, hard: 100 };
const SECOND: Option<Duration> = Some(Duration::from_secs(1));

/// The number of rows in a closed store.
fn rows(directory: &Path) -> i64 {
    let file = rusqlite::Connection::open(directory.join(KV_FILE)).expect("opens");
    file.query_row("SELECT count(*) FROM kv", [], |row| row.get(0)).expect("counts")
}

async fn count(kv: &impl KvStore) -> Option<String> {
    kv.get("count").await.expect("gets")
}

#[tokio::test]
async fn values_expiries_and_counters_outlast_closing() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let kv = open_kv(directory.path(), &clock).expect("opens");
    kv.set("plain", "1", None).await.expect("sets");
    kv.set("brief", "1", SECOND).await.expect("sets");
    kv.set("long", "1", Some(Duration::from_secs(100))).await.expect("sets");
    kv.set_within("counted", "1", None, QUOTA).await.expect("sets");
    kv.set_within("counted brief", "1", SECOND, QUOTA).await.expect("sets");
    kv.close().await;

    clock.advance_secs(2);
    let kv = open_kv(directory.path(), &clock).expect("opens");
    assert_eq!(kv.get("plain").await.expect("gets").as_deref(), Some("1"));
    assert_eq!(kv.get("brief").await.expect("gets"), None);
    assert_eq!(kv.ttl("long").await.expect("ttl"), Some(Duration::from_secs(98)));
    assert_eq!(count(&kv).await.as_deref(), Some("1"));
    assert!(kv.delete("counted").await.expect("deletes"), "still known as counted");
    assert_eq!(count(&kv).await.as_deref(), Some("0"));
    let answer = kv.set_within("counted brief", "2", None, QUOTA).await.expect("sets");
    assert_eq!(answer, Quota::Created { value: (), count: 1 });
    kv.close().await;
}

#[tokio::test]
async fn what_was_confirmed_outlasts_being_dropped() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let kv = open_kv(directory.path(), &clock).expect("opens");
    for n in 0..50 {
        kv.incr("n", 1).await.expect("adds");
        kv.set(&format!("key {n}"), "v", None).await.expect("sets");
    }
    drop(kv);
    // The file is let go a moment later.
    let kv = eventually(|| open_kv(directory.path(), &clock)).await;
    assert_eq!(kv.get("n").await.expect("gets").as_deref(), Some("50"));
    assert_eq!(kv.list("key ", 100).await.expect("lists").len(), 50);
    kv.close().await;
}

#[tokio::test]
async fn expired_rows_are_deleted_between_writes_and_after_reopening() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let kv = open_kv(directory.path(), &clock).expect("opens");
    let brief: Vec<String> = (0..250).map(|n| format!("key {n}")).collect();
    for (n, key) in brief.iter().enumerate() {
        let counter = format!("count#{}", n % 5);
        let quota = KeyQuota { counter: &counter, ..QUOTA };
        kv.set_within(key, "v", SECOND, quota).await.expect("sets");
    }
    kv.close().await;
    assert_eq!(rows(directory.path()), 255);

    clock.advance_secs(10);
    let kv = open_kv(directory.path(), &clock).expect("opens");
    // Each of these queues a batch before it while more is left.
    for _ in 0..4 {
        kv.set("k", "v", None).await.expect("sets");
    }
    for owner in 0..5 {
        let counter = kv.get(&format!("count#{owner}")).await.expect("gets");
        assert_eq!(counter.as_deref(), Some("0"));
    }
    kv.close().await;
    assert_eq!(rows(directory.path()), 6, "the counters and k");

    clock.advance_secs(3_600);
    let kv = open_kv(directory.path(), &clock).expect("opens");
    kv.set("k", "v", None).await.expect("sets");
    kv.close().await;
    assert_eq!(rows(directory.path()), 1, "counters that stay at zero go after a while");
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_stop_the_sweep() {
    /// A clock that can be set to any time.
    struct Settable(std::sync::atomic::AtomicI64);
    impl Clock for Settable {
        fn now(&self) -> vumi_message::Timestamp {
            vumi_message::Timestamp::from_secs(self.0.load(std::sync::atomic::Ordering::SeqCst))
        }
    }
    let directory = tempfile::tempdir().expect("a directory");
    let clock = Arc::new(Settable(2_000_000.into()));
    let kv =
        vumi_store::kv_at(directory.path().join(KV_FILE), Durability::Process, Arc::clone(&clock) as Arc<dyn Clock>)
            .expect("opens");
    kv.set("now", "v", None).await.expect("sets");
    clock.0.store(1_000_000, std::sync::atomic::Ordering::SeqCst);
    kv.set("brief", "v", SECOND).await.expect("sets");
    clock.0.store(1_000_002, std::sync::atomic::Ordering::SeqCst);
    kv.set("now", "v", None).await.expect("sets");
    kv.close().await;
    assert_eq!(rows(directory.path()), 1);
}

#[tokio::test]
async fn a_closed_store_asks_to_come_back_later() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let kv = open_kv(directory.path(), &clock).expect("opens");
    kv.close().await;
    let error = kv.set("k", "v", None).await.expect_err("closed");
    assert!(error.is_temporary());
    assert_eq!(error.report(), "the key-value store could not be written: the database is closed");
    let error = kv.get("k").await.expect_err("closed");
    assert_eq!(error.report(), "the key-value store could not be read: the database is closed");
    kv.close().await;
}

#[tokio::test]
async fn a_file_in_use_is_refused_with_one_sentence() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let kv = open_kv(directory.path(), &clock).expect("opens");
    let error = vumi_core::Error::from(open_kv(directory.path(), &clock).expect_err("in use"));
    assert!(!error.is_temporary());
    assert!(error.report().contains("kv.sqlite: in use by"), "{}", error.report());
    kv.close().await;
}

/// A caller that gives up in the middle leaves the store as if it had waited.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_give_up_leave_no_stale_value() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let kv = Arc::new(open_kv(directory.path(), &clock).expect("opens"));
    for n in 0..300_u32 {
        let text = n.to_string();
        let writer = {
            let (kv, text) = (Arc::clone(&kv), text.clone());
            tokio::spawn(async move { kv.set("k", &text, None).await })
        };
        let reader = {
            let kv = Arc::clone(&kv);
            tokio::spawn(async move { kv.get("k").await })
        };
        if n % 3 == 0 {
            tokio::task::yield_now().await;
        }
        writer.abort();
        reader.abort();
        // Whatever became of them, this write comes later.
        let _ = writer.await;
        kv.set("k", "later", None).await.expect("sets");
        assert_eq!(kv.get("k").await.expect("gets").as_deref(), Some("later"), "round {n}");
    }
    kv.close().await;
}
