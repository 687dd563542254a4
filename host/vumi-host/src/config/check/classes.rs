//! The `class` of transports, dispatchers and middleware, before anything else of them is read.
//!
//! serde would report these mistakes too, but without the nearest known name.

use vumi_core::component::Kind;
use vumi_dispatch::{DispatcherShared, RouterConfig};
use vumi_transport::{TransportConfig, TransportShared};
use vumi_worker::{ApplicationShared, WorkerConfig, WorkerShared};

use crate::config::js::app_kinds;
use crate::config::nearest::nearest;
use crate::config::yaml::{Fault, Node, Value};

/// Finds the first section entry whose class is missing, misplaced or unknown.
///
/// # Errors
/// That mistake.
pub(crate) fn check(tree: &Node) -> Result<(), Fault> {
    for (section, what, kinds) in [
        ("transports", "transport", TransportConfig::KINDS),
        ("dispatchers", "dispatcher", RouterConfig::KINDS),
        ("apps", "app", app_kinds()),
        ("workers", "worker", WorkerConfig::KINDS),
    ] {
        let Some(section_entry) = tree.get(section) else { continue };
        for entry in section_entry.value.entries() {
            // A guest has a `component` and no class.
            if section == "apps" && entry.value.get("class").is_none() {
                continue;
            }
            let checked = class(&entry.value, what, kinds);
            checked.map_err(|fault| fault.at(entry.mark).under(entry.key.clone()).under(section))?;
        }
    }
    Ok(())
}

fn class(node: &Node, what: &str, kinds: &[Kind]) -> Result<(), Fault> {
    let Some(first) = node.entries().first() else {
        let empty = node.is_nothing() || matches!(node.value, Value::Map(_));
        // What is no map at all is reported when it is read.
        return if empty { Err(missing(what, kinds)) } else { Ok(()) };
    };
    let Some(class) = node.get("class") else { return Err(missing(what, kinds)) };
    if first.key != "class" {
        let fault =
            Fault::says(format!("`class` must be the first key of a {what}, here `{}` stands before it", first.key));
        return Err(fault.at(class.mark).help("move `class` to the top"));
    }
    match class.value.text() {
        Some(name) => known(name, what, kinds).map_err(|fault| fault.at(class.value.mark).under("class")),
        None if class.value.is_nothing() => Err(missing(what, kinds).at(class.mark)),
        None => Ok(()),
    }
}

fn missing(what: &str, kinds: &[Kind]) -> Fault {
    Fault::says(format!("this {what} has no `class`"))
        .help(format!("begin it with `class:` and one of {}", names(kinds)))
}

/// Checks a class name.
///
/// # Errors
/// When nothing has that name.
pub(crate) fn known(name: &str, what: &str, kinds: &[Kind]) -> Result<(), Fault> {
    if kinds.iter().any(|kind| kind.is_called(name)) {
        return Ok(());
    }
    let all = kinds.iter().flat_map(|kind| std::iter::once(&kind.class).chain(kind.aliases)).copied();
    // Of a class path that is not known, the last part may still be right.
    let last = name.rsplit('.').next().unwrap_or(name);
    let near = nearest(name, all.clone())
        .or_else(|| all.clone().find(|class| class.contains('.') && class.rsplit('.').next() == Some(last)));
    let help = match near {
        Some(near) => format!("did you mean `{near}`? known are {}", names(kinds)),
        None => format!("known are {}", names(kinds)),
    };
    Err(Fault::says(format!("there is no {what} class `{name}`")).help(help))
}

fn names(kinds: &[Kind]) -> String {
    kinds.iter().map(|kind| kind.class).collect::<Vec<_>>().join(", ")
}

/// The keys that every entry of a section has beside those of its class.
pub(crate) fn shared_keys(section: &str) -> Vec<String> {
    let schema = match section {
        "transports" => schemars::schema_for!(TransportShared),
        "dispatchers" => schemars::schema_for!(DispatcherShared),
        "apps" => schemars::schema_for!(ApplicationShared),
        "workers" => schemars::schema_for!(WorkerShared),
        _ => return Vec::new(),
    };
    let properties = schema.get("properties").and_then(serde_json::Value::as_object);
    properties.map(|map| map.keys().cloned().collect()).unwrap_or_default()
}
