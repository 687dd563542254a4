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
    values.extend(query.transport_name.iter().chain(&query.user).map(|value| value as &dyn ToSql));
    connection.prepare_cached(select(query))?.query_map(values.as_slice(), record)?.collect()
}

/// The statement for a query. Its parameters: the position, the limit, then the transport and the user, if asked for.
fn select(query: &MessageQuery) -> &'static str {
    macro_rules! select {
        ($filter:literal) => {
            concat!(
                "SELECT seq, at, direction, transport_name, user, id, body FROM messages WHERE seq < ?1 ",
                $filter,
                " ORDER BY seq DESC LIMIT ?2"
            )
        };
    }
    match (&query.transport_name, &query.user) {
        (None, None) => select!(""),
        (Some(_), None) => select!("AND transport_name = ?3"),
        (None, Some(_)) => select!("AND user = ?3"),
        // The plus sign keeps SQLite from using the transport's index: of the two, the user is the rarer one.
        (Some(_), Some(_)) => select!("AND +transport_name = ?3 AND user = ?4"),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_uses_an_index_and_none_sorts() {
        let connection = Connection::open_in_memory().expect("opens");
        connection.execute_batch(super::super::MIGRATIONS[0]).expect("migrates");
        let plan = |transport_name: Option<&str>, user: Option<&str>| {
            let (transport_name, user) = (transport_name.map(str::to_owned), user.map(str::to_owned));
            let query = MessageQuery { transport_name, user, ..MessageQuery::default() };
            let mut statement =
                connection.prepare(&format!("EXPLAIN QUERY PLAN {}", select(&query))).expect("prepares");
            let steps = statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>>>();
            steps.expect("plans").join("\n")
        };
        let by_position = "SEARCH messages USING INTEGER PRIMARY KEY (rowid<?)";
        let by_transport = "SEARCH messages USING INDEX messages_transport (transport_name=? AND rowid<?)";
        let by_user = "SEARCH messages USING INDEX messages_user (user=? AND rowid<?)";
        assert_eq!(plan(None, None), by_position);
        assert_eq!(plan(Some("t"), None), by_transport);
        assert_eq!(plan(None, Some("u")), by_user);
        assert_eq!(plan(Some("t"), Some("u")), by_user);
    }
}
