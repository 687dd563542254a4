//! The questions: those of the configuration key `questions`, or the example's own.
//!
//! A question has an `id`, a text to `ask`, and one of `options` (pairs of what is kept and what is shown), `number`
//! (the least and the greatest) and `text` (its greatest length). With `if` it is only asked when earlier answers are
//! among those given there. See `questions.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use vumi_sdk::prelude::*;

const EXAMPLE: &str = include_str!("../questions.json");

/// All questions, in order.
#[derive(Clone, Debug)]
pub struct Questions(pub Vec<Question>);

/// One question.
#[derive(Clone, Debug, Deserialize)]
pub struct Question {
    /// Names it in what is sent; letters, digits, `-` and `_`.
    pub id: String,
    /// Its text.
    pub ask: String,
    /// What can be answered.
    #[serde(flatten)]
    pub kind: Kind,
    /// Only asked when these earlier answers are among those listed.
    #[serde(default, rename = "if")]
    only_if: BTreeMap<String, Vec<Value>>,
}

/// What can be answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One of these: what is kept, and what is shown.
    Options(Vec<(String, String)>),
    /// A whole number, from the first to the second.
    Number(i64, i64),
    /// Any text of at most so many characters.
    Text(usize),
}

impl Questions {
    /// Reads them.
    ///
    /// # Errors
    /// Says what is wrong with the configuration.
    pub fn configured() -> Result<Self> {
        Self::read(config("questions").as_deref().unwrap_or(EXAMPLE))
    }

    fn read(text: &str) -> Result<Self> {
        let questions: Vec<Question> = serde_json::from_str(text)
            .map_err(|error| Error::new(format!("the configured `questions` cannot be read: {error}")))?;
        if questions.is_empty() {
            return Err(Error::new("the configured `questions` are empty"));
        }
        let mut ids = BTreeSet::new();
        for Question { id, only_if, .. } in &questions {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if id.is_empty() || !id.chars().all(fits) {
                return Err(Error::new(format!("a question's id is `{id}`: use letters, digits, - and _")));
            }
            if let Some(other) = only_if.keys().find(|other| !ids.contains(other.as_str())) {
                return Err(Error::new(format!("`{id}` depends on `{other}`, which is no earlier question")));
            }
            if !ids.insert(id.as_str()) {
                return Err(Error::new(format!("two questions have the id `{id}`")));
            }
        }
        Ok(Self(questions))
    }

    /// The state of the first question.
    pub fn first(&self) -> String {
        self.0.first().map(Question::state).unwrap_or_default()
    }

    /// The states that may follow a question: later ones up to the first that is always asked, or else the end.
    pub fn may_follow(&self, id: &str) -> Vec<String> {
        let mut states = Vec::new();
        for question in self.0.iter().skip_while(|question| question.id != id).skip(1) {
            states.push(question.state());
            if question.only_if.is_empty() {
                return states;
            }
        }
        states.extend(["thanks", "unsent"].map(str::to_owned));
        states
    }

    /// The question after this one that is to be asked, given the answers so far.
    pub fn next(&self, id: &str, answer: impl Fn(&str) -> Option<Value>) -> Option<&Question> {
        let later = self.0.iter().skip_while(|question| question.id != id).skip(1);
        later.into_iter().find(|question| question.is_asked(&answer))
    }
}

impl Question {
    /// The name of its state.
    pub fn state(&self) -> String {
        state(&self.id)
    }

    /// Whether it is to be asked, given the answers so far.
    pub fn is_asked(&self, answer: &impl Fn(&str) -> Option<Value>) -> bool {
        self.only_if.iter().all(|(id, values)| answer(id).is_some_and(|given| values.contains(&given)))
    }
}

/// The name of a question's state: no question can have the name of another state.
pub fn state(id: &str) -> String {
    format!("q-{id}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_example_is_right() {
        let questions = Questions::read(EXAMPLE).unwrap();
        assert_eq!(questions.first(), "q-source");
        assert_eq!(questions.0.len(), 5);
    }

    #[test]
    fn questions_are_left_out_by_what_was_answered() {
        let questions = Questions::read(EXAMPLE).unwrap();
        let after = |source: &str| {
            let source = json!(source);
            questions.next("source", |id| (id == "source").then(|| source.clone())).map(|question| question.id.clone())
        };
        assert_eq!(after("tap").as_deref(), Some("people"));
        assert_eq!(after("river").as_deref(), Some("boil"));
        assert!(questions.next("better", |_| None).is_none());
        assert_eq!(questions.may_follow("source"), ["q-boil", "q-people"]);
        assert_eq!(questions.may_follow("better"), ["thanks", "unsent"]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let question =
            |more: &str| format!(r#"[{{"id": "a", "ask": "A?", "text": 10}}, {{"ask": "B?", "text": 10, {more}}}]"#);
        for (text, words) in [
            ("x".to_owned(), "cannot be read"),
            ("[]".to_owned(), "are empty"),
            (r#"[{"id": "a", "ask": "A?"}]"#.to_owned(), "cannot be read"),
            (question(r#""id": "a b""#), "use letters, digits"),
            (question(r#""id": "a""#), "two questions have the id `a`"),
            (question(r#""id": "b", "if": {"c": [1]}"#), "`b` depends on `c`, which is no earlier question"),
        ] {
            let error = Questions::read(&text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
        assert!(Questions::read(&question(r#""id": "b", "if": {"a": ["x"]}"#)).is_ok());
    }
}
