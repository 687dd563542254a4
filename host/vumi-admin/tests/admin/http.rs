//! A server to ask, and a client that sends exactly what a test wants: HTTP/1.0, so that an answer ends with its
//! connection and has no chunks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use vumi_admin::{AdminError, AdminOptions, Secret, serve};

use crate::fake::{Fake, FakeControl};

pub const TOKEN: &str = "a-token-of-the-tests";
const LIMIT: Duration = Duration::from_secs(10);

pub struct Server {
    pub addr: SocketAddr,
    pub system: Arc<Fake>,
    configured: bool,
    pub shutdown: CancellationToken,
    pub task: JoinHandle<Result<(), AdminError>>,
}

impl Server {
    pub async fn start() -> Self {
        Self::with(None, 1000).await
    }

    pub async fn with(token: Option<&str>, events: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let system = Fake::new(events, Duration::ZERO);
        let shutdown = CancellationToken::new();
        let options = AdminOptions { listen: addr, token: token.map(Secret::new) };
        let control = Arc::new(FakeControl(Arc::clone(&system)));
        let task = tokio::spawn(serve(listener, options, control, shutdown.clone()));
        Self { addr, system, configured: token.is_some(), shutdown, task }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    pub async fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, &[("Content-Type", "application/json")], body).await
    }

    /// Like [`Server::send`], with a token.
    pub async fn with_token(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", &*bearer), ("Content-Type", "application/json")];
        self.send(method, path, &headers, body).await
    }

    /// Makes a token of this scope, as whoever may do everything.
    pub async fn make_token(&self, name: &str, scope: &str) -> String {
        let order = json!({"name": name, "scope": scope}).to_string();
        let answer = self.as_owner("POST", "/api/v1/tokens", &order).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    /// Like [`Server::send`], as whoever may do everything.
    pub async fn as_owner(&self, method: &str, path: &str, body: &str) -> Answer {
        let json = ("Content-Type", "application/json");
        let bearer = format!("Bearer {TOKEN}");
        match self.configured {
            true => self.send(method, path, &[json, ("Authorization", &*bearer)], body).await,
            false => self.send(method, path, &[json], body).await,
        }
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        Answer::read(self.open(method, path, headers, body).await).await
    }

    /// Sends a request and leaves the answer to be read. A `Host` among the headers replaces the right one; an empty
    /// one leaves it out. So does a `Content-Length`.
    pub async fn open(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
        let mut head = format!("{method} {path} HTTP/1.0\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head.push_str(&format!("Host: {}\r\n", self.addr));
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !headers.iter().any(|(name, _)| *name == "Content-Length") {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str(&format!("\r\n{body}"));
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// Reads an answer to the end that it announces, or else to that of the connection.
    pub async fn read(stream: TcpStream) -> Self {
        timeout(LIMIT, Self::read_patiently(stream)).await.expect("an answer in time")
    }

    /// The same without a limit in time.
    pub async fn read_patiently(mut stream: TcpStream) -> Self {
        let (mut bytes, mut end) = (Vec::new(), usize::MAX);
        while bytes.len() < end && stream.read_buf(&mut bytes).await.unwrap() > 0 {
            let head = bytes.windows(4).position(|window| window == b"\r\n\r\n");
            if let Some(head) = head.filter(|_| end == usize::MAX) {
                let announced = Self::parse(&bytes).header("content-length").parse();
                end = announced.map_or(usize::MAX - 1, |length: usize| head + 4 + length);
            }
        }
        Self::parse(&bytes)
    }

    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        Self { status: status.parse().unwrap(), headers: headers.collect(), body: bytes[end + 4..].to_vec() }
    }

    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The sentence of a problem; checks that the answer is one with this status.
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        problem["detail"].as_str().unwrap().to_owned()
    }
}
