//! What is wrong with a test file, as its author sees it.
//!
//! ```text
//! tests/menu.yaml:7:7: [0].steps[2]: unknown key `aap`
//!   |
//! 7 |     - { user: "1", aap: "Bye" }
//!   |                    ^
//!   = help: did you mean `app`?
//! ```

use std::fmt;
use std::sync::Arc;

use vumi_yaml::{Fault, Files, Mark, What, line, nearest};

/// A place in a test file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why a test file cannot be played.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ScriptError {
    /// It cannot be read.
    #[error("{file} cannot be read: {reason}")]
    Unreadable {
        /// Its name.
        file: String,
        /// Why.
        reason: String,
    },
    /// Something in it is wrong.
    #[error("{0}")]
    Mistake(Box<Mistake>),
}

/// A mistake in a test file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub place: Place,
    /// The key path, e.g. `[0].steps[2].app`; empty for the whole file.
    pub path: String,
    /// What is wrong, in one sentence.
    pub sentence: String,
    /// How to mend it.
    pub help: Option<String>,
    /// The line of the file.
    pub source: String,
}

impl Mistake {
    pub(crate) fn of(fault: &Fault, files: &Files) -> Self {
        let Mark { file, line: number, column } = fault.mark().unwrap_or(Mark::START);
        let (name, text) = files.get(file).map_or(("", ""), |source| (&*source.name, &*source.text));
        let place = Place { file: name.into(), line: number, column };
        let source = line(text, number).to_owned();
        Self { place, path: fault.path(), sentence: fault.to_string(), help: help(fault), source }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        for part in [&self.path, &self.sentence] {
            if !part.is_empty() {
                write!(f, ": {part}")?;
            }
        }
        let number = self.place.line.to_string();
        let margin = " ".repeat(number.len() + 1);
        if !self.source.trim().is_empty() {
            let before = " ".repeat(self.place.column.saturating_sub(1));
            write!(f, "\n{margin}|\n{number} | {}\n{margin}| {before}^", self.source)?;
        }
        match &self.help {
            Some(help) => write!(f, "\n{margin}= help: {help}"),
            None => Ok(()),
        }
    }
}

/// How to mend a fault: what it says itself, or what can be told from its kind.
fn help(fault: &Fault) -> Option<String> {
    if let Some(help) = fault.remedy() {
        return Some(help.to_owned());
    }
    let meant = |near: Option<&str>| near.map(|near| format!("did you mean `{near}`?"));
    match fault.what() {
        What::UnknownKey { key, known } => meant(nearest::nearest(key, known.iter().copied()))
            .or_else(|| Some(format!("known are {}", known.join(", ")))),
        What::UnknownWord { word, known } => meant(nearest::nearest(word, known.iter().copied())),
        What::Missing(key) => Some(format!("add `{key}: …`")),
        What::WrongType { .. } | What::Sentence(_) => None,
    }
}
