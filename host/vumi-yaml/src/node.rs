//! The tree that a document becomes.

use std::rc::Rc;

/// A place in a text. Line and column count from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which file of the document.
    pub file: u16,
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl Mark {
    /// The first character of the text.
    pub const START: Self = Self { file: 0, line: 1, column: 1 };
}

/// One value of the document.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it begins.
    pub mark: Mark,
    /// What it is.
    pub value: Value,
    /// Nodes in it, itself included, with aliases counted as if written out.
    pub weight: usize,
    /// Levels in it, itself included.
    pub depth: usize,
    /// The range of a scalar's characters in its file, quotes included; none for anything else.
    pub span: Option<(usize, usize)>,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Value {
    /// Text, a number, true, false, or nothing.
    Scalar(Scalar),
    /// A list.
    List(Vec<Rc<Node>>),
    /// A map, in the order of the file.
    Map(Vec<Entry>),
}

/// One key of a map.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub mark: Mark,
    /// Its value.
    pub value: Rc<Node>,
}

/// A value without parts.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// The text, after escapes and, once expanded, with the variables' values.
    pub text: String,
    /// Written without quotes, so that it may also be a number, true, false or nothing.
    pub plain: bool,
    /// As written in the file, when a variable was put in. This is what errors show.
    pub written: Option<String>,
}

impl Scalar {
    /// Nothing: `key:`, `key: ~` or `key: null`. A variable with an empty value is a text and not nothing.
    pub fn is_nothing(&self) -> bool {
        self.plain && self.written.is_none() && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

impl Node {
    /// A leaf.
    pub fn scalar(mark: Mark, text: String, plain: bool) -> Self {
        Self { mark, value: Value::Scalar(Scalar { text, plain, written: None }), weight: 1, depth: 1, span: None }
    }

    /// A list or map, with its weight and depth summed up.
    pub fn branch(mark: Mark, value: Value) -> Self {
        let mut node = Self { mark, value, weight: 1, depth: 1, span: None };
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
    pub fn is_nothing(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_nothing())
    }

    /// True for a map, also one without keys.
    pub fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// True for a scalar without quotes into which no variable was put.
    pub fn is_plain(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.plain && scalar.written.is_none())
    }

    /// The keys of a map; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a map's key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) if !scalar.is_nothing() => Some(&scalar.text),
            _ => None,
        }
    }

    /// The value at a key path, whose parts are keys and, for the items of lists, `[index]`.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, part| node.step(part).map(|(next, _)| next))
    }

    /// The place of a key path's value, or of the nearest part of the path that is in the file.
    pub fn find(&self, path: &[&str]) -> Mark {
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
