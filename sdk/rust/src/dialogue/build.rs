//! The dialogue as a whole, and how it is written down.

use std::cell::OnceCell;
use std::fmt;
use std::time::Duration;

use super::page::Limit;
use super::record::Record;
use super::state::{Name, State};
use super::{Context, Text, Translations};
use crate::{Message, Result, SessionEvent, host};

/// What a new session does with a conversation that has not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resume {
    /// Goes on with it: the same screen again.
    #[default]
    Continue,
    /// Asks whether to continue or to start again.
    Ask,
    /// Starts again.
    Restart,
}

type Act = Box<dyn Fn(&mut Context<'_>) -> Result<()>>;
type Migrate = Box<dyn Fn(&mut Record) -> bool>;

/// A conversation, written down. See [the module](mod@crate::dialogue).
#[must_use]
pub struct Dialogue {
    pub(crate) name: Name,
    pub(crate) version: u32,
    start: Option<Name>,
    pub(crate) states: Vec<State>,
    pub(crate) ttl: Duration,
    pub(crate) resume: Resume,
    pub(crate) back: bool,
    pub(crate) restart: bool,
    ussd_limit: usize,
    sms_segments: usize,
    language: Name,
    pub(crate) translations: Translations,
    pub(crate) keywords: Vec<(Name, Name)>,
    pub(crate) migrate: Option<Migrate>,
    pub(crate) close: Option<Act>,
    pub(crate) error_text: Text,
    configured: OnceCell<Option<String>>,
}

impl Dialogue {
    /// A dialogue without states. The name is for its owner.
    pub fn new(name: impl Into<Name>) -> Self {
        Self {
            name: name.into(),
            version: 1,
            start: None,
            states: Vec::with_capacity(12),
            ttl: Duration::from_secs(7 * 24 * 60 * 60),
            resume: Resume::Continue,
            back: false,
            restart: false,
            ussd_limit: 160,
            sms_segments: 4,
            language: Name::Borrowed("en"),
            translations: Translations::new(),
            keywords: Vec::new(),
            migrate: None,
            close: None,
            error_text: Text::from("Something went wrong. Please try again later."),
            configured: OnceCell::new(),
        }
    }

    /// A number that grows when conversations under way no longer fit; 1 unless given. They then start again, unless
    /// [`migrate`](Self::migrate) makes them fit.
    pub fn version(self, version: u32) -> Self {
        Self { version, ..self }
    }

    /// Makes a conversation of an older version fit, and says whether it now does.
    ///
    /// ```
    /// use vumi_sdk::dialogue::*;
    ///
    /// let dialogue = Dialogue::new("clinic").version(2).migrate(|record| {
    ///     if record.state.as_deref() == Some("surname") {
    ///         record.state = Some("name".into());
    ///     }
    ///     record.version == 1
    /// });
    /// ```
    pub fn migrate(mut self, migrate: impl Fn(&mut Record) -> bool + 'static) -> Self {
        self.migrate = Some(Box::new(migrate));
        self
    }

    /// Where it begins; the first state unless given.
    pub fn start(mut self, state: impl Into<Name>) -> Self {
        self.start = Some(state.into());
        self
    }

    /// Adds a state.
    pub fn state(mut self, state: impl Into<State>) -> Self {
        self.states.push(state.into());
        self
    }

    /// How long a user's state is kept after the last message; 7 days unless given.
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }

    /// What a new session does with a conversation that has not ended.
    pub fn on_new(self, resume: Resume) -> Self {
        Self { resume, ..self }
    }

    /// Offers `0. Back` on every choice, menu, paginated choice and booklet.
    pub fn back_everywhere(self) -> Self {
        Self { back: true, ..self }
    }

    /// Offers `00. Start again` on every choice, menu, paginated choice and booklet.
    pub fn restart_everywhere(self) -> Self {
        Self { restart: true, ..self }
    }

    /// How many characters a screen may have within a session; 160 unless given.
    pub fn ussd_limit(self, characters: usize) -> Self {
        Self { ussd_limit: characters, ..self }
    }

    /// How many SMS one answer may take outside a session; 4 unless given.
    pub fn sms_segments(self, segments: usize) -> Self {
        Self { sms_segments: segments.max(1), ..self }
    }

    /// The language that the texts are written in; `en` unless given.
    pub fn language(mut self, language: impl Into<Name>) -> Self {
        self.language = language.into();
        self
    }

    /// The texts in other languages.
    pub fn translations(self, translations: Translations) -> Self {
        Self { translations, ..self }
    }

    /// This word, sent at any time as the first word of a message, leads to that state.
    pub fn keyword(mut self, word: impl Into<Name>, state: impl Into<Name>) -> Self {
        self.keywords.push((word.into(), state.into()));
        self
    }

    /// Runs when a session closes before an end was reached.
    pub fn on_close(mut self, act: impl Fn(&mut Context<'_>) -> Result<()> + 'static) -> Self {
        self.close = Some(Box::new(act));
        self
    }

    /// What the user is told when something fails.
    pub fn error_text(mut self, text: impl Into<Text>) -> Self {
        self.error_text = text.into();
        self
    }

    /// Where it begins.
    pub(crate) fn first(&self) -> &str {
        self.start.as_deref().or_else(|| self.states.first().map(|state| &*state.name)).unwrap_or_default()
    }

    pub(crate) fn find(&self, name: &str) -> Option<&State> {
        self.states.iter().find(|state| state.name == name)
    }

    /// The language of users who chose none.
    pub(crate) fn own_language(&self) -> &str {
        let configured = self.configured.get_or_init(|| host::config("lang").filter(|lang| !lang.is_empty()));
        configured.as_deref().unwrap_or(&self.language)
    }

    /// How long an answer to this message may be.
    pub(crate) fn limit(&self, message: &Message) -> Limit {
        let sms = message.session_event().is_none() || message.transport_type() == Some("sms");
        if sms { Limit::Segments(self.sms_segments) } else { Limit::Characters(self.ussd_limit) }
    }

    /// The state that a keyword leads to.
    pub(crate) fn keyword_of(&self, message: &Message) -> Option<&str> {
        if message.session_event() == Some(SessionEvent::New) {
            return None;
        }
        let word = message.text().split_whitespace().next()?.to_lowercase();
        let found = self.keywords.iter().find(|(keyword, _)| keyword.to_lowercase() == word);
        found.map(|(_, state)| &**state)
    }
}

impl fmt::Debug for Dialogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialogue").field("name", &self.name).field("states", &self.states).finish_non_exhaustive()
    }
}
