//! Reads: they see what is confirmed, one state throughout, and do not hinder the writer.

mod kit;

use std::sync::mpsc;

use kit::{insert, numbers, open, open_with};
use rusqlite::ErrorCode;
use vumi_sqlite::{DbError, Options};

#[tokio::test]
async fn a_read_sees_what_was_confirmed_before() {
    let directory = tempfile::tempdir().expect("a directory");
    for database in [open(directory.path()), open_with(Options::memory())] {
        for n in 0..20 {
            database.write(insert(n)).await.expect("writes");
            let found = database.read(numbers).await.expect("reads");
            assert_eq!(found, (0..=n).collect::<Vec<_>>());
        }
    }
}

#[tokio::test]
async fn a_read_sees_one_state_throughout_and_does_not_hinder_the_writer() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = open(directory.path());
    database.write(insert(1)).await.expect("writes");
    let (first_done, first) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    let reading = {
        let database = database.clone();
        tokio::spawn(async move {
            database
                .read(move |connection| {
                    let before = numbers(connection)?;
                    first_done.send(()).expect("the test waits");
                    wait.recv().expect("the test goes on");
                    Ok((before, numbers(connection)?))
                })
                .await
        })
    };
    tokio::task::spawn_blocking(move || first.recv()).await.expect("ends").expect("the read runs");
    database.write(insert(2)).await.expect("not hindered");
    // A second reader, at the same time, sees the new state.
    assert_eq!(database.read(numbers).await.expect("reads"), [1, 2]);
    go_on.send(()).expect("the read waits");
    let (before, after) = reading.await.expect("ends").expect("reads");
    assert_eq!((before, after), (vec![1], vec![1]));
}

#[tokio::test]
async fn a_read_of_a_file_cannot_write() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = open(directory.path());
    match database.read(insert(1)).await {
        Err(DbError::Sql(cause)) => {
            assert_eq!(cause.sqlite_error_code(), Some(ErrorCode::ReadOnly));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(database.read(numbers).await.expect("reads"), [0; 0]);
}

#[tokio::test]
async fn a_panicking_or_rude_read_harms_nobody() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = open_with(Options { readers: 1, ..Options::file(directory.path().join("d.db")) });
    let panicked = database.read(|_| -> rusqlite::Result<()> { panic!("a test's panic") }).await;
    assert!(matches!(panicked, Err(DbError::Panicked(_))));
    database.read(|connection| connection.execute_batch("COMMIT")).await.expect("ends its own transaction only");
    assert_eq!(database.read(numbers).await.expect("reads"), [0; 0]);
}
