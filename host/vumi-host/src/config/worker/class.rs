//! From a class name to the section of the system in which that class stands.
//!
//! Vumi's workers were named by their Python class; those of parts that exist here are the aliases in the registries.
//! Dispatchers had one class, and the router's name stood in the key `router_class`.

use vumi_core::component::Kind;
use vumi_dispatch::RouterConfig;
use vumi_transport::TransportConfig;
use vumi_worker::WorkerConfig;

use super::{Found, core, keys};
use crate::config::check::known_class;
use crate::config::js::app_kinds;
use crate::config::yaml::{Fault, Node};

/// Vumi's classes of dispatchers whose router stands in `router_class`.
pub(super) const DISPATCH_WORKERS: [&str; 3] =
    ["dispatcher", "vumi.dispatchers.BaseDispatchWorker", "vumi.dispatchers.base.BaseDispatchWorker"];

/// Section of a system's file, what stands there, its classes.
fn sections() -> [(&'static str, &'static str, &'static [Kind]); 4] {
    [
        ("transports", "transport", TransportConfig::KINDS),
        ("dispatchers", "dispatcher", RouterConfig::KINDS),
        ("apps", "app", app_kinds()),
        ("workers", "worker", WorkerConfig::KINDS),
    ]
}

/// Puts the worker of a class among those that were found; `name` unless its keys say another.
///
/// # Errors
/// A class that nothing has, a name that is missing.
pub(super) fn place(class: &str, name: Option<&str>, given: &Node, found: &mut Found) -> Result<(), Fault> {
    let router = given.get("router_class");
    let class = match router {
        _ if !DISPATCH_WORKERS.contains(&class) => class,
        Some(router) => router.value.text().unwrap_or_default(),
        None => return Err(missing("router_class").at(given.mark)),
    };
    let Some((section, _, kind)) = find(class) else { return Err(unknown(class)) };
    let of = |key: &str| given.get(key).and_then(|entry| entry.value.text());
    // What has a connector of its own is named by it.
    let connector = matches!(section, "transports" | "apps");
    if connector && of("transport_name").is_none() {
        return Err(missing("transport_name").at(given.mark));
    }
    let own = if connector { of("transport_name") } else { of("worker_name").or_else(|| of("dispatcher_name")) };
    let name = name.or(own).unwrap_or(kind.class).to_owned();
    // The sandbox had one within its resource `kv`.
    let resources = given.get("sandbox").filter(|_| section == "apps").map(|entry| entry.value.entries());
    let within = resources.into_iter().flatten().find_map(|resource| resource.value.get("redis_manager"));
    if let Some(manager) = given.get("redis_manager").or(within) {
        found.redis.get_or_insert_with(|| core::redis(&manager.value));
    }
    let keys = keys::of_class(section, kind, class, given, &mut found.warnings);
    found.workers.push((section, name, keys));
    Ok(())
}

/// The section, what it holds, and the kind that a class name means.
pub(super) fn find(class: &str) -> Option<(&'static str, &'static str, &'static Kind)> {
    sections().into_iter().find_map(|(section, what, kinds)| {
        kinds.iter().find(|kind| kind.is_called(class)).map(|kind| (section, what, kind))
    })
}

fn missing(key: &str) -> Fault {
    Fault::says(format!("Missing required config field '{key}'"))
        .help(format!("add `{key}: …` to the file, or --set-option {key}:…"))
}

pub(super) fn unknown(class: &str) -> Fault {
    let all: Vec<Kind> = sections().iter().flat_map(|(_, _, kinds)| kinds.iter().copied()).collect();
    match known_class(class, "worker", &all) {
        Err(fault) => fault,
        Ok(()) => Fault::says(format!("there is no worker class `{class}`")),
    }
}

/// What `--worker-help` prints.
pub(crate) fn describe(class: &str) -> Option<String> {
    let class = if DISPATCH_WORKERS.contains(&class) { "simple" } else { find(class)?.2.class };
    crate::config::explain(class)
}
