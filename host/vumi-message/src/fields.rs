//! Looking at the fields of a payload: what must be there, and of which type.
//!
//! Vumi itself checked presence only. The types asserted here are those of the specification's tables; where
//! Vumi's own workers are known to send something looser (null for an object, a number for an id that a network
//! gave), that passes too.

use std::sync::LazyLock;

use serde_json::Value;

use crate::{MessageError, Payload};

/// The one wire version (messages.md §8).
pub const MESSAGE_VERSION: &str = "20110921";

/// The endpoint of a message that names none (messages.md §4).
pub const DEFAULT_ENDPOINT: &str = "default";

/// A field that middleware may use as scratch space: it travels with the message but is never stored
/// (messages.md §2).
pub const CACHE_FIELD: &str = "__cache__";

/// How deep the payload of a user message, event or status may be nested. A failure may be a little deeper
/// ([`crate::json::MAX_DEPTH`]), so that every message can be wrapped into one.
pub const MESSAGE_DEPTH: usize = 132;

static EMPTY: LazyLock<Payload> = LazyLock::new(Payload::new);

/// An `InvalidField` error.
pub(crate) fn invalid<T>(field: &'static str, reason: impl Into<String>) -> Result<T, MessageError> {
    Err(MessageError::InvalidField { field, reason: reason.into() })
}

pub(crate) fn require<'a>(payload: &'a Payload, field: &'static str) -> Result<&'a Value, MessageError> {
    payload.get(field).ok_or(MessageError::MissingField { field })
}

/// The field must be there and be text.
pub(crate) fn text<'a>(payload: &'a Payload, field: &'static str) -> Result<&'a str, MessageError> {
    match require(payload, field)? {
        Value::String(text) => Ok(text),
        other => invalid(field, format!("it must be text, not {}", describe(other))),
    }
}

/// The field must be there and be a text of at least one character.
pub(crate) fn id(payload: &Payload, field: &'static str) -> Result<(), MessageError> {
    if text(payload, field)?.is_empty() {
        return invalid(field, "it must not be empty");
    }
    Ok(())
}

/// The field must be there and be text or null.
pub(crate) fn text_or_null(payload: &Payload, field: &'static str) -> Result<(), MessageError> {
    match require(payload, field)? {
        Value::String(_) | Value::Null => Ok(()),
        other => invalid(field, format!("it must be text or null, not {}", describe(other))),
    }
}

/// The field must be absent, null or text.
pub(crate) fn optional_text(payload: &Payload, field: &'static str) -> Result<(), MessageError> {
    if payload.contains_key(field) { text_or_null(payload, field) } else { Ok(()) }
}

/// The field must be there and be text or a number.
pub(crate) fn text_or_number(payload: &Payload, field: &'static str) -> Result<(), MessageError> {
    match require(payload, field)? {
        Value::String(_) | Value::Number(_) => Ok(()),
        other => invalid(field, format!("it must be text, not {}", describe(other))),
    }
}

/// The field must be absent, null or an object.
pub(crate) fn optional_object(payload: &Payload, field: &'static str) -> Result<(), MessageError> {
    match payload.get(field) {
        None | Some(Value::Null | Value::Object(_)) => Ok(()),
        Some(other) => invalid(field, format!("it must be an object, not {}", describe(other))),
    }
}

/// A value in the words of an error message.
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "true or false".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(text) => format!("\"{}\"", shorten(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// A text in the words of an error message: without control characters, and cut, because a long one from outside
/// would drown the sentence.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN: usize = 40;
    let shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() { format!("{shown}…") } else { shown }
}

/// The text in a field, `None` when it is absent, null or of another type.
pub(crate) fn get_text<'a>(payload: &'a Payload, field: &str) -> Option<&'a str> {
    payload.get(field).and_then(Value::as_str)
}

/// The text in a field or the digits of the number there.
pub(crate) fn get_text_or_number<'a>(payload: &'a Payload, field: &str) -> Option<&'a str> {
    match payload.get(field)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.as_str()),
        _ => None,
    }
}

/// The object in a field; an empty one when it is absent or null.
pub(crate) fn get_object<'a>(payload: &'a Payload, field: &str) -> &'a Payload {
    payload.get(field).and_then(Value::as_object).unwrap_or(&EMPTY)
}

/// Text or null as a JSON value.
pub(crate) fn text_value(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_error_messages_are_cut_and_on_one_line() {
        assert_eq!(describe(&Value::from("short \n\"")), r#""short \n\"""#);
        assert_eq!(shorten(&"é".repeat(40)), "é".repeat(40));
        let cut = format!("{}…", "é".repeat(40));
        assert_eq!(shorten(&"é".repeat(41)), cut);
        let long = "é".repeat(5000);
        assert_eq!(describe(&Value::from(long.as_str())), format!("\"{cut}\""));
        assert!(long.parse::<crate::Kind>().unwrap_err().to_string().len() < 200);
        assert!(long.parse::<crate::Timestamp>().unwrap_err().to_string().len() < 200);
    }
}
