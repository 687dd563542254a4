//! One step of a conversation: a message and what was kept go in; a screen, what to keep, and what to count come out.
//!
//! Nothing here reads or writes anything by itself; only the app's own functions do.

mod screen;

use std::borrow::Cow;

use serde_json::Value;

use super::page::add;
use super::record::Record;
use super::state::{Kind, Next, State};
use super::{Context, Dialogue, Resume, Text};
use crate::log::Level;
use crate::{Error, Message, Result, SessionEvent};

const MORE: &str = "99";
const BACK: &str = "0";
const RESTART: &str = "00";
const GO_ON: &str = "1";

/// What a message comes to.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What the user sees, and whether the session ends with it.
    pub(crate) reply: Option<Screen>,
    pub(crate) store: Store,
    /// Names to count.
    pub(crate) metrics: Vec<String>,
    pub(crate) logs: Vec<(Level, String)>,
}

/// What the user sees.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Screen {
    pub(crate) text: String,
    pub(crate) closes: bool,
}

/// What becomes of what is kept.
#[derive(Debug, PartialEq)]
pub(crate) enum Store {
    Keep,
    Set(Record),
    Delete,
}

/// Takes one step.
pub(crate) fn turn(dialogue: &Dialogue, message: &Message, stored: Option<Record>) -> Outcome {
    let had = stored.is_some();
    let mut logs = Vec::new();
    let record = usable(dialogue, stored, &mut logs);
    let mut turn = Turn { ctx: Context { dialogue, message, record }, dialogue, metrics: Vec::new(), logs };
    let result = turn.take();
    let reply = match result {
        Ok(reply) => reply,
        Err(error) => {
            let place = turn.ctx.record.state.as_deref().unwrap_or("its start");
            turn.logs.push((Level::Error, format!("dialogue {}, at {place}: {error}", dialogue.name)));
            turn.metrics.retain(|name| name == "sessions.new");
            let text = turn.ctx.shown(&dialogue.error_text);
            let reply = (!message.is_close()).then_some(Screen { text, closes: true });
            return Outcome { reply, store: Store::Keep, metrics: turn.metrics, logs: turn.logs };
        }
    };
    let mut record = turn.ctx.record;
    if reply.as_ref().is_some_and(|screen| screen.closes) {
        record = Record::fresh(dialogue.version, record.lang);
    }
    let store = match (record.state.is_some() || record.lang.is_some(), had) {
        (true, _) => Store::Set(record),
        (false, true) => Store::Delete,
        (false, false) => Store::Keep,
    };
    Outcome { reply, store, metrics: turn.metrics, logs: turn.logs }
}

/// What was kept, if this dialogue can go on with it; else a beginning.
fn usable(dialogue: &Dialogue, stored: Option<Record>, logs: &mut Vec<(Level, String)>) -> Record {
    let Some(mut record) = stored else {
        return Record::fresh(dialogue.version, None);
    };
    let lang = record.lang.clone();
    if record.version != dialogue.version {
        let older = record.version < dialogue.version;
        let fits = older && dialogue.migrate.as_ref().is_some_and(|migrate| migrate(&mut record));
        if !fits {
            return Record::fresh(dialogue.version, lang);
        }
        record.version = dialogue.version;
    }
    if let Some(state) = &record.state
        && dialogue.find(state).is_none()
    {
        let text = format!("dialogue {} has no state '{state}' any more: a conversation starts again", dialogue.name);
        logs.push((Level::Warning, text));
        return Record::fresh(dialogue.version, lang);
    }
    record
}

struct Turn<'a> {
    ctx: Context<'a>,
    dialogue: &'a Dialogue,
    metrics: Vec<String>,
    logs: Vec<(Level, String)>,
}

impl<'a> Turn<'a> {
    fn take(&mut self) -> Result<Option<Screen>> {
        let event = self.ctx.message.session_event();
        let state = self.ctx.record.state.as_deref().and_then(|name| self.dialogue.find(name));
        match (event, state) {
            (Some(SessionEvent::Close), state) => {
                if state.is_some_and(|state| state.kind != Kind::End) {
                    self.count("sessions.closed");
                    if let Some(close) = &self.dialogue.close {
                        close(&mut self.ctx)?;
                    }
                }
                Ok(None)
            }
            (Some(SessionEvent::New), state) => {
                self.count("sessions.new");
                match state {
                    Some(state) => self.resume(state),
                    None => self.start(),
                }
                .map(Some)
            }
            (_, state) => {
                if let Some(target) = self.dialogue.keyword_of(self.ctx.message) {
                    if event.is_none() && state.is_none() {
                        self.count("sessions.new");
                    }
                    self.ctx.record.leave();
                    return self.enter(target).map(Some);
                }
                let Some(state) = state else {
                    if event.is_none() {
                        self.count("sessions.new");
                    }
                    return self.start().map(Some);
                };
                let input = self.ctx.message.text();
                if self.ctx.record.asking { self.asked(state, input) } else { self.answer(state, input) }.map(Some)
            }
        }
    }

    fn count(&mut self, name: &str) {
        self.metrics.push(name.to_owned());
    }

    /// From the beginning, whatever there was. The language stays.
    fn start(&mut self) -> Result<Screen> {
        let lang = self.ctx.record.lang.take();
        self.ctx.record = Record::fresh(self.dialogue.version, lang);
        self.enter(self.dialogue.first())
    }

    /// A new session finds a conversation.
    fn resume(&mut self, state: &'a State) -> Result<Screen> {
        let record = &mut self.ctx.record;
        let at_start = record.history.is_empty() && state.name == self.dialogue.first();
        match self.dialogue.resume {
            Resume::Restart => self.start(),
            Resume::Ask if !at_start => {
                record.asking = true;
                Ok(Screen { text: self.ask(None), closes: false })
            }
            Resume::Ask | Resume::Continue => {
                record.asking = false;
                if record.note.take().is_some() {
                    record.page = 0;
                }
                self.show(state)
            }
        }
    }

    fn ask(&self, reason: Option<&str>) -> String {
        let mut text = reason.map(|reason| self.ctx.tr(reason.to_owned())).unwrap_or_default();
        add(&mut text, &self.ctx.tr("Would you like to continue where you were?"));
        add(&mut text, &format!("1. {}", self.ctx.tr("Continue")));
        add(&mut text, &format!("2. {}", self.ctx.tr("Start again")));
        text
    }

    fn asked(&mut self, state: &'a State, input: &str) -> Result<Screen> {
        let labels = ["Continue", "Start again"].map(|label| self.ctx.tr(label));
        match chosen(input, labels.iter().map(String::as_str)) {
            Some(0) => {
                self.ctx.record.asking = false;
                self.show(state)
            }
            Some(_) => self.start(),
            None => Ok(Screen { text: self.ask(Some(NUMBERS)), closes: false }),
        }
    }

    /// Enters a state and shows it.
    fn enter(&mut self, name: &str) -> Result<Screen> {
        let Some(state) = self.dialogue.find(name) else {
            let before = self.ctx.record.history.last().map_or("the start", String::as_str);
            return Err(Error::Other(format!("'{before}' leads to '{name}', but there is no such state")));
        };
        let record = &mut self.ctx.record;
        record.state = Some(name.to_owned());
        record.page = 0;
        record.note = None;
        record.asking = false;
        if let Some(enter) = &state.enter {
            enter(&mut self.ctx)?;
        }
        self.metrics.push(format!("states.{name}.entered"));
        if state.kind == Kind::End {
            self.count("sessions.finished");
        }
        self.show(state)
    }

    /// The page that the user is at.
    fn show(&mut self, state: &'a State) -> Result<Screen> {
        let mut pages = self.pages(state)?;
        let last = pages.len().saturating_sub(1);
        let page = self.ctx.record.page.min(last);
        self.ctx.record.page = page;
        Ok(Screen { text: pages.swap_remove(page), closes: state.kind == Kind::End && page == last })
    }

    fn answer(&mut self, state: &'a State, input: &str) -> Result<Screen> {
        if state.kind == Kind::End {
            self.ctx.record.page += 1;
            return self.show(state);
        }
        if let Some(screen) = self.keys(state, input)? {
            return Ok(screen);
        }
        match state.kind {
            Kind::FreeText => self.free_text(state, input),
            Kind::Booklet => {
                let last = self.pages(state)?.len().saturating_sub(1);
                if input == GO_ON && self.ctx.record.page == last {
                    return self.leave(state, None);
                }
                self.again(state, Text::from(NUMBERS))
            }
            _ => {
                let options = self.options(state)?;
                let labels: Vec<String> = options.iter().map(|option| self.ctx.shown(&option.label)).collect();
                let Some(at) = chosen(input, labels.iter().map(String::as_str)) else {
                    return self.again(state, Text::from(NUMBERS));
                };
                let option = options.into_iter().nth(at).map(Cow::into_owned);
                let Some(option) = option else { return self.again(state, Text::from(NUMBERS)) };
                if state.sets_language {
                    self.ctx.set_lang(option.value.clone());
                }
                self.keep(state, Value::String(option.value.into_owned()));
                self.leave(state, option.to.as_deref())
            }
        }
    }

    /// The keys that are below the page, if it is one of them.
    fn keys(&mut self, state: &'a State, input: &str) -> Result<Option<Screen>> {
        if !matches!(input, MORE | BACK | RESTART) {
            return Ok(None);
        }
        let (keys, page) = (self.keys_of(state), self.ctx.record.page);
        match input {
            RESTART if keys.restart.is_some() => self.start().map(Some),
            MORE if page + 1 < self.pages(state)?.len() => {
                self.ctx.record.page += 1;
                self.show(state).map(Some)
            }
            BACK if page > 0 && keys.back_later => {
                self.ctx.record.page -= 1;
                self.show(state).map(Some)
            }
            BACK if page == 0 && keys.back_first => match self.ctx.record.history.pop() {
                Some(before) => self.enter(&before).map(Some),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    fn free_text(&mut self, state: &'a State, input: &str) -> Result<Screen> {
        if input.is_empty() {
            return self.again(state, Text::from("Please write an answer."));
        }
        let value = match &state.check {
            Some(check) => check(&mut self.ctx, input),
            None => Ok(Value::String(input.to_owned())),
        };
        match value {
            Ok(value) => {
                self.keep(state, value);
                self.leave(state, None)
            }
            Err(reason) => self.again(state, reason),
        }
    }

    fn keep(&mut self, state: &State, value: Value) {
        self.ctx.record.answers.insert(state.name.clone().into_owned(), value);
    }

    /// Goes on, to the option's own state or where the state leads.
    fn leave(&mut self, state: &'a State, target: Option<&str>) -> Result<Screen> {
        if let Some(leave) = &state.leave {
            leave(&mut self.ctx)?;
        }
        let target: Cow<'_, str> = match (target, &state.next) {
            (Some(target), _) => Cow::Borrowed(target),
            (None, Next::To(target)) => Cow::Borrowed(target),
            (None, Next::Computed(declared, route)) => {
                let target = route(&mut self.ctx)?;
                if !declared.contains(&target) {
                    let text = format!("'{}' leads to '{target}', which it does not declare", state.name);
                    return Err(Error::Other(text));
                }
                target
            }
            (None, Next::Nowhere) => return Err(Error::Other(format!("'{}' leads nowhere", state.name))),
        };
        self.ctx.record.leave();
        self.enter(&target)
    }

    /// Asks again, with the reason.
    fn again(&mut self, state: &'a State, reason: Text) -> Result<Screen> {
        let reason = self.ctx.shown(&reason);
        if self.ctx.record.note.take().is_some() {
            self.ctx.record.page = 0;
        }
        let shown = self.show(state)?;
        let mut text = reason.clone();
        add(&mut text, &shown.text);
        if self.dialogue.limit(self.ctx.message).fits(&text) {
            return Ok(Screen { text, closes: false });
        }
        self.ctx.record.note = Some(reason);
        self.ctx.record.page = 0;
        self.show(state)
    }
}

const NUMBERS: &str = "Please choose one of the numbers.";

/// Which of the labels an answer means: by its number, or by itself.
fn chosen<'l>(input: &str, labels: impl Iterator<Item = &'l str> + Clone) -> Option<usize> {
    if let Ok(number) = input.parse::<usize>()
        && input.bytes().all(|digit| digit.is_ascii_digit())
        && !input.starts_with('0')
        && number <= labels.clone().count()
    {
        return number.checked_sub(1);
    }
    let input = input.to_lowercase();
    labels.into_iter().position(|label| label.trim().to_lowercase() == input)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
