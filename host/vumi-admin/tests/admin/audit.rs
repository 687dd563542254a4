//! The audit log: what was changed, by whom, and nothing else.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vumi_admin::AccessStore;
use vumi_admin::model::{AuditView, Page};

use crate::http::{Server, TOKEN};

const TOKENS: &str = "/api/v1/tokens";
const DEAD: &str = "/api/v1/queues/echo.inbound/dead";

async fn log(server: &Server) -> Vec<AuditView> {
    let answer = server.as_owner("GET", "/api/v1/audit", "").await;
    let page: Page<AuditView> = serde_json::from_value(answer.json()).unwrap();
    assert_eq!(page.next, None);
    page.items
}

fn entry(entry: &AuditView) -> (&str, &str, &str, Option<&str>, bool) {
    (&entry.who, &entry.action, &entry.subject, entry.detail.as_deref(), entry.done)
}

#[tokio::test]
async fn changes_are_recorded_with_who_what_and_whether_it_was_done() {
    let server = Server::with(Some(TOKEN), 10).await;
    let ops = server.make_token("ops", "admin").await;
    let reader = server.make_token("reader", "read").await;
    assert_eq!(server.with_token(&ops, "POST", &format!("{DEAD}/d1/requeue"), "").await.status, 204);
    server.with_token(&ops, "DELETE", &format!("{DEAD}/d1"), "").await.problem(404);
    server.with_token(&reader, "DELETE", &format!("{DEAD}/d2"), "").await.problem(403);
    let id = &reader[3..15];
    assert_eq!(server.with_token(TOKEN, "DELETE", &format!("{TOKENS}/{id}"), "").await.status, 204);

    let entries = log(&server).await;
    let seen: Vec<_> = entries.iter().map(entry).collect();
    assert_eq!(
        seen,
        [
            ("admin", "token.remove", id, None, true),
            ("reader", "dead-letter.drop", "echo.inbound", Some("letter d2"), false),
            ("ops", "dead-letter.drop", "echo.inbound", Some("letter d1"), false),
            ("ops", "dead-letter.requeue", "echo.inbound", Some("letter d1"), true),
            ("admin", "token.create", id, Some("reader, scope read"), true),
            ("admin", "token.create", &ops[3..15], Some("ops, scope admin"), true),
        ]
    );
    assert!(entries.windows(2).all(|pair| pair[0].seq > pair[1].seq && pair[0].at >= pair[1].at));
    let text = serde_json::to_string(&entries).unwrap();
    assert!(!text.contains(&ops[16..]) && !text.contains(TOKEN), "no secrets");
}

#[tokio::test]
async fn looking_sending_and_strangers_leave_no_entry() {
    let server = Server::with(Some(TOKEN), 10).await;
    let sms = r#"{"kind":"sms","content":"x","to_addr":"1"}"#;
    assert_eq!(server.as_owner("POST", "/api/v1/simulator/phones/1/messages", sms).await.status, 202);
    for path in ["/api/v1/system", "/metrics", "/health", "/", TOKENS, DEAD, "/nothing"] {
        server.as_owner("GET", path, "").await;
    }
    server.as_owner("POST", "/nothing", "").await.problem(404);
    server.as_owner("PUT", "/api/v1/system", "").await.problem(405);
    server.send("POST", TOKENS, &[], "").await.problem(401);
    server.with_token("a-wrong-token", "DELETE", &format!("{DEAD}/d1"), "").await.problem(401);
    assert_eq!(log(&server).await, []);
}

#[tokio::test]
async fn on_this_machine_alone_the_caller_is_local_and_texts_from_paths_are_tamed() {
    let server = Server::start().await;
    let long = "x".repeat(1000);
    server.send("DELETE", &format!("/api/v1/queues/a%0Ab/dead/{long}"), &[], "").await.problem(404);
    server.send("DELETE", &format!("{TOKENS}/%ff"), &[], "").await.problem(400);
    server.post(TOKENS, "no json").await.problem(400);
    let entries = log(&server).await;
    let tail = format!("letter {}", "x".repeat(200));
    assert_eq!(entry(&entries[2]), ("local", "dead-letter.drop", "a\u{fffd}b", Some(&*tail), false));
    assert_eq!(entry(&entries[1]), ("local", "token.remove", "", None, false));
    assert_eq!(entry(&entries[0]), ("local", "token.create", "", None, false));
}

#[tokio::test]
async fn the_log_is_read_page_by_page() {
    let server = Server::start().await;
    for id in 0..5 {
        server.send("DELETE", &format!("{TOKENS}/{id}"), &[], "").await.problem(404);
    }
    let mut seen = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = server.get(&format!("/api/v1/audit{query}")).await.json();
        let items = page["items"].as_array().unwrap().clone();
        seen.push(items.iter().map(|item| item["subject"].as_str().unwrap().to_owned()).collect::<Vec<_>>());
        match &page["next"] {
            Value::Null => break,
            next => query = format!("?limit=2&before={next}"),
        }
    }
    assert_eq!(json!(seen), json!([["4", "3"], ["2", "1"], ["0"]]));
    server.get("/api/v1/audit?limit=0").await.problem(400);
}

#[tokio::test]
async fn a_change_stands_though_it_cannot_be_recorded() {
    let server = Server::start().await;
    server.system.access.audit_is_away.store(true, Ordering::Relaxed);
    assert_eq!(server.send("DELETE", &format!("{DEAD}/d1"), &[], "").await.status, 204);
    server.system.access.audit_is_away.store(false, Ordering::Relaxed);
    assert_eq!(log(&server).await, []);
    assert_eq!(server.get(DEAD).await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_change_during_which_the_host_fails_is_recorded_too() {
    let server = Server::start().await;
    server.send("DELETE", &format!("{TOKENS}/panic"), &[], "").await.problem(500);
    let entries = log(&server).await;
    assert_eq!(entry(&entries[0]), ("local", "token.remove", "panic", None, false));
}

#[tokio::test]
async fn whoever_hangs_up_does_not_escape() {
    let server = Server::start().await;
    let access = &server.system.access;
    access.turns.forget_permits(usize::MAX);
    let json = [("Content-Type", "application/json")];
    let request = server.open("POST", TOKENS, &json, r#"{"name":"hasty","scope":"read"}"#).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while !access.waiting.load(Ordering::Relaxed) {
        assert!(Instant::now() < deadline, "the token waits to be kept");
        tokio::task::yield_now().await;
    }
    drop(request);
    // Answered later than the server noticed the end of the other connection.
    for _ in 0..20 {
        assert_eq!(server.get("/health").await.status, 200);
    }
    access.turns.add_permits(1);
    while access.audit_log(None, 1).await.unwrap().is_empty() {
        assert!(Instant::now() < deadline, "the change is recorded");
        tokio::task::yield_now().await;
    }
    let entries = access.audit_log(None, 1).await.unwrap();
    assert_eq!((&*entries[0].action, entries[0].done), ("token.create", true));
    assert_eq!(access.tokens().await.unwrap().len(), 1);
}
