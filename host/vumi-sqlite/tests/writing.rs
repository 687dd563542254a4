//! Group commit: batching, order, isolation of failing jobs, bounds, closing.

mod kit;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use kit::{Held, insert, numbers, open, open_with};
use rusqlite::ErrorCode;
use vumi_sqlite::{Database, DbError, Options, Pending};

async fn all<T>(pending: Vec<Pending<T>>) -> Vec<Result<T, DbError>> {
    let mut answers = Vec::new();
    for one in pending {
        answers.push(one.await);
    }
    answers
}

#[tokio::test]
async fn jobs_that_gather_share_one_commit() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = open(directory.path());
    let held = Held::hold(&database);
    let pending: Vec<_> = (0..500).map(|n| database.submit(insert(n))).collect();
    assert_eq!(database.stats().queued, 500);
    held.release().await;
    assert!(all(pending).await.iter().all(Result::is_ok));
    let stats = database.stats();
    assert_eq!((stats.jobs, stats.commits, stats.failed_commits), (501, 2, 0));
}

#[tokio::test]
async fn a_batch_has_a_maximum() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = open_with(Options { batch_max: 100, ..Options::file(directory.path().join("d.db")) });
    let held = Held::hold(&database);
    let pending: Vec<_> = (0..250).map(|n| database.submit(insert(n))).collect();
    held.release().await;
    assert!(all(pending).await.iter().all(Result::is_ok));
    assert_eq!(database.stats().commits, 1 + 3);
}

#[tokio::test]
async fn order_of_submission_is_order_of_execution() {
    let database = open_with(Options::memory());
    let held = Held::hold(&database);
    let mut pending = Vec::new();
    for n in 0..1_000 {
        // Two ways in, one order.
        pending.push(if n % 2 == 0 {
            database.submit(insert(n))
        } else {
            database.room().await.expect("open").submit(insert(n))
        });
    }
    held.release().await;
    all(pending).await;
    let found = database.read(numbers).await.expect("reads");
    assert_eq!(found, (0..1_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_failing_job_is_undone_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = open(directory.path());
    let held = Held::hold(&database);
    let before = database.submit(insert(1));
    let failing = database.submit(|connection| {
        insert(2)(connection)?;
        // Not unique: fails after its first statement has succeeded.
        insert(1)(connection)
    });
    let panicking = database.submit(|connection| -> rusqlite::Result<()> {
        insert(3)(connection)?;
        panic!("a test's panic")
    });
    let after = database.submit(insert(4));
    held.release().await;

    assert!(before.await.is_ok());
    match failing.await {
        Err(DbError::Sql(cause)) => {
            assert_eq!(cause.sqlite_error_code(), Some(ErrorCode::ConstraintViolation));
        }
        other => panic!("{other:?}"),
    }
    match panicking.await {
        Err(DbError::Panicked(text)) => assert_eq!(text, "a test's panic"),
        other => panic!("{other:?}"),
    }
    assert!(after.await.is_ok());
    assert_eq!(database.read(numbers).await.expect("reads"), [1, 4]);
    assert_eq!(database.stats().commits, 2);
}

/// SQLite rolls the whole transaction back by itself when the disk is full: whoever had run before in the same batch
/// must not be told that it is written, and whoever comes after must not run outside a transaction.
#[tokio::test]
async fn a_full_disk_confirms_nothing_of_its_transaction_and_the_writer_goes_on() {
    let database = open_with(Options::memory());
    let limit = |pages: u32| {
        database.write(move |connection| connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())))
    };
    let used: u32 = database
        .write(|connection| connection.pragma_query_value(None, "page_count", |row| row.get(0)))
        .await
        .expect("reads");
    limit(used).await.expect("sets");

    let held = Held::hold(&database);
    let before = database.submit(insert(1));
    let too_large =
        database.submit(|connection| connection.execute("INSERT INTO number (n) VALUES (zeroblob(1000000))", []));
    let after = database.submit(insert(2));
    held.release().await;

    match before.await {
        Err(error @ DbError::NotCommitted(_)) => assert!(error.is_temporary()),
        other => panic!("{other:?}"),
    }
    match too_large.await {
        Err(error @ DbError::Sql(_)) => assert!(error.is_temporary()),
        other => panic!("{other:?}"),
    }
    after.await.expect("in the next transaction");
    assert_eq!(database.read(numbers).await.expect("reads"), [2]);
    assert_eq!(database.stats().failed_commits, 1);
}

/// A violated deferred constraint is the one error that only `COMMIT` itself reports.
#[tokio::test]
async fn a_failed_commit_fails_every_job_of_the_batch() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = Database::open(
        Options::file(directory.path().join("d.db")),
        &["CREATE TABLE number (id INTEGER PRIMARY KEY, n INTEGER NOT NULL UNIQUE); \
           CREATE TABLE child (n INTEGER REFERENCES number (n) DEFERRABLE INITIALLY DEFERRED)"],
    )
    .expect("opens");
    let held = Held::hold(&database);
    let bystander = database.submit(insert(1));
    let culprit = database.submit(|connection| connection.execute("INSERT INTO child VALUES (99)", []));
    held.release().await;
    assert!(matches!(bystander.await, Err(DbError::NotCommitted(_))));
    assert!(matches!(culprit.await, Err(DbError::NotCommitted(_))));
    assert_eq!(database.read(numbers).await.expect("reads"), [0; 0]);

    database.write(insert(2)).await.expect("the writer goes on");
    assert_eq!(database.read(numbers).await.expect("reads"), [2]);
}

#[tokio::test]
async fn a_job_that_ends_the_transaction_is_an_error() {
    let database = open_with(Options::memory());
    let held = Held::hold(&database);
    let before = database.submit(insert(1));
    let rude = database.submit(|connection| connection.execute_batch("ROLLBACK"));
    let after = database.submit(insert(2));
    held.release().await;
    assert!(matches!(before.await, Err(DbError::TransactionEnded)));
    assert!(matches!(rude.await, Err(DbError::TransactionEnded)));
    after.await.expect("in the next transaction");
    assert_eq!(database.read(numbers).await.expect("reads"), [2]);
}

#[tokio::test]
async fn the_queue_is_bounded() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = open_with(Options { queue_bound: 2, ..Options::file(directory.path().join("d.db")) });
    let held = Held::hold(&database);
    let first = database.submit(insert(1));
    let slot = database.room().await.expect("open");
    // A reserved place counts as taken.
    assert!(matches!(database.submit(insert(9)).await, Err(DbError::Full { bound: 2 })));
    let second = slot.submit(insert(2));
    let mut third = pin!(database.write(insert(3)));
    let poll = third.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(poll, Poll::Pending), "waits for room");
    held.release().await;
    third.await.expect("written once there is room");
    assert!(first.await.is_ok() && second.await.is_ok());
    assert_eq!(database.read(numbers).await.expect("reads"), [1, 2, 3]);
}

#[tokio::test]
async fn an_unused_place_is_given_back() {
    let database = open_with(Options { queue_bound: 1, ..Options::memory() });
    drop(database.room().await.expect("open"));
    database.submit(insert(1)).await.expect("there is room");
}

#[tokio::test]
async fn an_unwatched_job_runs_all_the_same() {
    let database = open_with(Options::memory());
    let held = Held::hold(&database);
    drop(database.submit(insert(1)));
    held.release().await;
    assert_eq!(database.read(numbers).await.expect("reads"), [1]);
}

#[tokio::test]
async fn closing_finishes_what_is_queued_and_refuses_what_comes_later() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = open(directory.path());
    let held = Held::hold(&database);
    let pending: Vec<_> = (0..50).map(|n| database.submit(insert(n))).collect();
    let mut closing = pin!(database.close());
    let poll = closing.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(poll, Poll::Pending), "waits for the writer");
    assert!(matches!(database.submit(insert(99)).await, Err(DbError::Closed)));
    assert!(matches!(database.write(insert(99)).await, Err(DbError::Closed)));
    assert!(matches!(database.read(numbers).await, Err(DbError::Closed)));
    held.release().await;
    closing.await;
    assert!(all(pending).await.iter().all(Result::is_ok));
    database.close().await;

    // Checkpointed: nothing is left beside the file but the lock file.
    let mut names: Vec<_> =
        std::fs::read_dir(directory.path()).expect("lists").map(|entry| entry.expect("an entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["d.db", "d.db.lock"]);
    let again = open(directory.path());
    assert_eq!(again.read(numbers).await.expect("reads"), (0..50).collect::<Vec<_>>());
}

#[test]
fn blocking_calls_need_no_runtime_and_do_not_panic_in_one() {
    let database = open_with(Options::memory());
    database.write_blocking(insert(1)).expect("writes");
    assert_eq!(database.submit(insert(2)).wait().expect("writes"), 1);
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(async {
        assert_eq!(database.read_blocking(numbers).expect("reads"), [1, 2]);
    });
    database.close_blocking();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_write_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = open_with(Options { queue_bound: 16, ..Options::file(directory.path().join("d.db")) });
    let total = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let tasks: Vec<_> = (0..100)
        .map(|task| {
            let (database, total) = (database.clone(), Arc::clone(&total));
            tokio::spawn(async move {
                for n in 0..10 {
                    let rows = database.write(insert(task * 10 + n)).await.expect("writes");
                    total.fetch_add(rows, std::sync::atomic::Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("ends");
    }
    assert_eq!(total.load(std::sync::atomic::Ordering::Relaxed), 1_000);
    let mut found = database.read(numbers).await.expect("reads");
    // Each task's own numbers are in order, whatever the mixture.
    for task in 0..100 {
        let own: Vec<_> = found.iter().filter(|n| **n / 10 == task).collect();
        assert!(own.is_sorted(), "{own:?}");
    }
    found.sort_unstable();
    assert_eq!(found, (0..1_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn without_close_the_last_handle_still_leaves_nothing_undone() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = open(directory.path());
    let pending: Vec<_> = (0..50).map(|n| database.submit(insert(n))).collect();
    drop(database);
    assert!(all(pending).await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn closing_tells_those_who_wait_for_room() {
    let database = open_with(Options { queue_bound: 1, ..Options::memory() });
    let held = Held::hold(&database);
    let queued = database.submit(insert(1));
    let mut waiting = pin!(database.write(insert(2)));
    let poll = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(poll, Poll::Pending), "waits for room");
    let mut closing = pin!(database.close());
    let poll = closing.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(poll, Poll::Pending), "waits for the writer");
    assert!(matches!(waiting.await, Err(DbError::Closed)));
    held.release().await;
    closing.await;
    queued.await.expect("was queued before");
}
