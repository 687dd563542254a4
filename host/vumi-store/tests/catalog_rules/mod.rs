//! The rules of a catalog, by subject, and what they share.

#![allow(dead_code, reason = "each test file is a crate of its own and uses a part of this")]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may fail loudly")]

pub(crate) mod access;
pub(crate) mod changes;
pub(crate) mod model;
pub(crate) mod versions;

use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use vumi_core::{AppChange, AppRecord, Catalog, Error, NewVersion, VersionRecord};
use vumi_message::Timestamp;
use vumi_store::{CATALOG_FILE, Durability};

/// A catalog under test.
pub(crate) struct Bench {
    pub(crate) catalog: Arc<dyn Catalog>,
    /// Deleted with the bench.
    _directory: Option<TempDir>,
}

impl Bench {
    pub(crate) fn memory() -> Self {
        Self { catalog: vumi_store::catalog_in_memory().expect("opens"), _directory: None }
    }

    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(CATALOG_FILE);
        let catalog = vumi_store::catalog_at(path, Durability::Process).expect("opens");
        Self { catalog, _directory: Some(directory) }
    }

    pub(crate) async fn upload(&self, app: &str, component: &str) -> (VersionRecord, bool) {
        self.catalog.upload(new_version(app, component)).await.expect("uploads")
    }

    /// Uploads so many versions of an app, whose numbers are then 1 and so on.
    pub(crate) async fn uploads(&self, app: &str, count: u32) {
        for n in 1..=count {
            assert_eq!(self.upload(app, &format!("{app} {n}")).await.0.number, n);
        }
    }

    pub(crate) async fn change(&self, app: &str, change: AppChange) -> Result<AppRecord, Error> {
        self.catalog.change(app, change, None, at(9)).await
    }

    pub(crate) async fn changed(&self, app: &str, change: AppChange) -> AppRecord {
        self.change(app, change).await.expect("changes")
    }

    /// The sentence with which a change is refused for good.
    pub(crate) async fn refused(&self, app: &str, change: AppChange) -> String {
        sentence(self.change(app, change).await)
    }

    pub(crate) async fn app(&self, name: &str) -> AppRecord {
        self.catalog.app(name).await.expect("reads").expect("is there")
    }

    pub(crate) async fn has(&self, component: &str) -> bool {
        let found = self.catalog.component(&hash(component.as_bytes())).await.expect("reads");
        found.inspect(|bytes| assert_eq!(bytes, component.as_bytes())).is_some()
    }
}

/// What a permanent error says.
pub(crate) fn sentence<T: std::fmt::Debug>(answer: Result<T, Error>) -> String {
    let error = answer.expect_err("is refused");
    assert!(!error.is_temporary(), "{error}");
    error.to_string()
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000 + second * 1_000_000 + 123_456)
}

pub(crate) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn new_version(app: &str, component: &str) -> NewVersion {
    NewVersion {
        app: app.to_owned(),
        hash: hash(component.as_bytes()),
        component: Bytes::copy_from_slice(component.as_bytes()),
        created_by: "thandi".to_owned(),
        note: Some("a \"note\"\n".to_owned()),
        source: "upload".to_owned(),
        at: at(0),
    }
}
