//! The forms in which one text may stand in a recording.

use serde_json::Value;
use vumi_message::json;

/// Letters and digits from which on a text is replaced wherever it stands.
pub(super) const LONG: usize = 4;

/// A text as it may be written elsewhere.
pub(super) fn forms(text: &str) -> Vec<String> {
    let mut forms = vec![text.to_owned()];
    let mut add = |form: String| {
        if !forms.contains(&form) {
            forms.push(form);
        }
    };
    let inside = |quoted: String| quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned();
    let value = Value::from(text);
    // As Rust and JavaScript write JSON, and as Python and Vumi do.
    add(inside(value.to_string()));
    add(inside(json::to_text(&value)));
    add(in_address(text, "%20"));
    add(in_address(text, "+"));
    if let Some(digits) = text.strip_prefix('+').filter(|digits| digits.len() >= LONG) {
        add(digits.to_owned());
    }
    forms
}

/// As part of a web address or form.
fn in_address(text: &str, space: &str) -> String {
    let mut coded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => coded.push(char::from(byte)),
            b' ' => coded.push_str(space),
            _ => coded.push_str(&format!("%{byte:02X}")),
        }
    }
    coded
}
