//! What only recordings in a file do: outlast their process, and cope with a file that cannot be written.

#![allow(clippy::expect_used, reason = "tests may fail loudly")]

mod kit;
mod recordings_rules;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kit::{FakeClock, eventually};
use metrics_exporter_prometheus::PrometheusBuilder;
use recordings_rules::{difference, recording};
use rusqlite::Connection;
use vumi_core::{Clock, Recording, RecordingBounds, RecordingQuery, Recordings};
use vumi_message::Timestamp;
use vumi_store::{Durability, RECORDINGS_FILE, SqliteRecordings, StoreError};

fn open(
    directory: &Path,
    bounds: RecordingBounds,
    clock: &Arc<FakeClock>,
) -> Result<Arc<SqliteRecordings>, StoreError> {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    vumi_store::recordings_at(directory.join(RECORDINGS_FILE), Durability::Process, bounds, clock)
}

/// Another program's connection to the file.
fn other(directory: &Path) -> Connection {
    Connection::open(directory.join(RECORDINGS_FILE)).expect("opens")
}

/// How many rows the file has, whatever a reader is shown.
fn rows(directory: &Path) -> i64 {
    other(directory).query_row("SELECT count(*) FROM recordings", [], |row| row.get(0)).expect("counts")
}

async fn list(recordings: &SqliteRecordings) -> Vec<u64> {
    let query = RecordingQuery { limit: usize::MAX, ..RecordingQuery::default() };
    recordings.list(query).await.expect("lists").into_iter().map(|recording| recording.cpu_us).collect()
}

async fn differences(recordings: &SqliteRecordings) -> Vec<u64> {
    let found = recordings.differences("shop", None, usize::MAX).await.expect("reads");
    found.into_iter().map(|difference| difference.seq).collect()
}

#[tokio::test]
async fn closing_writes_all_that_was_taken() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let recordings = open(directory.path(), RecordingBounds::default(), &clock).expect("opens");
    for n in 0..3_000 {
        recordings.put(recording(n));
        recordings.put_difference(difference("shop", n));
    }
    recordings.close().await;
    assert_eq!(recordings.dropped(), 0);
    let recordings = open(directory.path(), RecordingBounds::default(), &clock).expect("opens");
    assert_eq!((list(&recordings).await.len(), differences(&recordings).await.len()), (3_000, 3_000));
    assert_eq!(recordings.get(&recording(77).id).await.expect("reads"), Some(recording(77)));
    recordings.close().await;
}

#[tokio::test]
async fn being_dropped_writes_all_that_was_taken() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let recordings = open(directory.path(), RecordingBounds::default(), &clock).expect("opens");
    for n in 0..2_000 {
        recordings.put(recording(n));
    }
    drop(recordings);
    let recordings = eventually(|| open(directory.path(), RecordingBounds::default(), &clock)).await;
    assert_eq!(list(&recordings).await.len(), 2_000);
    recordings.close().await;
}

#[tokio::test]
async fn a_full_buffer_drops_and_counts_and_never_waits() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let recordings = open(directory.path(), RecordingBounds::default(), &clock).expect("opens");
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let other = other(directory.path());
    other.execute_batch("BEGIN IMMEDIATE").expect("locks");
    // While the file is locked, at most one batch of 32 MiB is under way and 32 MiB wait.
    metrics::with_local_recorder(&recorder, || {
        for n in 0..100 {
            recordings.put(Recording { tape: "t".repeat(1 << 20), ..recording(n) });
        }
        for n in 0..20_000 {
            recordings.put_difference(difference("shop", n));
        }
    });
    let dropped = recordings.dropped();
    let count = |kind: &str| {
        let start = format!("vumi_store_dropped_total{{kind=\"{kind}\"}} ");
        let text = metrics.render();
        let line = text.lines().find_map(|line| line.strip_prefix(start.as_str())).map(str::to_owned);
        line.map_or(0, |number| number.parse::<u64>().expect("a number"))
    };
    let (tapes, differs) = (count("recording"), count("difference"));
    assert_eq!(tapes + differs, dropped);
    assert!((36..=69).contains(&tapes), "{tapes}");
    assert!(differs > 0, "{differs}");
    drop(other);
    assert_eq!(list(&recordings).await.len() as u64, 100 - tapes);
    assert_eq!(differences(&recordings).await.len() as u64, (20_000 - differs).min(10_000));
    recordings.put(recording(1_000));
    assert!(recordings.get(&recording(1_000).id).await.expect("reads").is_some(), "it goes on");
    assert_eq!(recordings.dropped(), dropped);
    recordings.close().await;
}

#[tokio::test]
async fn what_can_never_be_written_is_dropped_and_counted() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let recordings = open(directory.path(), RecordingBounds::default(), &clock).expect("opens");
    other(directory.path()).execute_batch("ALTER TABLE recordings RENAME TO away").expect("renames");
    recordings.put(recording(1));
    recordings.close().await;
    assert_eq!(recordings.dropped(), 1);
}

#[tokio::test]
async fn lower_bounds_take_effect_at_opening() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let recordings = open(directory.path(), RecordingBounds::default(), &clock).expect("opens");
    for n in 0..5_000 {
        recordings.put(Recording { tape: "0123456789".into(), ..recording(n) });
        recordings.put_difference(difference("shop", n));
    }
    recordings.close().await;
    let fewer = RecordingBounds { recordings: 1_000, differences: 3, ..RecordingBounds::default() };
    let recordings = open(directory.path(), fewer, &clock).expect("opens");
    assert_eq!(rows(directory.path()), 1_000, "in the file");
    assert_eq!(list(&recordings).await, (4_000..5_000).rev().collect::<Vec<u64>>());
    assert_eq!(differences(&recordings).await, [5_000, 4_999, 4_998]);
    recordings.close().await;
    let smaller = RecordingBounds { bytes: 25, ..RecordingBounds::default() };
    let recordings = open(directory.path(), smaller, &clock).expect("opens");
    assert_eq!(list(&recordings).await, [4_999, 4_998]);
    recordings.close().await;
}

#[tokio::test]
async fn what_is_too_old_leaves_the_file_at_opening_and_with_the_next_batch() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let bounds = RecordingBounds { age: Duration::from_secs(60), ..RecordingBounds::default() };
    let recordings = open(directory.path(), bounds, &clock).expect("opens");
    let now = |n| Recording { at: clock.now(), ..recording(n) };
    for n in 0..5_000 {
        recordings.put(now(n));
    }
    recordings.close().await;
    clock.advance_secs(61);
    let recordings = open(directory.path(), bounds, &clock).expect("opens");
    assert_eq!(rows(directory.path()), 0);
    (0..3).for_each(|n| recordings.put(now(n)));
    assert_eq!(list(&recordings).await.len(), 3);
    clock.advance_secs(61);
    recordings.put(now(9));
    assert_eq!(list(&recordings).await, [9]);
    assert_eq!(rows(directory.path()), 1);
    recordings.close().await;
}

#[tokio::test]
async fn a_recording_of_another_release_is_left_out() {
    let (directory, clock) = (tempfile::tempdir().expect("a directory"), FakeClock::new());
    let recordings = open(directory.path(), RecordingBounds::default(), &clock).expect("opens");
    recordings.put(recording(1));
    assert_eq!(list(&recordings).await, [1]);
    other(directory.path())
        .execute(
            "INSERT INTO recordings (id, at, app, tape_bytes, record, tape) VALUES ('x', ?1, 'shop', 0, '{\"id\":1}', '')",
            [Timestamp::from_secs(1_700_000_000).micros()],
        )
        .expect("inserts");
    assert_eq!(list(&recordings).await, [1]);
    assert_eq!(recordings.get("x").await.expect("reads"), None);
    recordings.close().await;
}
