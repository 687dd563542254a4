//! The encoding of queries and of forms (`application/x-www-form-urlencoded`), as Python's `quote_plus` writes it and
//! its `parse_qs` reads it.
//!
//! Writing is strict: UTF-8, a blank is `+`, only letters, digits, `_`, `.` and `-` stand for themselves. Reading
//! accepts everything: what a network sent wrongly is still what it sent. The values are bytes, since not every network
//! sends UTF-8.

use thiserror::Error;

/// Pairs that a query or a form may have.
pub const MAX_PAIRS: usize = 10_000;

/// A query or a form with more pairs than are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("there are more than {MAX_PAIRS} parameters")]
pub struct TooManyPairs;

/// Names and values in order, as a query or a form holds them.
pub type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// A text as it stands in a query or a form.
#[must_use]
pub fn quote_plus(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    push_quoted(&mut quoted, text);
    quoted
}

/// A query or the body of a form: `a=1&b=%C3%A9`.
pub fn encode<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> String {
    let mut encoded = String::new();
    for (name, value) in pairs {
        if !encoded.is_empty() {
            encoded.push('&');
        }
        push_quoted(&mut encoded, name.as_ref());
        encoded.push('=');
        push_quoted(&mut encoded, value.as_ref());
    }
    encoded
}

/// Reads a query or the body of a form. Blank values are kept, a name without `=` has a blank value, what follows a `%`
/// without two hexadecimal digits stands for itself, and nothing between two `&` is nothing.
///
/// # Errors
/// When there are more than [`MAX_PAIRS`].
pub fn decode(encoded: &[u8]) -> Result<Pairs, TooManyPairs> {
    let mut pairs = Vec::new();
    for pair in encoded.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        if pairs.len() >= MAX_PAIRS {
            return Err(TooManyPairs);
        }
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let mut half = || unquote_plus(halves.next().unwrap_or_default());
        pairs.push((half(), half()));
    }
    Ok(pairs)
}

/// The bytes that a piece of a query or a form stands for.
#[must_use]
pub fn unquote_plus(quoted: &[u8]) -> Vec<u8> {
    let blanks: Vec<u8> = quoted.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_encoding::percent_decode(&blanks).collect()
}

fn push_quoted(quoted: &mut String, text: &str) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |value: u8| DIGITS.get(usize::from(value & 15)).copied().unwrap_or('0');
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' => quoted.push(char::from(byte)),
            b' ' => quoted.push('+'),
            _ => quoted.extend(['%', digit(byte >> 4), digit(byte)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn decoded(text: &[u8]) -> Vec<(String, String)> {
        let text_of = |bytes| String::from_utf8(bytes).unwrap();
        decode(text).unwrap().into_iter().map(|(name, value)| (text_of(name), text_of(value))).collect()
    }

    #[test]
    fn texts_are_quoted_as_python_quotes_them() {
        assert_eq!(quote_plus("*120*666#"), "%2A120%2A666%23");
        assert_eq!(quote_plus("a b+c_d.e-f~g/é"), "a+b%2Bc_d.e-f%7Eg%2F%C3%A9");
        assert_eq!(encode([("to", "+27 82"), ("text", "50% & more")]), "to=%2B27+82&text=50%25+%26+more");
        assert_eq!(encode([("a", ""), ("a", "é")]), "a=&a=%C3%A9");
        assert_eq!(encode::<&str, &str>([]), "");
    }

    #[test]
    fn everything_is_read() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for (text, pairs) in [
            ("a=1&b=+x%20y", vec![pair("a", "1"), pair("b", " x y")]),
            ("a=&b&=c&a=2", vec![pair("a", ""), pair("b", ""), pair("", "c"), pair("a", "2")]),
            ("a==b=c", vec![pair("a", "=b=c")]),
            ("&&a=1&", vec![pair("a", "1")]),
            ("a=%&b=%2&c=%zz%41%4", vec![pair("a", "%"), pair("b", "%2"), pair("c", "%zzA%4")]),
            ("a=%%41", vec![pair("a", "%A")]),
            ("a;b=c;d", vec![pair("a;b", "c;d")]),
            ("n%61me=%c3%A9", vec![pair("name", "é")]),
            ("", vec![]),
        ] {
            assert_eq!(decoded(text.as_bytes()), pairs, "{text}");
        }
        assert_eq!(decode(b"a=%ff%00"), Ok(vec![(b"a".to_vec(), vec![255, 0])]));
    }

    #[test]
    fn pairs_are_limited() {
        assert_eq!(decode("a&".repeat(MAX_PAIRS).as_bytes()).unwrap().len(), MAX_PAIRS);
        assert_eq!(decode("a&".repeat(MAX_PAIRS + 1).as_bytes()), Err(TooManyPairs));
        assert_eq!(decode(&vec![b'&'; 1 << 20]), Ok(vec![]));
        assert_eq!(decode(&vec![b'%'; 1 << 20]).unwrap()[0].0.len(), 1 << 20);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(pairs in vec((any::<String>(), any::<String>()), 0..8)) {
            prop_assert_eq!(decoded(encode(pairs.iter().map(|(n, v)| (n, v))).as_bytes()), pairs);
        }

        #[test]
        fn any_bytes_are_read(bytes in vec(prop_oneof![Just(b'%'), Just(b'&'), Just(b'='), any::<u8>()], 0..64)) {
            prop_assert!(decode(&bytes).is_ok());
        }
    }
}
