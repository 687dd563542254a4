//! What only the collections in a file do: outlast their process, however it ends, and a disk that is full.

#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod kit;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kit::collections::*;
use kit::{FakeClock, eventually};
use vumi_core::{Change, Clock, Collections, Op, Scores};
use vumi_store::{COLLECTIONS_FILE, Durability, MemoryBounds, SqliteCollections};

async fn one(all: &SqliteCollections, op: Op) {
    all.apply(Change::new().then(op)).await.expect("applies").expect("no guards");
}

/// Rows of a table in a closed file.
fn rows(directory: &Path, table: &str) -> i64 {
    let file = rusqlite::Connection::open(directory.join(COLLECTIONS_FILE)).expect("opens");
    file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).expect("counts")
}

/// Everything, as one text.
async fn everything(all: &SqliteCollections) -> String {
    let mut text = String::new();
    for key in all.keys("", 100_000).await.expect("lists") {
        let (hash, members, list, sorted, plain) = (
            all.hash(&key).await.ok(),
            all.members(&key).await.ok(),
            all.list(&key, 0, 1_000).await.ok(),
            all.sorted(&key, Scores::default(), 1_000).await.ok(),
            all.text(&key).await.ok(),
        );
        let ttl = all.ttl(&key).await.expect("reads");
        text.push_str(&format!("{key}: {hash:?} {members:?} {list:?} {sorted:?} {plain:?} {ttl:?}\n"));
    }
    text
}

#[tokio::test]
async fn every_kind_outlasts_closing() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let all = open_collections(directory.path(), &clock).expect("opens");
    for op in [
        set_text("text", "ключ\0"),
        hash_set("hash", &[("f", "v"), ("", "")]),
        set_add("set", &["a", "b", "c"]),
        set_pop("set"),
        push_tail("list", &["a", "b", "b"]),
        push_head("list", &["z"]),
        sorted_add("sorted", "m", 0.1 + 0.2),
        sorted_add("sorted", "n", 5e-324),
        expire("hash", 5_000),
        set_text("brief", "v"),
        expire("brief", 1_000),
    ] {
        one(&all, op).await;
    }
    let before = everything(&all).await;
    all.close().await;
    let all = open_collections(directory.path(), &clock).expect("opens");
    assert_eq!(everything(&all).await, before);
    clock.advance_secs(2);
    assert_eq!(all.text("brief").await.expect("reads"), None);
    assert_eq!(all.ttl("hash").await.expect("reads"), Some(Duration::from_secs(3)));
    all.close().await;
    let error = all.apply(Change::new().then(set_text("k", "v"))).await.expect_err("closed");
    assert!(error.is_temporary());
    assert_eq!(error.report(), "the collections could not be written: the database is closed");
}

#[tokio::test]
async fn what_was_confirmed_outlasts_being_dropped() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let all = open_collections(directory.path(), &clock).expect("opens");
    for n in 0..50 {
        one(&all, push_tail("list", &[&n.to_string()])).await;
    }
    drop(all);
    let all = eventually(|| open_collections(directory.path(), &clock)).await;
    assert_eq!(all.len("list").await.expect("counts"), 50);
    all.close().await;
}

#[tokio::test]
async fn what_changes_nothing_is_not_written() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let all = open_collections(directory.path(), &clock).expect("opens");
    for op in [pop_head("k"), set_pop("k"), delete(&["k"]), expire("k", 5), set_add("k", &[]), list_remove("k", "a")] {
        one(&all, op).await;
    }
    assert!(all.apply(Change::new().when(exists("k")).then(set_text("k", "v"))).await.expect("applies").is_none());
    all.close().await;
    assert_eq!(rows(directory.path(), "log"), 0);
}

/// Many changes, with expiries and a clock that is set back and forth: after every reopening everything is as it was, and
/// the log does not grow for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_folded_and_replayed_exactly() {
    /// A clock that can be set to any time.
    struct Settable(std::sync::atomic::AtomicI64);
    impl Clock for Settable {
        fn now(&self) -> vumi_message::Timestamp {
            vumi_message::Timestamp::from_micros(self.0.load(std::sync::atomic::Ordering::SeqCst) * 1_000)
        }
    }
    let directory = tempfile::tempdir().expect("a directory");
    let clock = Arc::new(Settable(2_000_000_000_i64.into()));
    let open = || {
        let clock = Arc::clone(&clock) as Arc<dyn Clock>;
        let path = directory.path().join(COLLECTIONS_FILE);
        vumi_store::collections_at(path, Durability::Process, clock).expect("opens")
    };
    let mut dice = 7_u64;
    let mut below = |bound: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % bound
    };
    let mut all = open();
    for round in 0..6 {
        for _ in 0..4_000 {
            let key = format!("k{}", below(40));
            let value = below(5).to_string();
            let op = match below(9) {
                0 => set_text(&key, &value),
                1 => hash_set(&key, &[(&value, "v")]),
                2 => hash_remove(&key, &[&value]),
                3 => set_add(&key, &[&value]),
                4 => set_pop(&key),
                5 => push_tail(&key, &[&value]),
                6 => pop_head(&key),
                7 => expire(&key, below(100) + 1),
                _ => delete(&[&key]),
            };
            let change = Change::new().then(op).then(expire(&key, below(50) + 1));
            drop(all.apply(change).await.map_err(|error| assert!(!error.is_temporary(), "{error}")));
            if below(10) == 0 {
                let by = below(60) as i64 - 25;
                clock.0.fetch_add(by, std::sync::atomic::Ordering::SeqCst);
            }
        }
        let before = everything(&all).await;
        all.close().await;
        assert!(rows(directory.path(), "log") <= 10_000, "round {round}");
        all = open();
        assert_eq!(everything(&all).await, before, "round {round}");
    }
    all.close().await;
    assert!(rows(directory.path(), "entry") > 0, "it was folded");
}

#[tokio::test]
async fn a_file_in_use_is_refused_with_one_sentence() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let all = open_collections(directory.path(), &clock).expect("opens");
    let error = vumi_core::Error::from(open_collections(directory.path(), &clock).expect_err("in use"));
    assert!(!error.is_temporary() && error.report().contains("collections.sqlite: in use by"), "{}", error.report());
    all.close().await;
}

#[tokio::test]
async fn the_bounds_are_those_of_memory() {
    let directory = tempfile::tempdir().expect("a directory");
    let bounds = MemoryBounds { keys: 2, ..MemoryBounds::default() };
    let clock = FakeClock::new() as Arc<dyn Clock>;
    let all = SqliteCollections::open(directory.path().join("c"), Durability::Process, bounds, clock).expect("opens");
    one(&all, set_text("a", "v")).await;
    one(&all, set_text("b", "v")).await;
    let error = all.apply(Change::new().then(set_text("c", "v"))).await.expect_err("full");
    assert!(error.is_temporary() && error.to_string().starts_with("the collections are full"), "{error}");
    assert_eq!(all.held(), 2);
    all.close().await;
}

/// Callers that give up leave everything as if they had waited.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_give_up_do_no_harm() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let all = Arc::new(open_collections(directory.path(), &clock).expect("opens"));
    for n in 0..300_u32 {
        let writer = {
            let all = Arc::clone(&all);
            tokio::spawn(async move { all.apply(Change::new().then(push_tail("list", &[&n.to_string()]))).await })
        };
        if n % 3 == 0 {
            tokio::task::yield_now().await;
        }
        writer.abort();
        let _ = writer.await;
        one(&all, push_tail("sure", &["v"])).await;
    }
    let before = everything(&all).await;
    all.close().await;
    drop(all);
    let all = open_collections(directory.path(), &clock).expect("opens");
    assert_eq!(everything(&all).await, before);
    assert_eq!(all.len("sure").await.expect("counts"), 300);
    all.close().await;
}
