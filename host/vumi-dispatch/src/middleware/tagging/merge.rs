//! A map of templates that is merged deeply into a message.

use regex::Captures;
use serde_json::{Map, Value};
use vumi_core::Result;
use vumi_message::Payload;

use crate::middleware::pattern::{Pattern, Template};

/// The map, its templates read.
pub(super) struct Merge(Vec<(String, Part)>);

enum Part {
    Text(Template),
    Map(Merge),
    Other(Value),
}

impl Merge {
    /// Reads the templates; `key` is where the map stands in the configuration.
    pub(super) fn new(key: &str, map: &Map<String, Value>, pattern: &Pattern) -> Result<Self> {
        let part = |(name, value): (&String, &Value)| {
            let key = format!("{key}.{name}");
            let part = match value {
                Value::String(text) => Part::Text(Template::new(&key, text, pattern)?),
                Value::Object(map) => Part::Map(Self::new(&key, map, pattern)?),
                other => Part::Other(other.clone()),
            };
            Ok((name.clone(), part))
        };
        map.iter().map(part).collect::<Result<_>>().map(Self)
    }

    /// Merges it into a map. What stands where a map is to be merged and is none, gives way.
    pub(super) fn apply(&self, groups: &Captures<'_>, payload: &mut Payload) {
        for (name, part) in &self.0 {
            let value = match part {
                Part::Text(template) => Value::String(template.expand(groups)),
                Part::Other(value) => value.clone(),
                Part::Map(merge) => {
                    let mut inner = match payload.get_mut(name).map(Value::take) {
                        Some(Value::Object(map)) => map,
                        _ => Payload::new(),
                    };
                    merge.apply(groups, &mut inner);
                    Value::Object(inner)
                }
            };
            payload.insert(name.clone(), value);
        }
    }
}
