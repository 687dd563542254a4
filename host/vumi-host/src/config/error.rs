//! Mistakes in the configuration, as the user sees them.
//!
//! ```text
//! vumi.yaml:7:28: transports.telnet: unknown key `telnet_prot`
//!   |
//! 7 |   telnet: { class: telnet, telnet_prot: 9010 }
//!   |                            ^
//!   = help: did you mean `telnet_port`?
//! ```

use std::fmt;

use super::mask;
use super::yaml::{self, Fault, Files, Mark, Revealed};

/// Widest part of a source line that is shown, in characters.
const WIDTH: usize = 110;

/// Why a configuration cannot be used: at least one mistake, all that could be found at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file's name.
    pub file: String,
    /// Line and column from 1, in characters; `None` when the file itself is the mistake.
    pub place: Option<(usize, usize)>,
    /// The key path, e.g. `apps.echo.limits.memory`; empty for the whole file.
    pub path: String,
    /// What is wrong, in one sentence.
    pub sentence: String,
    /// How to mend it.
    pub help: Option<String>,
    /// The source line, without its secrets, and the column of the mistake in it.
    pub source: Option<(String, usize)>,
}

impl ConfigError {
    /// The mistakes, in the order in which they were found.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub(crate) fn of(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// A mistake of the file as a whole.
    pub(crate) fn file(file: &str, sentence: String, help: &str) -> Self {
        let problem = Problem {
            file: file.to_owned(),
            place: None,
            path: String::new(),
            sentence,
            help: Some(help.to_owned()),
            source: None,
        };
        Self::of(vec![problem])
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl Problem {
    /// The first line: where, and what is wrong.
    pub fn headline(&self) -> String {
        let mut text = self.file.clone();
        if let Some((line, column)) = self.place {
            text.push_str(&format!(":{line}:{column}"));
        }
        for part in [&self.path, &self.sentence] {
            if !part.is_empty() {
                text.push_str(": ");
                text.push_str(part);
            }
        }
        text
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        let mut margin = String::new();
        if let (Some((line, _)), Some((source, column))) = (self.place, &self.source) {
            let number = line.to_string();
            margin = " ".repeat(number.len() + 1);
            write!(f, "\n{margin}|\n{number} | {source}\n{margin}| {}^", " ".repeat(column.saturating_sub(1)))?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n{margin}= help: {help}")?;
        }
        Ok(())
    }
}

/// The files of a document, for turning faults into problems.
pub(crate) struct Origin {
    /// The files.
    pub(crate) files: Files,
    /// What must not be shown.
    pub(crate) revealed: Revealed,
}

impl Origin {
    /// The problem that a fault is.
    pub(crate) fn problem(&self, fault: &Fault, help: Option<String>) -> Problem {
        let Mark { file, line, column } = fault.mark().unwrap_or(Mark::START);
        let (name, text) = self.files.get(file).map_or(("", ""), |source| (&*source.name, &*source.text));
        let (source, shown_column) = mask::line(yaml::line(text, line), column);
        let source = (!source.trim().is_empty()).then(|| window(&source, shown_column));
        Problem {
            file: name.to_owned(),
            place: Some((line, column)),
            path: fault.path(),
            sentence: self.revealed.hide(&fault.to_string()),
            help: help.map(|help| self.revealed.hide(&help)),
            source,
        }
    }
}

/// The part of a long line around a column.
fn window(line: &str, column: usize) -> (String, usize) {
    let length = line.chars().count();
    if length <= WIDTH {
        return (line.to_owned(), column);
    }
    let start = column.saturating_sub(WIDTH / 2).min(length.saturating_sub(WIDTH));
    let part: String = line.chars().skip(start).take(WIDTH).collect();
    let (before, after) = (if start > 0 { "…" } else { "" }, if start + WIDTH < length { "…" } else { "" });
    (format!("{before}{part}{after}"), column - start + before.chars().count())
}
