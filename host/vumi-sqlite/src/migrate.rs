//! Bringing a file to the schema of this release.
//!
//! A schema is a list of SQL texts, the migrations, to which releases only ever append. The file's `user_version` says
//! how many of them it has had. Each runs in a transaction of its own together with the new version number, so that a
//! crash leaves the file before or after a migration, never within.

use std::path::Path;

use rusqlite::Connection;

use crate::connect;
use crate::error::OpenError;

/// The schema version of the file at `path` (named in errors only), if this release can work with it. Only reads.
pub(crate) fn check(connection: &Connection, path: &Path, migrations: &[&str]) -> Result<i64, OpenError> {
    let refused = |cause| connect::explain(path, cause);
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(refused)?;
    if found > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(refused)?;
    if found < 0 || (found == 0 && tables > 0) {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    Ok(found)
}

/// Runs those `migrations` that a file of version `found` has not had.
pub(crate) fn run(connection: &Connection, path: &Path, migrations: &[&str], found: i64) -> Result<(), OpenError> {
    for (version, sql) in (1..).zip(migrations) {
        if version <= found {
            continue;
        }
        if let Err(cause) = one(connection, version, sql) {
            if !connection.is_autocommit() {
                // The first error is the one to tell; this one could only say that nothing is left to undo.
                let _ = connection.execute_batch("ROLLBACK");
            }
            return Err(OpenError::Migration { path: path.to_owned(), version, cause });
        }
        tracing::debug!(file = %path.display(), version, "migrated");
    }
    Ok(())
}

fn one(connection: &Connection, version: i64, sql: &str) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    connection.execute_batch(sql)?;
    connection.pragma_update(None, "user_version", version)?;
    connection.execute_batch("COMMIT")
}
