//! Checks across keys: what each key by itself cannot know.
//!
//! Each file checks one thing and reports through a [`Report`]; a mistake stops the start, a warning does not.

mod apps;
mod classes;
mod connectors;
mod host;
mod middleware;
mod ranges;
mod transports;
mod workers;

use super::system::SystemConfig;
use super::yaml::{Fault, Mark, Node};

pub(crate) use classes::{check as classes, known as known_class, shared_keys};
pub(crate) use middleware::order as middleware_order;
pub(crate) use ranges::check as ranges;

/// What the checks found.
pub(crate) struct Report<'a> {
    tree: &'a Node,
    /// What must be mended.
    pub(crate) faults: Vec<Fault>,
    /// What is allowed and yet probably not meant.
    pub(crate) warnings: Vec<Fault>,
}

impl<'a> Report<'a> {
    /// An empty one, for a document.
    pub(crate) fn new(tree: &'a Node) -> Self {
        Self { tree, faults: Vec::new(), warnings: Vec::new() }
    }

    /// Something to mend at the value of a key path.
    fn wrong(&mut self, path: &[&str], sentence: impl Into<String>, help: impl Into<String>) {
        self.faults.push(placed(Fault::says(sentence).help(help).at(self.tree.find(path)), path));
    }

    /// Something to mend at a key itself.
    fn wrong_key(&mut self, path: &[&str], sentence: impl Into<String>, help: impl Into<String>) {
        let mark = self.key(path);
        self.faults.push(placed(Fault::says(sentence).help(help).at(mark), path));
    }

    /// Something to think about, at a key.
    fn warn(&mut self, path: &[&str], sentence: impl Into<String>) {
        let mark = self.key(path);
        self.warnings.push(placed(Fault::says(sentence).at(mark), path));
    }

    /// Where the last key of a path stands.
    fn key(&self, path: &[&str]) -> Mark {
        let Some((last, parents)) = path.split_last() else { return Mark::START };
        let entry = self.tree.at(parents).and_then(|node| node.get(last));
        entry.map_or_else(|| self.tree.find(path), |entry| entry.mark)
    }

    /// The text at a key path, if there is one.
    fn text(&self, path: &[&str]) -> Option<&str> {
        self.tree.at(path).and_then(Node::text)
    }

    /// True when the file has this key.
    fn has(&self, path: &[&str]) -> bool {
        self.tree.at(path).is_some()
    }
}

/// Puts the whole path onto a fault.
fn placed(fault: Fault, path: &[&str]) -> Fault {
    path.iter().rev().fold(fault, |fault, part| fault.under(*part))
}

/// Everything that can be checked once the file has been read.
pub(crate) fn system(config: &SystemConfig, report: &mut Report<'_>) {
    host::check(config, report);
    connectors::check(config, report);
    transports::check(config, report);
    apps::check(config, report);
    workers::check(config, report);
    middleware::check(config, report);
}
