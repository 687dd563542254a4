//! What only the message store in a file does: outlast its process, and cope with a file that cannot be written.

#![allow(clippy::expect_used, reason = "tests may fail loudly")]

mod kit;

use std::path::Path;

use kit::eventually;
use metrics_exporter_prometheus::PrometheusBuilder;
use rusqlite::Connection;
use vumi_core::{LogLevel, LogLine, MessageQuery, MessageRecord, Store};
use vumi_message::Timestamp;
use vumi_store::{Durability, Location, STORE_FILE, SqliteStore, StoreError, StoreOptions};

fn open(directory: &Path, options: StoreOptions) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(Location::File(directory.join(STORE_FILE)), Durability::Process, options)
}

fn line(text: &str) -> LogLine {
    LogLine {
        at: Timestamp::from_secs(0),
        app: "a".into(),
        sandbox_id: "s".into(),
        message_id: None,
        level: LogLevel::Info,
        source: "guest".into(),
        text: text.into(),
    }
}

fn message(id: u64) -> MessageRecord {
    MessageRecord {
        seq: 0,
        at: Timestamp::from_secs(0),
        direction: "inbound".into(),
        transport_name: "t".into(),
        user: None,
        id: id.to_string(),
        body: "{}".into(),
    }
}

/// Another program that holds the file's lock until it is dropped.
fn lock(directory: &Path) -> Connection {
    let other = Connection::open(directory.join(STORE_FILE)).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locks");
    other
}

async fn logs(store: &SqliteStore) -> usize {
    store.logs(None, usize::MAX).await.expect("reads").len()
}

#[tokio::test]
async fn closing_writes_all_that_was_taken() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = vumi_store::store_at(directory.path().join(STORE_FILE), Durability::Power).expect("opens");
    for n in 0..5_000 {
        store.put_log(line(&n.to_string()));
    }
    for n in 0..10 {
        store.put_message(message(n)).await.expect("stores");
    }
    store.close().await;
    assert_eq!(store.dropped(), 0);

    let store = open(directory.path(), StoreOptions::default()).expect("opens");
    assert_eq!(logs(&store).await, 5_000);
    assert_eq!(store.messages(MessageQuery::default()).await.expect("reads").len(), 10);
    assert!(!store.put_message(message(3)).await.expect("stores"), "still known");
    store.close().await;
}

#[tokio::test]
async fn being_dropped_writes_all_that_was_taken() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path(), StoreOptions::default()).expect("opens");
    for n in 0..3_000 {
        store.put_log(line(&n.to_string()));
    }
    drop(store);
    let store = eventually(|| open(directory.path(), StoreOptions::default())).await;
    assert_eq!(logs(&store).await, 3_000);
    store.close().await;
}

#[tokio::test]
async fn a_full_buffer_drops_and_counts_and_never_waits() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path(), StoreOptions { buffer_records: 4, ..StoreOptions::default() }).expect("opens");
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let other = lock(directory.path());
    // While the file is locked, at most one batch of four is under way and four wait.
    metrics::with_local_recorder(&recorder, || {
        for n in 0..100 {
            store.put_log(line(&n.to_string()));
        }
    });
    let dropped = store.dropped();
    assert!((92..=96).contains(&dropped), "{dropped}");
    let wanted = format!("vumi_store_dropped_total{{kind=\"log\"}} {dropped}");
    assert!(metrics.render().contains(&wanted), "{}", metrics.render());
    drop(other);
    assert_eq!(logs(&store).await as u64, 100 - dropped);
    store.put_log(line("afterwards"));
    assert_eq!(logs(&store).await as u64, 101 - dropped);
    assert_eq!(store.dropped(), dropped);
    store.close().await;
}

#[tokio::test]
async fn what_can_never_be_written_is_dropped_and_counted() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path(), StoreOptions::default()).expect("opens");
    let other = Connection::open(directory.path().join(STORE_FILE)).expect("opens");
    other.execute_batch("ALTER TABLE logs RENAME TO away").expect("renames");
    store.put_log(line("lost"));
    store.close().await;
    assert_eq!(store.dropped(), 1);
}

#[tokio::test]
async fn lower_bounds_take_effect_at_opening() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path(), StoreOptions::default()).expect("opens");
    for n in 0..5_000 {
        store.put_log(line(&n.to_string()));
    }
    let mut tasks = tokio::task::JoinSet::new();
    let store = std::sync::Arc::new(store);
    for n in 0..1_500 {
        let store = std::sync::Arc::clone(&store);
        tasks.spawn(async move { store.put_message(message(n)).await.expect("stores") });
    }
    tasks.join_all().await;
    store.close().await;
    let bounds = StoreOptions { max_logs: 3, max_messages: 0, ..StoreOptions::default() };
    let store = open(directory.path(), bounds).expect("opens");
    assert_eq!(store.logs(None, 10).await.expect("reads"), ["4999", "4998", "4997"].map(line));
    let left = store.messages(MessageQuery::default()).await.expect("reads");
    assert_eq!(left.iter().map(|record| record.seq).collect::<Vec<_>>(), [1_500], "zero is taken as one");
    store.close().await;
}

#[tokio::test]
async fn a_record_of_another_release_is_left_out() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path(), StoreOptions::default()).expect("opens");
    store.put_log(line("one"));
    assert_eq!(logs(&store).await, 1);
    let other = Connection::open(directory.path().join(STORE_FILE)).expect("opens");
    other.execute("INSERT INTO logs (at, app, record) VALUES (0, 'a', '{\"text\":1}')", []).expect("inserts");
    store.put_log(line("two"));
    assert_eq!(store.logs(None, 10).await.expect("reads"), ["two", "one"].map(line));
    store.close().await;
}
