//! Types, ranges and defaults in words.

use serde_json::Value;
use vumi_core::ByteSize;

use super::Found;
use crate::config::schema::{branches, resolve};

/// Type, range and default of a key.
pub(super) fn facts(key: &Found<'_>, root: &Value) -> Vec<(&'static str, String)> {
    let mut facts = vec![("type", kind_of(key.schema, root))];
    if let Some(range) = branches(key.schema, root, None).into_iter().find_map(range) {
        facts.push(("range", range));
    }
    let default = key.schema.get("default").or_else(|| resolve(key.schema, root).get("default"));
    facts.push((
        "default",
        match default {
            _ if key.required => "none, must be given".to_owned(),
            Some(Value::Null) | None => "none".to_owned(),
            Some(Value::String(text)) if text.is_empty() => "empty".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(bytes)) if is_size(key.schema) => {
                bytes.as_u64().map_or_else(|| bytes.to_string(), |bytes| ByteSize(bytes).to_string())
            }
            Some(Value::Array(items)) if items.is_empty() => "empty".to_owned(),
            Some(Value::Object(keys)) if keys.is_empty() => "empty".to_owned(),
            Some(Value::Object(_)) => "see its keys".to_owned(),
            Some(value) => value.to_string(),
        },
    ));
    facts
}

/// An amount of bytes, written as a number or as a text with a unit.
fn is_size(schema: &Value) -> bool {
    schema.get("$ref").and_then(Value::as_str).is_some_and(|target| target.ends_with("ByteSize"))
}

/// The text of a schema.
pub(super) fn description(schema: &Value) -> Option<String> {
    schema.get("description").and_then(Value::as_str).map(str::to_owned)
}

/// A text with a margin.
pub(super) fn indented(text: &str, margin: &str) -> String {
    text.lines().map(|line| format!("{margin}{line}\n")).collect()
}

/// A schema's type in words.
fn kind_of(schema: &Value, root: &Value) -> String {
    let mut kinds: Vec<String> = Vec::new();
    if is_size(schema) {
        return "amount of bytes".to_owned();
    }
    for branch in branches(schema, root, None) {
        let name = if let Some(word) = branch.get("const").and_then(Value::as_str) {
            word.to_owned()
        } else if let Some(words) = branch.get("enum").and_then(Value::as_array) {
            words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")
        } else {
            type_of(branch, root)
        };
        if !name.is_empty() && !kinds.contains(&name) {
            kinds.push(name);
        }
    }
    kinds.join(" or ")
}

fn type_of(schema: &Value, root: &Value) -> String {
    let names: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => return "any value".to_owned(),
    };
    let words = names.into_iter().filter_map(|name| match name {
        "integer" => Some("whole number".to_owned()),
        "number" => Some("number".to_owned()),
        "boolean" => Some("true or false".to_owned()),
        "string" => Some("text".to_owned()),
        "object" => Some("map".to_owned()),
        "array" => Some(match schema.get("items") {
            Some(items) => format!("list of: {}", kind_of(items, root)),
            None => "list".to_owned(),
        }),
        _ => None,
    });
    words.collect::<Vec<_>>().join(" or ")
}

/// The range of a number in words, if it has one.
pub(crate) fn range(schema: &Value) -> Option<String> {
    match (schema.get("minimum"), schema.get("maximum")) {
        (Some(low), Some(high)) => Some(format!("from {low} to {high}")),
        (Some(low), None) if low.as_f64() != Some(0.0) => Some(format!("at least {low}")),
        (None, Some(high)) => Some(format!("at most {high}")),
        // What has no sign anyway needs no range.
        (_, None) => None,
    }
}
