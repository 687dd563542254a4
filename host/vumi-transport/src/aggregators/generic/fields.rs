//! The fields of a message from a user: where they stand in a request, and what is found there.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use vumi_message::Payload;

use super::context::{Context, Wrong};
use super::value::Find;
use crate::http::Refusal;

/// Where the fields of a message stand.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Fields {
    /// Who sent it.
    pub(super) from_addr: Option<Find>,
    /// Whom it was sent to.
    pub(super) to_addr: Option<Find>,
    /// Its text; null unless given.
    pub(super) content: Option<Find>,
    /// The step of a session: `new`, `resume`, `close` or nothing. With `session` it follows from that.
    pub(super) session_event: Option<Find>,
    /// The network operator.
    pub(super) provider: Option<Find>,
    /// The chat room.
    pub(super) group: Option<Find>,
    /// What kind of address `from_addr` is, as `msisdn`.
    pub(super) from_addr_type: Option<Find>,
    /// What kind of address `to_addr` is.
    pub(super) to_addr_type: Option<Find>,
    /// The transport type; the transport's own unless given.
    pub(super) transport_type: Option<Find>,
    /// What the app's replies bring back. A dot in a name leads into an object: `acme.linkId`.
    pub(super) transport_metadata: BTreeMap<String, Find>,
}

/// What is found in a request, and what is missing there.
#[derive(Default)]
pub(super) struct Found {
    pub(super) fields: BTreeMap<&'static str, String>,
    pub(super) metadata: Payload,
    pub(super) missing: Vec<String>,
}

impl Fields {
    /// The fields that have a place, with their names, and whether a request needs them.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, &Find, bool)> {
        let all = [
            ("from_addr", &self.from_addr, true),
            ("to_addr", &self.to_addr, true),
            ("content", &self.content, true),
            ("session_event", &self.session_event, false),
            ("provider", &self.provider, false),
            ("group", &self.group, false),
            ("from_addr_type", &self.from_addr_type, false),
            ("to_addr_type", &self.to_addr_type, false),
            ("transport_type", &self.transport_type, false),
        ];
        all.into_iter().filter_map(|(name, find, needed)| find.as_ref().map(|find| (name, find, needed)))
    }

    /// Everything that reads a request.
    pub(super) fn finds(&self) -> impl Iterator<Item = &Find> {
        self.named().map(|(_, find, _)| find).chain(self.transport_metadata.values())
    }

    /// Finds the fields, without those that stand elsewhere.
    pub(super) fn find(&self, context: &Context<'_>, found: &mut Found, except: &[&str]) -> Result<(), Wrong> {
        for (name, find, needed) in self.named() {
            if except.contains(&name) {
                continue;
            }
            match find.find(context)? {
                Some(text) => drop(found.fields.insert(name, text)),
                None if find.is_required(needed) => found.missing.push(find.label()),
                None => {}
            }
        }
        for (name, find) in &self.transport_metadata {
            match find.find(context)? {
                Some(text) => put(&mut found.metadata, name, text),
                None if find.is_required(false) => found.missing.push(find.label()),
                None => {}
            }
        }
        Ok(())
    }
}

impl Found {
    /// Refuses the request if something is missing.
    pub(super) fn complete(&mut self) -> Result<(), Refusal> {
        let mut missing = std::mem::take(&mut self.missing);
        missing.dedup();
        if missing.is_empty() { Ok(()) } else { Err(Refusal::json(&json!({ "missing_parameter": missing }))) }
    }
}

/// Puts a text where a dotted name leads.
fn put(metadata: &mut Payload, name: &str, text: String) {
    match name.split_once('.') {
        None => drop(metadata.insert(name.to_owned(), text.into())),
        Some((first, rest)) => {
            let inner = metadata.entry(first).or_insert_with(|| json!({}));
            if let Value::Object(inner) = inner {
                put(inner, rest, text);
            }
        }
    }
}
