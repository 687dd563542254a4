//! The entries of the manual: keys, classes, and the list of all of them.

use serde_json::Value;
use vumi_core::component::Kind;
use vumi_dispatch::{MiddlewareConfig, RouterConfig};
use vumi_transport::TransportConfig;
use vumi_worker::WorkerConfig;

use super::words::{description, facts, indented};
use super::{Found, is_required};
use crate::config::js::app_kinds;
use crate::config::schema::{branches, classes, resolve};

/// What has classes.
pub(super) fn sections() -> [(&'static str, &'static [Kind]); 5] {
    [
        ("transport", TransportConfig::KINDS),
        ("dispatcher", RouterConfig::KINDS),
        ("middleware", MiddlewareConfig::KINDS),
        ("app", app_kinds()),
        ("worker", WorkerConfig::KINDS),
    ]
}

/// The top of the file and the classes.
pub(super) fn overview(root: &Value) -> String {
    let mut text = "Keys of the file:\n".to_owned();
    for (key, inner) in root.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let text_of_key = description(inner).unwrap_or_default().replace('\n', " ");
        let first_sentence = text_of_key.split(". ").next().unwrap_or_default().trim_end_matches('.');
        text.push_str(&format!("  {key:<17} {first_sentence}.\n"));
    }
    text.push_str("\nClasses:\n");
    for (what, kinds) in sections() {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.class).collect();
        text.push_str(&format!("  {what:<17} {}\n", names.join(", ")));
    }
    text.push_str("\nAsk for a key path (apps.limits.memory), a class (telnet) or a key (telnet_port).\n");
    text
}

/// The entries of all keys that were found; what several classes share is said once.
pub(super) fn entries(found: &[Found<'_>], root: &Value) -> String {
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
        let classless = each.iter().filter(|one| classes(one).is_none());
        let keys: Vec<_> = classless.flat_map(|one| keys(one)).collect();
        let label = if names.is_empty() { "keys of each" } else { "keys of one without class" };
        parts.push((label.to_owned(), keys.join(", ")));
    }
    parts.retain(|(_, names)| !names.is_empty());
    parts
}

/// A class with all its keys.
pub(super) fn class_page(name: &str, root: &Value) -> Option<String> {
    let mut pages = Vec::new();
    for (what, kinds) in sections() {
        let Some(kind) = kinds.iter().find(|kind| kind.is_called(name)) else { continue };
        let schema = root.get("$defs")?.get(format!("{what}.{}", kind.class))?;
        let mut text = format!("{} ({what} class)\n", kind.class);
        if !kind.aliases.is_empty() {
            text.push_str(&format!("  also: {}\n", kind.aliases.join(", ")));
        }
        if let Some(description) = description(schema) {
            text.push_str(&format!("\n{}", indented(&description, "  ")));
        }
        if !kind.example.is_empty() {
            text.push_str(&format!("\n  Example:\n\n{}", indented(kind.example, "    ")));
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
