//! The commands against a host that only writes down what it is asked, in order.

use std::sync::Arc;

use clap::Parser;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::cli::{Cli, Command};
use crate::commands::Failure;

/// A request: method and path, and the body as text.
type Asked = (String, String);

/// A host that answers each request with what `answer` says: status and JSON.
struct Host {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Host {
    async fn start(answer: fn(&str) -> (u16, Value)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(stream, answer, &list).await;
            }
        });
        Self { url, asked }
    }

    /// Runs a command line, with the words set apart by blanks.
    async fn run(&self, words: &str) -> Result<(), Failure> {
        let words = ["vumi-host"].into_iter().chain(words.split(' ')).chain(["--url", &self.url, "--token", "t0ken"]);
        match Cli::try_parse_from(words).unwrap().command.unwrap() {
            Command::Deploy(given) => super::deploy(&given).await,
            Command::Apps(given) => super::apps::execute(&given).await,
            Command::Token(given) => super::token(&given).await,
            Command::Recordings(given) => super::recordings(&given).await,
            other => panic!("{other:?}"),
        }
    }

    /// What was asked since the last time.
    fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock())
    }

    fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|(line, _)| line).collect()
    }
}

async fn serve(stream: TcpStream, answer: fn(&str) -> (u16, Value), list: &Mutex<Vec<Asked>>) {
    let mut stream = BufReader::new(stream);
    let (mut first, mut length, mut known) = (String::new(), 0, false);
    stream.read_line(&mut first).await.unwrap();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let line = line.trim().to_lowercase();
        known |= line == "authorization: bearer t0ken";
        match line.strip_prefix("content-length: ") {
            Some(number) => length = number.parse().unwrap(),
            None if line.is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let line = first.trim().strip_suffix(" HTTP/1.1").unwrap().replace("/api/v1", "");
    let (status, text) = if known { answer(&line) } else { (401, json!({})) };
    list.lock().push((line, String::from_utf8_lossy(&body).into_owned()));
    let text = text.to_string();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", text.len());
    stream.write_all((head + &text).as_bytes()).await.unwrap();
}

fn app() -> Value {
    json!({
        "name": "shop", "generation": 1, "active": 1, "settings": { "config": { "a": "1" } }, "secrets": [],
        "versions": [], "created_at": 0, "updated_at": 0,
    })
}

fn usual(line: &str) -> (u16, Value) {
    if line.starts_with("POST /deployments/shop/versions") {
        let version =
            json!({ "number": 2, "hash": "ab", "bytes": 8, "created_at": 0, "created_by": "x", "source": "upload" });
        return (201, json!({ "version": version, "new": true, "active": false }));
    }
    (200, app())
}

/// A folder with a component and a secret.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.wasm"), b"\0asm\x0d\0\x01\0").unwrap();
    std::fs::write(folder.path().join("key"), "hunter2\n").unwrap();
    folder
}

#[tokio::test]
async fn a_version_answers_only_after_its_secrets_are_there() {
    let (host, folder) = (Host::start(usual).await, folder());
    let path = folder.path().display();
    host.run(&format!("deploy shop {path}/a.wasm --secret k=@{path}/key --note n")).await.unwrap();
    let asked = host.asked();
    let lines: Vec<&str> = asked.iter().map(|(line, _)| line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "GET /deployments/shop",
            "POST /deployments/shop/versions?activate=false&note=n",
            "PUT /deployments/shop/secrets/k",
            "POST /deployments/shop/activate",
            "GET /deployments/shop",
        ]
    );
    let bodies: Vec<&str> = asked.iter().map(|(_, body)| body.as_str()).collect();
    assert_eq!((bodies[1].as_bytes(), bodies[2]), (&b"\0asm\x0d\0\x01\0"[..], r#"{"value":"hunter2"}"#));
    assert_eq!(serde_json::from_str::<Value>(bodies[3]).unwrap()["version"], 2);

    host.run(&format!("deploy shop {path}/a.wasm --set b=2")).await.unwrap();
    let expected = "POST /deployments/shop/versions?activate=true&settings=%7B%22config%22%3A%7B%22a%22%3A%221%22%2C%22b%22%3A%222%22%7D%7D";
    assert_eq!(host.lines(), ["GET /deployments/shop", expected, "GET /deployments/shop"]);

    host.run(&format!("deploy shop {path}/a.wasm --canary 2.5")).await.unwrap();
    let asked = host.asked();
    assert_eq!(asked[1].0, "POST /deployments/shop/versions?activate=false");
    assert_eq!(asked[2], ("PUT /deployments/shop/canary".into(), r#"{"version":2,"percent":2.5}"#.into()));
    host.run(&format!("deploy shop {path}/a.wasm --no-activate")).await.unwrap();
    assert_eq!(host.lines().len(), 3);
}

#[tokio::test]
async fn what_fails_after_the_upload_is_said_with_the_version() {
    let refuses = |line: &str| match line {
        "PUT /deployments/shop/secrets/k" => (400, json!({ "detail": "no such luck" })),
        line => usual(line),
    };
    let (host, folder) = (Host::start(refuses).await, folder());
    let path = folder.path().display();
    let failed = host.run(&format!("deploy shop {path}/a.wasm --secret k=@{path}/key")).await.unwrap_err().to_string();
    assert_eq!(failed, "shop: version 2 is uploaded, but the rest failed: no such luck");
    assert!(!host.lines().iter().any(|line| line.ends_with("/activate")), "it does not answer without its secret");
}

#[tokio::test]
async fn nothing_is_sent_when_something_is_wrong_at_the_start() {
    let missing = |line: &str| match line {
        "GET /deployments/shop" => (404, json!({ "detail": "no such app" })),
        line => usual(line),
    };
    let (host, folder) = (Host::start(missing).await, folder());
    let path = folder.path().display();
    for (words, part) in [
        ("--to x=y", "is none of"),
        ("--secret k=hunter2", "must not hold the value"),
        ("--secret k=@/no/such/file", "cannot be read"),
        ("--settings /no/such/file", "cannot be read"),
        ("--canary 5", "nothing to run beside"),
    ] {
        let failed = host.run(&format!("deploy shop {path}/a.wasm {words}")).await.unwrap_err().to_string();
        assert!(failed.contains(part), "{failed}");
        assert!(host.lines().iter().all(|line| line.starts_with("GET ")), "{words}");
    }
    assert!(host.run("deploy shop /no/a.wasm").await.unwrap_err().to_string().contains("no such file or folder"));
}

#[tokio::test]
async fn each_command_asks_for_what_it_says() {
    let host =
        Host::start(
            |line| if line.starts_with("GET /recordings") { (200, json!({ "items": [] })) } else { usual(line) },
        )
        .await;
    for (words, expected) in [
        ("apps activate shop 3", "POST /deployments/shop/activate"),
        ("apps rollback shop", "POST /deployments/shop/rollback"),
        ("apps canary shop off", "DELETE /deployments/shop/canary"),
        ("apps canary shop 3 off", "DELETE /deployments/shop/canary"),
        ("apps shadow shop 3", "PUT /deployments/shop/shadow"),
        ("apps shadow shop off", "DELETE /deployments/shop/shadow"),
        ("apps secret shop k --remove", "DELETE /deployments/shop/secrets/k"),
        ("apps remove shop 2 --yes", "DELETE /deployments/shop/versions/2"),
        ("apps remove shop --yes", "DELETE /deployments/shop"),
        ("apps remove a/../b --yes", "DELETE /deployments/a%2F..%2Fb"),
        ("token revoke t1", "DELETE /tokens/t1"),
        ("recordings --app shop --user +27 --before 9", "GET /recordings?limit=50&before=9&app=shop&user=%2B27"),
    ] {
        host.run(words).await.unwrap();
        assert_eq!(host.lines().first().map(String::as_str), Some(expected), "{words}");
    }
}

#[tokio::test]
async fn a_new_token_is_read_although_its_facts_are_flattened() {
    let created = |_: &str| {
        let token =
            json!({ "id": "t1", "name": "ci", "scope": "deploy", "created_at": 5, "expires_at": 6, "token": "s3cret" });
        (201, token)
    };
    let host = Host::start(created).await;
    host.run("token create ci --scope deploy --expires 30d").await.unwrap();
    let (line, body) = host.asked().remove(0);
    assert_eq!(line, "POST /tokens");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body, json!({ "name": "ci", "scope": "deploy", "expires_in_seconds": 2_592_000 }));
}
