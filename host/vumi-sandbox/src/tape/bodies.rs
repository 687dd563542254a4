//! Bytes on a tape: text where they are text, base64 otherwise.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::values::one;

/// `{"text": …}` or `{"base64": …}`.
pub(crate) fn body_value(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => one("text", text.into()),
        Err(_) => one("base64", STANDARD.encode(bytes).into()),
    }
}

/// The bytes again; none when it is something else.
pub(super) fn body_bytes(value: &Value) -> Option<Vec<u8>> {
    if let Some(text) = value.get("text") {
        return text.as_str().map(|text| text.as_bytes().to_vec());
    }
    STANDARD.decode(value.get("base64")?.as_str()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_as_they_were() {
        for bytes in [&b""[..], b"hello", "h\u{e9}".as_bytes(), b"\xff\x00\xfe"] {
            assert_eq!(body_bytes(&body_value(bytes)).as_deref(), Some(bytes));
        }
        assert_eq!(body_value(b"hi").to_string(), r#"{"text":"hi"}"#);
        assert_eq!(body_value(b"\xff").to_string(), r#"{"base64":"/w=="}"#);
        assert_eq!(body_bytes(&Value::Null), None);
    }
}
