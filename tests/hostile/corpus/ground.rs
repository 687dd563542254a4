//! Where the attacks take place: a hostile web server on loopback, and a server beside it that no app may reach.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// See the module's text.
pub struct Ground {
    /// The hostile server.
    pub server: SocketAddr,
    /// The one that nobody may reach.
    pub closed: SocketAddr,
    visitors: Arc<AtomicUsize>,
}

impl Ground {
    /// Starts both on the current runtime.
    pub async fn new() -> Self {
        let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let closed_at = closed.local_addr().expect("it has an address");
        let visitors = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&visitors);
        tokio::spawn(async move {
            while closed.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let server_at = server.local_addr().expect("it has an address");
        tokio::spawn(async move {
            while let Ok((stream, _)) = server.accept().await {
                // A guest that went away is no business of the server's.
                tokio::spawn(async move { answer(stream, closed_at).await.ok() });
            }
        });
        Self { server: server_at, closed: closed_at, visitors }
    }

    /// How many came to the server that nobody may reach, since the last time.
    pub fn visitors(&self) -> usize {
        self.visitors.swap(0, Ordering::SeqCst)
    }
}

/// A gzip stream of so many zeroes.
fn bomb(bytes: usize) -> &'static [u8] {
    static BOMB: OnceLock<Vec<u8>> = OnceLock::new();
    BOMB.get_or_init(|| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![0; bytes]).and_then(|()| encoder.finish()).unwrap_or_default()
    })
}

fn redirect(target: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 x\r\nLocation: {target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
}

/// What the hostile server does with a request, by its path.
async fn answer(stream: TcpStream, closed: SocketAddr) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut path, mut head, mut length) = (String::new(), String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line.trim().is_empty() {
            break;
        }
        if path.is_empty() {
            path = line.split(' ').nth(1).unwrap_or("/").to_owned();
        } else {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            head.push_str(&line.replace("\r\n", "|"));
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let whole = |body: &[u8], more: &str| {
        let mut bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{more}Connection: close\r\n\r\n", body.len())
            .into_bytes();
        bytes.extend_from_slice(body);
        bytes
    };
    let bytes = match path.as_str() {
        "/head" => whole(head.as_bytes(), ""),
        "/to-closed" => redirect(&format!("http://{closed}/")),
        "/to-metadata" => redirect("http://169.254.169.254/latest/meta-data/"),
        "/to-mapped" => redirect(&format!("http://[::ffff:127.0.0.1]:{}/", closed.port())),
        "/to-file" => redirect("file:///etc/passwd"),
        "/circle" => redirect("/circle"),
        "/to-crlf" => redirect("http://127.0.0.1/\u{b}x"),
        "/gzip-bomb" => whole(bomb(16 << 20), "Content-Encoding: gzip\r\n"),
        "/gzip-lie" => whole(b"this is no gzip", "Content-Encoding: gzip\r\n"),
        "/long-lie" => b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nx".to_vec(),
        "/short-lie" => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nx".to_vec(),
        "/two-lengths" => b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 5\r\n\r\nhello".to_vec(),
        "/close" => Vec::new(),
        "/garbage" => vec![0xff; 100_000],
        "/many-headers" => whole(b"", &"x: y\r\n".repeat(10_000)),
        "/long-header" => whole(b"", &format!("x: {}\r\n", "y".repeat(4 << 20))),
        "/forged-headers" => whole(b"", "x: \u{85}\u{1b}[2J\r\n"),
        "/silent" => std::future::pending().await,
        "/endless" => return flood(stream, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", &[b'x'; 8_192]).await,
        "/continue" => b"HTTP/1.1 100 Continue\r\n\r\n".repeat(80_000),
        "/endless-head" => return flood(stream, b"HTTP/1.1 200 OK\r\nx: ", &[b'y'; 8_192]).await,
        "/extensions" => {
            return flood(stream, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", &[b'e'; 8_192]).await;
        }
        "/drip" => return drip(stream).await,
        _ => b"HTTP/1.1 404 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
    };
    stream.write_all(&bytes).await?;
    stream.flush().await
}

/// A beginning, and then the same for ever: until the other side has had enough.
async fn flood(mut stream: BufReader<TcpStream>, begin: &[u8], again: &[u8]) -> std::io::Result<()> {
    stream.write_all(begin).await?;
    loop {
        stream.write_all(again).await?;
        stream.flush().await?;
    }
}

/// A body whose end is an hour away, a byte at a time.
async fn drip(mut stream: BufReader<TcpStream>) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await?;
    loop {
        stream.write_all(b"x").await?;
        stream.flush().await?;
        tokio::time::sleep(Duration::from_millis(36)).await;
    }
}
