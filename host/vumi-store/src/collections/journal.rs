//! The file of the durable collections: a log of changes, and the entries as they were when the log was last folded into
//! them.
//!
//! The changes are numbered without a gap, and each is written only if the one before it is there: when one could not be
//! written, none of those that were decided on top of it is either.

use rusqlite::{Connection, OptionalExtension, params};
use vumi_core::Op;

use super::entries::Entry;
use super::model::Model;
use super::value::Value;
use crate::flat::{Flat, op_keys, read_ops};

/// The schema; releases only append.
///
/// `entry` holds values as JSON; `log` the steps of changes as a JSON list of texts (see `flat.rs`), with the time by
/// which keys expired then, in milliseconds since the epoch; `last` the number of the last change.
pub(super) const MIGRATIONS: &[&str] = &["
    CREATE TABLE entry (
        key TEXT NOT NULL PRIMARY KEY,
        value TEXT NOT NULL,
        expires_at INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE log (
        number INTEGER NOT NULL PRIMARY KEY,
        at INTEGER NOT NULL,
        steps TEXT NOT NULL
    ) STRICT;
    CREATE TABLE last (number INTEGER NOT NULL) STRICT;
    INSERT INTO last (number) VALUES (0);
"];

/// Everything that the file holds.
pub(super) struct Loaded {
    pub(super) model: Model,
    /// The number of the last change.
    pub(super) number: i64,
    /// The keys that the log touched, and the number of changes in it.
    pub(super) touched: Vec<String>,
    pub(super) logged: usize,
}

/// The steps of a change as the log keeps them; before them, the removal of what had expired.
pub(super) fn steps(swept: Vec<String>, ops: &[Op]) -> String {
    let mut flat = Flat::default();
    if !swept.is_empty() {
        flat.ops(&[Op::Delete { keys: swept }]);
    }
    flat.ops(ops);
    // A list of texts has no reason to fail; an empty one would be noticed when it is read.
    serde_json::to_string(&flat.texts).unwrap_or_default()
}

/// Writes a change.
pub(super) fn append(connection: &Connection, number: i64, at: i64, steps: &str) -> rusqlite::Result<()> {
    let follows =
        connection.prepare_cached("UPDATE last SET number = ?1 WHERE number = ?1 - 1")?.execute([number])? == 1;
    if !follows {
        return Err(gap());
    }
    connection
        .prepare_cached("INSERT INTO log (number, at, steps) VALUES (?1, ?2, ?3)")?
        .execute(params![number, at, steps])
        .map(drop)
}

/// Writes the entries that the log touched as they are after the change `number`, and empties the log up to it.
pub(super) fn fold(connection: &Connection, number: i64, touched: &[(String, Option<Entry>)]) -> rusqlite::Result<()> {
    if last(connection)? != number {
        return Err(gap());
    }
    let mut put = connection.prepare_cached(
        "INSERT INTO entry (key, value, expires_at) VALUES (?1, ?2, ?3)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at",
    )?;
    let mut delete = connection.prepare_cached("DELETE FROM entry WHERE key = ?1")?;
    for (key, entry) in touched {
        match entry {
            Some(entry) => {
                let value = serde_json::to_string(&entry.value).map_err(other)?;
                put.execute(params![key, value, entry.expires])?;
            }
            None => drop(delete.execute([key])?),
        }
    }
    connection.prepare_cached("DELETE FROM log WHERE number <= ?1")?.execute([number]).map(drop)
}

/// Reads everything.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<Loaded> {
    let mut model = Model::default();
    let mut entries = connection.prepare_cached("SELECT key, value, expires_at FROM entry")?;
    let mut rows = entries.query([])?;
    while let Some(row) = rows.next()? {
        let (key, text): (String, String) = (row.get(0)?, row.get(1)?);
        let value: Value = serde_json::from_str(&text).map_err(other)?;
        model.entries.insert(&key, Entry::new(value, row.get(2)?));
    }
    let (mut touched, mut logged) = (Vec::new(), 0);
    let mut log = connection.prepare_cached("SELECT at, steps FROM log ORDER BY number")?;
    let mut rows = log.query([])?;
    while let Some(row) = rows.next()? {
        let text: String = row.get(1)?;
        let texts: Vec<String> = serde_json::from_str(&text).map_err(other)?;
        let ops = read_ops(texts).ok_or_else(|| other("the log of the collections holds no steps"))?;
        model.replay(&ops, row.get(0)?).map_err(other)?;
        touched.extend(ops.iter().flat_map(op_keys).cloned());
        logged += 1;
    }
    Ok(Loaded { model, number: last(connection)?, touched, logged })
}

fn last(connection: &Connection) -> rusqlite::Result<i64> {
    let number = connection.prepare_cached("SELECT number FROM last")?.query_row([], |row| row.get(0)).optional()?;
    Ok(number.unwrap_or(0))
}

fn gap() -> rusqlite::Error {
    other("a change before this one could not be written")
}

fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(error.into())
}

#[cfg(test)]
mod tests;
