//! Opening: migrations, settings, and one clear sentence for each file that cannot be used.

#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod kit;

use std::path::Path;

use kit::{SCHEMA, insert, numbers, open, open_with};
use rusqlite::Connection;
use vumi_sqlite::{Database, Durability, OpenError, Options};

fn refusal(path: &Path, migrations: &[&str]) -> (OpenError, String) {
    let error = Database::open(Options::file(path), migrations).expect_err("must be refused");
    let text = error.to_string();
    assert!(text.starts_with(&path.display().to_string()), "{text}");
    assert!(!text.contains('\n'), "{text}");
    (error, text)
}

#[tokio::test]
async fn a_reopened_file_holds_everything() {
    let directory = tempfile::tempdir().expect("a directory");
    for n in 0..5 {
        let database = open(directory.path());
        assert_eq!(database.read(numbers).await.expect("reads"), (0..n).collect::<Vec<_>>());
        database.write(insert(n)).await.expect("writes");
        database.close().await;
    }
}

#[tokio::test]
async fn the_pragmas_are_really_set() {
    for (durability, expected) in [(Durability::Power, 2), (Durability::Process, 1)] {
        let directory = tempfile::tempdir().expect("a directory");
        let database = open_with(Options { durability, ..Options::file(directory.path().join("d.db")) });
        let (synchronous, mode, keys): (i64, String, bool) = database
            .write(|connection| {
                Ok((
                    connection.pragma_query_value(None, "synchronous", |row| row.get(0))?,
                    connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?,
                    connection.pragma_query_value(None, "foreign_keys", |row| row.get(0))?,
                ))
            })
            .await
            .expect("reads");
        // <https://sqlite.org/pragma.html#pragma_synchronous>: 2 is FULL, 1 is NORMAL.
        assert_eq!((synchronous, mode.as_str(), keys), (expected, "wal", true));
    }
}

#[tokio::test]
async fn migrations_run_once_each_and_in_order() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("d.db");
    let first = ["CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1)"];
    let both = [first[0], "ALTER TABLE a ADD COLUMN y INTEGER DEFAULT 7"];
    for migrations in [&first[..], &both[..], &both[..]] {
        let database = Database::open(Options::file(&path), migrations).expect("opens");
        let version: u16 = database
            .read(|connection| connection.pragma_query_value(None, "user_version", |row| row.get(0)))
            .await
            .expect("reads");
        assert_eq!(usize::from(version), migrations.len());
        database.close().await;
    }
    let connection = Connection::open(&path).expect("opens");
    let rows: Vec<(i64, i64)> = connection
        .prepare("SELECT x, y FROM a")
        .expect("prepares")
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("runs")
        .collect::<Result<_, _>>()
        .expect("reads");
    assert_eq!(rows, [(1, 7)]);
}

#[test]
fn a_failing_migration_leaves_the_file_as_it_was() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("d.db");
    let good = "CREATE TABLE a (x INTEGER)";
    let (error, text) = refusal(&path, &[good, "CREATE TABLE b (x INTEGER); NO SUCH WORDS"]);
    assert!(matches!(error, OpenError::Migration { version: 2, .. }), "{error:?}");
    assert!(text.contains("schema version 2"), "{text}");
    // The first is done, the second not by half: the mended list goes on from there.
    let database = Database::open(Options::file(&path), &[good, "CREATE TABLE b (x INTEGER)"]).expect("opens");
    database.close_blocking();
}

#[test]
fn a_file_from_a_newer_release_is_refused_and_untouched() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("d.db");
    let newer = ["CREATE TABLE a (x)", "CREATE TABLE b (x)"];
    Database::open(Options::file(&path), &newer).expect("opens").close_blocking();
    let before = std::fs::read(&path).expect("reads");
    let (error, text) = refusal(&path, &newer[..1]);
    assert!(matches!(error, OpenError::Newer { found: 2, known: 1, .. }), "{error:?}");
    assert!(text.contains("newer release"), "{text}");
    assert_eq!(std::fs::read(&path).expect("reads"), before);
}

#[test]
fn a_database_of_another_program_is_refused_and_untouched() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("d.db");
    Connection::open(&path).expect("opens").execute_batch("CREATE TABLE theirs (x)").expect("runs");
    let before = std::fs::read(&path).expect("reads");
    let (error, _) = refusal(&path, SCHEMA);
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
    assert_eq!(std::fs::read(&path).expect("reads"), before);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_untouched() {
    let directory = tempfile::tempdir().expect("a directory");
    for content in ["short", &"a long text that is no database. ".repeat(1_000)] {
        let path = directory.path().join("notes.txt");
        std::fs::write(&path, content).expect("writes");
        let (error, text) = refusal(&path, SCHEMA);
        assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
        assert!(text.contains("not an SQLite database"), "{text}");
        assert_eq!(std::fs::read_to_string(&path).expect("reads"), content);
    }
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let missing = directory.path().join("no-such-directory").join("d.db");
    let (error, text) = refusal(&missing, SCHEMA);
    assert!(matches!(error, OpenError::NotWritable { .. }), "{error:?}");
    assert!(text.contains("directory exists"), "{text}");

    let folder = directory.path().join("folder");
    std::fs::create_dir(&folder).expect("makes");
    let (error, _) = refusal(&folder, SCHEMA);
    assert!(matches!(error, OpenError::NotWritable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_second_opener_is_told_who_holds_the_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("d.db");
    let database = open(directory.path());
    let (error, text) = refusal(&path, SCHEMA);
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    let holder = format!("process {}", std::process::id());
    assert!(text.contains(&holder), "{text}");
    // The refused attempt has not disturbed the holder, nor its name in the lock file.
    database.write(insert(1)).await.expect("writes");
    assert!(refusal(&path, SCHEMA).1.contains(&holder));
    database.close().await;
    open(directory.path()).close().await;
}

#[test]
fn a_foreign_lock_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("d.db");
    open(directory.path()).close_blocking();
    let shell = Connection::open(&path).expect("opens");
    shell.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").expect("locks");
    let (error, _) = refusal(&path, SCHEMA);
    assert!(matches!(error, OpenError::Locked { .. }), "{error:?}");
}

#[cfg(unix)]
#[test]
fn the_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory");
    let database = open(directory.path());
    database.write_blocking(insert(1)).expect("writes");
    for name in ["d.db", "d.db-wal", "d.db.lock"] {
        let found = std::fs::metadata(directory.path().join(name)).expect(name);
        assert_eq!(found.permissions().mode() & 0o777, 0o600, "{name}");
    }
}
