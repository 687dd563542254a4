//! A tag, and its JSON.

use serde_json::Value;
use vumi_message::json;

/// A routable address: a name within a pool. Its JSON is the array of the two.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// Pool.
    pub pool: String,
    /// Name.
    pub name: String,
}

impl Tag {
    /// The tag of this name in this pool.
    pub fn new(pool: impl Into<String>, name: impl Into<String>) -> Self {
        Self { pool: pool.into(), name: name.into() }
    }

    /// Reads an array of two texts.
    pub fn from_value(value: &Value) -> Option<Self> {
        match value.as_array()?.as_slice() {
            [Value::String(pool), Value::String(name)] => Some(Self::new(pool, name)),
            _ => None,
        }
    }

    /// The array of the two.
    pub fn to_value(&self) -> Value {
        Value::from(vec![self.pool.as_str(), self.name.as_str()])
    }

    /// The array as text, as it stands in the sets of owners.
    pub(super) fn to_text(&self) -> String {
        json::to_text(&self.to_value())
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        Self::from_value(&json::parse(text.as_bytes()).ok()?)
    }
}
