//! The statements on sealed secrets.

use rusqlite::{Connection, Result, params};
use vumi_core::SealedSecret;
use vumi_message::Timestamp;

use super::apps;
use super::refusal::CatalogRefusal;

/// Keeps a secret of an app that is there, over one of the same name.
pub(super) fn put(
    connection: &Connection,
    app: String,
    secret: &SealedSecret,
) -> Result<std::result::Result<(), CatalogRefusal>> {
    if apps::one(connection, &app)?.is_none() {
        return Ok(Err(CatalogRefusal::NoApp { app }));
    }
    connection
        .prepare_cached(
            "INSERT INTO secrets (app, name, sealed, updated_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (app, name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at",
        )?
        .execute(params![app, secret.name, secret.sealed, secret.updated_at.micros()])?;
    Ok(Ok(()))
}

/// The secrets of an app, sorted by name.
pub(super) fn all(connection: &Connection, app: &str) -> Result<Vec<SealedSecret>> {
    connection
        .prepare_cached("SELECT name, sealed, updated_at FROM secrets WHERE app = ?1 ORDER BY name")?
        .query_map([app], |row| {
            Ok(SealedSecret { name: row.get(0)?, sealed: row.get(1)?, updated_at: Timestamp::from_micros(row.get(2)?) })
        })?
        .collect()
}

pub(super) fn remove(connection: &Connection, app: &str, name: &str) -> Result<bool> {
    let removed =
        connection.prepare_cached("DELETE FROM secrets WHERE app = ?1 AND name = ?2")?.execute([app, name])?;
    Ok(removed > 0)
}
