//! [`SqliteCatalog`]: the apps that were deployed to a running host, in one SQLite file or in memory.
//!
//! Each call is one job of the database, so one savepoint within one transaction: a host that is killed during it comes
//! back with all of it or nothing. The database itself watches over what must fit together: an app cannot name a version
//! that is not there, nor a version a component.

mod access;
mod apps;
mod change;
mod refusal;
mod secrets;
mod versions;

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::Connection;
use vumi_core::{
    AppChange, AppRecord, AuditEntry, Catalog, NewVersion, Result, SealedSecret, TokenRecord, VersionRecord,
};
use vumi_message::Timestamp;
use vumi_sqlite::{Database, DbError, Durability, Location, Options};

use crate::error::StoreError;
pub use refusal::{CatalogRefusal, VersionRole};

/// The schema; releases only append. Times are in microseconds since the epoch.
///
/// A component has a row id and not its hash for a key, because rows of a table without row ids must be small.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE components (
        hash TEXT PRIMARY KEY,
        bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE apps (
        name TEXT PRIMARY KEY,
        generation INTEGER NOT NULL,
        next_version INTEGER NOT NULL,
        active INTEGER,
        previous INTEGER,
        canary INTEGER,
        canary_share INTEGER CHECK ((canary_share IS NULL) = (canary IS NULL)),
        shadow INTEGER,
        settings TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        FOREIGN KEY (name, active) REFERENCES versions (app, number),
        FOREIGN KEY (name, previous) REFERENCES versions (app, number),
        FOREIGN KEY (name, canary) REFERENCES versions (app, number),
        FOREIGN KEY (name, shadow) REFERENCES versions (app, number)
    ) STRICT;
    CREATE TABLE versions (
        app TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        hash TEXT NOT NULL REFERENCES components (hash),
        bytes INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        created_by TEXT NOT NULL,
        note TEXT,
        source TEXT NOT NULL,
        PRIMARY KEY (app, number),
        UNIQUE (app, hash)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX versions_hash ON versions (hash);
    CREATE TABLE secrets (
        app TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
        name TEXT NOT NULL,
        sealed BLOB NOT NULL,
        updated_at INTEGER NOT NULL,
        PRIMARY KEY (app, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE tokens (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        scope TEXT NOT NULL,
        hash TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER
    ) STRICT;
    CREATE TABLE audit (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        who TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        detail TEXT,
        done INTEGER NOT NULL
    ) STRICT;
"];

/// The catalog on SQLite. A component is kept once, however many apps have it, and goes with the last version that has
/// it. Of the audit log the newest 10,000 entries are kept.
///
/// In a file, reads run beside writes; a large component holds nobody up. In memory they take turns.
pub struct SqliteCatalog {
    database: Database,
}

impl SqliteCatalog {
    /// Opens the catalog, making its file when missing; the file's directory must exist. Blocks while it opens.
    ///
    /// # Errors
    /// [`StoreError::Open`], one sentence for the user.
    pub fn open(location: Location, durability: Durability) -> std::result::Result<Self, StoreError> {
        let database = Database::open(Options { location, durability, ..Options::memory() }, MIGRATIONS)?;
        Ok(Self { database })
    }

    async fn read<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        Ok(self.database.read(job).await.map_err(|cause| failed("read", cause))?)
    }

    async fn write<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        Ok(self.database.write(job).await.map_err(|cause| failed("written", cause))?)
    }

    /// As `write`, for a job that may refuse; one that does has changed nothing.
    async fn try_write<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<std::result::Result<T, CatalogRefusal>> + Send + 'static,
    {
        Ok(self.write(job).await?.map_err(StoreError::Catalog)?)
    }
}

fn failed(done: &'static str, cause: DbError) -> StoreError {
    StoreError::Database { store: "catalog", done, cause }
}

impl std::fmt::Debug for SqliteCatalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteCatalog").field("database", &self.database).finish()
    }
}

#[async_trait]
impl Catalog for SqliteCatalog {
    async fn upload(&self, version: NewVersion) -> Result<(VersionRecord, bool)> {
        self.write(move |connection| versions::upload(connection, version)).await
    }

    async fn apps(&self) -> Result<Vec<AppRecord>> {
        self.read(apps::all).await
    }

    async fn app(&self, name: &str) -> Result<Option<AppRecord>> {
        let name = name.to_owned();
        self.read(move |connection| apps::one(connection, &name)).await
    }

    async fn versions(&self, app: &str) -> Result<Vec<VersionRecord>> {
        let app = app.to_owned();
        self.read(move |connection| versions::all(connection, &app)).await
    }

    async fn version(&self, app: &str, number: u32) -> Result<Option<VersionRecord>> {
        let app = app.to_owned();
        self.read(move |connection| versions::one(connection, &app, number)).await
    }

    async fn component(&self, hash: &str) -> Result<Option<Bytes>> {
        let hash = hash.to_owned();
        self.read(move |connection| versions::component(connection, &hash)).await
    }

    async fn change(&self, app: &str, change: AppChange, expected: Option<u64>, at: Timestamp) -> Result<AppRecord> {
        let app = app.to_owned();
        self.try_write(move |connection| apps::change(connection, &app, change, expected, at)).await
    }

    async fn remove_version(&self, app: &str, number: u32) -> Result<bool> {
        let app = app.to_owned();
        self.try_write(move |connection| versions::remove(connection, &app, number)).await
    }

    async fn remove_app(&self, app: &str) -> Result<bool> {
        let app = app.to_owned();
        self.write(move |connection| apps::remove(connection, &app)).await
    }

    async fn put_secret(&self, app: &str, secret: SealedSecret) -> Result<()> {
        let app = app.to_owned();
        self.try_write(move |connection| secrets::put(connection, app, &secret)).await
    }

    async fn secrets(&self, app: &str) -> Result<Vec<SealedSecret>> {
        let app = app.to_owned();
        self.read(move |connection| secrets::all(connection, &app)).await
    }

    async fn remove_secret(&self, app: &str, name: &str) -> Result<bool> {
        let (app, name) = (app.to_owned(), name.to_owned());
        self.write(move |connection| secrets::remove(connection, &app, &name)).await
    }

    async fn put_token(&self, token: TokenRecord) -> Result<()> {
        self.write(move |connection| access::put_token(connection, &token)).await
    }

    async fn token(&self, id: &str) -> Result<Option<TokenRecord>> {
        let id = id.to_owned();
        self.read(move |connection| access::token(connection, &id)).await
    }

    async fn tokens(&self) -> Result<Vec<TokenRecord>> {
        self.read(access::tokens).await
    }

    async fn remove_token(&self, id: &str) -> Result<bool> {
        let id = id.to_owned();
        self.write(move |connection| access::remove_token(connection, &id)).await
    }

    async fn audit(&self, entry: AuditEntry) -> Result<()> {
        self.write(move |connection| access::note(connection, &entry)).await
    }

    async fn audit_log(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditEntry>> {
        self.read(move |connection| access::log(connection, before, limit)).await
    }

    async fn close(&self) {
        self.database.close().await;
    }
}
