//! The manual as pages: one for each class, with its example and its keys, one for the keys that many classes of a kind
//! share, and an index. `vumi-host config reference` writes them; those of the documentation are compared with them by
//! a test.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use vumi_core::component::Kind;

use super::page::sections;
use super::words::{description, facts};
use super::{Found, is_required};
use crate::config::schema::{resolve, shared_schema};

/// A key that so many classes of a kind have with the same text is described on a page of its own.
const SHARED_BY: usize = 4;

/// All pages: the path of each below the reference's folder, and its text in Markdown.
pub fn reference() -> Vec<(String, String)> {
    let root = shared_schema();
    let mut pages = Vec::new();
    let mut index = String::from(
        "# Configuration reference\n\nMade by `vumi-host config reference docs/reference` from the comments of the \
         configuration itself. The same text stands on the command line: `vumi-host config explain airtel`.\n",
    );
    for (what, kinds) in sections() {
        let classes: Vec<Class<'_>> = kinds.iter().filter_map(|kind| Class::of(what, kind, root)).collect();
        let shared = shared_keys(&classes);
        let folder = folder(what);
        index.push_str(&format!("\n## {}\n\n", capitalised(&folder)));
        for class in &classes {
            let name = class.kind.class;
            let summary = description(class.schema).unwrap_or_default();
            let summary = first_sentence(&summary);
            index.push_str(&format!("- [{name}]({folder}/{name}.md): {summary}\n"));
            pages.push((format!("{folder}/{name}.md"), class.page(what, &shared, root)));
        }
        if !shared.is_empty() {
            index.push_str(&format!(
                "\nKeys that several of them have are described [here]({folder}/shared-keys.md).\n"
            ));
            pages.push((format!("{folder}/shared-keys.md"), shared_page(what, &shared, root)));
        }
    }
    pages.push(("README.md".to_owned(), index));
    pages
}

struct Class<'a> {
    kind: &'a Kind,
    schema: &'a Value,
    keys: &'a Map<String, Value>,
}

impl<'a> Class<'a> {
    fn of(what: &str, kind: &'a Kind, root: &'a Value) -> Option<Self> {
        let schema = root.get("$defs")?.get(format!("{what}.{}", kind.class))?;
        Some(Self { kind, schema, keys: schema.get("properties")?.as_object()? })
    }

    fn own_keys(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.keys.iter().filter(|(name, _)| *name != "class")
    }

    fn page(&self, what: &str, shared: &Shared<'a>, root: &Value) -> String {
        let class = self.kind.class;
        let mut text = format!("# {class}\n\n");
        if let Some(description) = description(self.schema) {
            text.push_str(&format!("{description}\n\n"));
        }
        let mut names = format!("A {what} class.");
        if !self.kind.aliases.is_empty() {
            let aliases: Vec<String> = self.kind.aliases.iter().map(|alias| format!("`{alias}`")).collect();
            names.push_str(&format!(" Vumi's names for it work as well: {}.", aliases.join(", ")));
        }
        text.push_str(&format!("{names}\n"));
        if !self.kind.example.is_empty() {
            let section = if what == "middleware" { String::new() } else { format!("{}:\n  ", folder(what)) };
            let lines: Vec<String> = self.kind.example.trim_end().lines().map(|line| format!("    {line}")).collect();
            if section.is_empty() {
                text.push_str(&format!("\n```yaml\n{}\n```\n", self.kind.example.trim_end()));
            } else {
                text.push_str(&format!("\n```yaml\n{section}my-{class}:\n{}\n```\n", lines.join("\n")));
            }
        }
        let (common, own): (Vec<_>, Vec<_>) = self.own_keys().partition(|(name, key)| shared.has(name, key));
        if !own.is_empty() {
            text.push_str("\n## Keys\n");
        }
        for (name, key) in own {
            text.push_str(&entry(name, key, is_required(self.schema, name), root));
        }
        if !common.is_empty() {
            text.push_str(&format!("\n## Keys that other {} have too\n\n", folder(what)));
        }
        for (name, key) in common {
            let text_of_key = description(key).or_else(|| description(resolve(key, root))).unwrap_or_default();
            text.push_str(&format!(
                "- [`{name}`](shared-keys.md#{}): {}\n",
                anchor(name),
                first_sentence(&text_of_key)
            ));
        }
        text
    }
}

/// Keys with the classes that have them, by name and text.
struct Shared<'a>(BTreeMap<String, Vec<(&'a Value, Vec<&'static str>)>>);

impl Shared<'_> {
    fn has(&self, name: &str, key: &Value) -> bool {
        self.0.get(name).is_some_and(|several| several.iter().any(|(other, _)| *other == key))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn shared_keys<'a>(classes: &[Class<'a>]) -> Shared<'a> {
    let mut all: BTreeMap<String, Vec<(&Value, Vec<&'static str>)>> = BTreeMap::new();
    for class in classes {
        for (name, key) in class.own_keys() {
            let several = all.entry(name.clone()).or_default();
            match several.iter_mut().find(|(other, _)| *other == key) {
                Some((_, names)) => names.push(class.kind.class),
                None => several.push((key, vec![class.kind.class])),
            }
        }
    }
    for several in all.values_mut() {
        several.retain(|(_, names)| names.len() >= SHARED_BY);
    }
    all.retain(|_, several| !several.is_empty());
    Shared(all)
}

fn shared_page(what: &str, shared: &Shared<'_>, root: &Value) -> String {
    let mut text = format!("# Keys that several {} have\n", folder(what));
    for (name, several) in &shared.0 {
        for (key, classes) in several {
            text.push_str(&entry(name, key, false, root));
            text.push_str(&format!("\nOf: {}.\n", classes.join(", ")));
        }
    }
    text
}

fn entry(name: &str, key: &Value, required: bool, root: &Value) -> String {
    let found = Found { path: name.to_owned(), schema: key, required };
    let facts: Vec<String> =
        facts(&found, root).into_iter().map(|(label, value)| format!("{label}: {value}")).collect();
    let mut text = format!("\n### `{name}`\n\n{}\n", facts.join("; "));
    if let Some(description) = description(key).or_else(|| description(resolve(key, root))) {
        text.push_str(&format!("\n{description}\n"));
    }
    text
}

fn folder(what: &str) -> String {
    if what == "middleware" { what.to_owned() } else { format!("{what}s") }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn first_sentence(text: &str) -> String {
    let text = text.replace('\n', " ");
    format!("{}.", text.split(". ").next().unwrap_or_default().trim_end_matches('.'))
}

/// The anchor that Markdown gives a heading of code.
fn anchor(name: &str) -> String {
    name.to_lowercase()
}
