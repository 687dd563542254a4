//! Which runs of an app are recorded, and what of them must not be written down.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vumi_core::{Error, Result};

/// What `mask` may name.
pub(super) const MASKABLE: [&str; 9] = [
    "content",
    "from_addr",
    "to_addr",
    "group",
    "provider",
    "transport_metadata",
    "helper_metadata",
    super::needles::KV,
    super::needles::HTTP,
];

/// Which runs of an app are recorded. A recording holds what the run was given and what it did: the message, each call
/// with its answer, the replies. None unless asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RecordRule {
    /// All runs of the app.
    pub all: bool,
    /// The runs on messages of these users: their addresses, as they stand in `from_addr`. (Events name no user; only
    /// `all` records them.)
    pub users: Vec<String>,
    /// What is replaced by `[masked]` before a recording is kept, in every place where the same text stands: fields of
    /// the message (`content`, `from_addr`, `to_addr`, `group`, `provider`, `transport_metadata`, `helper_metadata`),
    /// `kv` (values, and what contacts and groups hold; keys and counters stay), `http` (bodies, header values, queries). A text of less than four letters
    /// or digits is replaced where it stands as a word of its own. A replay sees the masked texts: an app that decides
    /// on them decides otherwise.
    pub mask: Vec<String>,
}

impl RecordRule {
    /// Everything, unmasked.
    pub fn everything() -> Self {
        Self { all: true, ..Self::default() }
    }

    /// The runs of one user, unmasked.
    pub fn of_user(user: impl Into<String>) -> Self {
        Self { users: vec![user.into()], ..Self::default() }
    }

    /// Whether any run is recorded.
    pub fn is_on(&self) -> bool {
        self.all || !self.users.is_empty()
    }

    /// Whether a run on a message of this user is recorded.
    pub(super) fn wants(&self, user: Option<&str>) -> bool {
        self.all || user.is_some_and(|user| self.users.iter().any(|wanted| wanted == user))
    }

    /// Refuses names that mean nothing: a misspelt one would leave unmasked what its owner wants masked.
    pub(crate) fn check(&self) -> Result<()> {
        match self.mask.iter().find(|name| !MASKABLE.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(Error::permanent(format!(
                "record.mask: `{name}` cannot be masked; what can: {}",
                MASKABLE.join(", ")
            ))),
        }
    }
}

/// A text that never stands in a recording: in its place stands `[secret <name>]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// What it is called.
    pub name: String,
    /// The text.
    pub value: String,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_mean_something() {
        let mask = |name: &str| RecordRule { mask: vec![name.to_owned()], ..RecordRule::default() }.check();
        assert!(mask("content").is_ok() && mask("kv").is_ok());
        for name in ["contnet", "message_id", "timestamp", ""] {
            let error = mask(name).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("from_addr"), "{error}");
        }
    }

    #[test]
    fn who_is_recorded() {
        assert!(!RecordRule::default().is_on() && !RecordRule::default().wants(None));
        assert!(RecordRule::everything().wants(None));
        let rule = RecordRule::of_user("+27");
        assert!(rule.is_on() && rule.wants(Some("+27")) && !rule.wants(Some("+271")) && !rule.wants(None));
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = Secret { name: "api".into(), value: "hunter2".into() };
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
