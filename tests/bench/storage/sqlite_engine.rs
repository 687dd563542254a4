//! The group-committing SQLite writer, as the embedded broker and store use it.

use std::path::Path;

use rusqlite::OptionalExtension;
use vumi_sqlite::{Database, Durability, Options};

use crate::engine::Engine;

#[derive(Clone)]
pub struct Sqlite(Database);

impl Sqlite {
    pub fn open(path: &Path, durability: Durability) -> Self {
        let options = Options { durability, ..Options::file(path) };
        let schema = "CREATE TABLE message (id INTEGER PRIMARY KEY, body BLOB NOT NULL); \
                      CREATE TABLE pair (key TEXT PRIMARY KEY, value BLOB NOT NULL); \
                      CREATE TABLE counter (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID";
        Self(Database::open(options, &[schema]).expect("opens"))
    }

    /// Jobs per commit so far.
    pub fn batching(&self) -> f64 {
        let stats = self.0.stats();
        stats.jobs as f64 / stats.commits as f64
    }
}

impl Engine for Sqlite {
    async fn put(&self, id: u64, body: Vec<u8>) {
        let job = move |connection: &rusqlite::Connection| {
            connection
                .prepare_cached("INSERT INTO message (id, body) VALUES (?1, ?2)")?
                .execute((id.cast_signed(), body))
        };
        assert_eq!(self.0.write(job).await.expect("writes"), 1);
    }

    async fn lease(&self, id: u64) -> Vec<u8> {
        let job = move |connection: &rusqlite::Connection| {
            connection
                .prepare_cached("SELECT body FROM message WHERE id = ?1")?
                .query_row([id.cast_signed()], |row| row.get(0))
        };
        self.0.read(job).await.expect("reads")
    }

    async fn ack(&self, id: u64) {
        let job = move |connection: &rusqlite::Connection| {
            connection.prepare_cached("DELETE FROM message WHERE id = ?1")?.execute([id.cast_signed()])
        };
        assert_eq!(self.0.write(job).await.expect("writes"), 1);
    }

    async fn get(&self, key: String) -> Option<Vec<u8>> {
        let job = move |connection: &rusqlite::Connection| {
            connection
                .prepare_cached("SELECT value FROM pair WHERE key = ?1")?
                .query_row([key], |row| row.get(0))
                .optional()
        };
        self.0.read(job).await.expect("reads")
    }

    async fn set(&self, key: String, value: Vec<u8>) {
        let job = move |connection: &rusqlite::Connection| {
            connection
                .prepare_cached(
                    "INSERT INTO pair (key, value) VALUES (?1, ?2) \
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                )?
                .execute((key, value))
        };
        assert_eq!(self.0.write(job).await.expect("writes"), 1);
    }

    async fn incr(&self, key: String) -> i64 {
        let job = move |connection: &rusqlite::Connection| {
            connection
                .prepare_cached(
                    "INSERT INTO counter (key, value) VALUES (?1, 1) \
                     ON CONFLICT (key) DO UPDATE SET value = value + 1 RETURNING value",
                )?
                .query_row([key], |row| row.get(0))
        };
        self.0.write(job).await.expect("writes")
    }

    async fn check(&self, increments: u64) {
        let job = |connection: &rusqlite::Connection| {
            connection.query_row(
                "SELECT (SELECT count(*) FROM message), (SELECT coalesce(sum(value), 0) FROM counter)",
                [],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
            )
        };
        assert_eq!(self.0.read(job).await.expect("reads"), (0, increments.cast_signed()));
    }

    async fn close(&self) {
        self.0.close().await;
    }
}
