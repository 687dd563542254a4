//! What the tests of this crate share: a schema, and a way to hold the writer still while jobs gather.

#![allow(dead_code, reason = "each test file is a crate of its own and uses a part of this")]
#![allow(clippy::expect_used, reason = "tests may fail loudly")]

use std::path::Path;
use std::sync::mpsc;

use rusqlite::Connection;
use vumi_sqlite::{Database, Options, Pending};

/// A table of numbers, with an order of insertion.
pub(crate) const SCHEMA: &[&str] = &["CREATE TABLE number (id INTEGER PRIMARY KEY, n INTEGER NOT NULL UNIQUE)"];

/// Opens the file `d.db` in a directory with the schema above.
pub(crate) fn open(directory: &Path) -> Database {
    open_with(Options::file(directory.join("d.db")))
}

/// Opens with the schema above.
pub(crate) fn open_with(options: Options) -> Database {
    Database::open(options, SCHEMA).expect("opens")
}

/// A job that adds a number.
pub(crate) fn insert(n: i64) -> impl FnOnce(&Connection) -> rusqlite::Result<usize> + Send + 'static {
    move |connection| connection.prepare_cached("INSERT INTO number (n) VALUES (?1)")?.execute([n])
}

/// A job that lists the numbers in order of insertion.
pub(crate) fn numbers(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    connection.prepare_cached("SELECT n FROM number ORDER BY id")?.query_map([], |row| row.get(0))?.collect()
}

/// Holds the writer inside a job of its own until released.
pub(crate) struct Held {
    release: mpsc::Sender<()>,
    held: Pending<()>,
}

impl Held {
    /// Returns once the writer is inside the holding job, and nothing else is in its batch.
    pub(crate) fn hold(database: &Database) -> Self {
        let (release, wait) = mpsc::channel::<()>();
        let (inside, entered) = mpsc::channel();
        let held = database.submit(move |_| {
            inside.send(()).expect("the test waits");
            // An error means that the test is over and dropped its end.
            let _ = wait.recv();
            Ok(())
        });
        entered.recv().expect("the writer runs");
        Self { release, held }
    }

    /// Lets the writer go on.
    pub(crate) async fn release(self) {
        self.release.send(()).expect("the writer waits");
        self.held.await.expect("held");
    }
}
