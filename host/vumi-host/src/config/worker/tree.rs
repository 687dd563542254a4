//! Building trees as the reader of configuration files makes them.

use std::rc::Rc;

use crate::config::yaml::{Entry, Mark, Node, Value};

/// A text in quotes: never nothing, never more than a text.
pub(super) fn text(text: &str) -> Node {
    Node::scalar(Mark::START, text.to_owned(), false)
}

/// A value as if written without quotes.
pub(super) fn plain(mark: Mark, text: &str) -> Node {
    Node::scalar(mark, text.to_owned(), true)
}

/// One key of a map.
pub(super) fn entry(key: &str, mark: Mark, value: Node) -> Entry {
    Entry { key: key.to_owned(), mark, value: Rc::new(value) }
}

/// A map.
pub(super) fn map(mark: Mark, entries: Vec<Entry>) -> Node {
    Node::branch(mark, Value::Map(entries))
}
