//! The middleware of transports, dispatchers and apps: its classes and options, each at its place in the file.

use std::rc::Rc;

use vumi_core::middleware_config::{MiddlewareEntry, MiddlewareList};
use vumi_dispatch::MiddlewareConfig;

use super::{Report, classes, placed};
use crate::config::system::SystemConfig;
use crate::config::yaml::{Entry, Fault, Node, Reader, Value};

pub(super) fn check(config: &SystemConfig, report: &mut Report<'_>) {
    for (name, transport) in &config.transports {
        list("transports", name, &transport.shared.middleware, report);
    }
    for (name, dispatcher) in &config.dispatchers {
        list("dispatchers", name, &dispatcher.shared.middleware, report);
    }
    for (name, app) in &config.apps {
        list("apps", name, app.middleware(), report);
    }
}

/// Finds options that stand above the list that names their instance: there they would be an unknown key.
///
/// # Errors
/// The first such key.
pub(crate) fn order(tree: &Node) -> Result<(), Fault> {
    for section in ["transports", "dispatchers", "apps"] {
        in_order(tree, section)?;
    }
    Ok(())
}

fn in_order(tree: &Node, section: &str) -> Result<(), Fault> {
    for worker in tree.get(section).map(|entry| entry.value.entries()).unwrap_or_default() {
        let Some(list) = worker.value.get("middleware") else { continue };
        let above = worker.value.entries().iter().take_while(|entry| entry.key != "middleware");
        let Value::List(items) = &list.value.value else { continue };
        for entry in above {
            if items.iter().any(|item| item.get(&entry.key).is_some()) {
                let fault = Fault::says(format!(
                    "`{}` holds the options of a middleware and stands above the list that names it",
                    entry.key
                ));
                let fault = fault.at(entry.mark).help("move it below `middleware`");
                return Err(placed(fault, &[section, &worker.key]));
            }
        }
    }
    Ok(())
}

fn list(section: &str, worker: &str, list: &MiddlewareList, report: &mut Report<'_>) {
    for (index, entry) in list.entries().iter().enumerate() {
        if let Err(fault) = classes::known(&entry.class, "middleware", MiddlewareConfig::KINDS) {
            let path = [section, worker, "middleware", &format!("[{index}]"), &entry.name];
            report.faults.push(placed(fault.at(report.tree.find(&path)), &path));
            continue;
        }
        let path = [section, worker, entry.name.as_str()];
        let node = report.tree.at(&path);
        let mark = report.tree.find(&path);
        let options = with_class(entry, node, mark);
        let built = MiddlewareConfig::read(Reader::new(&options))
            .and_then(|configured| configured.component.check(()).map_err(|error| Fault::says(error.report())));
        // The worker reads the options as values, in which a number is a number: `+27` would have lost its sign there.
        let read_again = built.and_then(|()| {
            let read = MiddlewareConfig::read(list.component(entry)).map(drop);
            read.map_err(|error| Fault::says(error.to_string()).help("write texts that look like numbers in quotes"))
        });
        if let Err(fault) = read_again {
            report.faults.push(placed(fault.at(mark), &path));
        }
    }
}

/// The map of an instance as a registry reads it: `class` first, then the options from the file.
fn with_class(entry: &MiddlewareEntry, options: Option<&Node>, mark: crate::config::yaml::Mark) -> Node {
    let class = Node::scalar(mark, entry.class.clone(), false);
    let mut entries = vec![Entry { key: "class".to_owned(), mark, value: Rc::new(class) }];
    entries.extend(options.map(Node::entries).unwrap_or_default().iter().cloned());
    Node::branch(mark, Value::Map(entries))
}
