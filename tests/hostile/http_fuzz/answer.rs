//! Responses, read to the letter: whatever is no valid HTTP/1.1 is told.

use tokio::io::{AsyncRead, AsyncReadExt};

use super::values::INJECTED;

/// The longest head and body that a transport may answer with.
const MOST_HEAD: usize = 1 << 20;
const MOST_BODY: usize = 32 << 20;

/// A response.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

impl Got {
    pub(super) fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_slice())
    }

    /// The connection ends behind it.
    pub(super) fn is_last(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case(b"close"))
    }
}

/// Reads a response; `None` when the connection is closed before it begins. `bare`: it answers HEAD.
///
/// # Errors
/// What is wrong with it.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    bare: bool,
) -> Result<Option<Got>, String> {
    loop {
        let Some(head) = head(stream, buffer).await? else { return Ok(None) };
        let mut got = parse(&head)?;
        if (100..200).contains(&got.status) {
            continue;
        }
        let chunked = got.header("transfer-encoding").is_some();
        let length = got.header("content-length").map(|value| String::from_utf8_lossy(value).into_owned());
        if bare || matches!(got.status, 204 | 304) {
            return Ok(Some(got));
        }
        got.body = match (chunked, length) {
            (false, Some(length)) => {
                let length: usize = length.parse().map_err(|_| format!("the length {length:?} is no number"))?;
                exactly(stream, buffer, length).await?
            }
            (true, None) => return Err("a transport has no reason to answer in chunks".to_owned()),
            (true, Some(_)) => return Err("a length and chunks at once".to_owned()),
            (false, None) => {
                while more(stream, buffer, MOST_BODY).await? {}
                std::mem::take(buffer)
            }
        };
        return Ok(Some(got));
    }
}

async fn head(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Result<Option<Vec<u8>>, String> {
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = buffer.split_off(end + 4);
            let mut head = std::mem::replace(buffer, rest);
            head.truncate(end);
            return Ok(Some(head));
        }
        if !more(stream, buffer, MOST_HEAD).await? {
            return if buffer.is_empty() {
                Ok(None)
            } else {
                Err("the connection was closed within a head".to_owned())
            };
        }
    }
}

fn parse(head: &[u8]) -> Result<Got, String> {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let code = first.strip_prefix("HTTP/1.1 ").or(first.strip_prefix("HTTP/1.0 "));
    let code = code.and_then(|rest| rest.get(..3)?.parse::<u16>().ok()).filter(|code| (100..600).contains(code));
    let status = code.ok_or_else(|| format!("no status line: {first:?}"))?;
    let mut headers = Vec::new();
    for line in lines {
        let shown = String::from_utf8_lossy(line);
        let colon = line.iter().position(|byte| *byte == b':').ok_or_else(|| format!("no header: {shown:?}"))?;
        let (name, value) = line.split_at(colon);
        let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
        if name.is_empty() || !name.iter().all(token) {
            return Err(format!("no name of a header: {shown:?}"));
        }
        let value = value[1..].trim_ascii().to_vec();
        if value.iter().any(|byte| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f) {
            return Err(format!("a control character in a header: {shown:?}"));
        }
        headers.push((String::from_utf8_lossy(name).to_ascii_lowercase(), value));
    }
    for name in ["content-length", "content-type", "transfer-encoding", "connection", "date"] {
        if headers.iter().filter(|(there, _)| there == name).count() > 1 {
            return Err(format!("the header {name} twice"));
        }
    }
    if headers.iter().any(|(name, _)| name == INJECTED) {
        return Err("a value became a header of its own".to_owned());
    }
    Ok(Got { status, headers, body: Vec::new() })
}

async fn exactly(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    length: usize,
) -> Result<Vec<u8>, String> {
    while buffer.len() < length {
        if !more(stream, buffer, MOST_BODY).await? {
            return Err(format!("{} bytes of a body of {length} came", buffer.len()));
        }
    }
    let rest = buffer.split_off(length);
    Ok(std::mem::replace(buffer, rest))
}

/// False at the end of the connection.
async fn more(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>, most: usize) -> Result<bool, String> {
    if buffer.len() > most {
        return Err(format!("more than {most} bytes"));
    }
    let read = stream.read_buf(buffer).await.map_err(|error| format!("while the response was read: {error}"))?;
    Ok(read > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(text: &str) -> Result<Option<Got>, String> {
        read(&mut text.as_bytes(), &mut Vec::new(), false).await
    }

    #[tokio::test]
    async fn what_is_http() {
        let got = told("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nhi").await;
        let got = got.unwrap().unwrap();
        assert_eq!((got.status, got.body.as_slice(), got.header("a")), (200, &b"hi"[..], Some(&b"b"[..])));
        assert!(told("").await.unwrap().is_none());
        assert_eq!(told("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nend").await.unwrap().unwrap().body, b"end");
    }

    #[tokio::test]
    async fn what_is_none() {
        for (text, error) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", "2 bytes of a body of 3"),
            ("HTTP/1.1 200 OK\r\n", "within a head"),
            ("HTTP/1.1 999 OK\r\n\r\n", "no status line"),
            ("hello\r\n\r\n", "no status line"),
            ("HTTP/1.1 200 OK\r\nA b\r\n\r\n", "no header"),
            ("HTTP/1.1 200 OK\r\nA b: c\r\n\r\n", "no name of a header"),
            ("HTTP/1.1 200 OK\r\nA: b\u{1}\r\n\r\n", "a control character"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", "twice"),
            ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "no number"),
            ("HTTP/1.1 200 OK\r\nX-Injected: 1\r\n\r\n", "a header of its own"),
        ] {
            assert!(told(text).await.unwrap_err().contains(error), "{text}");
        }
    }
}
