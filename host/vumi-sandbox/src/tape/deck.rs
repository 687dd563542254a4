//! What an app has for recording: the rule, where recordings go, and the secrets that must not stand in them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use vumi_core::{Error, Input, Recording, Recordings, Result, Run};
use vumi_message::new_id;

use super::recorder::{Component, Recorder};
use super::rule::{RecordRule, Secret};
use super::{Tape, seal};
use crate::app::{App, AppShared};

/// See the module's text.
pub(crate) struct Deck {
    /// False for nearly every app: then a run looks at nothing else.
    on: AtomicBool,
    /// True for runs that are played from a tape: they leave no trace in logs, numbers and records.
    silent: bool,
    recordings: Option<Arc<dyn Recordings>>,
    rule: RwLock<Arc<RecordRule>>,
    secrets: RwLock<Arc<Vec<Secret>>>,
}

impl Deck {
    fn of(recordings: Option<Arc<dyn Recordings>>, silent: bool) -> Self {
        Self { on: AtomicBool::new(false), silent, recordings, rule: RwLock::default(), secrets: RwLock::default() }
    }

    /// For an app with this rule.
    ///
    /// # Errors
    /// When the rule makes no sense, or asks for recordings that nobody keeps.
    pub(crate) fn new(rule: &RecordRule, recordings: Option<Arc<dyn Recordings>>) -> Result<Self> {
        let deck = Self::of(recordings, false);
        deck.set(Some(rule.clone()))?;
        Ok(deck)
    }

    /// For guests that are never recorded.
    pub(crate) fn off() -> Self {
        Self::of(None, false)
    }

    /// For a run that is played from a tape.
    pub(crate) fn silent() -> Self {
        Self::of(None, true)
    }

    /// Whether runs leave no trace.
    pub(crate) fn is_silent(&self) -> bool {
        self.silent
    }

    fn set(&self, rule: Option<RecordRule>) -> Result<()> {
        let rule = rule.unwrap_or_default();
        rule.check()?;
        if rule.is_on() && self.recordings.is_none() {
            return Err(Error::permanent("record: this host keeps no recordings"));
        }
        let on = rule.is_on();
        *self.rule.write() = Arc::new(rule);
        self.on.store(on, Ordering::Release);
        Ok(())
    }

    /// A tape for a run that is to be recorded. `version` is the number of the version that runs, where it has one.
    pub(crate) fn tape(&self, version: Option<u32>, hash: &str, input: &Input) -> Option<Tape> {
        if !self.on.load(Ordering::Acquire) {
            return None;
        }
        let user = match input {
            Input::Message(message) => message.user(),
            Input::Event(_) => None,
        };
        let component = || Component { version, hash: hash.to_owned() };
        self.rule.read().wants(user).then(|| Tape::recording(Recorder::new(component(), input)))
    }

    /// Keeps the tape of a run that has ended.
    pub(crate) fn keep(&self, app: &AppShared, tape: Option<Tape>, run: &Run) {
        let (Some(tape), Some(recordings)) = (tape, &self.recordings) else { return };
        let Some(recorder) = tape.recorded() else { return };
        let (rule, secrets) = (Arc::clone(&self.rule.read()), Arc::clone(&self.secrets.read()));
        let sealed = seal::seal(recorder, app, run, &rule, &secrets);
        recordings.put(Recording {
            id: new_id(),
            at: run.at,
            app: run.app.clone(),
            version: sealed.version,
            hash: sealed.hash,
            message_id: run.message_id.clone(),
            user: sealed.user,
            outcome: run.outcome,
            sent: run.sent,
            cpu_us: run.cpu_us,
            wall_us: run.wall_us,
            tape: sealed.text,
        });
    }
}

impl App {
    /// Changes which runs are recorded, from the next message on; `None` records nothing.
    ///
    /// # Errors
    /// One sentence, when the rule makes no sense or this host keeps no recordings; the rule is then as it was.
    pub fn record(&self, rule: Option<RecordRule>) -> Result<()> {
        self.shared().deck.set(rule)
    }

    /// Which runs are recorded.
    pub fn record_rule(&self) -> RecordRule {
        RecordRule::clone(&self.shared().deck.rule.read())
    }

    /// Says which texts never stand in a recording, from the next recording on.
    pub fn hide(&self, secrets: Vec<Secret>) {
        *self.shared().deck.secrets.write() = Arc::new(secrets);
    }
}
