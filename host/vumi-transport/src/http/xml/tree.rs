//! A document in memory.

use std::slice::Iter;
use std::sync::Arc;

/// An element with everything in it. Comments and processing instructions are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// The name without its prefix.
    pub name: String,
    /// The address of the namespace that the prefix (or no prefix) stands for.
    pub namespace: Option<Arc<str>>,
    /// The attributes as they stand, without declarations of namespaces.
    pub attributes: Vec<Attribute>,
    /// Elements and texts in their order. Two texts never follow each other, and none is empty.
    pub nodes: Vec<Node>,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The name without its prefix.
    pub name: String,
    /// The address of the prefix's namespace; none without a prefix.
    pub namespace: Option<Arc<str>>,
    /// The value, references replaced.
    pub value: String,
}

/// What stands in an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Text, references replaced; sections of CDATA are text like any other.
    Text(String),
}

impl Element {
    /// The elements in this one, in order.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.nodes.iter().filter_map(Node::element)
    }

    /// The first element in this one with a name, in any namespace.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.elements().find(|child| child.name == name)
    }

    /// The first element in this one with a name of a namespace.
    #[must_use]
    pub fn child_in(&self, namespace: &str, name: &str) -> Option<&Element> {
        self.elements().find(|child| child.is(namespace, name))
    }

    /// All elements in this one with a name, in any namespace.
    pub fn children<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.elements().filter(move |child| child.name == name)
    }

    /// All elements at any depth, in the order of the document, without this one.
    #[must_use]
    pub fn descendants(&self) -> Descendants<'_> {
        Descendants { open: vec![self.nodes.iter()] }
    }

    /// Whether this is the element of a namespace with this name.
    #[must_use]
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.name == name && self.namespace.as_deref() == Some(namespace)
    }

    /// The value of an attribute that has no prefix.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let named = |attribute: &&Attribute| attribute.namespace.is_none() && attribute.name == name;
        self.attributes.iter().find(named).map(|attribute| attribute.value.as_str())
    }

    /// The text that stands directly in the element, white space and all; empty without any.
    #[must_use]
    pub fn text(&self) -> String {
        self.nodes.iter().filter_map(Node::text).collect()
    }

    /// The text that stands directly in the element, without white space around it.
    #[must_use]
    pub fn trimmed(&self) -> String {
        self.text().trim().to_owned()
    }

    /// The text of the first element with a name, white space and all; none if there is no such element.
    #[must_use]
    pub fn child_text(&self, name: &str) -> Option<String> {
        self.child(name).map(Element::text)
    }

    /// The text of the first element with a name, without white space around it; none if there is no such element.
    #[must_use]
    pub fn child_trimmed(&self, name: &str) -> Option<String> {
        self.child(name).map(Element::trimmed)
    }

    /// Appends text to what stands in the element.
    pub(super) fn push_text(&mut self, text: &str) {
        match self.nodes.last_mut() {
            Some(Node::Text(before)) => before.push_str(text),
            _ if text.is_empty() => {}
            _ => self.nodes.push(Node::Text(text.to_owned())),
        }
    }
}

impl Node {
    /// The element, if it is one.
    #[must_use]
    pub fn element(&self) -> Option<&Element> {
        match self {
            Self::Element(element) => Some(element),
            Self::Text(_) => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Element(_) => None,
        }
    }
}

/// The elements within an element, at any depth, in the order of the document.
#[derive(Clone, Debug)]
pub struct Descendants<'e> {
    open: Vec<Iter<'e, Node>>,
}

impl<'e> Iterator for Descendants<'e> {
    type Item = &'e Element;

    fn next(&mut self) -> Option<&'e Element> {
        loop {
            match self.open.last_mut()?.next() {
                Some(Node::Element(element)) => {
                    self.open.push(element.nodes.iter());
                    return Some(element);
                }
                Some(Node::Text(_)) => {}
                None => drop(self.open.pop()),
            }
        }
    }
}
