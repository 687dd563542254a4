//! Kept tokens: made once, shown once, checked every time.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::time::timeout;
use vumi_admin::model::{Scope, TokenInfo};
use vumi_admin::{AccessStore, KeptToken};

use crate::fake::now;
use crate::http::{Server, TOKEN};

const TOKENS: &str = "/api/v1/tokens";
const SYSTEM: &str = "/api/v1/system";
const SEND: &str = "/api/v1/simulator/phones/1/messages";
const SMS: &str = r#"{"kind":"sms","content":"x","to_addr":"1"}"#;
const UNKNOWN: &str = "vh_0123456789ab_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_token_is_made_shown_once_used_and_removed() {
    let server = Server::with(Some(TOKEN), 10).await;
    let order = json!({"name": "ci", "scope": "deploy", "expires_in_seconds": 3600}).to_string();
    let answer = server.as_owner("POST", TOKENS, &order).await;
    assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"));
    let created = answer.json();
    let (id, token) = (created["id"].as_str().unwrap(), created["token"].as_str().unwrap());
    assert_eq!(token.len(), 59);
    assert!(token.starts_with(&format!("vh_{id}_")), "{token}");
    assert_eq!((&created["name"], &created["scope"]), (&json!("ci"), &json!("deploy")));
    let life = created["expires_at"].as_u64().unwrap() - created["created_at"].as_u64().unwrap();
    assert_eq!(life, 3_600_000_000);

    let kept = server.system.access.token(id).await.unwrap().unwrap();
    assert_eq!(kept.hash, sha256(token));
    assert!(!format!("{kept:?}").contains(&token[16..]), "the secret is not kept");

    let list = server.as_owner("GET", TOKENS, "").await;
    assert!(!list.text().contains(&token[16..]) && !list.text().contains(&kept.hash), "{}", list.text());
    let mut expected = created.clone();
    expected.as_object_mut().unwrap().remove("token");
    assert_eq!(list.json(), json!([expected]));

    assert_eq!(server.with_token(token, "POST", SEND, SMS).await.status, 202);
    let path = format!("{TOKENS}/{id}");
    server.with_token(token, "DELETE", &path, "").await.problem(403);
    assert_eq!(server.as_owner("DELETE", &path, "").await.status, 204);
    server.with_token(token, "POST", SEND, SMS).await.problem(401);
    assert!(server.as_owner("DELETE", &path, "").await.problem(404).contains(id));
    assert_eq!(server.as_owner("GET", TOKENS, "").await.json(), json!([]));
}

#[tokio::test]
async fn what_is_not_exactly_the_token_is_refused() {
    let server = Server::with(Some(TOKEN), 10).await;
    let token = server.make_token("ci", "read").await;
    let other = server.make_token("other", "admin").await;
    let last = if token.ends_with('A') { "E" } else { "A" };
    let changed = format!("{}{last}", &token[..58]);
    let mixed = format!("{}{}", &token[..15], &other[15..]);
    for wrong in [&changed, &mixed, &token[..58], &format!("{token}A"), &token.to_uppercase(), UNKNOWN] {
        let detail = server.with_token(wrong, "GET", SYSTEM, "").await.problem(401);
        assert!(!detail.contains(wrong), "{detail}");
    }
    assert_eq!(server.with_token(&token, "GET", SYSTEM, "").await.status, 200);
}

fn kept(token: &str, expires_at: Option<u64>) -> KeptToken {
    let info =
        TokenInfo { id: token[3..15].to_owned(), name: "old".into(), scope: Scope::Admin, created_at: 0, expires_at };
    KeptToken { info, hash: sha256(token) }
}

#[tokio::test]
async fn a_token_that_has_expired_is_refused() {
    let server = Server::with(Some(TOKEN), 10).await;
    let later = UNKNOWN.replace("0123", "4567");
    server.system.access.put_token(kept(UNKNOWN, Some(now() - 1))).await.unwrap();
    server.system.access.put_token(kept(&later, Some(now() + 600_000_000))).await.unwrap();
    server.with_token(UNKNOWN, "GET", SYSTEM, "").await.problem(401);
    assert_eq!(server.with_token(&later, "GET", SYSTEM, "").await.status, 200);
}

#[tokio::test]
async fn orders_that_make_no_sense_are_refused_with_the_reason() {
    let server = Server::start().await;
    for (name, life, said) in [
        ("", json!(null), "is empty"),
        ("a\u{7}", json!(null), "cannot be seen"),
        (&*"x".repeat(65), json!(null), "64 characters"),
        ("admin", json!(null), "choose another"),
        ("ci", json!(0), "expires_in_seconds is 0"),
        ("ci", json!(u64::MAX), "must be from 1 to"),
    ] {
        let order = json!({"name": name, "scope": "read", "expires_in_seconds": life}).to_string();
        let detail = server.post(TOKENS, &order).await.problem(400);
        assert!(detail.contains(said), "{detail}");
    }
    for order in
        [json!({"name": "x", "scope": "root"}), json!({"name": "x"}), json!({"name": "x", "scope": "read", "y": 1})]
    {
        server.post(TOKENS, &order.to_string()).await.problem(422);
    }
    assert_eq!(server.get(TOKENS).await.json(), json!([]));
    for number in 0..1000 {
        let token = UNKNOWN.replace("0123456789ab", &format!("{number:012x}"));
        server.system.access.put_token(kept(&token, None)).await.unwrap();
    }
    let order = json!({"name": "one too many", "scope": "read"}).to_string();
    assert!(server.post(TOKENS, &order).await.problem(409).contains("1000 tokens"));
}

#[tokio::test]
async fn on_this_machine_alone_a_token_that_is_shown_counts_all_the_same() {
    let server = Server::start().await;
    let reader = server.make_token("reader", "read").await;
    assert_eq!(server.post(SEND, SMS).await.status, 202, "nobody needs one");
    assert_eq!(server.with_token(&reader, "GET", SYSTEM, "").await.status, 200);
    assert!(server.with_token(&reader, "POST", SEND, SMS).await.problem(403).contains("\"reader\" has \"read\""));
    server.with_token(UNKNOWN, "GET", SYSTEM, "").await.problem(401);
    server.with_token(TOKEN, "GET", SYSTEM, "").await.problem(401);
    // What a proxy before us asks for is not our affair; a token does not make a foreign name good.
    assert_eq!(server.send("GET", SYSTEM, &[("Authorization", "Basic YTpi")], "").await.status, 200);
    let bearer = format!("Bearer {reader}");
    let foreign = [("Authorization", &*bearer), ("Host", "evil.example")];
    server.send("GET", SYSTEM, &foreign, "").await.problem(403);
}

#[tokio::test]
async fn too_many_wrong_tokens_are_told_to_wait_and_right_ones_are_not() {
    let server = Server::with(Some(TOKEN), 10).await;
    let reader = server.make_token("reader", "read").await;
    for attempt in 0..10 {
        let wrong = format!("wrong-token-number-{attempt}");
        server.with_token(&wrong, "GET", SYSTEM, "").await.problem(401);
    }
    for wrong in ["wrong-token", UNKNOWN, &reader[..58]] {
        let answer = server.with_token(wrong, "GET", SYSTEM, "").await;
        assert!(answer.problem(429).contains("too many wrong tokens"));
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=6).contains(&wait), "{wait}");
        assert_eq!(answer.json()["retry_after_seconds"], wait);
    }
    // An owner behind the same address is not kept out, nor from learning that a token is needed.
    assert_eq!(server.with_token(&reader, "GET", SYSTEM, "").await.status, 200);
    assert_eq!(server.with_token(TOKEN, "GET", SYSTEM, "").await.status, 200);
    server.get(SYSTEM).await.problem(401);
    assert_eq!(server.get("/health").await.status, 200);
}

#[tokio::test]
async fn while_tokens_cannot_be_looked_up_the_configured_one_still_opens() {
    let server = Server::with(Some(TOKEN), 10).await;
    let reader = server.make_token("reader", "read").await;
    server.system.access.tokens_are_away.store(true, Ordering::Relaxed);
    let answer = server.with_token(&reader, "GET", SYSTEM, "").await;
    assert!(answer.problem(503).contains("catalog is away"));
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(server.with_token(TOKEN, "GET", SYSTEM, "").await.status, 200);
}

/// Opens an event stream and reads up to its first event.
async fn stream(server: &Server, token: &str) -> BufReader<tokio::net::TcpStream> {
    let bearer = format!("Bearer {token}");
    let stream = server.open("GET", "/api/v1/events", &[("Authorization", &*bearer)], "").await;
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    while !line.starts_with("event: ready") {
        line.clear();
        let read = timeout(Duration::from_secs(10), lines.read_line(&mut line)).await.expect("a line in time");
        assert!(read.unwrap() > 0, "the stream begins");
    }
    lines
}

async fn ends(stream: &mut BufReader<tokio::net::TcpStream>) {
    let mut rest = Vec::new();
    let end = timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
    end.expect("the stream ends in time").unwrap();
}

#[tokio::test]
async fn event_streams_end_with_their_token_and_others_go_on() {
    let server = Server::with(Some(TOKEN), 10).await;
    let token = server.make_token("watcher", "read").await;
    let other = server.make_token("other", "read").await;
    let (mut removed, mut stays) = (stream(&server, &token).await, stream(&server, &other).await);
    let mut configured = stream(&server, TOKEN).await;
    let path = format!("{TOKENS}/{}", &token[3..15]);
    assert_eq!(server.as_owner("DELETE", &path, "").await.status, 204);
    ends(&mut removed).await;
    for going_on in [&mut stays, &mut configured] {
        let mut line = String::new();
        server.system.log(vumi_admin::model::LogLevel::Info, "still there", None);
        while !line.contains("still there") {
            line.clear();
            let read = timeout(Duration::from_secs(10), going_on.read_line(&mut line)).await.expect("a line in time");
            assert!(read.unwrap() > 0, "the stream goes on");
        }
    }
}

#[tokio::test]
async fn event_streams_end_when_their_token_expires_or_is_removed_elsewhere() {
    let server = Server::with(Some(TOKEN), 10).await;
    server.system.access.put_token(kept(UNKNOWN, Some(now() + 1_500_000))).await.unwrap();
    let token = server.make_token("watcher", "read").await;
    let mut expires = stream(&server, UNKNOWN).await;
    let mut removed = stream(&server, &token).await;
    // As another process of the same catalog would.
    assert!(server.system.access.remove_token(&token[3..15]).await.unwrap());
    ends(&mut expires).await;
    ends(&mut removed).await;
}
