//! What is wrong with a value: the error type of reading, before it is joined with the file's name and text.

use std::fmt::{self, Display};

use serde::de::{Expected, Unexpected};

use super::node::Mark;

/// One mistake in the document.
#[derive(Clone, Debug)]
pub struct Fault(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    what: What,
    /// The way to the value, innermost first while the error rises.
    path: Vec<String>,
    at: Option<Mark>,
    help: Option<String>,
}

/// The kind of mistake.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A whole sentence.
    Sentence(String),
    /// A key that the map does not have.
    UnknownKey {
        /// The key.
        key: String,
        /// The keys that it has.
        known: &'static [&'static str],
    },
    /// A word that is none of the words to choose from.
    UnknownWord {
        /// The word.
        word: String,
        /// Those to choose from.
        known: &'static [&'static str],
    },
    /// A key that must be there.
    Missing(&'static str),
    /// A value of another type.
    WrongType {
        /// What is expected here, in words.
        expected: String,
        /// What is there; filled in where the value is known.
        found: Option<String>,
    },
}

impl Fault {
    fn new(what: What) -> Self {
        Self(Box::new(Inner { what, path: Vec::new(), at: None, help: None }))
    }

    /// A mistake told in one sentence, without a full stop.
    pub fn says(sentence: impl Into<String>) -> Self {
        Self::new(What::Sentence(sentence.into()))
    }

    /// A value of the wrong type.
    pub fn expected(expected: impl Into<String>) -> Self {
        Self::new(What::WrongType { expected: expected.into(), found: None })
    }

    /// Adds how to mend it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Sets the place, if none is known yet.
    pub fn at(mut self, mark: Mark) -> Self {
        self.0.at.get_or_insert(mark);
        self
    }

    /// Puts a key or `[index]` in front of the path.
    pub fn under(mut self, part: impl Into<String>) -> Self {
        self.0.path.push(part.into());
        self
    }

    /// Says what stands in the file, if that is still open.
    pub fn found(mut self, describe: impl FnOnce() -> String) -> Self {
        if let What::WrongType { found, .. } = &mut self.0.what {
            found.get_or_insert_with(describe);
        }
        self
    }

    /// The kind of mistake.
    pub fn what(&self) -> &What {
        &self.0.what
    }

    /// Where.
    pub fn mark(&self) -> Option<Mark> {
        self.0.at
    }

    /// How to mend it.
    pub fn remedy(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The key path, e.g. `apps.echo.http.allow[0]`; empty for the document itself.
    pub fn path(&self) -> String {
        let mut text = String::new();
        for part in self.0.path.iter().rev() {
            if !text.is_empty() && !part.starts_with('[') {
                text.push('.');
            }
            text.push_str(part);
        }
        text
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what() {
            What::Sentence(text) => f.write_str(text),
            What::UnknownKey { key, .. } => write!(f, "unknown key `{key}`"),
            What::UnknownWord { word, known } => write!(f, "`{word}` is none of {}", known.join(", ")),
            What::Missing(key) => write!(f, "`{key}` is missing"),
            What::WrongType { expected, found } => {
                write!(f, "expected {expected}, found {}", found.as_deref().unwrap_or("something else"))
            }
        }
    }
}

impl std::error::Error for Fault {}

/// serde's descriptions of what it expects, in the words of the manual.
fn in_words(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    match text.as_str() {
        "a string" | "string" => "a text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "variant identifier" => "a word".to_owned(),
        _ if text.starts_with("struct ") => "a map".to_owned(),
        _ if text.starts_with("enum ") => "a word".to_owned(),
        _ => text,
    }
}

impl serde::de::Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        let text = message.to_string();
        // What serde says when no form of an untagged enum fits; it names a Rust type, which helps nobody.
        if text.starts_with("data did not match any variant of untagged enum") {
            return Self::says("this value has none of the forms that are allowed here");
        }
        Self::says(text)
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(in_words(expected))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(in_words(expected))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::says(format!("expected {}, found {length} items", in_words(expected)))
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Self::new(What::UnknownWord { word: word.to_owned(), known })
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self::new(What::UnknownKey { key: key.to_owned(), known })
    }

    fn missing_field(key: &'static str) -> Self {
        Self::new(What::Missing(key))
    }

    fn duplicate_field(key: &'static str) -> Self {
        Self::says(format!("the key `{key}` stands twice in this map"))
    }
}
