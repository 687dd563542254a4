//! MultiWorker: several workers in one process (specification: workers, section 5).
//!
//! A child's keys are those of `defaults`, with its own over them. A child that cannot be understood is left out, and
//! said to be; the others work.

use super::tree::map;
use super::{Found, class};
use crate::config::yaml::{Entry, Fault, Node};

/// Vumi's class and ours.
const CLASSES: [&str; 3] = ["multi_worker", "vumi.multiworker.MultiWorker", "vumi.MultiWorker"];

pub(super) fn is_multi(class: &str) -> bool {
    CLASSES.contains(&class)
}

/// The children.
///
/// # Errors
/// When there are none, or none that can be understood.
pub(super) fn children(keys: &Node, _: &dyn Fn(&str) -> Option<String>) -> Result<Found, Fault> {
    let empty = map(keys.mark, Vec::new());
    let defaults = keys.get("defaults").map_or(&empty, |entry| &entry.value);
    let workers = keys.get("workers").map(|entry| entry.value.entries()).unwrap_or_default();
    if workers.is_empty() {
        let fault = Fault::says("a MultiWorker needs its children under `workers`").at(keys.mark);
        return Err(fault.help("write `workers: {name: class}`, and each child's keys under its name"));
    }
    let mut found = Found::default();
    for worker in workers {
        let own = keys.get(&worker.key).map_or(&empty, |entry| &entry.value);
        let child = overlaid(defaults, own);
        let placed = match worker.value.text() {
            Some(name) => class::place(name, Some(&worker.key), &child, &mut found),
            None => Err(Fault::says("a child needs a class")),
        };
        if let Err(fault) = placed {
            found.warnings.push(format!("the worker `{}` is left out: {fault}", worker.key));
        }
    }
    for key in keys.entries().iter().map(|entry| entry.key.as_str()) {
        if !matches!(key, "workers" | "defaults") && !workers.iter().any(|worker| worker.key == key) {
            found.warnings.push(format!("the key `{key}` is ignored: no child has that name"));
        }
    }
    if found.workers.is_empty() {
        return Err(Fault::says(format!("no child can be started: {}", found.warnings.join("; "))));
    }
    Ok(found)
}

/// Shallowly: a key that the child has replaces the default's whole.
fn overlaid(defaults: &Node, own: &Node) -> Node {
    let mut entries: Vec<Entry> = defaults.entries().to_vec();
    for entry in own.entries() {
        match entries.iter_mut().find(|old| old.key == entry.key) {
            Some(old) => *old = entry.clone(),
            None => entries.push(entry.clone()),
        }
    }
    map(if own.entries().is_empty() { defaults.mark } else { own.mark }, entries)
}
