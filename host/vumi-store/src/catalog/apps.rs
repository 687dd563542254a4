//! The statements on apps.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use vumi_core::{AppChange, AppRecord, Canary};
use vumi_message::Timestamp;

use super::refusal::CatalogRefusal;
use super::{change, versions};

/// A statement that reads apps.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT name, generation, active, previous, canary, canary_share, shadow, settings, created_at, updated_at
             FROM apps ",
            $rest
        )
    };
}

/// All apps, sorted by name.
pub(super) fn all(connection: &Connection) -> Result<Vec<AppRecord>> {
    connection.prepare_cached(select!("ORDER BY name"))?.query_map([], record)?.collect()
}

pub(super) fn one(connection: &Connection, name: &str) -> Result<Option<AppRecord>> {
    connection.prepare_cached(select!("WHERE name = ?1"))?.query_row([name], record).optional()
}

/// Makes an app unless it is there.
pub(super) fn ensure(connection: &Connection, name: &str, at: Timestamp) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO apps (name, generation, next_version, settings, created_at, updated_at)
             VALUES (?1, 1, 1, '{}', ?2, ?2) ON CONFLICT (name) DO NOTHING",
        )?
        .execute(params![name, at.micros()])
        .map(drop)
}

/// The number of an app's next version, which is thereby given away.
pub(super) fn next_version(connection: &Connection, name: &str) -> Result<u32> {
    connection
        .prepare_cached("UPDATE apps SET next_version = next_version + 1 WHERE name = ?1 RETURNING next_version - 1")?
        .query_row([name], |row| row.get(0))
}

/// Changes an app's record, if its generation is the expected one.
pub(super) fn change(
    connection: &Connection,
    name: &str,
    change: AppChange,
    expected: Option<u64>,
    at: Timestamp,
) -> Result<std::result::Result<AppRecord, CatalogRefusal>> {
    let Some(mut app) = one(connection, name)? else {
        return Ok(Err(CatalogRefusal::NoApp { app: name.to_owned() }));
    };
    if let Some(expected) = expected
        && expected != app.generation
    {
        return Ok(Err(CatalogRefusal::Changed { app: app.name, found: app.generation, expected }));
    }
    if let Some(number) = change::names(&change)
        && versions::one(connection, name, number)?.is_none()
    {
        return Ok(Err(CatalogRefusal::NoVersion { app: app.name, number }));
    }
    if let Err(refusal) = change::apply(&mut app, change) {
        return Ok(Err(refusal));
    }
    app.generation += 1;
    app.updated_at = at;
    save(connection, &app)?;
    Ok(Ok(app))
}

/// A version that is about to go is no aim of a roll-back any more.
pub(super) fn forget_previous(connection: &Connection, name: &str) -> Result<()> {
    connection
        .prepare_cached("UPDATE apps SET previous = NULL, generation = generation + 1 WHERE name = ?1")?
        .execute([name])
        .map(drop)
}

/// Removes an app; its versions and secrets go with it, and components that nobody else has.
pub(super) fn remove(connection: &Connection, name: &str) -> Result<bool> {
    let hashes: Vec<String> = connection
        .prepare_cached("SELECT hash FROM versions WHERE app = ?1")?
        .query_map([name], |row| row.get(0))?
        .collect::<Result<_>>()?;
    let removed = connection.prepare_cached("DELETE FROM apps WHERE name = ?1")?.execute([name])?;
    hashes.iter().try_for_each(|hash| versions::drop_orphan(connection, hash))?;
    Ok(removed > 0)
}

fn save(connection: &Connection, app: &AppRecord) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE apps SET generation = ?2, active = ?3, previous = ?4, canary = ?5, canary_share = ?6, shadow = ?7,
                settings = ?8, updated_at = ?9
             WHERE name = ?1",
        )?
        .execute(params![
            app.name,
            i64::try_from(app.generation).unwrap_or(i64::MAX),
            app.active,
            app.previous,
            app.canary.map(|canary| canary.version),
            app.canary.map(|canary| canary.share),
            app.shadow,
            app.settings,
            app.updated_at.micros(),
        ])
        .map(drop)
}

fn record(row: &Row<'_>) -> Result<AppRecord> {
    let (version, share): (Option<u32>, Option<u32>) = (row.get(4)?, row.get(5)?);
    Ok(AppRecord {
        name: row.get(0)?,
        generation: row.get::<_, i64>(1)?.unsigned_abs(),
        active: row.get(2)?,
        previous: row.get(3)?,
        canary: version.zip(share).map(|(version, share)| Canary { version, share }),
        shadow: row.get(6)?,
        settings: row.get(7)?,
        created_at: Timestamp::from_micros(row.get(8)?),
        updated_at: Timestamp::from_micros(row.get(9)?),
    })
}
