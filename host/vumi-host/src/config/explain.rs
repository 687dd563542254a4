//! What `vumi-host config explain` prints: the manual's entry for a key or a class, taken from the schema.

use serde_json::Value;
use vumi_core::ByteSize;
use vumi_core::component::Kind;
use vumi_dispatch::{MiddlewareConfig, RouterConfig};
use vumi_transport::TransportConfig;

use super::schema::{branches, classes, resolve, shared_schema};

/// One key as it was found.
struct Found<'a> {
    path: String,
    /// The key's own schema, before references are followed: its text stands here.
    schema: &'a Value,
    required: bool,
}

/// Explains a key path (`transports.telnet.telnet_port`, `apps.echo.limits.memory`; the names of apps and list
/// indices may be left out), a class (`telnet`) or a single key (`telnet_port`): type, default, range, text.
/// `None` when there is nothing of that name.
pub fn explain(path: &str) -> Option<String> {
    let root = shared_schema();
    let parts: Vec<&str> =
        path.split(['.', '[', ']']).filter(|part| !part.is_empty() && part.parse::<usize>().is_err()).collect();
    let (first, rest) = parts.split_first()?;
    let found = below(root, root, "", &parts);
    if !found.is_empty() {
        return Some(entries(&found, root));
    }
    if !rest.is_empty() {
        return None;
    }
    if let Some(text) = class_page(first, root) {
        return Some(text);
    }
    let mut found = Vec::new();
    everywhere(root, root, "", first, 0, &mut found);
    (!found.is_empty()).then(|| entries(&found, root))
}

/// Follows a path; several keys when several classes have it.
fn below<'a>(schema: &'a Value, root: &'a Value, at: &str, parts: &[&str]) -> Vec<Found<'a>> {
    let Some((part, rest)) = parts.split_first() else { return Vec::new() };
    let mut found = Vec::new();
    for branch in branches(schema, root, None) {
        if let Some(key) = branch.get("properties").and_then(|keys| keys.get(*part)) {
            let path = joined(at, part);
            if rest.is_empty() {
                found.push(Found { path, schema: key, required: is_required(branch, part) });
            } else {
                found.extend(below(key, root, &path, rest));
            }
        } else if let Some(inner) = branch.get("additionalProperties").filter(|inner| inner.is_object()) {
            // A name of the user's own, left out or given; for classes, the name of a class chooses it.
            found.extend(named(inner, root, at, part, parts));
        } else if let Some(inner) = branch.get("items") {
            found.extend(below(inner, root, at, parts));
        }
    }
    found
}

fn named<'a>(inner: &'a Value, root: &'a Value, at: &str, part: &str, parts: &[&str]) -> Vec<Found<'a>> {
    let rest = parts.get(1..).unwrap_or_default();
    let chosen =
        branches(inner, root, None).into_iter().filter(|one| classes(one).is_some_and(|names| names.contains(&part)));
    let chosen: Vec<Found<'_>> = chosen.flat_map(|one| below(one, root, &joined(at, part), rest)).collect();
    if !chosen.is_empty() {
        return chosen;
    }
    let mut found = Vec::new();
    for one in branches(inner, root, None) {
        let at = classes(one)
            .and_then(|names| names.first().map(|class| joined(at, class)))
            .unwrap_or_else(|| at.to_owned());
        let direct = below(one, root, &at, parts);
        found.extend(if direct.is_empty() { below(one, root, &at, rest) } else { direct });
    }
    found
}

/// Every key of a name, wherever it stands.
fn everywhere<'a>(schema: &'a Value, root: &'a Value, at: &str, key: &str, depth: usize, found: &mut Vec<Found<'a>>) {
    if depth > 12 {
        return;
    }
    for branch in branches(schema, root, None) {
        let class = classes(branch).and_then(|names| names.first().copied());
        let at = class.map_or_else(|| at.to_owned(), |class| joined(at, class));
        for (name, inner) in branch.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let path = joined(&at, name);
            if name == key {
                found.push(Found { path: path.clone(), schema: inner, required: is_required(branch, name) });
            }
            everywhere(inner, root, &path, key, depth + 1, found);
        }
        for inner in ["additionalProperties", "items"].iter().filter_map(|key| branch.get(*key)) {
            everywhere(inner, root, &at, key, depth + 1, found);
        }
    }
}

fn joined(at: &str, part: &str) -> String {
    if at.is_empty() { part.to_owned() } else { format!("{at}.{part}") }
}

fn is_required(schema: &Value, key: &str) -> bool {
    schema.get("required").and_then(Value::as_array).is_some_and(|keys| keys.iter().any(|name| name == key))
}

/// The entries of all keys that were found; what several classes share is said once.
fn entries(found: &[Found<'_>], root: &Value) -> String {
    let mut texts: Vec<(String, String)> = Vec::new();
    for key in found {
        let body = body(key, root);
        match texts.iter_mut().find(|(_, other)| *other == body) {
            Some((paths, _)) => {
                if !paths.lines().any(|path| path == key.path) {
                    paths.push_str(&format!("\n{}", key.path));
                }
            }
            None => texts.push((key.path.clone(), body)),
        }
    }
    texts.into_iter().map(|(paths, body)| format!("{paths}\n{body}")).collect::<Vec<_>>().join("\n")
}

fn body(key: &Found<'_>, root: &Value) -> String {
    let mut text = String::new();
    for (label, value) in facts(key, root) {
        text.push_str(&format!("  {:<9} {value}\n", format!("{label}:")));
    }
    if let Some(description) = description(key.schema).or_else(|| description(resolve(key.schema, root))) {
        text.push_str(&format!("\n{}", indented(&description, "  ")));
    }
    let inside = inside(key.schema, root);
    if !inside.is_empty() {
        text.push('\n');
    }
    for (label, names) in inside {
        text.push_str(&format!("  {label}: {names}\n"));
    }
    text
}

/// What can be chosen or written below a key: words with their meaning, keys, classes.
fn inside(schema: &Value, root: &Value) -> Vec<(String, String)> {
    let keys = |schema: &Value| -> Vec<String> {
        let all = schema.get("properties").and_then(Value::as_object);
        all.map(|keys| keys.keys().cloned().collect()).unwrap_or_default()
    };
    let mut parts = Vec::new();
    for branch in branches(schema, root, None) {
        if let (Some(word), Some(meaning)) = (branch.get("const").and_then(Value::as_str), description(branch)) {
            parts.push((word.to_owned(), meaning.replace('\n', " ")));
        }
        parts.push(("keys".to_owned(), keys(branch).join(", ")));
        let Some(each) = branch.get("additionalProperties") else { continue };
        let each = branches(each, root, None);
        let names: Vec<&str> = each.iter().filter_map(|one| classes(one)?.first().copied()).collect();
        parts.push(("classes".to_owned(), names.join(", ")));
        if names.is_empty() {
            parts.push((
                "keys of each".to_owned(),
                each.iter().flat_map(|one| keys(one)).collect::<Vec<_>>().join(", "),
            ));
        }
    }
    parts.retain(|(_, names)| !names.is_empty());
    parts
}

fn facts(key: &Found<'_>, root: &Value) -> Vec<(&'static str, String)> {
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

/// A class with all its keys.
fn class_page(name: &str, root: &Value) -> Option<String> {
    let sections: [(&str, &[Kind]); 3] = [
        ("transport", TransportConfig::KINDS),
        ("dispatcher", RouterConfig::KINDS),
        ("middleware", MiddlewareConfig::KINDS),
    ];
    let mut pages = Vec::new();
    for (what, kinds) in sections {
        let Some(kind) = kinds.iter().find(|kind| kind.is_called(name)) else { continue };
        let schema = root.get("$defs")?.get(format!("{what}.{}", kind.class))?;
        let mut text = format!("{} ({what} class)\n", kind.class);
        if !kind.aliases.is_empty() {
            text.push_str(&format!("  also: {}\n", kind.aliases.join(", ")));
        }
        if let Some(description) = description(schema) {
            text.push_str(&format!("\n{}", indented(&description, "  ")));
        }
        text.push_str("\n  Keys:\n");
        for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if name == "class" {
                continue;
            }
            let key = Found { path: name.clone(), schema: inner, required: is_required(schema, name) };
            let facts: Vec<String> =
                facts(&key, root).into_iter().map(|(label, value)| format!("{label}: {value}")).collect();
            text.push_str(&format!("\n  {name} ({})\n", facts.join("; ")));
            if let Some(description) = description(inner).or_else(|| description(resolve(inner, root))) {
                text.push_str(&indented(&description, "    "));
            }
        }
        pages.push(text);
    }
    (!pages.is_empty()).then(|| pages.join("\n"))
}

fn description(schema: &Value) -> Option<String> {
    schema.get("description").and_then(Value::as_str).map(str::to_owned)
}

fn indented(text: &str, margin: &str) -> String {
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
