//! A small HTTP server with prepared answers. It records what it was asked and how much it could write.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a request.
pub(super) enum Answer {
    /// Sends this and closes.
    Close(Vec<u8>),
    /// Sends this and waits for the next request on the connection.
    Keep(Vec<u8>),
    /// Sends the first, then the second for ever.
    Endless(Vec<u8>, Vec<u8>),
    /// Sends this and then nothing, without closing.
    Stall(Vec<u8>),
    /// Waits, then sends this and closes.
    Late(Duration, Vec<u8>),
}

/// The server; it ends with the test's runtime.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    record: Arc<Record>,
}

#[derive(Default)]
struct Record {
    requests: Mutex<Vec<String>>,
    connections: AtomicUsize,
    written: AtomicU64,
    /// Connections that the other side has closed.
    closed: AtomicUsize,
}

impl Server {
    /// Starts on a free port of 127.0.0.1. `answer` gets the request's text, head and body.
    pub(super) async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_on("127.0.0.1:0", answer).await
    }

    pub(super) async fn start_on(bind: &str, answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(bind).await.unwrap();
        let address = listener.local_addr().unwrap();
        let record = Arc::new(Record::default());
        let answer = Arc::new(answer);
        let shared = Arc::clone(&record);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let (shared, answer) = (Arc::clone(&shared), Arc::clone(&answer));
                tokio::spawn(async move {
                    serve(socket, &shared, &*answer).await;
                    shared.closed.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, record }
    }

    /// Gives every request the same answer.
    pub(super) async fn fixed(answer: Vec<u8>) -> Self {
        Self::start(move |_| Answer::Close(answer.clone())).await
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// An allow-list entry for this server alone.
    pub(super) fn entry(&self) -> String {
        self.url("")
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.record.requests.lock().unwrap().clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.record.connections.load(Ordering::SeqCst)
    }

    pub(super) fn written(&self) -> u64 {
        self.record.written.load(Ordering::SeqCst)
    }

    /// Waits until `count` connections have ended.
    pub(super) async fn ended(&self, count: usize) {
        eventually(|| self.record.closed.load(Ordering::SeqCst) >= count).await;
    }
}

/// Waits until `done`, ten seconds at most.
pub(super) async fn eventually(done: impl Fn() -> bool) {
    for _ in 0..1000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the condition did not come true within ten seconds");
}

async fn serve(mut socket: TcpStream, record: &Record, answer: &(dyn Fn(&str) -> Answer + Send + Sync)) {
    while let Some(request) = read_request(&mut socket).await {
        record.requests.lock().unwrap().push(request.clone());
        match answer(&request) {
            Answer::Close(bytes) => {
                write(&mut socket, record, &bytes).await;
                return;
            }
            Answer::Late(delay, bytes) => {
                tokio::time::sleep(delay).await;
                write(&mut socket, record, &bytes).await;
                return;
            }
            Answer::Keep(bytes) => {
                if !write(&mut socket, record, &bytes).await {
                    return;
                }
            }
            Answer::Endless(head, chunk) => {
                let mut open = write(&mut socket, record, &head).await;
                while open {
                    open = write(&mut socket, record, &chunk).await;
                }
                return;
            }
            Answer::Stall(bytes) => {
                write(&mut socket, record, &bytes).await;
                // Ends when the other side closes.
                while socket.read(&mut [0; 64]).await.is_ok_and(|count| count > 0) {}
                return;
            }
        }
    }
}

async fn write(socket: &mut TcpStream, record: &Record, bytes: &[u8]) -> bool {
    let done = socket.write_all(bytes).await.is_ok();
    if done {
        record.written.fetch_add(bytes.len() as u64, Ordering::SeqCst);
    }
    done
}

/// Head and body of one request; `None` at the end of the connection.
async fn read_request(socket: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |digits| digits.trim().parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        let mut buffer = [0; 4096];
        match socket.read(&mut buffer).await {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}

/// An answer with a `Content-Length`.
pub(super) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// An answer whose body ends with the connection.
pub(super) fn unmeasured(headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 200 OK\r\n{headers}Connection: close\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

pub(super) fn redirect(status: &str, location: &str) -> Vec<u8> {
    answer(status, &format!("Location: {location}\r\n"), b"")
}
