//! What is kept of a conversation between two messages.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How many states a user can go back.
const HISTORY: usize = 20;

/// Where a user is in the conversation, as kv keeps it (under `dialogue:<user address>`).
///
/// Apps meet it in [`Dialogue::migrate`](super::Dialogue::migrate).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The dialogue's version.
    pub version: u32,
    /// The state whose screen the user saw last; none after an end.
    pub state: Option<String>,
    /// The states before it, the oldest first.
    #[serde(default)]
    pub history: Vec<String>,
    /// By state name, and what [`Context::set`](super::Context::set) kept.
    #[serde(default)]
    pub answers: Map<String, Value>,
    /// Which page of the screen, from 0.
    #[serde(default)]
    pub page: usize,
    /// The user's language; none when never chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// The reason that stands before the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether the user is being asked whether to continue.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asking: bool,
}

impl Record {
    /// At the beginning, in a language.
    pub(crate) fn fresh(version: u32, lang: Option<String>) -> Self {
        Self { version, lang, ..Self::default() }
    }

    /// The current state becomes one that can be gone back to.
    pub(crate) fn leave(&mut self) {
        if let Some(state) = self.state.take() {
            if self.history.len() >= HISTORY {
                self.history.remove(0);
            }
            self.history.push(state);
        }
    }
}

/// The key of a user.
pub(crate) fn key(user: &str) -> String {
    format!("dialogue:{user}")
}
