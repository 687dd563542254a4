//! Sessions that the transport remembers, since the network names a user's dialled code, or the whole way through a
//! menu, once only.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Deserialize;
use vumi_message::Payload;

use super::context::Context;
use super::fields::{Fields, Found};
use super::page::Page;
use super::value::Find;
use crate::http::{HttpLink, Refusal};

/// Open requests whose sessions are known, before those that are answered are looked for.
const OPEN: usize = 1024;

/// A session in the key-value store, for `session_timeout_s` from its first message on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Its name.
    pub(super) id: Find,
    /// What a request of this route does to it: `auto` begins one where there is none, `start` always begins one,
    /// `resume` needs one, `end` needs one and ends it. The message's `session_event` follows.
    #[serde(default)]
    step: Step,
    /// The fields that it keeps from its first message for later ones: any of `to_addr`, `from_addr`, `provider`,
    /// `group`; `to_addr` unless given. Later requests need not have them.
    #[serde(default = "to_addr")]
    pub(super) keep: Vec<String>,
    /// Where fields of its first message stand, in place of those in `message`.
    #[serde(default)]
    pub(super) first: Fields,
    /// What a request is answered that needs a session, and there is none; an empty 400 unless given. Nothing is
    /// published.
    #[serde(default)]
    pub(super) unknown: Option<Page>,
}

/// What a request does to a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Begins one where there is none.
    #[default]
    Auto,
    /// Begins one, in place of an old one.
    Start,
    /// Needs one.
    Resume,
    /// Needs one, and ends it.
    End,
}

/// What a session can keep.
pub(super) const KEPT: [&str; 4] = ["to_addr", "from_addr", "provider", "group"];

fn to_addr() -> Vec<String> {
    vec!["to_addr".to_owned()]
}

impl Session {
    /// The name of the session that a request belongs to.
    pub(super) fn id(&self, context: &Context<'_>) -> Result<String, Refusal> {
        let id = self.id.find(context).map_err(|wrong| Refusal::bad(wrong.0))?;
        let missing = || Refusal::json(&serde_json::json!({ "missing_parameter": [self.id.label()] }));
        id.filter(|id| !id.is_empty()).ok_or_else(missing)
    }

    /// What to do.
    pub(super) fn step(&self, known: bool) -> Step {
        match self.step {
            Step::Auto if known => Step::Resume,
            Step::Auto => Step::Start,
            other => other,
        }
    }

    /// Whether a request of this route needs a session.
    pub(super) fn needs_one(&self) -> bool {
        matches!(self.step, Step::Resume | Step::End)
    }

    /// Whether a field is kept.
    pub(super) fn keeps(&self, name: &str) -> bool {
        self.keep.iter().any(|kept| kept == name)
    }

    /// What the session keeps of its first message.
    pub(super) fn kept(&self, found: &Found) -> Payload {
        let value = |name: &String| found.fields.get(name.as_str()).map(|text| (name.clone(), text.clone().into()));
        self.keep.iter().filter_map(value).collect()
    }

    /// Gives a later message what the session has kept.
    pub(super) fn restore(&self, known: &vumi_core::Session, found: &mut Found) {
        for name in KEPT.into_iter().filter(|name| self.keep.iter().any(|kept| kept == name)) {
            if let Some(text) = known.get(name) {
                found.fields.insert(name, text.clone());
            }
        }
    }

    /// Everything that reads a request.
    pub(super) fn finds(&self) -> impl Iterator<Item = &Find> {
        std::iter::once(&self.id).chain(self.first.finds())
    }
}

/// Which session an open request belongs to, so that the app's last reply ends it.
#[derive(Clone, Debug, Default)]
pub(super) struct Open(Arc<Mutex<HashMap<String, String>>>);

impl Open {
    /// A request is held open.
    pub(super) fn note(&self, request_id: &str, session: &str, link: &HttpLink) {
        let mut open = self.0.lock();
        // Those whose users have left are never asked for again. There are at most as many as requests may be open.
        if open.len() >= OPEN && open.len().is_power_of_two() {
            open.retain(|id, _| link.is_pending(id));
        }
        open.insert(request_id.to_owned(), session.to_owned());
    }

    /// The session of a request that is answered.
    pub(super) fn take(&self, request_id: &str) -> Option<String> {
        self.0.lock().remove(request_id)
    }
}
