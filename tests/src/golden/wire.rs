//! HTTP/1.1 as it goes over the wire, read by hand, so that the tests see what is really there.

use std::fmt;
use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest head or body that is read.
const MOST: usize = 16 << 20;

/// A request or response.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// First line.
    pub line: String,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Received {
    /// The values of a header.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(there, _)| there.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The code of a response.
    ///
    /// # Errors
    /// When the first line has none.
    pub fn status(&self) -> std::result::Result<u16, String> {
        let code = self.line.split(' ').nth(1).and_then(|code| code.parse().ok());
        code.ok_or_else(|| format!("no response: {:?}", self.line))
    }

    /// Method and target of a request.
    pub fn asked(&self) -> (&str, &str) {
        let mut words = self.line.split(' ');
        (words.next().unwrap_or_default(), words.next().unwrap_or_default())
    }
}

/// On one line, for a person.
impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        let cut: String = body.chars().take(600).collect();
        write!(f, "{:?} {:?} {cut:?}", self.line, self.headers)
    }
}

/// Reads one request; `None` at the end of the connection.
///
/// # Errors
/// Those of the connection, and what is no HTTP.
pub async fn request(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Result<Option<Received>> {
    let Some(mut received) = head(stream, buffer).await? else { return Ok(None) };
    if is_chunked(&received) {
        received.body = chunks(stream, buffer).await?;
    } else if let Some(length) = length(&received) {
        received.body = exactly(stream, buffer, length).await?;
    }
    Ok(Some(received))
}

/// Reads one response; `bare` when it answers HEAD.
///
/// # Errors
/// Those of the connection, and what is no HTTP.
pub async fn response(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>, bare: bool) -> Result<Received> {
    loop {
        let closed = || Error::new(ErrorKind::UnexpectedEof, "the connection was closed without a response");
        let mut received = head(stream, buffer).await?.ok_or_else(closed)?;
        let status = received.status().map_err(|error| Error::new(ErrorKind::InvalidData, error))?;
        if status < 200 {
            continue;
        }
        if bare || status == 204 || status == 304 {
            return Ok(received);
        }
        received.body = if is_chunked(&received) {
            chunks(stream, buffer).await?
        } else if let Some(length) = length(&received) {
            exactly(stream, buffer, length).await?
        } else {
            while more(stream, buffer).await? {}
            std::mem::take(buffer)
        };
        return Ok(received);
    }
}

fn is_chunked(received: &Received) -> bool {
    received.all("transfer-encoding").any(|value| value.eq_ignore_ascii_case("chunked"))
}

fn length(received: &Received) -> Option<usize> {
    received.all("content-length").next()?.trim().parse().ok()
}

async fn head(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Result<Option<Received>> {
    let mut received = Received::default();
    loop {
        let line = match line(stream, buffer).await {
            Ok(line) => line,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof && received.line.is_empty() && buffer.is_empty() => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if line.is_empty() {
            return Ok(Some(received));
        }
        if received.line.is_empty() {
            received.line = line;
        } else if let Some((name, value)) = line.split_once(':') {
            received.headers.push((name.to_owned(), value.trim().to_owned()));
        } else {
            return Err(Error::new(ErrorKind::InvalidData, format!("no header: {line:?}")));
        }
    }
}

/// A line without its end.
async fn line(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Result<String> {
    loop {
        if let Some(at) = buffer.iter().position(|byte| *byte == b'\n') {
            let rest = buffer.split_off(at + 1);
            let line = String::from_utf8_lossy(buffer).trim_end_matches(['\r', '\n']).to_owned();
            *buffer = rest;
            return Ok(line);
        }
        if !more(stream, buffer).await? {
            return Err(Error::new(ErrorKind::UnexpectedEof, "the connection was closed within a head"));
        }
    }
}

async fn exactly(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>, length: usize) -> Result<Vec<u8>> {
    while buffer.len() < length {
        if !more(stream, buffer).await? {
            let there = buffer.len();
            return Err(Error::new(ErrorKind::UnexpectedEof, format!("{there} bytes of a body of {length} came")));
        }
    }
    let rest = buffer.split_off(length);
    Ok(std::mem::replace(buffer, rest))
}

async fn chunks(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(stream, buffer).await?;
        let digits = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(digits, 16).map_err(|error| Error::new(ErrorKind::InvalidData, error))?;
        if size == 0 {
            while !line(stream, buffer).await?.is_empty() {}
            return Ok(body);
        }
        body.extend(exactly(stream, buffer, size).await?);
        line(stream, buffer).await?;
    }
}

/// False at the end of the connection.
async fn more(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Result<bool> {
    if buffer.len() > MOST {
        return Err(Error::new(ErrorKind::InvalidData, "too long"));
    }
    Ok(stream.read_buf(buffer).await? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bodies_of_every_kind() {
        let wire = concat!(
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: 1\r\na:2\r\nContent-Length: 2\r\n\r\nhi",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
            "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\nto the end",
        );
        let (mut stream, mut buffer) = (wire.as_bytes(), Vec::new());
        for body in ["hi", "abcd", "", "to the end"] {
            let response = response(&mut stream, &mut buffer, false).await.unwrap();
            assert_eq!(String::from_utf8(response.body.clone()).unwrap(), body);
            if body == "hi" {
                assert_eq!(response.all("A").collect::<Vec<_>>(), ["1", "2"]);
            }
        }
        assert!(
            response(&mut stream, &mut buffer, false).await.unwrap_err().to_string().contains("without a response")
        );
        let cut =
            response(&mut "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi".as_bytes(), &mut Vec::new(), false).await;
        assert!(cut.unwrap_err().to_string().contains("2 bytes of a body of 9"));
    }
}
