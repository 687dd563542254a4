//! The keys of a map, checked and handed out one by one.
//!
//! Most of a test file could be read by derived code; but each step must know its place in the file, many values may be
//! written in several ways, and a mistake should be told in one clear sentence. So the maps are read by hand, and only
//! what they hold (texts, numbers, the app's settings) by serde.

use std::rc::Rc;

use serde::Deserialize;
use serde::de::Error as _;
use vumi_yaml::{Entry, Fault, Node, Reader, Value};

/// A map with a fixed set of keys.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    node: &'a Node,
}

impl<'a> Fields<'a> {
    /// Takes a node for such a map.
    ///
    /// # Errors
    /// When it is no map, or has a key that is not `known`.
    pub(crate) fn of(node: &'a Node, known: &'static [&'static str]) -> Result<Self, Fault> {
        if !node.is_map() {
            return Err(expected("a map", node).help(format!("its keys are {}", known.join(", "))));
        }
        match node.entries().iter().find(|entry| !known.contains(&entry.key.as_str())) {
            Some(entry) => Err(Fault::unknown_field(&entry.key, known).at(entry.mark)),
            None => Ok(Self { node }),
        }
    }

    /// A key, with its value.
    pub(crate) fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.node.get(key)
    }

    /// The value of a key, also when that is `null`.
    pub(crate) fn node(&self, key: &str) -> Option<&'a Rc<Node>> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Reads the value of a key, where it is there.
    ///
    /// # Errors
    /// What is wrong with it, with its place and its key.
    pub(crate) fn with<T>(
        &self,
        key: &str,
        read: impl FnOnce(&'a Node) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let Some(entry) = self.entry(key) else { return Ok(None) };
        let place = if entry.value.is_nothing() { entry.mark } else { entry.value.mark };
        read(&entry.value).map(Some).map_err(|fault| fault.at(place).under(key))
    }

    /// As [`Fields::with`], for what serde can read.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read<T: Deserialize<'a>>(&self, key: &str) -> Result<Option<T>, Fault> {
        self.with(key, |node| T::deserialize(Reader::new(node)))
    }

    /// A key that must be there.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) fn must<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&'a Node) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.with(key, read)?.ok_or_else(|| Fault::missing_field(key).at(self.node.mark))
    }
}

/// A value of the wrong type.
pub(crate) fn expected(what: &str, node: &Node) -> Fault {
    let found = match &node.value {
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a map".to_owned(),
        Value::Scalar(_) => node.text().map_or_else(|| "nothing".to_owned(), |text| format!("`{text}`")),
    };
    Fault::expected(what).found(|| found).at(node.mark)
}

/// Reads each item of a list.
///
/// # Errors
/// When it is no list, or what is wrong with an item.
pub(crate) fn list<T>(node: &Node, mut read: impl FnMut(&Node) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
    let Value::List(items) = &node.value else {
        return if node.is_nothing() { Ok(Vec::new()) } else { Err(expected("a list", node)) };
    };
    let read =
        |(index, item): (usize, &Rc<Node>)| read(item).map_err(|fault| fault.at(item.mark).under(format!("[{index}]")));
    items.iter().enumerate().map(read).collect()
}

/// Reads each value of a map whose keys are free.
///
/// # Errors
/// When it is no map, or what is wrong with a value.
pub(crate) fn map<T>(
    node: &Node,
    mut read: impl FnMut(&str, &Node) -> Result<T, Fault>,
) -> Result<Vec<(String, T)>, Fault> {
    if !node.is_map() && !node.is_nothing() {
        return Err(expected("a map", node));
    }
    let read = |entry: &Entry| {
        let value = read(&entry.key, &entry.value).map_err(|fault| fault.at(entry.mark).under(entry.key.clone()))?;
        Ok((entry.key.clone(), value))
    };
    node.entries().iter().map(read).collect()
}

/// A text; numbers count as they are written.
///
/// # Errors
/// For anything else.
pub(crate) fn text(node: &Node) -> Result<String, Fault> {
    node.text().map(str::to_owned).ok_or_else(|| expected("a text", node))
}

/// One map laid over another: its keys win. With `deep`, maps in both are laid over each other in the same way.
pub(crate) fn overlay(below: Option<&Rc<Node>>, above: Option<&Rc<Node>>, deep: bool) -> Option<Rc<Node>> {
    let (below, above) = match (below, above) {
        (Some(below), Some(above)) if below.is_map() && above.is_map() => (below, above),
        (below, above) => return above.or(below).cloned(),
    };
    let mut entries: Vec<Entry> = below.entries().to_vec();
    for entry in above.entries() {
        match entries.iter_mut().find(|known| known.key == entry.key) {
            Some(known) => {
                let value = if deep { overlay(Some(&known.value), Some(&entry.value), true) } else { None };
                *known = Entry { value: value.unwrap_or_else(|| Rc::clone(&entry.value)), ..entry.clone() };
            }
            None => entries.push(entry.clone()),
        }
    }
    Some(Rc::new(Node::branch(above.mark, Value::Map(entries))))
}
