//! What several routers need.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use vumi_message::Message;

/// Reads a map of lists. A single text counts as a list of one: Vumi's documentation writes it so.
pub(super) fn lists<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    let read = BTreeMap::<String, OneOrMany>::deserialize(deserializer)?;
    let listed = read.into_iter().map(|(name, value)| match value {
        OneOrMany::One(one) => (name, vec![one]),
        OneOrMany::Many(many) => (name, many),
    });
    Ok(listed.collect())
}

/// The `transport_name` of a message; empty where it has none.
pub(super) fn transport_name(message: &Message) -> &str {
    message.payload().get("transport_name").and_then(Value::as_str).unwrap_or_default()
}
