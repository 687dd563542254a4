//! The live stream: complete, filtered, resumable, and honest about what a slow client missed.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use vumi_admin::model::{Direction, LogLevel};

use crate::http::Server;

const LIMIT: Duration = Duration::from_secs(10);

struct Stream(BufReader<TcpStream>);

#[derive(Debug)]
struct Seen {
    name: String,
    id: Option<u64>,
    data: Value,
}

impl Stream {
    async fn open(server: &Server, query: &str, last: Option<&str>) -> Self {
        let headers: Vec<_> = last.iter().map(|id| ("Last-Event-ID", *id)).collect();
        let path = format!("/api/v1/events{query}");
        let mut stream = Self(BufReader::new(server.open("GET", &path, &headers, "").await));
        assert!(stream.line().await.unwrap().contains("200 OK"));
        while !stream.line().await.unwrap().is_empty() {}
        stream
    }

    /// The next line without its end, or nothing at the end of the stream.
    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = timeout(LIMIT, self.0.read_line(&mut line)).await.expect("a line in time");
        (read.unwrap() > 0).then(|| line.trim_end().to_owned())
    }

    async fn next(&mut self) -> Option<Seen> {
        let (mut name, mut id, mut data) = (String::new(), None, Value::Null);
        loop {
            let line = self.line().await?;
            match line.split_once(": ") {
                Some(("event", value)) => name = value.into(),
                Some(("id", value)) => id = Some(value.parse().unwrap()),
                Some(("data", value)) => data = serde_json::from_str(value).unwrap(),
                _ if line.is_empty() && !name.is_empty() => return Some(Seen { name, id, data }),
                _ => {}
            }
        }
    }

    async fn take(&mut self, count: usize) -> Vec<Seen> {
        let mut seen = Vec::new();
        for _ in 0..count {
            seen.push(self.next().await.expect("the stream goes on"));
        }
        seen
    }
}

fn names(seen: &[Seen]) -> Vec<&str> {
    seen.iter().map(|event| &*event.name).collect()
}

async fn sms(server: &Server, from: &str) {
    let path = format!("/api/v1/simulator/phones/{from}/messages");
    let answer = server.post(&path, r#"{"kind":"sms","content":"hi","to_addr":"8007"}"#).await;
    assert_eq!(answer.status, 202);
}

#[tokio::test]
async fn everything_that_happens_arrives_in_order() {
    let server = Server::start().await;
    let mut stream = Stream::open(&server, "", None).await;
    let ready = stream.next().await.unwrap();
    assert_eq!((&*ready.name, ready.id), ("ready", ready.data["last_id"].as_u64()));
    sms(&server, "+1").await;
    let seen = stream.take(9).await;
    let expected = ["message", "phone", "log", "log", "message", "phone", "message", "phone", "run"];
    assert_eq!(names(&seen), expected);
    let ids: Vec<u64> = seen.iter().map(|event| event.id.unwrap()).collect();
    assert_eq!(ids, (ready.id.unwrap() + 1..).take(9).collect::<Vec<_>>());
    assert_eq!(seen[0].data["direction"], "inbound");
    assert_eq!(seen[5].data["message"]["content"], "You said: hi");
    assert_eq!(seen[7].data["message"]["delivery"], "accepted");
    assert_eq!(seen[8].data["outcome"], "ok");
}

#[tokio::test]
async fn filters_let_only_their_own_through() {
    let server = Server::start().await;
    let mut user = Stream::open(&server, "?user=%2B2", None).await;
    let mut app = Stream::open(&server, "?app=echo&user=", None).await;
    let mut transport = Stream::open(&server, "?transport=telnet", None).await;
    for stream in [&mut user, &mut app, &mut transport] {
        assert_eq!(stream.next().await.unwrap().name, "ready");
    }
    sms(&server, "+1").await;
    server.runs_to_reach(1).await;
    sms(&server, "+2").await;
    let seen = user.take(9).await;
    assert!(seen.iter().all(|event| event.data["user"] == "+2" || event.data["addr"] == "+2"));
    let seen = app.take(6).await;
    assert_eq!(names(&seen), ["message", "log", "log", "message", "message", "run"]);
    // Nothing was about telnet: what comes next is the end.
    server.shutdown.cancel();
    assert!(transport.next().await.is_none());
    let problem = server.system.log(LogLevel::Info, "after the end", None);
    assert!(problem > 0);
}

#[tokio::test]
async fn a_client_that_comes_back_goes_on_where_it_was() {
    let server = Server::with(None, 4).await;
    let log = |text: &str| server.system.log(LogLevel::Info, text, None);
    let first = log("one");
    log("two");
    let mut stream = Stream::open(&server, "", Some(&first.to_string())).await;
    let seen = stream.take(2).await;
    assert_eq!(names(&seen), ["log", "ready"]);
    assert_eq!((seen[0].id, &seen[0].data["text"]), (Some(first + 1), &json!("two")));

    for text in ["three", "four", "five", "six", "seven"] {
        log(text);
    }
    let mut stream = Stream::open(&server, "", Some(&first.to_string())).await;
    let seen = stream.take(6).await;
    assert_eq!(names(&seen), ["lagged", "log", "log", "log", "log", "ready"]);
    assert_eq!((&seen[0].data, seen[0].id), (&json!({"missed": 2}), None));
    assert_eq!(seen[1].data["text"], "four");

    for foreign in ["1", "18446744073709551615", "not-a-number"] {
        let mut stream = Stream::open(&server, "", Some(foreign)).await;
        let seen = stream.take(2).await;
        assert_eq!(names(&seen), ["lagged", "ready"], "{foreign}");
        assert_eq!(seen[0].data, json!({"missed": null}));
    }
}

// The runtime has one thread and publishing does not await: the stream cannot take anything meanwhile.
#[tokio::test(flavor = "current_thread")]
async fn a_slow_client_learns_what_it_missed_and_holds_nobody_up() {
    let server = Server::with(None, 8).await;
    let mut stream = Stream::open(&server, "", None).await;
    assert_eq!(stream.next().await.unwrap().name, "ready");
    for number in 0..108 {
        server.system.log(LogLevel::Info, &number.to_string(), None);
    }
    let seen = stream.take(9).await;
    assert_eq!((&*seen[0].name, &seen[0].data), ("lagged", &json!({"missed": 100})));
    let texts: Vec<_> = seen[1..].iter().map(|event| event.data["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["100", "101", "102", "103", "104", "105", "106", "107"]);
}

#[tokio::test]
async fn a_client_that_reads_nothing_does_not_grow_the_host() {
    let server = Server::with(None, 16).await;
    let mut silent = Stream::open(&server, "", None).await;
    assert_eq!(silent.next().await.unwrap().name, "ready");
    // Far more than the sockets between us hold: the server has to leave events out.
    let big = json!({"content": "x".repeat(256 * 1024)});
    for _ in 0..200 {
        server.system.pass(Direction::Status, None, big.clone());
        tokio::task::yield_now().await;
    }
    let mut missed = 0;
    let mut got = 0;
    while missed + got < 200 {
        let event = silent.next().await.unwrap();
        match &*event.name {
            "lagged" => missed += event.data["missed"].as_u64().unwrap(),
            _ => got += 1,
        }
    }
    assert!(missed > 0 && got > 0, "missed {missed}, got {got}");
    assert_eq!(missed + got, 200);
}

#[tokio::test]
async fn streams_are_counted_and_a_closed_one_makes_room() {
    let server = Server::start().await;
    let mut open = Vec::new();
    for _ in 0..100 {
        open.push(Stream::open(&server, "", None).await);
    }
    let refused = server.get("/api/v1/events").await;
    assert!(refused.problem(503).contains("too many event streams"));
    assert_eq!(refused.header("retry-after"), "10");
    open.clear();
    let deadline = Instant::now() + LIMIT;
    loop {
        let mut stream = server.open("GET", "/api/v1/events", &[], "").await;
        let mut line = String::new();
        BufReader::new(&mut stream).read_line(&mut line).await.unwrap();
        if line.contains("200") {
            break;
        }
        assert!(Instant::now() < deadline, "closed streams make room in time");
    }
}
