//! What only a catalog in a file does: outlast its process, and read while it is written.

#![allow(clippy::expect_used, reason = "tests may fail loudly")]

mod catalog_rules;

use catalog_rules::{at, hash, new_version};
use rusqlite::Connection;
use vumi_core::{AppChange, AuditEntry, Canary, Catalog, SealedSecret, TokenRecord};
use vumi_store::{CATALOG_FILE, Durability, StoreError, catalog_at};

#[tokio::test]
async fn everything_outlasts_the_process() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join(CATALOG_FILE);
    let catalog = catalog_at(&path, Durability::Power).expect("opens");
    for n in 1..=4 {
        catalog.upload(new_version("shop", &format!("{n}"))).await.expect("uploads");
    }
    let changes = [
        AppChange::Activate(1),
        AppChange::Activate(2),
        AppChange::Canary(Some(Canary { version: 3, share: 17 })),
        AppChange::Shadow(Some(1)),
        AppChange::Settings("{\"a\":1}".into()),
    ];
    for change in changes {
        catalog.change("shop", change, None, at(3)).await.expect("changes");
    }
    assert!(catalog.remove_version("shop", 4).await.expect("removes"));
    let secret = SealedSecret { name: "key".into(), sealed: vec![1, 2, 3], updated_at: at(4) };
    catalog.put_secret("shop", secret.clone()).await.expect("puts");
    let token = TokenRecord {
        id: "t".into(),
        name: "ci".into(),
        scope: "deploy".into(),
        hash: hash(b"t"),
        created_at: at(5),
        expires_at: Some(at(6)),
    };
    catalog.put_token(token.clone()).await.expect("puts");
    let entry = AuditEntry {
        seq: 1,
        at: at(7),
        who: "ci".into(),
        action: "app.activate".into(),
        subject: "shop".into(),
        detail: None,
        done: true,
    };
    catalog.audit(entry.clone()).await.expect("notes");
    let (apps, versions) = (catalog.apps().await.expect("reads"), catalog.versions("shop").await.expect("reads"));
    assert!(matches!(catalog_at(&path, Durability::Power), Err(StoreError::Open(_))), "one at a time");
    catalog.close().await;

    let catalog = catalog_at(&path, Durability::Power).expect("opens");
    assert_eq!(catalog.apps().await.expect("reads"), apps);
    assert_eq!(catalog.versions("shop").await.expect("reads"), versions);
    assert_eq!(catalog.component(&hash(b"3")).await.expect("reads").as_deref(), Some(&b"3"[..]));
    assert_eq!(catalog.component(&hash(b"4")).await.expect("reads"), None);
    assert_eq!(catalog.secrets("shop").await.expect("reads"), [secret]);
    assert_eq!(catalog.tokens().await.expect("reads"), [token]);
    assert_eq!(catalog.audit_log(None, 10).await.expect("reads"), [entry]);
    let (next, _) = catalog.upload(new_version("shop", "4")).await.expect("uploads");
    assert_eq!(next.number, 5, "the number of a removed version is not given again");
    catalog.close().await;
}

#[tokio::test]
async fn a_component_is_read_while_the_file_is_written() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join(CATALOG_FILE);
    let catalog = catalog_at(&path, Durability::Process).expect("opens");
    catalog.upload(new_version("shop", "one")).await.expect("uploads");
    // The writer waits until this ends, and so would a read behind it.
    let other = Connection::open(&path).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locks");
    let writing = tokio::spawn({
        let catalog = std::sync::Arc::clone(&catalog);
        async move { catalog.upload(new_version("shop", "two")).await }
    });
    // This runtime has one thread: the write is queued when we come back.
    tokio::task::yield_now().await;
    let found = catalog.component(&hash(b"one")).await.expect("reads");
    assert_eq!(found.as_deref(), Some(&b"one"[..]));
    assert!(!writing.is_finished());
    drop(other);
    writing.await.expect("ends").expect("uploads");
    catalog.close().await;
}
