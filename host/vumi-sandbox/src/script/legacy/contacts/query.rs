//! What apps search for: a small part of the query language of Lucene, which Vumi Go searched with.
//!
//! Terms `field:value` or `field:"value"`, joined by either `AND` or `OR`. A value is the whole of a field, or one item of
//! a list; with a `*` at its end it is the beginning. A backslash takes the meaning from the character after it.
//! Whatever else Lucene knew is refused, rather than answered with the wrong contacts.

use serde_json::{Map, Value};

/// What an unquoted value cannot hold without a backslash: it means something to Lucene.
const SPECIAL: &str = "()[]{}~^?\"*&|!";

/// See the module's text.
#[derive(Debug, PartialEq)]
pub(super) struct Query {
    /// Whether all terms must be true of a thing; otherwise one.
    needs_all: bool,
    terms: Vec<Term>,
}

#[derive(Debug, PartialEq)]
struct Term {
    field: String,
    value: String,
    is_beginning: bool,
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// One sentence for what is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let read = |mut rest: &str| {
            let mut terms = Vec::new();
            let mut joined: Option<bool> = None;
            loop {
                let (term, after) = Term::read(rest.trim_start())?;
                terms.push(term);
                if after.trim().is_empty() {
                    return Some(Self { needs_all: joined.unwrap_or(true), terms });
                }
                let (word, after) =
                    after.strip_prefix(char::is_whitespace)?.trim_start().split_once(char::is_whitespace)?;
                let needs_all = match word {
                    "AND" => true,
                    "OR" => false,
                    _ => return None,
                };
                if *joined.get_or_insert(needs_all) != needs_all {
                    return None;
                }
                rest = after;
            }
        };
        read(text).ok_or_else(|| {
            "the query cannot be searched for: it must be terms like name:\"Moog\" or name:Mo*, joined by either AND or OR"
                .to_owned()
        })
    }

    /// Whether it finds a thing with these fields.
    pub(super) fn finds(&self, fields: &Map<String, Value>) -> bool {
        let is_true = |term: &Term| fields.get(&term.field).is_some_and(|value| term.is_true_of(value));
        if self.needs_all { self.terms.iter().all(is_true) } else { self.terms.iter().any(is_true) }
    }
}

impl Term {
    /// The first term of a text, and what follows it.
    fn read(text: &str) -> Option<(Self, &str)> {
        let (field, rest) = text.split_once(':')?;
        let is_name = |letter: char| letter.is_alphanumeric() || "_-.".contains(letter);
        // A `-` in front would mean the contrary.
        if field.is_empty() || field.starts_with('-') || !field.chars().all(is_name) {
            return None;
        }
        let quoted = rest.strip_prefix('"');
        let source = quoted.unwrap_or(rest);
        let (mut value, mut is_beginning) = (String::new(), false);
        let mut letters = source.char_indices();
        let mut end = None;
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => value.push(letters.next()?.1),
                '"' if quoted.is_some() => {
                    end = Some(at + 1);
                    break;
                }
                letter if quoted.is_some() => value.push(letter),
                letter if letter.is_whitespace() => {
                    end = Some(at);
                    break;
                }
                _ if is_beginning => return None,
                '*' => is_beginning = true,
                letter if SPECIAL.contains(letter) => return None,
                letter => value.push(letter),
            }
        }
        let end = if quoted.is_some() { end? } else { end.unwrap_or(source.len()) };
        if quoted.is_none() && value.is_empty() && !is_beginning {
            return None;
        }
        Some((Self { field: field.to_owned(), value, is_beginning }, source.get(end..)?))
    }

    fn is_true_of(&self, value: &Value) -> bool {
        match value {
            Value::String(text) if self.is_beginning => text.starts_with(&self.value),
            Value::String(text) => *text == self.value,
            Value::Array(items) => items.iter().any(|item| item.is_string() && self.is_true_of(item)),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn terms_find_what_they_say() {
        let contact = json!({
            "name": "Ann Moog", "surname": null, "msisdn": "+27", "groups": ["g1", "g2"], "extras-x": "a \"b\"",
        });
        let contact = contact.as_object().unwrap();
        for (query, finds) in [
            (r#"name:"Ann Moog""#, true),
            (r"name:Ann\ Moog", true),
            ("name:Ann", false),
            ("name:Ann*", true),
            ("name:*", true),
            ("surname:*", false),
            ("nothing:*", false),
            ("msisdn:+27", true),
            (r#"msisdn:"+27" AND groups:g2"#, true),
            ("msisdn:+27 AND groups:g3", false),
            ("  msisdn:+28 OR  groups:g2 OR name:x ", true),
            (r#"extras-x:"a \"b\"""#, true),
            (r#"name:"""#, false),
        ] {
            assert_eq!(
                Query::parse(query).unwrap_or_else(|error| panic!("{query}: {error}")).finds(contact),
                finds,
                "{query}"
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for query in [
            "",
            " ",
            "Moog",
            "name:",
            ":x",
            "-name:x",
            "name:\"x",
            "name:a*b",
            "name:(a b)",
            "name:[a TO b]",
            "name:a~",
            "name:x surname:y",
            "name:x AND",
            "name:x AND surname:y OR a:b",
            "NOT name:x",
            "name:x\\",
            "name:\"x\"y",
        ] {
            assert!(Query::parse(query).is_err(), "{query}");
        }
    }
}
