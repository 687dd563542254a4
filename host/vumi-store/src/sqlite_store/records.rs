//! The statements on runs and log lines. Both tables look the same: columns for what is searched, and the record as
//! JSON text.

use rusqlite::{Connection, Result, params};
use serde::de::DeserializeOwned;

use crate::recorder::BATCH;

/// Where a record belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Runs,
    Logs,
}

/// A record, ready to be written.
pub(super) struct NewRow {
    pub(super) table: Table,
    /// Microseconds since the epoch.
    pub(super) at: i64,
    pub(super) app: String,
    /// JSON text.
    pub(super) record: String,
}

/// A statement, with the name of the table between its two parts.
macro_rules! on_table {
    ($table:expr, $before:literal, $after:literal) => {
        match $table {
            Table::Runs => concat!($before, " runs ", $after),
            Table::Logs => concat!($before, " logs ", $after),
        }
    };
}

pub(super) fn insert(connection: &Connection, row: &NewRow) -> Result<()> {
    connection
        .prepare_cached(on_table!(row.table, "INSERT INTO", "(at, app, record) VALUES (?1, ?2, ?3)"))?
        .execute(params![row.at, row.app, row.record])
        .map(drop)
}

/// Forgets records beyond the newest `keep`, at most as many as two batches bring; how many were forgotten.
pub(super) fn trim(connection: &Connection, table: Table, keep: usize) -> Result<usize> {
    let keep = i64::try_from(keep).unwrap_or(i64::MAX);
    let newest: Option<i64> =
        connection.prepare_cached(on_table!(table, "SELECT max(seq) FROM", ""))?.query_row([], |row| row.get(0))?;
    let Some(last) = newest.and_then(|newest| newest.checked_sub(keep)) else { return Ok(0) };
    let first: Option<i64> =
        connection.prepare_cached(on_table!(table, "SELECT min(seq) FROM", ""))?.query_row([], |row| row.get(0))?;
    let at_once = i64::try_from(2 * BATCH).unwrap_or(i64::MAX);
    let last = last.min(first.unwrap_or(last).saturating_add(at_once - 1));
    connection.prepare_cached(on_table!(table, "DELETE FROM", "WHERE seq <= ?1"))?.execute([last])
}

/// Records, newest first. One that this release cannot read, because another wrote it, is left out.
pub(super) fn read<T: DeserializeOwned>(
    connection: &Connection,
    table: Table,
    app: Option<&str>,
    limit: usize,
) -> Result<Vec<T>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let text = |row: &rusqlite::Row<'_>| row.get(0);
    let texts: Vec<String> = match app {
        Some(app) => connection
            .prepare_cached(on_table!(table, "SELECT record FROM", "WHERE app = ?1 ORDER BY seq DESC LIMIT ?2"))?
            .query_map(params![app, limit], text)?
            .collect::<Result<_>>()?,
        None => connection
            .prepare_cached(on_table!(table, "SELECT record FROM", "ORDER BY seq DESC LIMIT ?1"))?
            .query_map([limit], text)?
            .collect::<Result<_>>()?,
    };
    let readable = |text: &String| match serde_json::from_str(text) {
        Ok(record) => Some(record),
        Err(error) => {
            tracing::warn!(%error, ?table, "a record in the message store cannot be read and is left out");
            None
        }
    };
    Ok(texts.iter().filter_map(readable).collect())
}
