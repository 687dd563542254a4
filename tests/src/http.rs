//! A small HTTP client: one request, one connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::wait::PATIENCE;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Head, as it came.
    pub head: String,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", String::from_utf8_lossy(&self.body)))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends a request; an error means that the connection failed.
///
/// # Errors
/// Those of the connection, and an answer that is no HTTP.
pub fn request(to: SocketAddr, method: &str, path: &str, body: Option<&Value>) -> std::io::Result<Answer> {
    let body = body.map(Value::to_string).unwrap_or_default();
    send(to, method, path, "application/json", body.as_bytes())
}

/// Sends a request with a body of any type.
///
/// # Errors
/// See [`request`].
pub fn send(to: SocketAddr, method: &str, path: &str, content_type: &str, body: &[u8]) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    read_answer(&mut stream)
}

/// Reads one answer: to the length that it says, or to the end of the connection. (Not every server closes when it is
/// asked to.)
fn read_answer(stream: &mut TcpStream) -> std::io::Result<Answer> {
    let mut all = Vec::new();
    let head_end = loop {
        if let Some(end) = all.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if !read_more(stream, &mut all)? {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(all.get(..head_end).unwrap_or_default()).into_owned();
    let mut rest = all.split_off(head_end + 4);
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or(std::io::ErrorKind::InvalidData)?;
    let lower = head.to_ascii_lowercase();
    let length =
        lower.split("content-length:").nth(1).and_then(|rest| rest.lines().next()?.trim().parse::<usize>().ok());
    while length.is_none_or(|length| rest.len() < length) {
        if !read_more(stream, &mut rest)? {
            break;
        }
    }
    let body = if lower.contains("transfer-encoding: chunked") { dechunk(&rest) } else { rest };
    if length.is_some_and(|length| body.len() < length) {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Answer { status, head, body })
}

/// False at the end of the connection.
fn read_more(stream: &mut TcpStream, into: &mut Vec<u8>) -> std::io::Result<bool> {
    let mut chunk = [0; 65_536];
    let read = stream.read(&mut chunk)?;
    into.extend_from_slice(chunk.get(..read).unwrap_or_default());
    Ok(read > 0)
}

/// GET.
///
/// # Panics
/// When the connection fails.
pub fn get(to: SocketAddr, path: &str) -> Answer {
    request(to, "GET", path, None).unwrap_or_else(|error| panic!("GET {path}: {error}"))
}

/// POST with a JSON body.
///
/// # Panics
/// When the connection fails.
pub fn post(to: SocketAddr, path: &str, body: &Value) -> Answer {
    request(to, "POST", path, Some(body)).unwrap_or_else(|error| panic!("POST {path}: {error}"))
}

fn dechunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let (size, after) = rest.split_at(end);
        let size = usize::from_str_radix(String::from_utf8_lossy(size).trim(), 16).unwrap_or(0);
        let data = after.get(2..).unwrap_or_default();
        if size == 0 {
            break;
        }
        body.extend_from_slice(data.get(..size).unwrap_or(data));
        rest = data.get(size + 2..).unwrap_or_default();
    }
    body
}
