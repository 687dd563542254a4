//! The keys of the tagging middleware. What is missing or of another type is said in Vumi's words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Tags inbound messages by the address that they were sent to, and fills in fields of outbound messages by their
/// tag. Regular expressions count from the start of the text; templates hold `\1`, `\g<name>` or `\g<0>` for what
/// they matched.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaggingConfig {
    /// How inbound messages get their tag.
    pub incoming: Incoming,
    /// What a tag means for outbound messages.
    pub outgoing: Outgoing,
}

/// How inbound messages get their tag.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Map<String, Value>")]
#[schemars(!try_from, deny_unknown_fields)]
pub struct Incoming {
    /// Regular expression for `to_addr`, without look-around and backreferences. A message that does not match keeps
    /// the tag that it has.
    pub addr_pattern: String,
    /// Template for the tag's pool.
    pub tagpool_template: String,
    /// Template for the tag's name.
    pub tagname_template: String,
}

/// What a tag means for outbound messages.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Map<String, Value>")]
#[schemars(!try_from, deny_unknown_fields)]
pub struct Outgoing {
    /// Regular expression for the name of the tag, whatever its pool. A message that does not match stays as it is.
    pub tagname_pattern: String,
    /// Fields for the message: texts are templates, maps are merged into those that are there, everything else is
    /// copied.
    pub msg_template: Map<String, Value>,
}

impl TryFrom<Map<String, Value>> for Incoming {
    type Error = String;

    fn try_from(map: Map<String, Value>) -> Result<Self, String> {
        let mut keys = Keys { field: "incoming", map };
        let incoming = Self {
            addr_pattern: keys.text("addr_pattern")?,
            tagpool_template: keys.text("tagpool_template")?,
            tagname_template: keys.text("tagname_template")?,
        };
        keys.end().map(|()| incoming)
    }
}

impl TryFrom<Map<String, Value>> for Outgoing {
    type Error = String;

    fn try_from(map: Map<String, Value>) -> Result<Self, String> {
        let mut keys = Keys { field: "outgoing", map };
        let tagname_pattern = keys.text("tagname_pattern")?;
        let msg_template = match keys.take("msg_template")? {
            Value::Object(map) => map,
            _ => return Err(keys.mistyped("msg_template", "dict")),
        };
        keys.end().map(|()| Self { tagname_pattern, msg_template })
    }
}

/// The keys of one field that have not been read yet.
struct Keys {
    field: &'static str,
    map: Map<String, Value>,
}

impl Keys {
    fn take(&mut self, key: &str) -> Result<Value, String> {
        self.map.shift_remove(key).ok_or_else(|| self.wrong(&format!("does not contain the `{key}` key.")))
    }

    fn text(&mut self, key: &str) -> Result<String, String> {
        match self.take(key)? {
            Value::String(text) => Ok(text),
            _ => Err(self.mistyped(key, "string")),
        }
    }

    fn end(&self) -> Result<(), String> {
        match self.map.keys().next() {
            Some(key) => Err(self.wrong(&format!("has the unknown key `{key}`: mend or remove it."))),
            None => Ok(()),
        }
    }

    fn mistyped(&self, key: &str, wanted: &str) -> String {
        self.wrong(&format!("does not have an `{key}` key with type `{wanted}`."))
    }

    fn wrong(&self, text: &str) -> String {
        format!("Error in config field '{}': {text}", self.field)
    }
}
