//! The keys of a worker's file as the class takes them.
//!
//! Vumi took keys in any order, ignored what a class did not know, and read every text but `false`, `0` and nothing as
//! true (specification: workers, section 3).

use serde_json::Value;
use vumi_core::component::Kind;

use super::tree::{entry, map, plain, text};
use crate::config::check::shared_keys;
use crate::config::nearest::nearest;
use crate::config::schema::{branches, shared_schema};
use crate::config::yaml::{Entry, Mark, Node, Value as Part};

/// The keys that the class has, `class` first and `middleware` before the options of its instances.
pub(super) fn of_class(section: &str, kind: &Kind, class: &str, given: &Node, warnings: &mut Vec<String>) -> Node {
    let root = shared_schema();
    let definition = section_schema(root, section, kind.class);
    let property = |key: &str| definition.and_then(|schema| schema.get("properties")).and_then(|keys| keys.get(key));
    let shared = shared_keys(section);
    let instances = instances(given);
    let is_known =
        |key: &str| property(key).is_some() || shared.iter().any(|name| name == key) || also_known(section, key);
    let (mut first, mut rest) = (vec![entry("class", Mark::START, text(kind.class))], Vec::new());
    for one in given.entries() {
        let key = one.key.as_str();
        if key == "middleware" && is_known(key) {
            first.push(one.clone());
        } else if is_known(key) || instances.contains(&key) {
            rest.push(adapted(one, property(key), root, warnings));
        } else if !matches!(key, "router_class" | "redis_manager") {
            let near = nearest(key, shared.iter().map(String::as_str).chain(property_names(definition)));
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            warnings.push(format!("the key `{key}` is ignored: `{class}` has no such key{hint}"));
        }
    }
    first.extend(rest);
    map(given.mark, first)
}

/// Names under which a section's keys are also taken.
fn also_known(section: &str, key: &str) -> bool {
    section == "dispatchers" && matches!(key, "receive_inbound_connectors" | "receive_outbound_connectors")
}

/// The names that the list `middleware` gives.
fn instances(given: &Node) -> Vec<&str> {
    let Some(list) = given.get("middleware") else { return Vec::new() };
    let Part::List(items) = &list.value.value else { return Vec::new() };
    items.iter().flat_map(|item| item.entries()).map(|entry| entry.key.as_str()).collect()
}

fn section_schema<'a>(root: &'a Value, section: &str, class: &str) -> Option<&'a Value> {
    let entries = root.get("properties")?.get(section)?.get("additionalProperties")?;
    branches(entries, root, Some(class)).into_iter().find(|branch| crate::config::schema::classes(branch).is_some())
}

fn property_names(definition: Option<&Value>) -> impl Iterator<Item = &str> {
    let keys = definition.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    keys.into_iter().flat_map(|keys| keys.keys()).map(String::as_str)
}

/// A flag that is written as text becomes what Vumi read from it.
fn adapted(one: &Entry, property: Option<&Value>, root: &Value, warnings: &mut Vec<String>) -> Entry {
    let flag = property.is_some_and(|schema| {
        branches(schema, root, None).iter().any(|branch| match branch.get("type") {
            Some(Value::Array(types)) => types.iter().any(|one| one == "boolean"),
            one => one.and_then(Value::as_str) == Some("boolean"),
        })
    });
    let Some(value) = one.value.text().filter(|_| flag) else {
        // A text that `--set-option` gave is a number where the class wants one; an empty one is an empty text.
        return one.clone();
    };
    let trimmed = value.trim().to_lowercase();
    let truth = !matches!(trimmed.as_str(), "false" | "0" | "");
    if matches!(trimmed.as_str(), "no" | "off" | "n") {
        warnings.push(format!("`{}: {value}` is taken as true, as in Vumi: write false", one.key));
    }
    Entry { value: std::rc::Rc::new(plain(one.value.mark, if truth { "true" } else { "false" })), ..one.clone() }
}
