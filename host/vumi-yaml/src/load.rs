//! From the parser's events to the tree: anchors, merge keys, and the bounds that keep a hostile file small.

use std::collections::HashMap;
use std::rc::Rc;

use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, Tag};

use super::fault::Fault;
use super::files::Files;
use super::node::{Entry, Mark, Node, Value};
use super::syntax;

/// Largest file, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// Most values in a document, with aliases counted as if written out.
pub(crate) const MAX_NODES: usize = 50_000;

/// Most levels of maps and lists.
pub(crate) const MAX_DEPTH: usize = 64;

/// Reads a document. An empty one is a node that is nothing.
///
/// # Errors
/// What is wrong with the YAML, and where.
pub fn load(files: &mut Files) -> Result<Rc<Node>, Fault> {
    read(files, &[0])
}

/// Reads the last file of a chain of files that include each other.
fn read(files: &mut Files, chain: &[u16]) -> Result<Rc<Node>, Fault> {
    let file = chain.last().copied().unwrap_or_default();
    let text = files.get(file).map(|source| source.text.clone()).unwrap_or_default();
    if text.len() > MAX_BYTES {
        let fault = Fault::says(format!("the file is larger than {} KiB", MAX_BYTES >> 10));
        return Err(fault.at(Mark { file, ..Mark::START }));
    }
    let options = granit_parser::options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
        emit_comments: false,
    };
    let mut loader = Loader::default();
    for event in Parser::new_from_str_with_options(&text, options) {
        let (event, span) = match event {
            Ok(pair) => pair,
            Err(error) => {
                let line = super::line(&text, error.marker().line());
                return Err(loader.here(syntax::fault(&error, file, line)));
            }
        };
        let mark = Mark { file, line: span.start.line().max(1), column: span.start.col() + 1 };
        let step = match included(&event) {
            Some((path, anchor)) => files.include(chain, path).and_then(|number| {
                let longer: Vec<u16> = chain.iter().copied().chain([number]).collect();
                let node = read(files, &longer)?;
                loader.nodes = loader.nodes.saturating_add(node.weight);
                loader.put(node, anchor)
            }),
            None => loader.take(event, mark, (span.start.index(), span.end.index())),
        };
        step.map_err(|fault| loader.here(fault.at(mark)))?;
    }
    Ok(loader.root.unwrap_or_else(|| Rc::new(Node::scalar(Mark { file, ..Mark::START }, String::new(), true))))
}

/// The path and the anchor of `!include path`.
fn included<'a>(event: &'a Event<'_>) -> Option<(&'a str, usize)> {
    match event {
        Event::Scalar(path, _, anchor, Some(tag)) if tag.original() == "!include" => Some((path, *anchor)),
        _ => None,
    }
}

#[derive(Default)]
struct Loader {
    root: Option<Rc<Node>>,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    nodes: usize,
    documents: usize,
}

/// A list or map whose end has not come yet.
struct Open {
    mark: Mark,
    anchor: usize,
    parts: Parts,
}

enum Parts {
    List(Vec<Rc<Node>>),
    Map { entries: Vec<Entry>, lines: HashMap<String, usize>, key: Option<(String, Mark)> },
}

impl Loader {
    fn take(&mut self, event: Event<'_>, mark: Mark, span: (usize, usize)) -> Result<(), Fault> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(
                        Fault::says("a second document begins here").help("keep one document: remove the `---`")
                    );
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && !is_text(tag.as_deref(), &["str"])?;
                let node = Node { span: Some(span), ..Node::scalar(mark, text.into_owned(), plain) };
                self.put(Rc::new(node), anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                is_text(tag.as_deref(), &["seq"])?;
                self.open(mark, anchor, Parts::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                is_text(tag.as_deref(), &["map"])?;
                self.open(mark, anchor, Parts::Map { entries: Vec::new(), lines: HashMap::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => {
                    let value = match open.parts {
                        Parts::List(items) => Value::List(items),
                        Parts::Map { entries, .. } => Value::Map(merged(entries)?),
                    };
                    self.put(Rc::new(Node::branch(open.mark, value)), open.anchor)
                }
                None => Ok(()),
            },
            Event::Alias(id) => match self.anchors.get(&id).map(Rc::clone) {
                Some(node) => {
                    self.nodes = self.nodes.saturating_add(node.weight);
                    self.put(node, 0)
                }
                None => {
                    let fault = Fault::says("this `*alias` refers to the very map or list that it is part of");
                    Err(fault.help("write the value out"))
                }
            },
            _ => Ok(()),
        }
    }

    fn open(&mut self, mark: Mark, anchor: usize, parts: Parts) -> Result<(), Fault> {
        self.open.push(Open { mark, anchor, parts });
        Ok(())
    }

    /// Puts a finished node where it belongs: into the list or map that is open, as a key or as a value.
    fn put(&mut self, node: Rc<Node>, anchor: usize) -> Result<(), Fault> {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > MAX_NODES {
            let fault = Fault::says(format!("the file has more than {MAX_NODES} values"));
            return Err(fault.help("mind that each `*alias` counts as if it were written out"));
        }
        if self.open.len().saturating_add(node.depth) > MAX_DEPTH {
            return Err(Fault::says("the maps and lists are nested too deeply").help("use fewer levels"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.parts {
            Parts::List(items) => items.push(node),
            Parts::Map { entries, lines, key } => match key.take() {
                Some((key, mark)) => entries.push(Entry { key, mark, value: node }),
                None => {
                    let Value::Scalar(scalar) = &node.value else {
                        let fault = Fault::says("a list or map cannot be a key").at(node.mark);
                        return Err(fault.help("write a text before the `:`"));
                    };
                    let text = scalar.text.clone();
                    if let Some(first) = lines.insert(text.clone(), node.mark.line) {
                        let fault =
                            Fault::says(format!("the key `{text}` stands twice in this map, first in line {first}"));
                        return Err(fault.help("keep one of them"));
                    }
                    *key = Some((text, node.mark));
                }
            },
        }
        Ok(())
    }

    /// Gives a fault the path of what is open.
    fn here(&self, fault: Fault) -> Fault {
        self.open.iter().rev().fold(fault, |fault, open| match &open.parts {
            Parts::List(items) => fault.under(format!("[{}]", items.len())),
            Parts::Map { key: Some((key, _)), .. } => fault.under(key.clone()),
            Parts::Map { key: None, .. } => fault,
        })
    }
}

/// Checks a tag: only those of JSON's types are taken, and of these only the given ones fit the node. True for
/// `!!str`, which makes a text of what would be a number.
fn is_text(tag: Option<&Tag>, fitting: &[&str]) -> Result<bool, Fault> {
    let Some(tag) = tag else { return Ok(false) };
    match tag.core_suffix() {
        Some(core) if fitting.contains(&core) => Ok(core == "str"),
        _ => Err(Fault::says(format!("the tag `{}` has no meaning here", tag.original())).help("remove it")),
    }
}

/// Puts the keys of `<<: *defaults` in its place, except those that the map has itself.
fn merged(entries: Vec<Entry>) -> Result<Vec<Entry>, Fault> {
    if entries.iter().all(|entry| entry.key != "<<") {
        return Ok(entries);
    }
    let mut taken: Vec<String> = entries.iter().map(|entry| entry.key.clone()).collect();
    let mut all = Vec::with_capacity(entries.len());
    for entry in entries {
        if entry.key != "<<" {
            all.push(entry);
            continue;
        }
        let sources = match &entry.value.value {
            Value::Map(_) => vec![Rc::clone(&entry.value)],
            Value::List(items) if items.iter().all(|item| matches!(item.value, Value::Map(_))) => items.clone(),
            _ => {
                let fault =
                    Fault::says("`<<` takes in the keys of another map, so its value must be a map or a list of maps");
                return Err(fault.at(entry.mark).help("write `<<: *name`, with `&name` at the other map"));
            }
        };
        for source in sources {
            for inner in source.entries() {
                if !taken.contains(&inner.key) {
                    taken.push(inner.key.clone());
                    all.push(inner.clone());
                }
            }
        }
    }
    Ok(all)
}
