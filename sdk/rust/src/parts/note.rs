//! One more key in the text of a JSON object, all others left as they are written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::Result;

/// The object with `value` (the text of a JSON value) under `key`.
pub(super) fn noted(object: &str, key: &str, value: &str) -> Result<String> {
    let Pairs(pairs) = serde_json::from_str(object)?;
    let mut members = Vec::with_capacity(pairs.len() + 1);
    let mut is_new = true;
    for (name, old) in &pairs {
        let same = name == key;
        is_new &= !same;
        members.push(member(name, if same { value } else { old.get() })?);
    }
    if is_new {
        members.push(member(key, value)?);
    }
    Ok(format!("{{{}}}", members.join(",")))
}

fn member(name: &str, value: &str) -> Result<String> {
    Ok(format!("{}:{value}", serde_json::to_string(name)?))
}

/// The members of an object in their order, each value as it is written.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;
        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(PairsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::noted;

    #[test]
    fn a_note_is_added_or_replaced_and_nothing_else_changes() {
        let others = r#"{"n":123456789012345678901234567890,"f":1.50,"deep":{"note":"x", "é":[ 1 ]}}"#;
        let with = r#"{"n":123456789012345678901234567890,"f":1.50,"deep":{"note":"x", "é":[ 1 ]},"note":true}"#;
        assert_eq!(noted(others, "note", "true").unwrap(), with);
        assert_eq!(noted(with, "note", "[2]").unwrap(), with.replace("true", "[2]"));
        assert_eq!(noted("{}", "a \"b\"", "1").unwrap(), r#"{"a \"b\"":1}"#);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "null", "{\"a\":}"] {
            assert!(noted(text, "a", "1").is_err(), "{text}");
        }
    }
}
