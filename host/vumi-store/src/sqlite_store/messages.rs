//! The statements on messages.

use rusqlite::{Connection, Result, Row, ToSql, params};
use vumi_core::{MessageQuery, MessageRecord};
use vumi_message::Timestamp;

/// Messages in an answer when the query does not say.
const DEFAULT_LIMIT: usize = 100;

/// Old messages are forgotten after each 1/16 of the number to keep, but at least so often.
const LARGEST_STEP: i64 = 256;

/// Old messages forgotten at once at most: more than come between two times.
const TRIMMED_AT_ONCE: i64 = 2 * LARGEST_STEP;

/// Stores a message unless it is there, and forgets old ones from time to time.
pub(super) fn put(connection: &Connection, record: &MessageRecord, keep: usize) -> Result<bool> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO messages (at, direction, transport_name, user, id, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (transport_name, direction, id) DO NOTHING",
        )?
        .execute(params![
            record.at.micros(),
            record.direction,
            record.transport_name,
            record.user,
            record.id,
            record.body
        ])?;
    if inserted == 0 {
        return Ok(false);
    }
    let step = (limit(keep) / 16).clamp(1, LARGEST_STEP);
    if connection.last_insert_rowid() % step == 0 {
        trim(connection, keep)?;
    }
    Ok(true)
}

/// Forgets messages beyond the newest `keep`; how many were forgotten.
pub(super) fn trim(connection: &Connection, keep: usize) -> Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM messages WHERE seq IN
                (SELECT seq FROM messages WHERE seq <= (SELECT max(seq) FROM messages) - ?1 ORDER BY seq LIMIT ?2)",
        )?
        .execute(params![limit(keep), TRIMMED_AT_ONCE])
}

/// Messages, newest first.
pub(super) fn read(connection: &Connection, query: &MessageQuery) -> Result<Vec<MessageRecord>> {
    let before = query.before.map_or(i64::MAX, |seq| i64::try_from(seq).unwrap_or(i64::MAX));
    let limit = limit(if query.limit == 0 { DEFAULT_LIMIT } else { query.limit });
    let mut values: Vec<&dyn ToSql> = vec![&before, &limit];
    // A plus sign keeps SQLite from using a column's index: of the two, the user is the rarer one.
    let filter = match (&query.transport_name, &query.user) {
        (None, None) => "",
        (Some(transport), None) => {
            values.push(transport);
            "AND transport_name = ?3"
        }
        (None, Some(user)) => {
            values.push(user);
            "AND user = ?3"
        }
        (Some(transport), Some(user)) => {
            values.extend([transport as &dyn ToSql, user]);
            "AND +transport_name = ?3 AND user = ?4"
        }
    };
    connection
        .prepare_cached(&format!(
            "SELECT seq, at, direction, transport_name, user, id, body FROM messages
             WHERE seq < ?1 {filter} ORDER BY seq DESC LIMIT ?2"
        ))?
        .query_map(values.as_slice(), record)?
        .collect()
}

fn record(row: &Row<'_>) -> Result<MessageRecord> {
    Ok(MessageRecord {
        seq: row.get::<_, i64>(0)?.unsigned_abs(),
        at: Timestamp::from_micros(row.get(1)?),
        direction: row.get(2)?,
        transport_name: row.get(3)?,
        user: row.get(4)?,
        id: row.get(5)?,
        body: row.get(6)?,
    })
}

fn limit(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
