//! The HTTP relay against a real web server on loopback (specification: http_relay).
//!
//! Check 2 in part: HTTP libraries take the blank behind a header's value away before anybody sees it, so `true ` cannot
//! be told from `true`.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tracing::Level;
use vumi_message::{DeliveryStatus, Event, SessionEvent, UserMessage};
use vumi_worker::NativeAppConfig;

use crate::applications::logs::Logs;
use crate::applications::rig::{Failures, Rig, in_session, message, mistake, payload, read};
use crate::applications::web::{Seen, Server, nobody};

const REPLY: &str = "X-Vumi-HTTPRelay-Reply";

/// An answer with these values of the reply header.
fn answer(status: u16, header: &[&str], body: impl Into<Body>) -> Response {
    let mut builder = Response::builder().status(status);
    for value in header {
        builder = builder.header(REPLY, *value);
    }
    builder.body(body.into()).unwrap()
}

fn config(server: &Server, more: &str) -> String {
    format!("class: http_relay\nurl: {}\n{more}", server.url("/messages"))
}

/// A relay and its server.
async fn relay(more: &str) -> (Rig, Server) {
    let server = Server::start(|_| answer(200, &[], "")).await;
    (Rig::run(&config(&server, more)).await, server)
}

/// What a relay sends for a message that is answered so.
async fn replies(rig: &mut Rig, server: &Server, response: impl Fn(&Seen) -> Response + Send + 'static) -> UserMessage {
    server.answer(response);
    rig.give(&message("hi")).await;
    rig.next().await
}

#[tokio::test]
async fn check_01_the_answer_is_the_reply() {
    let (mut rig, server) = relay("").await;
    server.answer(|_| answer(200, &["true"], " thanks! \n"));
    let original = message("hi");
    rig.give(&original).await;
    let reply = rig.next().await;
    assert_eq!((reply.content(), reply.to_addr()), (Some("thanks!"), Some("+2771")));
    assert_eq!((reply.in_reply_to(), reply.session_event()), (Some(original.message_id()), None));
    rig.stop().await;
}

#[tokio::test]
async fn check_02_values_of_the_header() {
    let (mut rig, server) = relay("").await;
    let reply = replies(&mut rig, &server, |_| answer(200, &["TRUE"], "x")).await;
    assert_eq!(reply.content(), Some("x"));
    for value in ["yes", "untrue!", "", "true true", "1"] {
        server.answer(move |_| answer(200, &[value], "x"));
        rig.give(&message("hi")).await;
        rig.silent().await;
    }
    server.answer(|_| answer(200, &[], "x"));
    rig.give(&message("hi")).await;
    rig.silent().await;
    rig.stop().await;
}

#[tokio::test]
async fn check_03_a_blank_body() {
    let failures = Failures::count();
    let (rig, server) = relay("").await;
    for body in ["", " ", " \r\n\t \u{b}"] {
        server.answer(move |_| answer(200, &["true"], body));
        rig.give(&message("hi")).await;
        rig.silent().await;
    }
    assert_eq!(failures.so_far(), 0);
    rig.stop().await;
}

#[tokio::test]
async fn check_04_other_statuses() {
    let (rig, server) = relay("").await;
    for status in [201, 204, 404, 500] {
        let logs = Logs::watch();
        server.answer(move |_| answer(status, &["true"], if status == 204 { "" } else { "x" }));
        let original = message("hi");
        rig.give(&original).await;
        rig.silent().await;
        let error = logs.error();
        assert_eq!(error.text, format!("{} responded with {status}", server.url("/messages")));
        assert!(error.fields.contains(original.message_id()), "{error:?}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn check_05_credentials() {
    let (rig, server) = relay("username: relay\npassword: s3cret\n").await;
    rig.give(&message("hi")).await;
    assert_eq!(server.only().header("authorization"), Some("Basic cmVsYXk6czNjcmV0"));
    rig.stop().await;
}

#[tokio::test]
async fn check_06_credentials_beyond_ascii_and_none() {
    let (rig, server) = relay("username: zoë\npassword: \"pä:ss\"\n").await;
    rig.give(&message("hi")).await;
    assert_eq!(server.only().header("authorization"), Some("Basic em/Dqzpww6Q6c3M="));
    rig.stop().await;
    let (rig, server) = relay("username: \"\"\npassword: x\n").await;
    rig.give(&message("hi")).await;
    assert_eq!(server.only().header("authorization"), None);
    rig.stop().await;
}

#[test]
fn check_07_other_ways_to_authenticate() {
    for more in ["", "username: u\n"] {
        let sentence = mistake(&format!("class: http_relay\nurl: http://h/\nauth_method: digest\n{more}"));
        assert_eq!(sentence, "HTTP Authentication method 'digest' not supported");
    }
}

#[tokio::test]
async fn check_08_events_go_to_the_same_url() {
    let (rig, server) = relay("").await;
    server.answer(|_| answer(200, &["true"], "x"));
    for (event, kind) in
        [(Event::ack("m1", "n1"), "ack"), (Event::delivery_report("m1", DeliveryStatus::Failed), "delivery_report")]
    {
        rig.tell(&event).await;
        let seen = server.only();
        assert_eq!((seen.path.as_str(), &seen.json()["event_type"]), ("/messages", &json!(kind)));
        assert_eq!(seen.json(), Value::Object(event.payload().clone()));
    }
    rig.silent().await;
    rig.stop().await;
}

#[tokio::test]
async fn check_09_another_method() {
    let server = Server::start(|_| answer(200, &[], "")).await;
    for name in ["PUT", "put"] {
        let rig = Rig::run(&config(&server, &format!("http_method: {name}\n"))).await;
        rig.give(&message("hi")).await;
        rig.tell(&Event::ack("m1", "n1")).await;
        let methods: Vec<String> = server.take().iter().map(|seen| seen.method.to_string()).collect();
        assert_eq!(methods, ["PUT", "PUT"]);
        rig.stop().await;
    }
    let sentence = mistake("class: http_relay\nurl: http://h/\nhttp_method: 'P T'\n");
    assert_eq!(sentence, "http_method: `P T` is no HTTP method; write POST, for instance");
}

#[tokio::test]
async fn check_10_ends_and_beginnings_of_sessions() {
    let (rig, server) = relay("").await;
    server.answer(|_| answer(200, &["true"], "x"));
    rig.give(&in_session("bye", SessionEvent::Close)).await;
    assert_eq!(server.take().len(), 0);
    rig.silent().await;
    rig.stop().await;

    let (mut rig, server) = relay("").await;
    for event in [SessionEvent::New, SessionEvent::Resume] {
        rig.give(&in_session("hi", event)).await;
        assert_eq!(server.only().json()["session_event"], event.as_str());
    }
    let reply = replies(&mut rig, &server, |_| answer(200, &["true"], "x")).await;
    assert_eq!(reply.content(), Some("x"));
    rig.stop().await;
}

#[tokio::test]
async fn ends_of_sessions_may_be_relayed_and_are_never_replied_to() {
    let (rig, server) = relay("relay_close: true\n").await;
    server.answer(|_| answer(200, &["true"], "x"));
    rig.give(&in_session("bye", SessionEvent::Close)).await;
    assert_eq!(server.only().json()["session_event"], "close");
    rig.silent().await;
    rig.stop().await;
}

#[tokio::test]
async fn check_11_the_whole_message_is_sent() {
    let (rig, server) = relay("").await;
    let mut original = message("fær 2016-03-01 08:30:00");
    original.set("x_custom", json!([1, {"a": 1.50}])).unwrap();
    rig.give(&original).await;
    let seen = server.only();
    assert_eq!(seen.json(), payload(&original));
    assert_eq!(seen.header("content-type"), Some("application/json; charset=utf-8"));
    rig.stop().await;
}

#[tokio::test]
async fn check_12_the_first_value_counts() {
    let (mut rig, server) = relay("").await;
    server.answer(|_| answer(200, &["false", "true"], "x"));
    rig.give(&message("hi")).await;
    rig.silent().await;
    let reply = replies(&mut rig, &server, |_| answer(200, &["true", "false"], "x")).await;
    assert_eq!(reply.content(), Some("x"));
    rig.stop().await;
}

#[tokio::test]
async fn check_13_nobody_listens() {
    let (logs, failures) = (Logs::watch(), Failures::count());
    let url = format!("http://{}/messages", nobody().await);
    let rig = Rig::run(&format!("class: http_relay\nurl: {url}\n")).await;
    for expected in 1..=2 {
        let original = message("hi");
        rig.give(&original).await;
        assert_eq!(failures.so_far(), expected);
        let error = logs.at(Level::ERROR).pop().unwrap();
        assert!(error.text.contains(&url) && error.text.contains("refused"), "{error:?}");
        assert!(error.fields.contains(original.message_id()), "{error:?}");
    }
    rig.silent().await;
    rig.stop().await;
}

#[tokio::test]
async fn check_14_nacks_go_to_the_url_of_events() {
    let server = Server::start(|_| answer(200, &[], "")).await;
    let rig = Rig::run(&config(&server, &format!("event_url: {}\n", server.url("/events")))).await;
    rig.tell(&Event::nack("m1", "no")).await;
    let seen = server.only();
    assert_eq!((seen.path.as_str(), &seen.json()["event_type"]), ("/events", &json!("nack")));
    rig.give(&message("hi")).await;
    assert_eq!(server.only().path, "/messages");
    rig.stop().await;
}

#[tokio::test]
async fn check_15_a_server_that_never_answers() {
    let (logs, failures) = (Logs::watch(), Failures::count());
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let rig = Rig::run(&format!("class: http_relay\nurl: {url}\ntimeout: 1\n")).await;
    let began = Instant::now();
    rig.give(&message("hi")).await;
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(20), "{took:?}");
    let error = logs.error();
    assert!(error.text.ends_with(&format!("{url}: it did not answer within 1 s")), "{error:?}");
    assert_eq!(failures.so_far(), 1);
    rig.stop().await;
}

/// The error that a message ends with when it is answered so.
async fn fails(more: &str, response: impl Fn(&Seen) -> Response + Send + 'static) -> String {
    let (logs, failures) = (Logs::watch(), Failures::count());
    let (rig, server) = relay(more).await;
    server.answer(response);
    rig.give(&message("hi")).await;
    rig.silent().await;
    assert_eq!(failures.so_far(), 1);
    rig.stop().await;
    logs.error().text
}

#[tokio::test]
async fn a_body_that_is_no_text() {
    let error = fails("", |_| answer(200, &["true"], vec![0xff, 0xfe])).await;
    assert!(error.ends_with("the body of its answer is not UTF-8"), "{error}");
}

#[tokio::test]
async fn a_body_that_is_too_large() {
    let (mut rig, server) = relay("data_limit: 1KiB\n").await;
    let reply = replies(&mut rig, &server, |_| answer(200, &["true"], "x".repeat(1024))).await;
    assert_eq!(reply.content().map(str::len), Some(1024));
    // What is not the reply is not read.
    server.answer(|_| answer(200, &[], "x".repeat(100_000)));
    rig.give(&message("hi")).await;
    rig.silent().await;
    rig.stop().await;
    let error = fails("data_limit: 1KiB\n", |_| answer(200, &["true"], "x".repeat(1025))).await;
    assert!(error.ends_with("Received 1025 bytes, maximum of 1024 bytes allowed."), "{error}");
}

/// A server that begins to answer and never ends.
async fn endless(listener: TcpListener) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let head = format!("HTTP/1.1 200 OK\r\n{REPLY}: true\r\nTransfer-Encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    // Until the relay closes the connection.
    while stream.write_all(chunk.as_bytes()).await.is_ok() {}
}

#[tokio::test]
async fn a_body_without_end_is_given_up_at_the_limit() {
    let logs = Logs::watch();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(endless(listener));
    let rig = Rig::run(&format!("class: http_relay\nurl: {url}\ndata_limit: 10KiB\n")).await;
    rig.give(&message("hi")).await;
    let error = logs.error().text;
    assert!(error.ends_with("maximum of 10240 bytes allowed."), "{error}");
    tokio::time::timeout(vumi_tests::PATIENCE, server).await.expect("the connection is closed").unwrap();
    rig.silent().await;
    rig.stop().await;
}

fn moved(status: u16, to: &str) -> Response {
    Response::builder().status(status).header("Location", to).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn redirects_of_a_post_are_errors() {
    for status in [301, 302, 307, 308] {
        let error = fails("", move |_| moved(status, "/elsewhere")).await;
        let expected =
            format!("its answer {status} is a redirect, which is followed for GET and HEAD only, not for POST");
        assert!(error.ends_with(&expected), "{error}");
    }
    let error = fails("http_method: GET\n", |_| moved(302, "/messages")).await;
    assert!(error.ends_with("more than 20 redirects"), "{error}");
}

#[tokio::test]
async fn redirects_that_are_followed() {
    for (method, status) in [("GET", 301), ("GET", 307), ("POST", 303), ("PUT", 303)] {
        let (mut rig, server) = relay(&format!("http_method: {method}\nusername: u\npassword: p\n")).await;
        let reply = replies(&mut rig, &server, move |seen| match seen.path.as_str() {
            "/messages" => moved(status, "/elsewhere"),
            _ => answer(200, &["true"], "there"),
        });
        assert_eq!(reply.await.content(), Some("there"));
        let [first, second] = <[Seen; 2]>::try_from(server.take()).unwrap();
        assert_eq!((first.method.as_str(), second.method.as_str()), (method, "GET"));
        assert_eq!(second.header("authorization"), first.header("authorization"));
        assert_eq!(second.body.is_empty(), status == 303);
        rig.stop().await;
    }
}

#[tokio::test]
async fn credentials_stay_with_their_server() {
    let other = Server::start(|_| answer(200, &["true"], "there")).await;
    let target = other.url("/");
    let (mut rig, server) = relay("username: u\npassword: p\n").await;
    let reply = replies(&mut rig, &server, move |_| moved(303, &target)).await;
    assert_eq!(reply.content(), Some("there"));
    assert_eq!(other.only().header("authorization"), None);
    assert!(server.only().header("authorization").is_some());
    rig.stop().await;
}

#[tokio::test]
async fn an_odd_url_fails_when_it_is_used() {
    let (logs, failures) = (Logs::watch(), Failures::count());
    let server = Server::start(|_| answer(200, &[], "")).await;
    let rig = Rig::run(&config(&server, "event_url: nowhere\n")).await;
    assert!(logs.at(Level::WARN).iter().any(|line| line.text.starts_with("event_url, nowhere: it is no URL")));
    rig.tell(&Event::ack("m1", "n1")).await;
    assert_eq!(failures.so_far(), 1);
    rig.give(&message("hi")).await;
    assert_eq!(server.take().len(), 1);
    rig.stop().await;
}

#[tokio::test]
async fn secrets_are_shown_nowhere() {
    let logs = Logs::watch();
    let url = format!("http://name:hidden1@{}/p?token=hidden2", nobody().await);
    let yaml = format!("class: http_relay\nurl: {url}\nusername: u\npassword: hidden3\n");
    let shown = format!("{:?}", read(&yaml).component);
    assert!(shown.contains("[secret]") && !shown.contains("hidden"), "{shown}");
    let rig = Rig::run(&yaml).await;
    rig.give(&message("hi")).await;
    assert!(logs.error().text.contains("/p?***: "), "{:?}", logs.error());
    assert!(!logs.hold("hidden"));
    rig.stop().await;
}

#[test]
fn the_names_of_vumi() {
    for class in
        ["http_relay", "vumi.application.HTTPRelayApplication", "vumi.application.http_relay.HTTPRelayApplication"]
    {
        let read = read(&format!("class: {class}\nurl: http://h/\n"));
        assert!(matches!(read.component, NativeAppConfig::HttpRelay(_)));
    }
}
