//! The tree that a document becomes.

use std::rc::Rc;

/// A place in a text. Line and column count from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Which file of the document.
    pub(crate) file: u16,
    /// Line.
    pub(crate) line: usize,
    /// Column.
    pub(crate) column: usize,
}

impl Mark {
    /// The first character of the text.
    pub(crate) const START: Self = Self { file: 0, line: 1, column: 1 };
}

/// One value of the document.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Where it begins.
    pub(crate) mark: Mark,
    /// What it is.
    pub(crate) value: Value,
    /// Nodes in it, itself included, with aliases counted as if written out.
    pub(crate) weight: usize,
    /// Levels in it, itself included.
    pub(crate) depth: usize,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Text, a number, true, false, or nothing.
    Scalar(Scalar),
    /// A list.
    List(Vec<Rc<Node>>),
    /// A map, in the order of the file.
    Map(Vec<Entry>),
}

/// One key of a map.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: String,
    /// Where the key stands.
    pub(crate) mark: Mark,
    /// Its value.
    pub(crate) value: Rc<Node>,
}

/// A value without parts.
#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    /// The text, after escapes and, once expanded, with the variables' values.
    pub(crate) text: String,
    /// Written without quotes, so that it may also be a number, true, false or nothing.
    pub(crate) plain: bool,
    /// As written in the file, when a variable was put in. This is what errors show.
    pub(crate) written: Option<String>,
}

impl Scalar {
    /// Nothing: `key:`, `key: ~` or `key: null`. A variable with an empty value is a text and not nothing.
    pub(crate) fn is_nothing(&self) -> bool {
        self.plain && self.written.is_none() && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

impl Node {
    /// A leaf.
    pub(crate) fn scalar(mark: Mark, text: String, plain: bool) -> Self {
        Self { mark, value: Value::Scalar(Scalar { text, plain, written: None }), weight: 1, depth: 1 }
    }

    /// A list or map, with its weight and depth summed up.
    pub(crate) fn branch(mark: Mark, value: Value) -> Self {
        let mut node = Self { mark, value, weight: 1, depth: 1 };
        for child in node.children() {
            node.weight = node.weight.saturating_add(child.weight);
            node.depth = node.depth.max(child.depth.saturating_add(1));
        }
        node
    }

    fn children(&self) -> Vec<Rc<Node>> {
        match &self.value {
            Value::Scalar(_) => Vec::new(),
            Value::List(items) => items.clone(),
            Value::Map(entries) => entries.iter().map(|entry| Rc::clone(&entry.value)).collect(),
        }
    }

    /// True for `key:`, `key: ~` and `key: null`.
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_nothing())
    }

    /// True for a map, also one without keys.
    pub(crate) fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// True for a scalar without quotes into which no variable was put.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.plain && scalar.written.is_none())
    }

    /// The keys of a map; none for anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a map's key.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) if !scalar.is_nothing() => Some(&scalar.text),
            _ => None,
        }
    }

    /// The value at a key path, whose parts are keys and, for the items of lists, `[index]`.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, part| node.step(part).map(|(next, _)| next))
    }

    /// The place of a key path's value, or of the nearest part of the path that is in the file.
    pub(crate) fn find(&self, path: &[&str]) -> Mark {
        let (mut node, mut mark) = (self, Mark::START);
        for part in path {
            let Some((next, key)) = node.step(part) else { break };
            // A value on the lines below its key is best shown by the key.
            mark = if next.mark.line == key.line { next.mark } else { key };
            node = next;
        }
        mark
    }

    /// One part of a key path: the value, and where its key stands.
    fn step(&self, part: &str) -> Option<(&Node, Mark)> {
        if let Value::List(items) = &self.value {
            let index: usize = part.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?;
            return items.get(index).map(|item| (item.as_ref(), item.mark));
        }
        self.get(part).map(|entry| (entry.value.as_ref(), entry.mark))
    }
}
