//! The statements on recordings.

use std::mem;

use rusqlite::{Connection, OptionalExtension, Result, ToSql, params};
use vumi_core::{Recording, RecordingBounds, RecordingQuery};
use vumi_message::Timestamp;

use super::readable;

/// Recordings in an answer when the query does not say.
const DEFAULT_LIMIT: usize = 100;

/// Recordings forgotten in one step at most.
const TRIMMED_AT_ONCE: i64 = 2_000;

/// A recording, ready to be written.
pub(super) struct RecordingRow {
    id: String,
    at: i64,
    app: String,
    user: Option<String>,
    /// JSON text, without the tape.
    record: String,
    tape: String,
}

impl RecordingRow {
    pub(super) fn new(mut recording: Recording) -> Option<Self> {
        let tape = mem::take(&mut recording.tape);
        let record = serde_json::to_string(&recording).ok()?;
        let Recording { id, at, app, user, .. } = recording;
        Some(Self { id, at: at.micros(), app, user, record, tape })
    }
}

/// Keeps a recording, over one of the same id.
pub(super) fn put(connection: &Connection, row: &RecordingRow) -> Result<()> {
    let replaced: Option<i64> = connection
        .prepare_cached("DELETE FROM recordings WHERE id = ?1 RETURNING tape_bytes")?
        .query_row([&row.id], |row| row.get(0))
        .optional()?;
    let bytes = i64::try_from(row.tape.len()).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "INSERT INTO recordings (id, at, app, user, tape_bytes, record, tape) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![row.id, row.at, row.app, row.user, bytes, row.record, row.tape])?;
    count(connection, i64::from(replaced.is_none()), bytes - replaced.unwrap_or(0))
}

/// Forgets recordings that began before `oldest`, and the oldest ones beyond the bounds, `TRIMMED_AT_ONCE` at most; how
/// many were forgotten.
pub(super) fn trim(connection: &Connection, bounds: RecordingBounds, oldest: i64) -> Result<usize> {
    let most = |bound: u64| i64::try_from(bound).unwrap_or(i64::MAX);
    let (kept, bytes): (i64, i64) = connection
        .prepare_cached("SELECT recordings, bytes FROM kept")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (mut kept_left, mut bytes_left, mut gone) = (kept, bytes, Vec::new());
    let mut statement =
        connection.prepare_cached("SELECT seq, at, tape_bytes FROM recordings ORDER BY at, seq LIMIT ?1")?;
    for row in statement.query_map([TRIMMED_AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))? {
        let (seq, at, size): (i64, i64, i64) = row?;
        if at >= oldest && kept_left <= most(bounds.recordings) && bytes_left <= most(bounds.bytes) {
            break;
        }
        gone.push(seq);
        kept_left -= 1;
        bytes_left -= size;
    }
    drop(statement);
    if gone.is_empty() {
        return Ok(0);
    }
    let mut delete = connection.prepare_cached("DELETE FROM recordings WHERE seq = ?1")?;
    gone.iter().try_for_each(|seq| delete.execute([seq]).map(drop))?;
    count(connection, kept_left - kept, bytes_left - bytes)?;
    Ok(gone.len())
}

/// Recordings, newest first, without their tapes; none that began before `oldest`.
pub(super) fn list(connection: &Connection, query: &RecordingQuery, oldest: i64) -> Result<Vec<Recording>> {
    let before = query.before.map_or(i64::MAX, Timestamp::micros);
    let limit = if query.limit == 0 { DEFAULT_LIMIT } else { query.limit };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut values: Vec<&dyn ToSql> = vec![&oldest, &before, &limit];
    values.extend(query.app.iter().chain(&query.user).map(|value| value as &dyn ToSql));
    let texts: Vec<String> = connection
        .prepare_cached(select(query))?
        .query_map(values.as_slice(), |row| row.get(0))?
        .collect::<Result<_>>()?;
    Ok(texts.iter().filter_map(|text| readable(text)).collect())
}

/// One recording with its tape, unless it began before `oldest`.
pub(super) fn get(connection: &Connection, id: &str, oldest: i64) -> Result<Option<Recording>> {
    let found: Option<(String, String)> = connection
        .prepare_cached("SELECT record, tape FROM recordings WHERE id = ?1 AND at >= ?2")?
        .query_row(params![id, oldest], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.and_then(|(text, tape)| readable::<Recording>(&text).map(|recording| Recording { tape, ..recording })))
}

/// The statement for a query. Its parameters: two bounds on the time, the limit, then the app and the user, if asked
/// for.
fn select(query: &RecordingQuery) -> &'static str {
    macro_rules! select {
        ($filter:literal) => {
            concat!(
                "SELECT record FROM recordings WHERE at >= ?1 AND at < ?2 ",
                $filter,
                " ORDER BY at DESC, seq DESC LIMIT ?3"
            )
        };
    }
    match (&query.app, &query.user) {
        (None, None) => select!(""),
        (Some(_), None) => select!("AND app = ?4"),
        (None, Some(_)) => select!("AND user = ?4"),
        // The plus sign keeps SQLite from using the app's index: of the two, the user is the rarer one.
        (Some(_), Some(_)) => select!("AND +app = ?4 AND user = ?5"),
    }
}

/// Keeps the totals true.
fn count(connection: &Connection, recordings: i64, bytes: i64) -> Result<()> {
    connection
        .prepare_cached("UPDATE kept SET recordings = recordings + ?1, bytes = bytes + ?2")?
        .execute([recordings, bytes])
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_uses_an_index_and_none_sorts() {
        let connection = Connection::open_in_memory().expect("opens");
        connection.execute_batch(super::super::MIGRATIONS[0]).expect("migrates");
        let plan = |sql: &str| {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("prepares");
            let steps = statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>>>();
            steps.expect("plans").join("\n")
        };
        let select = |app: Option<&str>, user: Option<&str>| {
            let (app, user) = (app.map(str::to_owned), user.map(str::to_owned));
            plan(select(&RecordingQuery { app, user, ..RecordingQuery::default() }))
        };
        let by_time = "SEARCH recordings USING INDEX recordings_at (at>? AND at<?)";
        let by_app = "SEARCH recordings USING INDEX recordings_app (app=? AND at>? AND at<?)";
        let by_user = "SEARCH recordings USING INDEX recordings_user (user=? AND at>? AND at<?)";
        assert_eq!(select(None, None), by_time);
        assert_eq!(select(Some("a"), None), by_app);
        assert_eq!(select(None, Some("u")), by_user);
        assert_eq!(select(Some("a"), Some("u")), by_user);
        let oldest = plan("SELECT seq, at, tape_bytes FROM recordings ORDER BY at, seq LIMIT ?1");
        assert_eq!(oldest, "SCAN recordings USING INDEX recordings_at");
    }
}
