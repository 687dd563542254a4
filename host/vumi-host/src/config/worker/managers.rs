//! The `redis_manager`s among a worker's keys: its own, its middleware's, its children's.
//!
//! In Vumi each meant a server, that of this machine unless it named another, and its `key_prefix` was all that its keys
//! began with (specification: workers, section 9). Here a `redis_manager` without a server means the system's kv, whose
//! own prefix then comes first; so each is given its server.

use std::rc::Rc;

use super::tree::{entry, map, text};
use crate::config::yaml::{Entry, Node, Value};

/// The keys that name a server.
const SERVER: [&str; 5] = ["host", "port", "db", "password", "username"];

/// The tree with every `redis_manager` naming its server; or none of them, where all keys are to be kept elsewhere.
pub(super) fn settled(node: &Node, named: bool) -> Node {
    let Value::Map(entries) = &node.value else { return node.clone() };
    let settle = |one: &Entry| {
        let manager = one.key == "redis_manager" && one.value.is_map();
        let value = if manager { settled_manager(&one.value, named) } else { settled(&one.value, named) };
        Entry { value: Rc::new(value), ..one.clone() }
    };
    map(node.mark, entries.iter().map(settle).collect())
}

fn settled_manager(manager: &Node, named: bool) -> Node {
    let names_server = |one: &Entry| SERVER.contains(&one.key.as_str());
    let mut entries: Vec<Entry> = manager.entries().iter().filter(|one| named || !names_server(one)).cloned().collect();
    let has_host = entries.iter().any(|one| one.key == "host" && one.value.text().is_some());
    if named && !has_host {
        entries.retain(|one| one.key != "host");
        entries.push(entry("host", manager.mark, text("127.0.0.1")));
    }
    map(manager.mark, entries)
}
