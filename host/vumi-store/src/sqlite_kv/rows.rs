//! The statements: one row by key, rows by prefix, rows by moment of expiry.

use rusqlite::{Connection, OptionalExtension, Row, params};
use vumi_core::KvEntry;

use super::cache::Known;
use crate::expiry::left_ms;
use crate::number;

/// A row without its key.
pub(super) struct Stored {
    pub(super) value: String,
    /// Milliseconds since the epoch.
    pub(super) expires: Option<i64>,
    /// The key of the counter that counts this row.
    pub(super) counter: Option<String>,
}

/// The row as it is stored, expired or not.
pub(super) fn load(connection: &Connection, key: &str) -> rusqlite::Result<Option<Stored>> {
    connection
        .prepare_cached("SELECT value, expires_at, counter FROM kv WHERE key = ?1")?
        .query_row([key], |row| Ok(Stored { value: row.get(0)?, expires: row.get(1)?, counter: row.get(2)? }))
        .optional()
}

pub(super) fn insert(connection: &Connection, key: &str, row: &Stored) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO kv (key, value, expires_at, counter) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![key, row.value, row.expires, row.counter])
        .map(drop)
}

/// Changes value and expiry; the counter stays.
pub(super) fn change(connection: &Connection, key: &str, value: &str, expires: Option<i64>) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE kv SET value = ?2, expires_at = ?3 WHERE key = ?1")?
        .execute(params![key, value, expires])
        .map(drop)
}

pub(super) fn delete(connection: &Connection, key: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM kv WHERE key = ?1")?.execute([key]).map(drop)
}

/// The keys counted in `counter` that have expired.
pub(super) fn expired_of(connection: &Connection, counter: &str, now: i64) -> rusqlite::Result<Vec<String>> {
    connection.prepare_cached(EXPIRED_OF)?.query_map(params![counter, now], |row| row.get(0))?.collect()
}

/// Whether rows are counted in `key`.
pub(super) fn is_counter(connection: &Connection, key: &str) -> rusqlite::Result<bool> {
    connection.prepare_cached(IS_COUNTER)?.query_row([key], |row| row.get(0))
}

/// Rows that have expired: key and counter, the oldest first.
pub(super) fn expired(
    connection: &Connection,
    now: i64,
    limit: usize,
) -> rusqlite::Result<Vec<(String, Option<String>)>> {
    connection
        .prepare_cached(EXPIRED)?
        .query_map(params![now, bound(limit)], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// What readers see of a row: value, expiry, how many rows that it counts have expired but are still there, and key.
macro_rules! shown {
    ($which:literal) => {
        concat!(
            "SELECT value, expires_at,
                (SELECT count(*) FROM kv AS counted WHERE counted.counter = kv.key AND counted.expires_at <= ?2), key
            FROM kv WHERE (expires_at IS NULL OR expires_at > ?2) AND ",
            $which
        )
    };
}

const EXPIRED: &str = "SELECT key, counter FROM kv WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2";
const EXPIRED_OF: &str = "SELECT key FROM kv WHERE counter = ?1 AND expires_at <= ?2";
const IS_COUNTER: &str = "SELECT EXISTS (SELECT 1 FROM kv WHERE counter = ?1)";
const GET: &str = shown!("key = ?1");
const LIST: &str = shown!("key >= ?1 AND key < ?4 ORDER BY key LIMIT ?3");
const LIST_TO_END: &str = shown!("key >= ?1 ORDER BY key LIMIT ?3");

/// The visible row: value and expiry.
pub(super) fn shown(connection: &Connection, key: &str, now: i64) -> rusqlite::Result<Known> {
    connection.prepare_cached(GET)?.query_row(params![key, now], |row| Ok((value(row)?, row.get(1)?))).optional()
}

/// The visible rows whose keys begin with `prefix`, in order.
pub(super) fn list(connection: &Connection, prefix: &str, limit: usize, now: i64) -> rusqlite::Result<Vec<KvEntry>> {
    // A range and not LIKE, for which `%` and `_` would be wildcards, and upper and lower case the same.
    let entry = |row: &Row<'_>| {
        let expires: Option<i64> = row.get(1)?;
        Ok(KvEntry { key: row.get(3)?, value: value(row)?, ttl_ms: expires.map(|at| left_ms(at, now)) })
    };
    match after_prefix(prefix) {
        Some(end) => {
            connection.prepare_cached(LIST)?.query_map(params![prefix, now, bound(limit), end], entry)?.collect()
        }
        None => connection.prepare_cached(LIST_TO_END)?.query_map(params![prefix, now, bound(limit)], entry)?.collect(),
    }
}

fn value(row: &Row<'_>) -> rusqlite::Result<String> {
    let value: String = row.get(0)?;
    Ok(match row.get(2)? {
        0 => value,
        gone => number::fewer(&value, gone).map_or(value, |number| number.to_string()),
    })
}

/// The smallest text above all texts that begin with `prefix`; none when there is no such text. The order of UTF-8 bytes
/// is the order of the characters' numbers, so the last character is replaced by its successor.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut rest = prefix.chars();
    while let Some(last) = rest.next_back() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            let mut end = String::from(rest.as_str());
            end.push(next);
            return Some(end);
        }
    }
    None
}

fn bound(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_after_a_prefix() {
        assert_eq!(after_prefix("ab").as_deref(), Some("ac"));
        assert_eq!(after_prefix("a\u{0}").as_deref(), Some("a\u{1}"));
        // The numbers between D7FF and E000 are no characters.
        assert_eq!(after_prefix("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(after_prefix("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after_prefix("\u{10ffff}\u{10ffff}"), None);
        assert_eq!(after_prefix(""), None);
    }

    #[test]
    fn every_search_uses_its_index() {
        let connection = Connection::open_in_memory().expect("opens");
        connection.execute_batch(super::super::MIGRATIONS[0]).expect("migrates");
        let plan = |sql: &str| -> String {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("prepares");
            let steps = statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
            steps.expect("plans").join("\n")
        };
        let get = plan(GET);
        assert!(get.contains("kv USING PRIMARY KEY (key=?)"), "{get}");
        assert!(get.contains("kv_counted (counter=? AND expires_at<?)"), "{get}");
        let list = plan(LIST);
        assert!(list.contains("kv USING PRIMARY KEY (key>? AND key<?)"), "{list}");
        assert!(!list.contains("TEMP B-TREE"), "{list}");
        let of = plan(EXPIRED_OF);
        assert!(of.contains("kv_counted (counter=? AND expires_at<?)"), "{of}");
        let counter = plan(IS_COUNTER);
        assert!(counter.contains("kv_counted (counter=?)"), "{counter}");
        let expired = plan(EXPIRED);
        assert!(expired.contains("kv_expires (expires_at<?)"), "{expired}");
        assert!(!expired.contains("TEMP B-TREE"), "{expired}");
    }
}
