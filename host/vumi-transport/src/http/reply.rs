//! What a request is answered with.

use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::Value;
use vumi_core::Error;

/// An answer to a request: status code, headers, body. Without a `Content-Type` of its own it gets that of its
/// transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Status code, 200 to 599.
    pub(super) status: u16,
    /// In order; names may stand there more than once.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
}

impl Reply {
    /// 200 with a body.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::status(200).body(body)
    }

    /// A status code without a body.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// 200 with JSON, all of it ASCII (specification "common", C12). The content type stays that of the transport,
    /// as in Vumi.
    pub fn json(value: &Value) -> Self {
        Self::ok(ascii_json(value))
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// With this status code.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// With one more header line. A name or value that cannot stand in a header is left out, and logged: it may come
    /// from a message.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes())) {
            (Ok(name), Ok(value)) => self.headers.push((name, value)),
            _ => tracing::warn!(name, "a header was left out: it holds what no header can hold"),
        }
        self
    }

    /// With this content type in place of the transport's.
    #[must_use]
    pub fn content_type(self, value: &str) -> Self {
        self.header("content-type", value)
    }
}

/// JSON whose every character outside of ASCII is written as `\uXXXX`.
pub fn ascii_json(value: &Value) -> String {
    let text = value.to_string();
    if text.is_ascii() {
        return text;
    }
    let mut ascii = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                ascii.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    ascii
}

/// A text of a stranger as it stands in the log: in few words, since they can cause it as often as they like, and on
/// one line, so that nobody can write lines of their own.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(300) {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// How a handler ends with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is answered now.
    Now(Reply),
    /// It stays open until [`HttpLink::finish`](super::HttpLink::finish), or until its time is over.
    Hold,
}

/// A request that is not taken: what its sender is told, and why, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the sender gets.
    pub(super) reply: Reply,
    /// For the log. Must not hold secrets.
    pub(super) reason: String,
}

impl Refusal {
    /// With any answer.
    pub fn new(reply: Reply, reason: impl Into<String>) -> Self {
        Self { reply, reason: reason.into() }
    }

    /// 400 with a text.
    pub fn bad(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { reply: Reply::status(400).body(text.clone()), reason: text }
    }

    /// 404.
    pub fn not_found() -> Self {
        Self::new(Reply::status(404).body("Not Found"), "there is nothing at this path")
    }

    /// 400 with errors as JSON.
    pub fn json(errors: &Value) -> Self {
        Self { reply: Reply::json(errors).with_status(400), reason: errors.to_string() }
    }
}

/// What the host could not do: 503 when it may go well later, 413 when it was too large to be taken, else 500.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let reply = if error.is_temporary() {
            Reply::status(503).header("retry-after", "5")
        } else if error.is_too_large() {
            Reply::status(413).body("Request Entity Too Large")
        } else {
            Reply::status(500)
        };
        Self { reply, reason: error.report() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_ascii() {
        assert_eq!(ascii_json(&serde_json::json!({"a": "ö🙂\n"})), r#"{"a":"\u00f6\ud83d\ude42\n"}"#);
        assert_eq!(ascii_json(&serde_json::json!(["a", 1])), r#"["a",1]"#);
    }

    #[test]
    fn a_stranger_writes_no_lines_of_the_log() {
        assert_eq!(shown("ö\nERROR \u{1b}[31mred\u{85}"), r"ö\nERROR \u{1b}[31mred\u{85}");
        assert_eq!(shown(&"é".repeat(400)).chars().count(), 300);
    }

    #[test]
    fn what_the_host_cannot_do_has_a_code() {
        for (error, code) in [(Error::temporary("x"), 503), (Error::too_large("x"), 413), (Error::permanent("x"), 500)]
        {
            assert_eq!(Refusal::from(error).reply.status, code);
        }
    }

    #[test]
    fn what_no_header_can_hold_is_left_out() {
        let reply = Reply::ok("x").header("a", "b").header("c", "d\r\ne: f").header("g h", "i");
        assert_eq!(reply.headers.len(), 1);
    }
}
