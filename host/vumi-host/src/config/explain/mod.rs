//! What `vumi-host config explain` prints: the manual's entry for a key or a class, taken from the schema.
//!
//! Here is how a path is followed; `page` lays out what was found, `words` says types and ranges in words.

mod page;
mod reference;
mod words;

use serde_json::Value;

use super::schema::{branches, classes, shared_schema};
use page::{class_page, entries, overview};
pub use reference::reference;
pub(crate) use words::range;

/// One key as it was found.
struct Found<'a> {
    path: String,
    /// The key's own schema, before references are followed: its text stands here.
    schema: &'a Value,
    required: bool,
}

/// Explains a key path (`transports.telnet.telnet_port`, `apps.echo.limits.memory`; the names of apps and list
/// indices may be left out), a class (`telnet`) or a single key (`telnet_port`): type, default, range, text. An empty
/// path lists what there is. `None` when there is nothing of that name.
pub fn explain(path: &str) -> Option<String> {
    let root = shared_schema();
    if path.is_empty() {
        return Some(overview(root));
    }
    if let Some(text) = class_page(path, root) {
        return Some(text);
    }
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
