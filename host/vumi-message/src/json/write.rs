//! The writer: Python's `json.dumps` with its default settings.

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
    let mut rest = text;
    loop {
        // Nearly all text stands for itself: it is copied in one go.
        let plain = rest.bytes().position(|byte| !stands_for_itself(byte)).unwrap_or(rest.len());
        // A byte that is not plain begins a character: before it stands ASCII alone.
        let (copied, special) = rest.split_at(plain);
        out.push_str(copied);
        let mut characters = special.chars();
        let Some(character) = characters.next() else { break };
        escape(out, character);
        rest = characters.as_str();
    }
    out.push('"');
}

/// Python also escapes DEL (0x7f), although JSON does not ask for it.
fn stands_for_itself(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')
}

fn escape(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        _ => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.push_str("\\u");
                for shift in [12, 8, 4, 0] {
                    // A digit below 16 always has a character.
                    out.extend(char::from_digit(u32::from(*unit >> shift) & 15, 16));
                }
            }
        }
    }
}
