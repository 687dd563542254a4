//! A request in parts that can be changed one by one, and the bytes that it becomes.

use serde_json::Value;
use vumi_tests::golden::step::{RequestStep, parts};

/// A name and its value, as they are before they are encoded.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) name: Vec<u8>,
    pub(super) value: Vec<u8>,
    /// It stands there as it is, without being encoded.
    pub(super) raw: bool,
}

/// What a body is made of.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Nothing,
    Form(Vec<Pair>),
    Json(Value),
    Xml(Vec<u8>),
    Bytes(Vec<u8>),
}

/// How the length of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Right,
    /// No length at all.
    Untold,
    /// The length is this much too small or too large.
    Off(i64),
    /// This text in place of the length.
    Garbage(&'static str),
    /// In chunks of this size.
    Chunked(usize),
    /// Chunks, and a length as well.
    Both,
    /// Chunks whose sizes are none.
    BadChunks,
}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) method: Vec<u8>,
    /// As it stands in the request, from the first slash.
    pub(super) path: Vec<u8>,
    pub(super) query: Vec<Pair>,
    pub(super) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) body: Body,
    pub(super) framing: Framing,
    pub(super) version: &'static str,
}

impl Shape {
    /// The request of a golden case; `fill` replaces its placeholders.
    pub(super) fn of(step: &RequestStep, fill: &dyn Fn(&str) -> String) -> Option<Self> {
        let (method, target) = parts(&step.request).ok()?;
        let target = fill(target);
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut headers: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for (name, value) in step.headers.given() {
            let framing = ["content-length", "transfer-encoding", "connection", "host"];
            if !framing.contains(&name.to_ascii_lowercase().as_str()) {
                headers.push((name.into(), fill(value).into_bytes()));
            }
        }
        let mut typed = |value: &str| {
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"content-type")) {
                headers.push((b"Content-Type".to_vec(), value.into()));
            }
        };
        let body = if let Some(form) = &step.form {
            typed("application/x-www-form-urlencoded");
            let pair = |(name, value): (&str, &str)| Pair::new(name.as_bytes(), fill(value).as_bytes());
            Body::Form(form.given().map(pair).collect())
        } else if let Some(json) = &step.json {
            typed("application/json");
            serde_json::from_str(&fill(&json.to_string())).map_or(Body::Nothing, Body::Json)
        } else if let Some(body) = &step.body {
            Body::guess(fill(body), &headers)
        } else if let Some(hex) = &step.body_hex {
            let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
            let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap_or("0"), 16).unwrap_or(0);
            Body::Bytes(digits.chunks(2).map(byte).collect())
        } else {
            step.body_size.map_or(Body::Nothing, |size| Body::Bytes(vec![b'x'; size]))
        };
        let (path, query) = (path.as_bytes().to_vec(), Pair::read(query.as_bytes()));
        Some(Self { method: method.into(), path, query, headers, body, framing: Framing::Right, version: "1.1" })
    }

    /// A plain request to a path.
    pub(super) fn get(path: &str) -> Self {
        let (method, path) = (b"GET".to_vec(), path.as_bytes().to_vec());
        let (query, headers, body) = (Vec::new(), Vec::new(), Body::Nothing);
        Self { method, path, query, headers, body, framing: Framing::Right, version: "1.1" }
    }

    /// As it goes over the wire. `last`: the connection is to be closed behind it.
    pub(super) fn bytes(&self, host: &str, last: bool) -> Vec<u8> {
        let mut bytes = self.method.clone();
        bytes.push(b' ');
        bytes.extend(&self.path);
        if !self.query.is_empty() {
            bytes.push(b'?');
            bytes.extend(Pair::write(&self.query));
        }
        bytes.extend(format!(" HTTP/{}\r\nHost: {host}\r\n", self.version).into_bytes());
        if last {
            bytes.extend(b"Connection: close\r\n");
        }
        for (name, value) in &self.headers {
            bytes.extend(name);
            bytes.extend(b": ");
            bytes.extend(value);
            bytes.extend(b"\r\n");
        }
        let body = self.body.bytes();
        let wants = !matches!(self.body, Body::Nothing) || matches!(self.method.as_slice(), b"POST" | b"PUT");
        let length = i64::try_from(body.len()).unwrap_or_default();
        let (length, chunk) = match self.framing {
            Framing::Right if wants => (Some(length.to_string()), None),
            Framing::Right | Framing::Untold => (None, None),
            Framing::Off(by) => (Some((length + by).max(0).to_string()), None),
            Framing::Garbage(text) => (Some(text.to_owned()), None),
            Framing::Chunked(size) => (None, Some(size)),
            Framing::Both => (Some(length.to_string()), Some(7)),
            Framing::BadChunks => (None, Some(0)),
        };
        if let Some(length) = length {
            bytes.extend(format!("Content-Length: {length}\r\n").into_bytes());
        }
        if chunk.is_some() {
            bytes.extend(b"Transfer-Encoding: chunked\r\n");
        }
        bytes.extend(b"\r\n");
        match chunk {
            None => bytes.extend(body),
            Some(0) => {
                bytes.extend(b"zz\r\n");
                bytes.extend(body);
                bytes.extend(b"\r\n-1\r\n\r\n");
            }
            Some(size) => {
                for piece in body.chunks(size) {
                    bytes.extend(format!("{:x}\r\n", piece.len()).into_bytes());
                    bytes.extend(piece);
                    bytes.extend(b"\r\n");
                }
                bytes.extend(b"0\r\n\r\n");
            }
        }
        bytes
    }
}

impl Body {
    /// What a text is that stands in a case as it is.
    fn guess(text: String, headers: &[(Vec<u8>, Vec<u8>)]) -> Self {
        let form = |(name, value): &(Vec<u8>, Vec<u8>)| {
            name.eq_ignore_ascii_case(b"content-type") && value.starts_with(b"application/x-www-form-urlencoded")
        };
        if text.trim_start().starts_with('<') {
            return Self::Xml(text.into_bytes());
        }
        if headers.iter().any(form) {
            return Self::Form(Pair::read(text.as_bytes()));
        }
        match serde_json::from_str(&text) {
            Ok(json) if text.trim_start().starts_with(['{', '[']) => Self::Json(json),
            _ => Self::Bytes(text.into_bytes()),
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Form(pairs) => Pair::write(pairs),
            Self::Json(value) => value.to_string().into_bytes(),
            Self::Xml(bytes) | Self::Bytes(bytes) => bytes.clone(),
        }
    }
}

impl Pair {
    pub(super) fn new(name: &[u8], value: &[u8]) -> Self {
        Self { name: name.to_vec(), value: value.to_vec(), raw: false }
    }

    fn read(text: &[u8]) -> Vec<Self> {
        let Ok(pairs) = vumi_transport::http::form::decode(text) else { return Vec::new() };
        pairs.into_iter().map(|(name, value)| Self { name, value, raw: false }).collect()
    }

    fn write(pairs: &[Self]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (number, pair) in pairs.iter().enumerate() {
            if number > 0 {
                bytes.push(b'&');
            }
            if pair.raw {
                bytes.extend(&pair.name);
                continue;
            }
            encode(&pair.name, &mut bytes);
            bytes.push(b'=');
            encode(&pair.value, &mut bytes);
        }
        bytes
    }
}

fn encode(text: &[u8], into: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => into.push(*byte),
            _ => into.extend(format!("%{byte:02X}").into_bytes()),
        }
    }
}
