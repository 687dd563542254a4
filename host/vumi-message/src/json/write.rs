//! The writer: Python's `json.dumps` with its default settings.

use std::fmt::Write as _;

use serde_json::Value;

use crate::Payload;

pub(super) fn value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(number.as_str()),
        Value::String(text) => string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                self::value(out, item);
            }
            out.push(']');
        }
        Value::Object(payload) => object(out, payload),
    }
}

pub(super) fn object(out: &mut String, payload: &Payload) {
    out.push('{');
    for (index, (key, item)) in payload.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        string(out, key);
        out.push_str(": ");
        value(out, item);
    }
    out.push('}');
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            // Python also escapes DEL (0x7f), although JSON does not ask for it.
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}
