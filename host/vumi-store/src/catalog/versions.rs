//! The statements on versions and their components.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use vumi_core::{NewVersion, VersionRecord};
use vumi_message::Timestamp;

use super::apps;
use super::refusal::{CatalogRefusal, VersionRole};

/// A statement that reads versions.
macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT app, number, hash, bytes, created_at, created_by, note, source FROM versions ", $rest)
    };
}

/// The versions of an app, the newest first.
pub(super) fn all(connection: &Connection, app: &str) -> Result<Vec<VersionRecord>> {
    connection.prepare_cached(select!("WHERE app = ?1 ORDER BY number DESC"))?.query_map([app], record)?.collect()
}

pub(super) fn one(connection: &Connection, app: &str, number: u32) -> Result<Option<VersionRecord>> {
    connection
        .prepare_cached(select!("WHERE app = ?1 AND number = ?2"))?
        .query_row(params![app, number], record)
        .optional()
}

pub(super) fn component(connection: &Connection, hash: &str) -> Result<Option<Bytes>> {
    connection
        .prepare_cached("SELECT bytes FROM components WHERE hash = ?1")?
        .query_row([hash], |row| row.get::<_, Vec<u8>>(0))
        .optional()
        .map(|bytes| bytes.map(Bytes::from))
}

/// Keeps a version, unless its app has one with the same component: then that one and false.
pub(super) fn upload(connection: &Connection, new: NewVersion) -> Result<(VersionRecord, bool)> {
    let known = connection
        .prepare_cached(select!("WHERE app = ?1 AND hash = ?2"))?
        .query_row([&new.app, &new.hash], record)
        .optional()?;
    if let Some(known) = known {
        return Ok((known, false));
    }
    connection
        .prepare_cached("INSERT INTO components (hash, bytes) VALUES (?1, ?2) ON CONFLICT (hash) DO NOTHING")?
        .execute(params![new.hash, new.component.as_ref()])?;
    apps::ensure(connection, &new.app, new.at)?;
    let version = VersionRecord {
        number: apps::next_version(connection, &new.app)?,
        app: new.app,
        hash: new.hash,
        bytes: new.component.len() as u64,
        created_at: new.at,
        created_by: new.created_by,
        note: new.note,
        source: new.source,
    };
    insert(connection, &version)?;
    Ok((version, true))
}

/// Removes a version that has no role; false when there was none.
pub(super) fn remove(
    connection: &Connection,
    name: &str,
    number: u32,
) -> Result<std::result::Result<bool, CatalogRefusal>> {
    let Some(app) = apps::one(connection, name)? else { return Ok(Ok(false)) };
    let role = if app.active == Some(number) {
        Some(VersionRole::Active)
    } else if app.canary.is_some_and(|canary| canary.version == number) {
        Some(VersionRole::Canary)
    } else if app.shadow == Some(number) {
        Some(VersionRole::Shadow)
    } else {
        None
    };
    if let Some(role) = role {
        return Ok(Err(CatalogRefusal::InUse { app: app.name, number, role }));
    }
    if app.previous == Some(number) {
        apps::forget_previous(connection, name)?;
    }
    let hash: Option<String> = connection
        .prepare_cached("DELETE FROM versions WHERE app = ?1 AND number = ?2 RETURNING hash")?
        .query_row(params![name, number], |row| row.get(0))
        .optional()?;
    let Some(hash) = hash else { return Ok(Ok(false)) };
    drop_orphan(connection, &hash)?;
    Ok(Ok(true))
}

/// Removes a component that no version has any more.
pub(super) fn drop_orphan(connection: &Connection, hash: &str) -> Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM components WHERE hash = ?1 AND NOT EXISTS (SELECT 1 FROM versions WHERE versions.hash = ?1)",
        )?
        .execute([hash])
        .map(drop)
}

fn insert(connection: &Connection, version: &VersionRecord) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO versions (app, number, hash, bytes, created_at, created_by, note, source)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            version.app,
            version.number,
            version.hash,
            i64::try_from(version.bytes).unwrap_or(i64::MAX),
            version.created_at.micros(),
            version.created_by,
            version.note,
            version.source,
        ])
        .map(drop)
}

fn record(row: &Row<'_>) -> Result<VersionRecord> {
    Ok(VersionRecord {
        app: row.get(0)?,
        number: row.get(1)?,
        hash: row.get(2)?,
        bytes: row.get::<_, i64>(3)?.unsigned_abs(),
        created_at: Timestamp::from_micros(row.get(4)?),
        created_by: row.get(5)?,
        note: row.get(6)?,
        source: row.get(7)?,
    })
}
