//! Secrets, tokens and the audit log.

use std::sync::Arc;

use tokio::task::JoinSet;
use vumi_core::{AuditEntry, SealedSecret, TokenRecord};
use vumi_message::Timestamp;

use super::{Bench, at, sentence};

fn secret(name: &str, sealed: &[u8], second: i64) -> SealedSecret {
    SealedSecret { name: name.into(), sealed: sealed.to_vec(), updated_at: at(second) }
}

fn token(id: &str, second: i64, expires_at: Option<Timestamp>) -> TokenRecord {
    TokenRecord {
        id: id.into(),
        name: format!("the name of {id}"),
        scope: "admin".into(),
        hash: super::hash(id.as_bytes()),
        created_at: at(second),
        expires_at,
    }
}

fn entry(n: u64) -> AuditEntry {
    AuditEntry {
        seq: 0,
        at: at(1),
        who: "local".into(),
        action: "app.activate".into(),
        subject: format!("shop {n}"),
        detail: n.is_multiple_of(2).then(|| "version 3".into()),
        done: !n.is_multiple_of(3),
    }
}

pub(crate) async fn secrets_belong_to_their_app(bench: Bench) {
    let (one, other) = (secret("b", &[0, 255, 128], 1), secret("a", b"", 2));
    let nobody = bench.catalog.put_secret("shop", one.clone()).await;
    assert_eq!(sentence(nobody), "there is no app `shop`");
    bench.uploads("shop", 1).await;
    bench.uploads("cafe", 1).await;
    let generation = bench.app("shop").await.generation;
    for secret in [&one, &other] {
        bench.catalog.put_secret("shop", secret.clone()).await.expect("puts");
    }
    bench.catalog.put_secret("cafe", secret("a", b"of the cafe", 3)).await.expect("puts");
    assert_eq!(bench.catalog.secrets("shop").await.expect("reads"), [other.clone(), one], "by name");
    let newer = secret("b", b"newer", 4);
    bench.catalog.put_secret("shop", newer.clone()).await.expect("puts");
    assert_eq!(bench.catalog.secrets("shop").await.expect("reads"), [other, newer.clone()]);
    assert!(bench.catalog.remove_secret("shop", "a").await.expect("removes"));
    assert!(!bench.catalog.remove_secret("shop", "a").await.expect("answers"), "it is gone");
    assert_eq!(bench.catalog.secrets("shop").await.expect("reads"), [newer]);
    assert_eq!(bench.catalog.secrets("cafe").await.expect("reads"), [secret("a", b"of the cafe", 3)]);
    assert_eq!(bench.app("shop").await.generation, generation, "secrets are no part of the record");
}

pub(crate) async fn tokens_are_kept_by_their_id(bench: Bench) {
    let (young, old, same) = (token("a", 9, None), token("b", 1, Some(at(100))), token("c", 9, None));
    for token in [&same, &young, &old] {
        bench.catalog.put_token(token.clone()).await.expect("puts");
    }
    assert_eq!(bench.catalog.tokens().await.expect("reads"), [old.clone(), young.clone(), same.clone()]);
    assert_eq!(bench.catalog.token("b").await.expect("reads"), Some(old.clone()));
    assert_eq!(bench.catalog.token("d").await.expect("reads"), None);
    let changed = TokenRecord { scope: "read".into(), expires_at: Some(at(200)), ..young };
    bench.catalog.put_token(changed.clone()).await.expect("puts");
    assert_eq!(bench.catalog.token("a").await.expect("reads"), Some(changed.clone()));
    assert!(bench.catalog.remove_token("b").await.expect("removes"));
    assert!(!bench.catalog.remove_token("b").await.expect("answers"), "it is gone");
    assert_eq!(bench.catalog.tokens().await.expect("reads"), [changed, same]);
}

pub(crate) async fn the_audit_log_comes_newest_first_and_in_pages(bench: Bench) {
    assert!(bench.catalog.audit_log(None, 10).await.expect("reads").is_empty());
    for n in 1..=7 {
        bench.catalog.audit(AuditEntry { seq: 99, ..entry(n) }).await.expect("notes");
    }
    let mut read = Vec::new();
    let mut before = None;
    loop {
        let page = bench.catalog.audit_log(before, 3).await.expect("reads");
        let Some(last) = page.last() else { break };
        before = Some(last.seq);
        read.extend(page);
    }
    let wanted: Vec<AuditEntry> = (1..=7).rev().map(|n| AuditEntry { seq: n, ..entry(n) }).collect();
    assert_eq!(read, wanted);
    assert_eq!(bench.catalog.audit_log(Some(u64::MAX), usize::MAX).await.expect("reads"), wanted);
    assert!(bench.catalog.audit_log(None, 0).await.expect("reads").is_empty());
}

pub(crate) async fn old_entries_of_the_audit_log_are_forgotten(bench: Bench) {
    let mut tasks = JoinSet::new();
    for n in 0..10_050 {
        let catalog = Arc::clone(&bench.catalog);
        tasks.spawn(async move { catalog.audit(entry(n)).await.expect("notes") });
    }
    tasks.join_all().await;
    let left: Vec<u64> =
        bench.catalog.audit_log(None, usize::MAX).await.expect("reads").into_iter().map(|entry| entry.seq).collect();
    assert_eq!(left, (51..=10_050).rev().collect::<Vec<u64>>());
}

pub(crate) async fn after_closing_nothing_is_taken(bench: Bench) {
    bench.uploads("shop", 1).await;
    bench.catalog.close().await;
    bench.catalog.close().await;
    let error = bench.catalog.upload(super::new_version("shop", "x")).await.expect_err("is closed");
    assert!(error.is_temporary());
    assert_eq!(error.report(), "the catalog could not be written: the database is closed");
    let error = bench.catalog.apps().await.expect_err("is closed");
    assert_eq!(error.report(), "the catalog could not be read: the database is closed");
}
