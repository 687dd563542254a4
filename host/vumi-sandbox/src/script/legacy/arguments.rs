//! The arguments of a command: JSON of any shape, looked at one by one.

use serde_json::{Map, Value};

/// All fields of a command but its name and id.
pub(super) struct Arguments(pub(super) Map<String, Value>);

impl Arguments {
    /// The field, if it is there; null is there.
    pub(super) fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
    }

    /// The field, unless it is missing or null.
    pub(super) fn given(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    /// The field, if it is a string.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field).and_then(Value::as_str)
    }
}
