//! The statements on differences.

use rusqlite::{Connection, Result, params};
use vumi_core::Difference;

use super::readable;
use crate::recorder::BATCH;

/// A difference, ready to be written.
pub(super) struct DifferenceRow {
    at: i64,
    app: String,
    /// JSON text.
    record: String,
}

impl DifferenceRow {
    pub(super) fn new(difference: Difference) -> Option<Self> {
        let record = serde_json::to_string(&difference).ok()?;
        Some(Self { at: difference.at.micros(), app: difference.app, record })
    }
}

pub(super) fn insert(connection: &Connection, row: &DifferenceRow) -> Result<()> {
    connection
        .prepare_cached("INSERT INTO differences (at, app, record) VALUES (?1, ?2, ?3)")?
        .execute(params![row.at, row.app, row.record])
        .map(drop)
}

/// Forgets differences beyond the newest `keep`, at most as many as two batches bring; how many were forgotten.
pub(super) fn trim(connection: &Connection, keep: u64) -> Result<usize> {
    let keep = i64::try_from(keep).unwrap_or(i64::MAX);
    let at_once = i64::try_from(2 * BATCH).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "DELETE FROM differences WHERE seq IN
                (SELECT seq FROM differences WHERE seq <= (SELECT max(seq) FROM differences) - ?1
                 ORDER BY seq LIMIT ?2)",
        )?
        .execute([keep, at_once])
}

/// Differences of an app, newest first.
pub(super) fn read(connection: &Connection, app: &str, before: Option<u64>, limit: usize) -> Result<Vec<Difference>> {
    let before = before.map_or(i64::MAX, |seq| i64::try_from(seq).unwrap_or(i64::MAX));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows: Vec<(i64, String)> = connection
        .prepare_cached("SELECT seq, record FROM differences WHERE app = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3")?
        .query_map(params![app, before, limit], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_>>()?;
    let difference = |(seq, text): (i64, String)| {
        readable::<Difference>(&text).map(|difference| Difference { seq: seq.unsigned_abs(), ..difference })
    };
    Ok(rows.into_iter().filter_map(difference).collect())
}
