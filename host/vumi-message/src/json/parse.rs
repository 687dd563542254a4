//! The reader: a plain recursive descent over RFC 8259's grammar.
//!
//! Errors are half sentences with line and column (both counted from 1, columns in characters).

use serde_json::{Number, Value};

use super::MAX_DEPTH;
use crate::Payload;

/// What is wrong, at which byte.
struct Fault {
    reason: &'static str,
    at: usize,
}

type Parsed<T> = Result<T, Fault>;

pub(super) fn document(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| format!("byte {} does not belong to UTF-8 text", error.valid_up_to() + 1))?;
    let mut reader = Reader { text, at: 0, depth: 0 };
    reader.document().map_err(|fault| {
        let before = text.get(..fault.at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        format!("{} at line {line} column {column}", fault.reason)
    })
}

struct Reader<'a> {
    text: &'a str,
    /// Byte offset of what comes next; always between two characters.
    at: usize,
    /// Lists and objects open at this point.
    depth: usize,
}

impl Reader<'_> {
    fn document(&mut self) -> Parsed<Value> {
        let value = self.value()?;
        match self.peek_token() {
            None => Ok(value),
            Some(_) => self.fault("the text goes on after the end of the value"),
        }
    }

    fn fault<T>(&self, reason: &'static str) -> Parsed<T> {
        Err(Fault { reason, at: self.at })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is not white space.
    fn peek_token(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
        self.peek()
    }

    fn value(&mut self) -> Parsed<Value> {
        match self.peek_token() {
            Some(b'{') => self.object(),
            Some(b'[') => self.list(),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(b'N' | b'I') => self.fault("a value is expected (NaN and Infinity are not JSON)"),
            _ => self.fault("a value is expected"),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Parsed<Value> {
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            return Ok(value);
        }
        self.fault("a value is expected")
    }

    /// Steps over the opening bracket.
    fn open(&mut self) -> Parsed<()> {
        if self.depth == MAX_DEPTH {
            return self.fault("lists and objects are nested more than 136 deep");
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// Steps over the closing bracket.
    fn close(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    fn object(&mut self) -> Parsed<Value> {
        self.open()?;
        let mut payload = Payload::new();
        if self.peek_token() == Some(b'}') {
            self.close();
            return Ok(Value::Object(payload));
        }
        loop {
            if self.peek_token() != Some(b'"') {
                return self.fault("a key in double quotes is expected");
            }
            let key = self.string()?;
            if self.peek_token() != Some(b':') {
                return self.fault("':' is expected");
            }
            self.at += 1;
            let value = self.value()?;
            payload.insert(key, value);
            match self.peek_token() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.close();
                    return Ok(Value::Object(payload));
                }
                _ => return self.fault("',' or '}' is expected"),
            }
        }
    }

    fn list(&mut self) -> Parsed<Value> {
        self.open()?;
        let mut items = Vec::new();
        if self.peek_token() == Some(b']') {
            self.close();
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            match self.peek_token() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.close();
                    return Ok(Value::Array(items));
                }
                _ => return self.fault("',' or ']' is expected"),
            }
        }
    }

    fn number(&mut self) -> Parsed<Value> {
        let start = self.at;
        while let Some(b'+' | b'-' | b'.' | b'e' | b'E' | b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        // serde_json knows the grammar of numbers and keeps their digits.
        match self.text.get(start..self.at).and_then(|text| text.parse::<Number>().ok()) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(Fault { reason: "a number is malformed", at: start }),
        }
    }

    fn string(&mut self) -> Parsed<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            while let Some(byte) = self.peek()
                && byte >= b' '
                && !matches!(byte, b'"' | b'\\')
            {
                self.at += 1;
            }
            out.push_str(self.text.get(start..self.at).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                Some(_) => return self.fault("a control character in a string must be written as \\u00XX"),
                None => return self.fault("a string is not closed"),
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Parsed<char> {
        let plain = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return self.fault("an unknown escape follows a backslash"),
        };
        self.at += 1;
        Ok(plain)
    }

    /// `uXXXX`, or two such with a backslash between them for a character beyond the basic plane.
    fn unicode(&mut self) -> Parsed<char> {
        let start = self.at;
        let first = self.hex()?;
        let second = match first {
            0xD800..=0xDBFF if self.text.get(self.at..).is_some_and(|rest| rest.starts_with("\\u")) => {
                self.at += 1;
                Some(self.hex()?)
            }
            _ => None,
        };
        match char::decode_utf16([first].into_iter().chain(second)).next() {
            Some(Ok(character)) => Ok(character),
            _ => Err(Fault { reason: "a \\u escape is half of a surrogate pair", at: start }),
        }
    }

    /// Steps over `u` and four hex digits.
    fn hex(&mut self) -> Parsed<u16> {
        self.at += 1;
        let digits = self.text.get(self.at..self.at + 4).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|text| u16::from_str_radix(text, 16).ok()) {
            Some(unit) => {
                self.at += 4;
                Ok(unit)
            }
            None => self.fault("four hex digits are expected after \\u"),
        }
    }
}
