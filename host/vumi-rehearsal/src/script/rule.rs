//! What a text or a value is expected to be: exactly this, or something like it.

use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::Value;
use vumi_yaml::{Fault, Node, Reader, Value as Part};

use super::fields::{Fields, expected, list, text};

/// Bytes that one compiled expression may take.
const PATTERN_BYTES: usize = 1 << 20;

/// What a text is expected to be.
#[derive(Clone, Debug)]
pub(crate) enum TextRule {
    /// Any text, or none.
    Any,
    /// No text.
    Absent,
    /// This one.
    Exactly(String),
    /// One with all of these in it.
    Contains(Vec<String>),
    /// One that matches.
    Matches(Regex),
}

impl TextRule {
    /// Whether a text is as expected.
    pub(crate) fn fits(&self, text: Option<&str>) -> bool {
        match (self, text) {
            (Self::Any, _) => true,
            (Self::Absent, text) => text.is_none(),
            (_, None) => false,
            (Self::Exactly(expected), Some(text)) => expected == text,
            (Self::Contains(parts), Some(text)) => parts.iter().all(|part| text.contains(part.as_str())),
            (Self::Matches(pattern), Some(text)) => pattern.is_match(text),
        }
    }

    /// In words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Any => "anything".to_owned(),
            Self::Absent => "nothing".to_owned(),
            Self::Exactly(text) => format!("{text:?}"),
            Self::Contains(parts) => {
                format!(
                    "a text with {} in it",
                    parts.iter().map(|part| format!("{part:?}")).collect::<Vec<_>>().join(" and ")
                )
            }
            Self::Matches(pattern) => format!("a text that matches `{pattern}`"),
        }
    }

    /// A text, `{ contains: … }` or `{ matches: … }`.
    pub(crate) fn read(node: &Node) -> Result<Self, Fault> {
        match &node.value {
            Part::Map(_) => {
                let fields = Fields::of(node, &["contains", "matches"])?;
                Self::of_keys(&fields)?.ok_or_else(|| expected("`contains` or `matches`", node))
            }
            _ => text(node).map(Self::Exactly),
        }
    }

    /// What the keys `contains` and `matches` of a map say.
    pub(crate) fn of_keys(fields: &Fields<'_>) -> Result<Option<Self>, Fault> {
        let contains = fields.with("contains", parts)?;
        let matches = fields.with("matches", pattern)?;
        match (contains, matches) {
            (Some(_), Some(_)) => {
                let place = fields.entry("matches").map(|entry| entry.mark);
                let fault = Fault::says("`contains` and `matches` are both given").help("keep one of them");
                Err(place.into_iter().fold(fault, Fault::at))
            }
            (Some(parts), None) => Ok(Some(Self::Contains(parts))),
            (None, Some(pattern)) => Ok(Some(Self::Matches(pattern))),
            (None, None) => Ok(None),
        }
    }
}

/// One part, or several.
fn parts(node: &Node) -> Result<Vec<String>, Fault> {
    if matches!(node.value, Part::List(_)) { list(node, text) } else { Ok(vec![text(node)?]) }
}

fn pattern(node: &Node) -> Result<Regex, Fault> {
    let text = text(node)?;
    let compiled = RegexBuilder::new(&text).size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES).build();
    compiled.map_err(|error| {
        // The library draws the expression with an arrow; its last line says in words what is wrong.
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        Fault::says(format!("this regular expression cannot be used: {}", last.strip_prefix("error: ").unwrap_or(last)))
    })
}

/// What a value is expected to be.
#[derive(Clone, Debug)]
pub(crate) enum ValueRule {
    /// There is none.
    Absent,
    /// This one.
    Equals(Value),
    /// A map that has at least this.
    Includes(Value),
    /// A text like this.
    Text(TextRule),
}

/// The words that make a rule of a map with one key.
const WORDS: [&str; 4] = ["equals", "includes", "contains", "matches"];

impl ValueRule {
    /// Whether a value is as expected.
    pub(crate) fn fits(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Absent, value) => value.is_none(),
            (_, None) => false,
            (Self::Equals(expected), Some(value)) => same(expected, value),
            (Self::Includes(part), Some(value)) => includes(value, part),
            (Self::Text(rule), Some(value)) => value.as_str().is_some_and(|text| rule.fits(Some(text))),
        }
    }

    /// In words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Absent => "nothing".to_owned(),
            Self::Equals(value) => value.to_string(),
            Self::Includes(value) => format!("a value that includes {value}"),
            Self::Text(rule) => rule.describe(),
        }
    }

    /// A value, or a map with one of the words.
    pub(crate) fn read(node: &Node) -> Result<Self, Fault> {
        if node.is_nothing() {
            return Ok(Self::Absent);
        }
        match node.entries() {
            [entry] if WORDS.contains(&entry.key.as_str()) => match entry.key.as_str() {
                "equals" => value(&entry.value).map(Self::Equals),
                "includes" => value(&entry.value).map(Self::Includes),
                _ => TextRule::read(node).map(Self::Text),
            },
            _ => value(node).map(Self::Equals),
        }
    }
}

/// A value as JSON has it.
pub(crate) fn value(node: &Node) -> Result<Value, Fault> {
    Value::deserialize(Reader::new(node))
}

/// Whether two values are the same; numbers by what they are worth, and the keys of a map in any order.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one.to_string() == other.to_string() || one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}

/// Whether a value has all that `part` has: a map its keys, at every level; anything else is the same.
fn includes(value: &Value, part: &Value) -> bool {
    match (value, part) {
        (Value::Object(value), Value::Object(part)) => {
            part.iter().all(|(key, part)| value.get(key).is_some_and(|value| includes(value, part)))
        }
        _ => same(value, part),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_compared_by_worth() {
        let number = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert!(same(&number("1.50"), &number("1.5")) && same(&number("3"), &number("3.0")));
        assert!(!same(&json!(3), &json!("3")));
        assert!(same(&json!({"a": 1, "b": 2}), &json!({"b": 2, "a": 1})));
        assert!(!same(&json!([1, 2]), &json!([2, 1])));
    }

    #[test]
    fn a_part_of_a_map() {
        let state = json!({"state": "menu", "answers": {"name": "Anna", "age": 7}});
        assert!(includes(&state, &json!({"answers": {"age": 7}})));
        assert!(!includes(&state, &json!({"answers": {"age": 8}})));
        assert!(!includes(&state, &json!({"page": 1})));
        assert!(ValueRule::Absent.fits(None) && !ValueRule::Includes(json!({})).fits(None));
    }
}
