//! Names for addresses.

use std::collections::BTreeMap;

use vumi_yaml::{Fault, Node};

use super::fields::{map, text};

/// The users of a conversation who have a name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users(BTreeMap<String, String>);

impl Users {
    pub(crate) fn read(node: &Node) -> Result<Self, Fault> {
        Ok(Self(map(node, |_, node| text(node))?.into_iter().collect()))
    }

    /// The address of a name; anything that is no name is an address.
    pub(crate) fn address(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    /// How an address is shown: with its name, if it has one.
    pub(crate) fn shown(&self, address: &str) -> String {
        match self.0.iter().find(|(_, known)| *known == address) {
            Some((name, _)) => format!("{name} ({address})"),
            None => address.to_owned(),
        }
    }
}
