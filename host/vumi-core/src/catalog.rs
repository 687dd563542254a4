//! The catalog knows the apps that were deployed to a running host: their components, numbered versions, which
//! version answers, their settings and sealed secrets; and, beside them, who may use the admin API and who changed
//! what.
//!
//! Every call is one step: a host that is killed during it comes back with all of it or nothing. Apps of the
//! configuration file do not stand here; the file is their catalog.

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use vumi_message::Timestamp;

use crate::error::Result;

/// One deployed app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppRecord {
    /// Its name; also that of its connector.
    pub name: String,
    /// Rises by one with every change of this record.
    pub generation: u64,
    /// Which version answers; none before the first activation.
    pub active: Option<u32>,
    /// Which version answered before `active`: the aim of a roll-back.
    pub previous: Option<u32>,
    /// A version that answers a share of the conversations.
    pub canary: Option<Canary>,
    /// A version that runs beside the live one and sends nothing.
    pub shadow: Option<u32>,
    /// Settings of the owner, as JSON text: an object whose meaning the host knows, not the catalog.
    pub settings: String,
    /// When it was first deployed.
    pub created_at: Timestamp,
    /// When this record last changed.
    pub updated_at: Timestamp,
}

/// A version that answers a share of the conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// The version.
    pub version: u32,
    /// How many of ten thousand conversations it answers, 1 to 10,000.
    pub share: u32,
}

/// One version of an app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionRecord {
    /// The app.
    pub app: String,
    /// From 1, without gaps as they come; never given twice, also not after a removal.
    pub number: u32,
    /// SHA-256 of the component's bytes, in lower-case hexadecimal.
    pub hash: String,
    /// Size of the component, in bytes.
    pub bytes: u64,
    /// When it was uploaded.
    pub created_at: Timestamp,
    /// Who uploaded it: the name of a token, or `local`.
    pub created_by: String,
    /// What the uploader had to say about it.
    pub note: Option<String>,
    /// Where it came from, e.g. `upload`, or an OCI reference.
    pub source: String,
}

/// What is uploaded.
#[derive(Clone, Debug)]
pub struct NewVersion {
    /// The app; made when it is not there.
    pub app: String,
    /// SHA-256 of `component`, in lower-case hexadecimal.
    pub hash: String,
    /// The component's bytes.
    pub component: Bytes,
    /// See [`VersionRecord::created_by`].
    pub created_by: String,
    /// See [`VersionRecord::note`].
    pub note: Option<String>,
    /// See [`VersionRecord::source`].
    pub source: String,
    /// When.
    pub at: Timestamp,
}

/// One change of an app's record.
#[derive(Clone, Debug, PartialEq)]
pub enum AppChange {
    /// This version answers from now on. What answered before becomes `previous`, unless it is the same; a canary and
    /// a shadow of the same version end.
    Activate(u32),
    /// As [`AppChange::Activate`], and with other settings in the same step.
    ActivateWith(u32, String),
    /// The version that answered before answers again. A permanent error when there is none.
    RollBack,
    /// A version answers a share, or none does.
    Canary(Option<Canary>),
    /// A version runs in the shadow, or none does.
    Shadow(Option<u32>),
    /// Other settings, as JSON text.
    Settings(String),
}

/// A secret as it is kept: sealed, never readable without the host's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    /// Its name, which the guest gives to `config.get`.
    pub name: String,
    /// The sealed text.
    pub sealed: Vec<u8>,
    /// When it was set.
    pub updated_at: Timestamp,
}

/// A token of the admin API as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Names the token in lists and within the token itself; no secret.
    pub id: String,
    /// Who or what uses it; stands in the audit log.
    pub name: String,
    /// What it may do: words that the admin API knows.
    pub scope: String,
    /// SHA-256 of the token, in lower-case hexadecimal.
    pub hash: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

/// One change that somebody made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Rising; 0 before it is kept.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Who: the name of a token, or `local`.
    pub who: String,
    /// What was done, e.g. `app.activate`.
    pub action: String,
    /// To what, e.g. `shop`.
    pub subject: String,
    /// More about it, without secrets.
    pub detail: Option<String>,
    /// Whether it was carried out.
    pub done: bool,
}

/// See the module's text.
#[async_trait]
pub trait Catalog: Send + Sync + 'static {
    /// Keeps a version, and makes its app when that is not there (with the settings `{}`). A component that the app
    /// already has is not kept again: the answer is then the version that has it, and false.
    ///
    /// # Errors
    /// A temporary error when it cannot be written.
    async fn upload(&self, version: NewVersion) -> Result<(VersionRecord, bool)>;

    /// All apps, sorted by name.
    async fn apps(&self) -> Result<Vec<AppRecord>>;

    /// One app.
    async fn app(&self, name: &str) -> Result<Option<AppRecord>>;

    /// The versions of an app, the newest first.
    async fn versions(&self, app: &str) -> Result<Vec<VersionRecord>>;

    /// One version.
    async fn version(&self, app: &str, number: u32) -> Result<Option<VersionRecord>>;

    /// A component's bytes, by its hash.
    async fn component(&self, hash: &str) -> Result<Option<Bytes>>;

    /// Changes an app's record in one step, and answers with the new one. With `expected`, only if the record's
    /// generation is that.
    ///
    /// # Errors
    /// A permanent error with one sentence when there is no such app or version, or when the record has changed since
    /// `expected`.
    async fn change(&self, app: &str, change: AppChange, expected: Option<u64>, at: Timestamp) -> Result<AppRecord>;

    /// Removes a version that is neither active, nor canary, nor shadow. Its component goes when no version has it.
    /// False when there was none.
    ///
    /// # Errors
    /// A permanent error when it is in use.
    async fn remove_version(&self, app: &str, number: u32) -> Result<bool>;

    /// Removes an app with all that belongs to it. False when there was none.
    async fn remove_app(&self, app: &str) -> Result<bool>;

    /// Keeps a sealed secret of an app, over one of the same name.
    ///
    /// # Errors
    /// A permanent error when there is no such app.
    async fn put_secret(&self, app: &str, secret: SealedSecret) -> Result<()>;

    /// The sealed secrets of an app, sorted by name.
    async fn secrets(&self, app: &str) -> Result<Vec<SealedSecret>>;

    /// Removes a secret; false when there was none.
    async fn remove_secret(&self, app: &str, name: &str) -> Result<bool>;

    /// Keeps a token, over one of the same id.
    async fn put_token(&self, token: TokenRecord) -> Result<()>;

    /// One token.
    async fn token(&self, id: &str) -> Result<Option<TokenRecord>>;

    /// All tokens, the oldest first.
    async fn tokens(&self) -> Result<Vec<TokenRecord>>;

    /// Removes a token; false when there was none.
    async fn remove_token(&self, id: &str) -> Result<bool>;

    /// Keeps an entry of the audit log; the oldest ones go when there are too many.
    async fn audit(&self, entry: AuditEntry) -> Result<()>;

    /// The audit log, newest first, only before a `seq`.
    async fn audit_log(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditEntry>>;

    /// Stops: everything confirmed is safe.
    async fn close(&self);
}
