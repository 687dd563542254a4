//! The statements on tokens and on the audit log.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use vumi_core::{AuditEntry, TokenRecord};
use vumi_message::Timestamp;

/// Entries of the audit log that are kept.
const AUDIT_ENTRIES: i64 = 10_000;

/// Keeps a token, over one of the same id.
pub(super) fn put_token(connection: &Connection, token: &TokenRecord) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO tokens (id, name, scope, hash, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, scope = excluded.scope, hash = excluded.hash,
                created_at = excluded.created_at, expires_at = excluded.expires_at",
        )?
        .execute(params![
            token.id,
            token.name,
            token.scope,
            token.hash,
            token.created_at.micros(),
            token.expires_at.map(Timestamp::micros),
        ])
        .map(drop)
}

pub(super) fn token(connection: &Connection, id: &str) -> Result<Option<TokenRecord>> {
    connection
        .prepare_cached("SELECT id, name, scope, hash, created_at, expires_at FROM tokens WHERE id = ?1")?
        .query_row([id], token_record)
        .optional()
}

/// All tokens, the oldest first.
pub(super) fn tokens(connection: &Connection) -> Result<Vec<TokenRecord>> {
    connection
        .prepare_cached("SELECT id, name, scope, hash, created_at, expires_at FROM tokens ORDER BY created_at, id")?
        .query_map([], token_record)?
        .collect()
}

pub(super) fn remove_token(connection: &Connection, id: &str) -> Result<bool> {
    Ok(connection.prepare_cached("DELETE FROM tokens WHERE id = ?1")?.execute([id])? > 0)
}

/// Keeps an entry of the audit log and forgets the oldest ones. Positions rise by one without gaps, since never all
/// entries are forgotten: a new row gets the highest position plus one.
pub(super) fn note(connection: &Connection, entry: &AuditEntry) -> Result<()> {
    connection
        .prepare_cached("INSERT INTO audit (at, who, action, subject, detail, done) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![entry.at.micros(), entry.who, entry.action, entry.subject, entry.detail, entry.done])?;
    let last = connection.last_insert_rowid() - AUDIT_ENTRIES;
    connection.prepare_cached("DELETE FROM audit WHERE seq <= ?1")?.execute([last]).map(drop)
}

/// The audit log, newest first.
pub(super) fn log(connection: &Connection, before: Option<u64>, limit: usize) -> Result<Vec<AuditEntry>> {
    let before = before.map_or(i64::MAX, |seq| i64::try_from(seq).unwrap_or(i64::MAX));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "SELECT seq, at, who, action, subject, detail, done FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2",
        )?
        .query_map([before, limit], |row| {
            Ok(AuditEntry {
                seq: row.get::<_, i64>(0)?.unsigned_abs(),
                at: Timestamp::from_micros(row.get(1)?),
                who: row.get(2)?,
                action: row.get(3)?,
                subject: row.get(4)?,
                detail: row.get(5)?,
                done: row.get(6)?,
            })
        })?
        .collect()
}

fn token_record(row: &Row<'_>) -> Result<TokenRecord> {
    Ok(TokenRecord {
        id: row.get(0)?,
        name: row.get(1)?,
        scope: row.get(2)?,
        hash: row.get(3)?,
        created_at: Timestamp::from_micros(row.get(4)?),
        expires_at: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_micros),
    })
}
