//! What came of playing conversations.

use std::sync::Arc;
use std::time::Duration;

use crate::script::Place;

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Rehearsal {
    /// One for each file, in the order in which they were given.
    pub files: Vec<FilePlayed>,
    /// Time from the first to the last.
    pub took: Duration,
}

/// A file.
#[derive(Clone, Debug)]
pub struct FilePlayed {
    /// Its name.
    pub name: Arc<str>,
    /// Its conversations, in order.
    pub conversations: Vec<Played>,
}

/// A conversation.
#[derive(Clone, Debug)]
pub struct Played {
    /// Its name.
    pub name: String,
    /// Where it begins.
    pub place: Place,
    /// Why it was not played.
    pub skipped: Option<String>,
    /// Steps that were played.
    pub steps: usize,
    /// Runs of the app.
    pub runs: usize,
    /// Time that it took.
    pub took: Duration,
    /// What was not as expected; none when all was.
    pub failures: Vec<Failure>,
    /// The states that were entered, by the app's own metrics: who, and which.
    pub visits: Vec<(String, String)>,
    /// Texts of the file that would make it pass.
    pub edits: Vec<Edit>,
}

/// A step, or the end of a conversation, that is not as expected.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Where it stands.
    pub place: Place,
    /// What happened, in words, e.g. `step 3: +27820001001 sends "1"`.
    pub what: String,
    /// What is not as expected.
    pub problems: Vec<Problem>,
    /// What was logged in this step.
    pub log: Vec<String>,
}

/// Something that is not as expected.
#[derive(Clone, Debug)]
pub enum Problem {
    /// One sentence.
    Says(String),
    /// Messages that differ.
    Screens {
        /// In what the first of them differs.
        sentence: String,
        /// What was expected, and what came.
        pairs: Vec<Pair>,
    },
}

impl Problem {
    /// What is not as expected, in one sentence.
    pub fn sentence(&self) -> &str {
        match self {
            Self::Says(sentence) | Self::Screens { sentence, .. } => sentence,
        }
    }
}

/// A message that was expected, and the one that came.
#[derive(Clone, Debug)]
pub struct Pair {
    /// What was expected; `None` when one came too many.
    pub expected: Option<Screen>,
    /// What came; `None` when it did not.
    pub seen: Option<Screen>,
    /// Whether one is not as the other.
    pub differs: bool,
}

/// A message as a user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Its text, or what is said of it.
    pub text: Option<String>,
    /// Whether that is the text itself, so that it can be compared line by line.
    pub exact: bool,
    /// What else there is to say: whom it is for, that it closes the session.
    pub notes: Vec<String>,
}

/// A text of a test file that is to be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Where it begins and ends, in characters of the file.
    pub range: (usize, usize),
    /// What is to stand there.
    pub text: String,
}

impl Played {
    /// Whether all was as expected.
    pub fn is_ok(&self) -> bool {
        self.failures.is_empty()
    }
}

impl FilePlayed {
    /// How many conversations failed.
    pub fn failed(&self) -> usize {
        self.conversations.iter().filter(|one| !one.is_ok()).count()
    }
}

impl Rehearsal {
    /// All conversations.
    pub fn conversations(&self) -> impl Iterator<Item = &Played> {
        self.files.iter().flat_map(|file| &file.conversations)
    }

    /// How many conversations failed.
    pub fn failed(&self) -> usize {
        self.files.iter().map(FilePlayed::failed).sum()
    }

    /// Conversations played in a second.
    pub fn rate(&self) -> f64 {
        let played = self.conversations().filter(|one| one.skipped.is_none()).count();
        played as f64 / self.took.as_secs_f64().max(1e-9)
    }
}
