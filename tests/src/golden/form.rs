//! Queries and forms: `a=1&b=%20`, read and written.

use super::pairs::Pairs;
use super::pattern::Bindings;

/// Reads a query or form. What is no UTF-8 is replaced.
pub fn decode(text: &str) -> Vec<(String, String)> {
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (unquote(name), unquote(value))
        })
        .collect()
}

/// Writes a form.
pub fn encode<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let written: Vec<String> = pairs.map(|(name, value)| format!("{}={}", quote(name), quote(value))).collect();
    written.join("&")
}

/// Compares all pairs; their order does not count, except among those of one name.
///
/// # Errors
/// What is different.
pub fn compare(what: &str, expected: &Pairs, got: &[(String, String)], bindings: &mut Bindings) -> Result<(), String> {
    let mut rest: Vec<&(String, String)> = got.iter().collect();
    for (name, text) in expected.given() {
        let Some(at) = rest.iter().position(|(there, _)| there == name) else {
            return Err(format!("{what}: `{name}` is missing among {got:?}"));
        };
        let (_, there) = rest.remove(at);
        bindings.text(text, there).map_err(|error| format!("{what} `{name}`: {error}"))?;
    }
    match rest.first() {
        Some((name, value)) => Err(format!("{what}: `{name}={value}` was not expected")),
        None => Ok(()),
    }
}

fn unquote(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (first, after) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                bytes.push(hex(*high).unwrap_or_default() * 16 + hex(*low).unwrap_or_default());
                rest = after.get(2..).unwrap_or_default();
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => quoted.push('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("%{byte:02X}")),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let text = "a=1+2&b=%C3%B6%26&c=&a=3";
        let pairs = decode(text);
        assert_eq!(pairs[1], ("b".to_owned(), "ö&".to_owned()));
        assert_eq!(encode(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))), text);
        assert_eq!(decode("%zz&&=%")[0].0, "%zz");
    }

    #[test]
    fn every_pair_counts() {
        let pairs = |list: &[(&str, &str)]| {
            Pairs(list.iter().map(|(name, text)| ((*name).to_owned(), Some((*text).to_owned()))).collect())
        };
        let got = decode("a=1&b=2&a=3");
        let told = |expected: &Pairs| compare("form", expected, &got, &mut Bindings::default());
        assert_eq!(told(&pairs(&[("b", "2"), ("a", "1"), ("a", "3")])), Ok(()));
        assert!(told(&pairs(&[("b", "2"), ("a", "3"), ("a", "1")])).unwrap_err().contains("form `a`"));
        assert_eq!(told(&pairs(&[("b", "2"), ("a", "1")])).unwrap_err(), "form: `a=3` was not expected");
        assert!(told(&pairs(&[("b", "2"), ("a", "1"), ("a", "3"), ("c", "")])).unwrap_err().contains("`c` is missing"));
    }
}
