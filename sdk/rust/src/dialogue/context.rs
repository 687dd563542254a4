//! What the functions of a dialogue are given.

use std::borrow::Cow;

use serde::{Serialize, de::DeserializeOwned};

use super::record::Record;
use super::{Dialogue, Text};
use crate::{Message, Result};

/// The conversation that a function is asked about: who, what was answered so far, in which language.
///
/// ```
/// use vumi_sdk::dialogue::*;
/// use vumi_sdk::kv;
///
/// let name = FreeText::new("name", "Your name?")
///     .on_leave(|ctx| {
///         let name: String = ctx.answer("name").unwrap_or_default();
///         kv::set(&format!("name:{}", ctx.user()), &name)?;
///         ctx.set("number", &kv::incr("members", 1)?)
///     })
///     .next("thanks");
/// let thanks = End::new("thanks", "Thank you, {name}. You are member {number}.");
/// ```
#[derive(Debug)]
pub struct Context<'a> {
    pub(crate) dialogue: &'a Dialogue,
    pub(crate) message: &'a Message,
    pub(crate) record: Record,
}

impl Context<'_> {
    /// The user's address.
    pub fn user(&self) -> &str {
        self.message.user()
    }

    /// The message that is being handled.
    pub fn message(&self) -> &Message {
        self.message
    }

    /// The current state's name; empty before the first.
    pub fn state(&self) -> &str {
        self.record.state.as_deref().unwrap_or_default()
    }

    /// The answer to a state, or what [`Context::set`] kept; none when there is none of this shape.
    pub fn answer<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        T::deserialize(self.record.answers.get(name)?).ok()
    }

    /// Keeps a value among the answers, until the conversation ends or starts again.
    ///
    /// # Errors
    /// When serde cannot write it.
    pub fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<()> {
        self.record.answers.insert(name.to_owned(), serde_json::to_value(value)?);
        Ok(())
    }

    /// Forgets an answer; true when there was one.
    pub fn forget(&mut self, name: &str) -> bool {
        self.record.answers.remove(name).is_some()
    }

    /// The user's language: what was chosen, else the app's configuration key `lang`, else the dialogue's.
    pub fn lang(&self) -> &str {
        self.record.lang.as_deref().unwrap_or_else(|| self.dialogue.own_language())
    }

    /// Chooses the user's language. It stays when the conversation ends or starts again.
    pub fn set_lang(&mut self, lang: impl Into<String>) {
        self.record.lang = Some(lang.into());
    }

    /// A text in the user's language, filled in.
    pub fn tr(&self, text: impl Into<Text>) -> String {
        self.shown(&text.into())
    }

    pub(crate) fn shown(&self, text: &Text) -> String {
        let translated = self.dialogue.translations.find(self.lang(), text);
        let translated = translated.unwrap_or(Cow::Borrowed(text.source()));
        text.fill(&translated, |word| self.record.answers.get(word))
    }
}
