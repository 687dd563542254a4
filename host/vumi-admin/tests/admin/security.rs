//! Who gets in, who does not, and what every answer tells browsers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use vumi_admin::{AdminError, AdminOptions, Secret, bind, serve};

use crate::fake::{Fake, FakeControl};
use crate::http::{Server, TOKEN};

const SMS: &str = r#"{"kind":"sms","content":"x","to_addr":"1"}"#;
const SEND: &str = "/api/v1/simulator/phones/1/messages";
const JSON: (&str, &str) = ("Content-Type", "application/json");

#[tokio::test]
async fn with_a_token_only_the_pages_and_health_are_open() {
    let server = Server::with(Some(TOKEN), 10).await;
    for open in ["/", "/assets/js/app.js", "/health"] {
        assert_eq!(server.get(open).await.status, 200, "{open}");
    }
    let closed = ["/metrics", "/api/v1/system", "/api/v1/openapi.json", "/api/v1/events", "/api/v1/nothing", "/other"];
    let right = format!("Bearer {TOKEN}");
    let longer = format!("{right}x");
    let shorter = &right[..right.len() - 1];
    let none = ["", "Bearer", "Bearer ", "Basic YTpi", TOKEN];
    let wrong = [shorter, &longer, "Bearer another-token-of-tests"];
    let each_without = closed.iter().flat_map(|path| none.iter().map(move |shown| (*path, *shown)));
    let each_wrong = wrong.iter().flat_map(|shown| ["/api/v1/system", "/other"].map(|path| (path, *shown)));
    for (path, shown) in each_without.chain(each_wrong) {
        let answer = server.send("GET", path, &[("Authorization", shown)], "").await;
        assert!(answer.problem(401).contains("Authorization: Bearer"), "{path} {shown}");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"vumi-host\"");
    }
    for path in ["/metrics", "/api/v1/system"] {
        for good in [&right, &format!("bearer {TOKEN}")] {
            let answer = server.send("GET", path, &[("Authorization", good)], "").await;
            assert_eq!(answer.status, 200, "{path} {good}");
        }
    }
    server.send("POST", SEND, &[JSON], SMS).await.problem(401);
    // Behind a proxy the names differ; the token is what counts.
    let proxied =
        [JSON, ("Authorization", &*right), ("Host", "vumi.example.org"), ("Origin", "https://vumi.example.org")];
    assert_eq!(server.send("POST", SEND, &proxied, SMS).await.status, 202);
}

#[tokio::test]
async fn without_a_token_foreign_host_names_are_refused() {
    let server = Server::start().await;
    let port = server.addr.port();
    for own in [format!("127.0.0.1:{port}"), "localhost".into(), format!("LOCALHOST:{port}"), "[::1]:80".into()] {
        for path in ["/", "/health", "/api/v1/system"] {
            assert_eq!(server.send("GET", path, &[("Host", &own)], "").await.status, 200, "{own}");
        }
    }
    for foreign in ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1"] {
        for path in ["/", "/health", "/metrics", "/api/v1/system", "/nothing"] {
            let answer = server.send("GET", path, &[("Host", foreign)], "").await;
            assert!(answer.problem(403).contains("admin.token"), "{path} {foreign}");
        }
    }
}

#[tokio::test]
async fn without_a_token_other_sites_cannot_change_anything() {
    let server = Server::start().await;
    let own = format!("http://{}", server.addr);
    let delete = "/api/v1/queues/echo.inbound/dead/d1";
    for foreign in [
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Origin", "https://127.0.0.1"),
        ("Origin", "http://127.0.0.1:1"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let answer = server.send("POST", SEND, &[JSON, foreign], SMS).await;
        assert!(answer.problem(403).contains("another web site"), "{foreign:?}");
        server.send("DELETE", delete, &[foreign], "").await.problem(403);
        assert_eq!(server.send("GET", "/api/v1/system", &[foreign], "").await.status, 200);
    }
    let both = [JSON, ("Origin", &*own), ("Sec-Fetch-Site", "cross-site")];
    server.send("POST", SEND, &both, SMS).await.problem(403);
    for good in [
        vec![],
        vec![("Origin", &*own)],
        vec![("Origin", &*own), ("Sec-Fetch-Site", "same-origin")],
        vec![("Sec-Fetch-Site", "none")],
    ] {
        let headers: Vec<_> = good.iter().copied().chain([JSON]).collect();
        assert_eq!(server.send("POST", SEND, &headers, SMS).await.status, 202, "{good:?}");
    }
    assert_eq!(server.send("DELETE", delete, &[], "").await.status, 204);
}

#[tokio::test]
async fn every_answer_carries_the_headers_for_browsers() {
    let server = Server::start().await;
    let refused = [("Host", "evil.example")];
    for (path, headers) in
        [("/", &[][..]), ("/assets/css/base.css", &[]), ("/api/v1/system", &[]), ("/nothing", &[]), ("/", &refused)]
    {
        let answer = server.send("GET", path, headers, "").await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self';"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("access-control-allow-origin"), "", "no other site may read");
    }
}

async fn start_on(listen: &str, token: Option<&str>) -> Result<(), AdminError> {
    let listener = TcpListener::bind(listen).await.unwrap();
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    let options = AdminOptions {
        // What the options say does not matter; where the listener really is does.
        listen: SocketAddr::from(([127, 0, 0, 1], 1)),
        token: token.map(Secret::new),
    };
    let control = Arc::new(FakeControl(Fake::new(1, Duration::ZERO)));
    serve(listener, options, control, shutdown).await
}

#[tokio::test]
async fn a_server_that_others_can_reach_does_not_start_without_a_token() {
    let error = start_on("0.0.0.0:0", None).await.unwrap_err();
    assert!(matches!(error, AdminError::TokenRequired(_)));
    let text = error.to_string();
    assert!(text.contains("set admin.token, or listen on 127.0.0.1"), "{text}");
    start_on("0.0.0.0:0", Some(TOKEN)).await.unwrap();
    start_on("127.0.0.1:0", None).await.unwrap();

    let open = AdminOptions { listen: "0.0.0.0:0".parse().unwrap(), token: None };
    assert!(matches!(bind(&open).await, Err(AdminError::TokenRequired(_))));
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = AdminOptions { listen: taken.local_addr().unwrap(), token: None };
    let error = bind(&options).await.unwrap_err().to_string();
    assert!(error.contains(&options.listen.to_string()), "{error}");
    assert_eq!(AdminOptions::default().listen.to_string(), "127.0.0.1:8080");
}

#[tokio::test]
async fn stopping_ends_streams_and_idle_connections() {
    let mut server = Server::start().await;
    let mut idle = TcpStream::connect(server.addr).await.unwrap();
    let mut stream = server.open("GET", "/api/v1/events", &[], "").await;
    let mut byte = [0];
    stream.read_exact(&mut byte).await.unwrap();
    server.shutdown.cancel();
    let task = &mut server.task;
    timeout(Duration::from_secs(4), task).await.expect("before the grace period ends").unwrap().unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"\n\n"), "the stream ends at the end of an event");
    assert_eq!(idle.read(&mut byte).await.unwrap(), 0);
    assert!(TcpStream::connect(server.addr).await.is_err());
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever() {
    let mut server = Server::start().await;
    server.system.hang.store(true, Ordering::Relaxed);
    let _hanging = server.open("GET", "/metrics", &[], "").await;
    // One that was sent later has been answered: the first is being handled.
    assert_eq!(server.get("/health").await.status, 200);
    server.shutdown.cancel();
    let task = &mut server.task;
    timeout(Duration::from_secs(10), task).await.expect("after the grace period").unwrap().unwrap();
}
