//! Regular expressions in the configuration, read as Python's `re` reads them where the two differ (transport
//! specification "common", C9).
//!
//! They are compiled when the configuration is read: a mistake is told with its place in the file, and no message
//! meets it.

use std::borrow::Cow;
use std::fmt;

use regex::{Regex, RegexBuilder};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use thiserror::Error;

/// Bytes that one compiled expression may take; those of real addresses take a few thousand.
const PATTERN_BYTES: usize = 1 << 20;

/// A regular expression. Two are equal when they are written alike.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    compiled: Regex,
}

/// Why a text is no regular expression; one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the regular expression cannot be used: {0}")]
pub struct PatternError(String);

impl Pattern {
    /// Compiles an expression. `{,n}` means `{0,n}`, and `\Z` the end of the text, as in Python.
    ///
    /// # Errors
    /// When the text is no regular expression, or one that would take too much memory. Look-around and references back
    /// to groups do not exist: matching takes linear time whatever the expression.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let compiled = RegexBuilder::new(&translate(text))
            .size_limit(PATTERN_BYTES)
            .dfa_size_limit(PATTERN_BYTES)
            .build()
            .map_err(|error| {
                // The library draws the expression with an arrow; its last line says in words what is wrong.
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                PatternError(last.strip_prefix("error: ").unwrap_or(last).to_owned())
            })?;
        Ok(Self { text: text.to_owned(), compiled })
    }

    /// Whether the text begins with a match, which need not reach to its end: Python's `re.match`.
    #[must_use]
    pub fn matches_start(&self, text: &str) -> bool {
        // The leftmost match begins at the start whenever one does.
        self.compiled.find(text).is_some_and(|found| found.start() == 0)
    }

    /// The first match anywhere in the text: Python's `re.search`.
    #[must_use]
    pub fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.compiled.find(text).map(|found| found.as_str())
    }

    /// What the first group of the first match is, if it takes part in it.
    #[must_use]
    pub fn group<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.compiled.captures(text)?.get(1).map(|group| group.as_str())
    }

    /// How many groups it has, without the whole match.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.compiled.captures_len().saturating_sub(1)
    }

    /// The expression as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The expression in the library's words. Escapes and character classes stay as they are.
fn translate(text: &str) -> String {
    let mut translated = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    // Where a class began: a `]` right there stands for itself.
    let mut class: Option<usize> = None;
    while let Some(character) = characters.next() {
        match (character, class) {
            ('\\', _) => match characters.next() {
                Some('Z') if class.is_none() => translated.push_str("\\z"),
                Some(escaped) => translated.extend(['\\', escaped]),
                None => translated.push('\\'),
            },
            ('[', None) => {
                translated.push('[');
                if let Some(not) = characters.next_if_eq(&'^') {
                    translated.push(not);
                }
                class = Some(translated.len());
            }
            // Python knows no classes within classes: there this is a bracket, here it must be escaped to be one.
            ('[', Some(_)) => translated.push_str("\\["),
            (']', Some(start)) if translated.len() == start => translated.push_str("\\]"),
            (']', Some(_)) => {
                translated.push(']');
                class = None;
            }
            // Operators on classes here, characters in Python.
            ('&' | '~', Some(_)) => translated.extend(['\\', character]),
            ('{', None) if characters.peek() == Some(&',') => translated.push_str("{0"),
            (other, _) => translated.push(other),
        }
    }
    translated
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text).unwrap()
    }

    #[test]
    fn expressions_match_at_the_start_only() {
        for (text, subject, matches) in [
            (r"^\+?27", "+2782", true),
            ("82", "2782", false),
            ("82", "8227", true),
            ("", "", true),
            ("1|2", "312", false),
            (r"\d{,3}$", "123", true),
            (r"\d{,3}$", "1234", false),
            (r"a\{,3}", "a{,3}", true),
            ("[{,3}]x", ",x", true),
            (r"[^]{,a]z", "bz", true),
            (r"[^]{,a]z", "]z", false),
            ("[]{,]z", "{z", true),
            ("[[]z", "[z", true),
            ("[a&&b]z", "&z", true),
            (r"[\]{,]z", "]z", true),
            (r"ab\Z", "ab", true),
            (r"ab\Z", "abc", false),
            (r"\\Z", r"\Z", true),
            ("(?x) 12 # the second", "123", true),
        ] {
            assert_eq!(pattern(text).matches_start(subject), matches, "{text} on {subject}");
        }
        assert_eq!(pattern(r"\d{,2}x").find("a123x"), Some("23x"));
        assert_eq!(pattern("9").find("a123x"), None);
        assert_eq!(pattern(r"(\d)(x)?$").groups(), 2);
        assert_eq!(pattern(r"(\d)y?x").group("a123x"), Some("3"));
        assert_eq!((pattern(r"\d").group("1"), pattern("(y)?x").group("x")), (None, None));
    }

    #[test]
    fn they_are_read_from_a_configuration_and_written_to_one() {
        let read = |yaml: &str| serde_saphyr::from_str::<Pattern>(yaml).map_err(|error| error.to_string());
        let pattern = read(r"'^\*120\*\d{,4}#'").unwrap();
        assert_eq!(pattern.as_str(), r"^\*120\*\d{,4}#");
        assert_eq!(serde_json::to_string(&pattern).unwrap(), r#""^\\*120\\*\\d{,4}#""#);
        assert_eq!(format!("{pattern:?}"), r#"Pattern("^\\*120\\*\\d{,4}#")"#);
        assert_eq!(pattern, pattern.clone());
        assert_ne!(pattern, Pattern::new("x").unwrap());
        for (yaml, text) in [
            ("'('", "the regular expression cannot be used: unclosed group"),
            ("'(?=1)'", "look-around"),
            (r"'(\w{1000}){1000}'", "size limit"),
            ("[a]", "string"),
        ] {
            let error = read(yaml).unwrap_err();
            assert!(error.contains(text), "{yaml}: {error}");
        }
        assert_eq!(Pattern::json_schema(&mut SchemaGenerator::default()), json_schema!({"type": "string"}));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r"[\[\]{},^\\\-a-c0-9&Z()?*+]{0,12}", subject in ".{0,12}") {
            match Pattern::new(&text) {
                Ok(pattern) => prop_assert!(!pattern.matches_start(&subject) || pattern.find(&subject).is_some()),
                Err(error) => prop_assert!(!error.to_string().contains('\n')),
            }
        }
    }
}
