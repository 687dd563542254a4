//! JSON text as Vumi reads and writes it.
//!
//! The writer gives byte for byte what Python's `json.dumps` gives: `", "` and `": "` between the parts, ASCII
//! only, everything else as `\uXXXX`. Keys keep their order and numbers their digits, so what came from Vumi
//! leaves unchanged.
//!
//! The reader is our own and not serde_json's, because with the features that keep numbers exact serde_json
//! takes an object whose first key is one of its private markers for a number or for JSON text inside a string;
//! a payload from outside could thereby be changed on its way, or be nested without any limit.
//!
//! Decisions: of a key that stands twice in one object the last value counts, as in Python. `NaN` and `Infinity`,
//! which Python takes, are not JSON and are refused, as is half of a surrogate pair (`\ud800`), which no Unicode
//! string can hold. A number's exponent is spelled as Python spells it: `1E400` leaves as `1e+400`. Nesting has
//! a limit, [`MAX_DEPTH`].

mod parse;
mod write;

use serde_json::Value;

use crate::{MessageError, Payload};

/// How deep lists and objects may be nested in text that [`parse`] takes. Deeper than serde_json's own limit of
/// 127, so that whatever another part of the program has read also fits inside a message.
pub const MAX_DEPTH: usize = 136;

/// Reads one JSON value of any kind, in UTF-8.
///
/// # Errors
/// [`MessageError::NotJson`] with what is wrong and where.
pub fn parse(text: &[u8]) -> Result<Value, MessageError> {
    parse::document(text).map_err(|reason| MessageError::NotJson { reason })
}

/// Reads one JSON object.
///
/// # Errors
/// [`MessageError::NotJson`], or [`MessageError::NotAnObject`] for any other JSON value.
pub fn parse_object(text: &[u8]) -> Result<Payload, MessageError> {
    match parse(text)? {
        Value::Object(payload) => Ok(payload),
        _ => Err(MessageError::NotAnObject),
    }
}

/// Writes a JSON value as Python's `json.dumps` does.
pub fn to_text(value: &Value) -> String {
    let mut out = String::new();
    write::value(&mut out, value);
    out
}

/// Writes an object as Python's `json.dumps` does.
pub fn object_to_text(payload: &Payload) -> String {
    // A message of the usual fields is about 600 bytes long.
    let mut out = String::with_capacity(640);
    write::object(&mut out, payload);
    out
}

/// How deep a value is nested: 0 for a text or number, 1 for a list of such.
pub(crate) fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(payload) => object_depth(payload),
        _ => 0,
    }
}

/// How deep an object is nested: 1 when it holds neither lists nor objects.
pub(crate) fn object_depth(payload: &Payload) -> usize {
    1 + payload.values().map(depth).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(text: &str) -> String {
        to_text(&parse(text.as_bytes()).unwrap())
    }

    fn fault(text: &str) -> String {
        parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn text_in_python_form_is_unchanged() {
        for text in [
            "null",
            "[]",
            "{}",
            r#"{"b": 1, "a": [true, false, null, {}], "": ""}"#,
            r#""\u0000\u0001\b\t\n\u000b\f\r\u001f \"\\/~"#.to_owned().as_str(),
        ] {
            let text = if text.starts_with('"') {
                format!("{text}\\u007f\\u0080\\u00e9\\u2603\\ud83d\\ude00\\uffff\"")
            } else {
                text.to_owned()
            };
            assert_eq!(round_trip(&text), text);
        }
    }

    #[test]
    fn other_spellings_become_pythons() {
        assert_eq!(round_trip(" {\"a\":\t[1 ,2]\r\n} "), r#"{"a": [1, 2]}"#);
        assert_eq!(round_trip(r#""\u0041\/\u00E9é☃😀\u007f""#), "\"A/\\u00e9\\u00e9\\u2603\\ud83d\\ude00\\u007f\"");
    }

    #[test]
    fn numbers_keep_their_digits() {
        for text in [
            "0",
            "-0",
            "-0.0",
            "1.0",
            "1.50",
            "123456789012345678901234567890",
            "-123456789012345678901234567890",
            "2.1457672119140625e-06",
            "1e+400",
            "0.1234567890123456789012345678901234567890",
        ] {
            assert_eq!(round_trip(text), text);
        }
        assert_eq!(round_trip("1E400"), "1e+400");
    }

    #[test]
    fn of_a_repeated_key_the_last_value_counts() {
        assert_eq!(round_trip(r#"{"a": 1, "b": 2, "a": 3}"#), r#"{"a": 3, "b": 2}"#);
    }

    #[test]
    fn serde_jsons_private_markers_are_ordinary_keys() {
        for text in [
            r#"{"$serde_json::private::Number": "5"}"#,
            r#"{"$serde_json::private::Number": "x"}"#,
            r#"{"$serde_json::private::RawValue": "[1]"}"#,
        ] {
            assert_eq!(round_trip(text), text);
        }
    }

    #[test]
    fn faults_say_what_and_where() {
        let says = |text: &str, sentence: &str| {
            assert_eq!(fault(text), format!("the message is not JSON: {sentence}"), "{text:?}");
        };
        says("", "a value is expected at line 1 column 1");
        says("{not json", "a key in double quotes is expected at line 1 column 2");
        says("[1,\n é]", "a value is expected at line 2 column 2");
        says("[\"é\" x]", "',' or ']' is expected at line 1 column 6");
        says("{\"a\" 1}", "':' is expected at line 1 column 6");
        says("{\"a\": 1", "',' or '}' is expected at line 1 column 8");
        says("{\"a\": 1,}", "a key in double quotes is expected at line 1 column 9");
        says("[1,]", "a value is expected at line 1 column 4");
        says("nul", "a value is expected at line 1 column 1");
        says("[NaN]", "a value is expected (NaN and Infinity are not JSON) at line 1 column 2");
        says("Infinity", "a value is expected (NaN and Infinity are not JSON) at line 1 column 1");
        says("-Infinity", "a number is malformed at line 1 column 1");
        says("01", "a number is malformed at line 1 column 1");
        says("1.", "a number is malformed at line 1 column 1");
        says("1e", "a number is malformed at line 1 column 1");
        says("+1", "a value is expected at line 1 column 1");
        says("1 2", "the text goes on after the end of the value at line 1 column 3");
        says("\"a", "a string is not closed at line 1 column 3");
        says("\"a\nb\"", "a control character in a string must be written as \\u00XX at line 1 column 3");
        says(r#""\x""#, "an unknown escape follows a backslash at line 1 column 3");
        says(r#""\u12g4""#, "four hex digits are expected after \\u at line 1 column 4");
        says(r#""\u12"#, "four hex digits are expected after \\u at line 1 column 4");
        says(r#""\u+123""#, "four hex digits are expected after \\u at line 1 column 4");
        for half in [r#""\ud800""#, r#""\ud800\u0041""#, r#""\ude00""#, r#""\ud800x""#] {
            says(half, "a \\u escape is half of a surrogate pair at line 1 column 3");
        }
        says("\u{feff}{}", "a value is expected at line 1 column 1");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused() {
        let error = parse(b"\"ab\xff\"").unwrap_err();
        assert_eq!(error.to_string(), "the message is not JSON: byte 4 does not belong to UTF-8 text");
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(round_trip(&nested(MAX_DEPTH)), nested(MAX_DEPTH));
        assert_eq!(depth(&parse(nested(MAX_DEPTH).as_bytes()).unwrap()), MAX_DEPTH);
        assert_eq!(
            fault(&nested(MAX_DEPTH + 1)),
            format!(
                "the message is not JSON: lists and objects are nested more than {MAX_DEPTH} deep at line 1 column 137"
            )
        );
        assert!(fault(&"[".repeat(1_000_000)).contains("nested more than"));
        assert!(fault(&"{\"a\":".repeat(1_000_000)).contains("nested more than"));
        // Lists beside one another are not nested.
        let flat = format!("[{}[]]", "[], ".repeat(500));
        assert_eq!(round_trip(&flat), flat);
    }

    #[test]
    fn only_an_object_is_a_message() {
        assert_eq!(parse_object(b"[1]"), Err(MessageError::NotAnObject));
        assert_eq!(
            MessageError::NotAnObject.to_string(),
            "the message is JSON but not an object: it must start with '{'"
        );
    }
}
