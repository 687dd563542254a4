//! Which resources an app of Vumi's sandbox has, and under which names: what its worker's `sandbox` said.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// See [`LegacyOptions::contacts_hard`].
const MOST_CONTACTS: u64 = 10_000;

/// A resource, by what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resource {
    /// Log lines.
    Log,
    /// Small values.
    Kv,
    /// Messages to users.
    Outbound,
    /// Requests to the web.
    Http,
    /// Texts of the owner.
    Config,
    /// Numbers for the owner.
    Metrics,
    /// What is known of users, as Vumi Go kept it.
    Contacts,
    /// Groups of contacts.
    Groups,
    /// What Vumi's runner was started by; it has no commands.
    Js,
}

impl Resource {
    /// The resource that usually has this name.
    pub fn usual(name: &str) -> Option<Self> {
        Some(match name {
            "log" => Self::Log,
            "kv" => Self::Kv,
            "outbound" => Self::Outbound,
            "http" => Self::Http,
            "config" => Self::Config,
            "metrics" => Self::Metrics,
            "contacts" => Self::Contacts,
            "groups" => Self::Groups,
            "js" => Self::Js,
            _ => return None,
        })
    }
}

/// What an app of Vumi's sandbox is given beside what every app is. The default gives it all resources, under their usual
/// names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LegacyOptions {
    /// The resources by the first part of their commands; all under their usual names unless given.
    pub resources: Option<BTreeMap<String, Resource>>,
    /// Keys of `config.get` whose file could not be read, and the file.
    pub unreadable: BTreeMap<String, String>,
    /// Whether a message's own field `sandbox_id` says whose keys and log lines a run has.
    pub sandbox_id_of_message: bool,
    /// Contacts over the lifetime of the app, 10,000 unless given. A new one that would reach this number is refused, as
    /// one key too many is in kv.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts_hard: Option<u64>,
}

impl LegacyOptions {
    /// The resource of this name.
    pub(crate) fn resource(&self, name: &str) -> Option<Resource> {
        match &self.resources {
            Some(resources) => resources.get(name).copied(),
            None => Resource::usual(name),
        }
    }

    /// The number of contacts that is not reached.
    pub(crate) fn most_contacts(&self) -> u64 {
        self.contacts_hard.unwrap_or(MOST_CONTACTS)
    }

    /// Whether it says nothing.
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}
