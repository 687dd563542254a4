//! Reading documents.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::escape::{EscapeError, resolve_xml_entity};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Error, Reader};

use super::error::{Fallible, XmlError, XmlFault, sentence, shown};
use super::names::{Scope, split};
use super::tree::{Attribute, Element, Node};
use super::write::allowed;

/// How deep elements may be nested; the networks' documents have less than 10.
pub const MAX_DEPTH: usize = 64;
/// Elements, texts and attributes that a document may have.
pub const MAX_NODES: usize = 20_000;
/// Attributes that an element may have, without declarations of namespaces.
pub const MAX_ATTRIBUTES: usize = 64;
/// Bytes at the start of a document in which its declaration ends.
const DECLARATION: usize = 256;

impl Element {
    /// Reads the bytes of a document: UTF-8, or ISO-8859-1 where its declaration says so.
    ///
    /// # Errors
    /// When it is no XML, another encoding, or beyond the limits. Entities that the document declares itself are always
    /// refused, used or not.
    pub fn read(body: &[u8]) -> Result<Self, XmlError> {
        Self::read_text(&decode(body)?)
    }

    /// Reads a document whose encoding is settled already, whatever its declaration says.
    ///
    /// # Errors
    /// As [`Element::read`].
    pub fn read_text(text: &str) -> Result<Self, XmlError> {
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        if let Some((at, character)) = text.char_indices().find(|(_, character)| !allowed(*character)) {
            return Err(XmlError::at(XmlFault::Character(character), text, at));
        }
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_comments = true;
        let mut builder = Builder::default();
        loop {
            let start = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let event = reader.read_event().map_err(|error| {
                let at = usize::try_from(reader.error_position()).unwrap_or(start);
                XmlError::at(syntax(&error), text, at)
            })?;
            let end = matches!(event, Event::Eof);
            builder.take(&event).map_err(|fault| XmlError::at(fault, text, start))?;
            if end {
                return builder.root.ok_or_else(|| XmlError::at(XmlFault::Empty, text, 0));
            }
        }
    }
}

/// The text of a document: UTF-8 with or without its mark, ASCII, or ISO-8859-1 where the declaration says so.
///
/// # Errors
/// When the bytes are another encoding.
pub fn decode(body: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    if body.starts_with(&[0xFE, 0xFF]) || body.starts_with(&[0xFF, 0xFE]) {
        return Err(XmlError { fault: XmlFault::Encoding("UTF-16".to_owned()), line: 1, column: 1 });
    }
    let bytes = body.strip_prefix(b"\xEF\xBB\xBF");
    let declared = declared_encoding(body);
    match declared.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("utf-8" | "utf8" | "us-ascii" | "ascii") => {}
        _ if bytes.is_some() => {}
        Some("iso-8859-1" | "iso8859-1" | "latin-1" | "latin1") => {
            return Ok(Cow::Owned(body.iter().copied().map(char::from).collect()));
        }
        Some(_) => {
            let fault = XmlFault::Encoding(shown(&declared.unwrap_or_default()));
            return Err(XmlError { fault, line: 1, column: 1 });
        }
    }
    let bytes = bytes.unwrap_or(body);
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        XmlError::at(XmlFault::NotUtf8, &String::from_utf8_lossy(valid), valid.len())
    })
}

/// The encoding that the XML declaration names, which stands in ASCII before everything else.
fn declared_encoding(body: &[u8]) -> Option<String> {
    let start = body.get(..DECLARATION.min(body.len()))?;
    let start = String::from_utf8_lossy(start);
    let declaration = start.trim_start_matches('\u{FEFF}').trim_start().strip_prefix("<?xml")?.split_once("?>")?.0;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value.split(quote).nth(1).map(str::to_owned)
}

/// Puts the tree together; the elements that are still open stand in a list, so that depth costs no stack.
#[derive(Default)]
struct Builder {
    root: Option<Element>,
    open: Vec<Element>,
    nodes: usize,
    scope: Scope,
    prolog: Prolog,
}

/// What has been before the outermost element.
#[derive(Default)]
struct Prolog {
    declared: bool,
    doctype: bool,
}

impl Builder {
    fn take(&mut self, event: &Event<'_>) -> Fallible<()> {
        match event {
            Event::Start(tag) => {
                let element = self.element(tag)?;
                self.open.push(element);
            }
            Event::Empty(tag) => {
                let element = self.element(tag)?;
                self.open.push(element);
                self.close();
            }
            Event::End(_) => self.close(),
            Event::Text(text) => {
                if text.contains("]]>") {
                    return Err(XmlFault::Syntax("`]]>` must be written as `]]&gt;` in text".to_owned()));
                }
                self.text(&text.xml10_content())?;
            }
            // Even those that amount to white space, which may stand there only as it is.
            Event::CData(_) | Event::GeneralRef(_) if self.open.is_empty() => return Err(XmlFault::Outside),
            Event::CData(data) => self.text(&data.xml10_content())?,
            Event::GeneralRef(reference) => self.text(&referred(reference)?)?,
            Event::Decl(_) => {
                let first =
                    !self.prolog.declared && !self.prolog.doctype && self.root.is_none() && self.open.is_empty();
                if !first {
                    return Err(XmlFault::Syntax("the XML declaration must be the first thing".to_owned()));
                }
                self.prolog.declared = true;
            }
            Event::DocType(declaration) => {
                if self.prolog.doctype || self.root.is_some() || !self.open.is_empty() {
                    return Err(XmlFault::Syntax("the document type must stand before everything else".to_owned()));
                }
                if declaration.contains("<!ENTITY") {
                    return Err(XmlFault::Entities);
                }
                self.prolog.doctype = true;
            }
            Event::Eof => {
                if let Some(element) = self.open.last() {
                    return Err(XmlFault::Unclosed(shown(&element.name)));
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
        }
        Ok(())
    }

    /// An element as its tag says it, without what stands in it.
    fn element(&mut self, tag: &BytesStart<'_>) -> Fallible<Element> {
        if self.open.is_empty() && self.root.is_some() {
            return Err(XmlFault::Outside);
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(XmlFault::TooDeep);
        }
        self.count(1)?;
        let (prefix, local) = split(tag.name().into_inner())?;
        let depth = self.open.len();
        let mut given: Vec<(String, String)> = Vec::new();
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| syntax(&error.into()))?;
            if given.len() >= MAX_ATTRIBUTES {
                return Err(XmlFault::TooManyAttributes);
            }
            let value = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|error| syntax(&error))?;
            if attribute.value.contains('<') {
                return Err(XmlFault::Syntax("`<` must be written as `&lt;` in attributes".to_owned()));
            }
            if let Some(character) = value.chars().find(|character| !allowed(*character)) {
                return Err(XmlFault::Character(character));
            }
            let name = attribute.key.into_inner();
            match name.strip_prefix("xmlns:").or((name == "xmlns").then_some("")) {
                Some(prefix) => self.scope.declare(prefix, &value, depth)?,
                None => given.push((name.to_owned(), value.into_owned())),
            }
        }
        self.count(given.len())?;
        let mut attributes: Vec<Attribute> = Vec::with_capacity(given.len());
        for (name, value) in given {
            let (prefix, name) = match split(&name)? {
                ("", name) => (None, name),
                (prefix, name) => (Some(prefix), name),
            };
            // Without a prefix an attribute has no namespace, unlike an element.
            let namespace = prefix.map(|prefix| self.scope.resolve(prefix)).transpose()?.flatten();
            if attributes.iter().any(|other| other.name == name && other.namespace == namespace) {
                return Err(XmlFault::Twice(shown(name)));
            }
            attributes.push(Attribute { name: name.to_owned(), namespace, value });
        }
        let namespace = self.scope.resolve(prefix)?;
        Ok(Element { name: local.to_owned(), namespace, attributes, nodes: Vec::new() })
    }

    /// Ends the innermost element. The reader has seen to it that the tags match.
    fn close(&mut self) {
        let Some(element) = self.open.pop() else { return };
        self.scope.leave(self.open.len());
        match self.open.last_mut() {
            Some(parent) => parent.nodes.push(Node::Element(element)),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str) -> Fallible<()> {
        let Some(element) = self.open.last_mut() else {
            return if text.trim_matches([' ', '\t', '\r', '\n']).is_empty() { Ok(()) } else { Err(XmlFault::Outside) };
        };
        let before = element.nodes.len();
        element.push_text(text);
        let more = element.nodes.len() - before;
        self.count(more)
    }

    fn count(&mut self, more: usize) -> Fallible<()> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes > MAX_NODES { Err(XmlFault::TooLarge) } else { Ok(()) }
    }
}

/// What a reference in text stands for.
fn referred(reference: &BytesRef<'_>) -> Fallible<String> {
    match reference.resolve_char_ref().map_err(|error| syntax(&error))? {
        Some(character) if allowed(character) => Ok(character.to_string()),
        Some(character) => Err(XmlFault::Character(character)),
        None => match resolve_xml_entity(reference) {
            Some(text) => Ok(text.to_owned()),
            None => Err(XmlFault::Entity(shown(reference))),
        },
    }
}

fn syntax(error: &Error) -> XmlFault {
    match error {
        Error::Escape(EscapeError::UnrecognizedEntity(_, name)) => XmlFault::Entity(shown(name)),
        // The reader counts from the start of the tag, which beside our own place would only confuse.
        Error::InvalidAttr(_) => XmlFault::Syntax("an attribute is not written as name=\"value\"".to_owned()),
        _ => XmlFault::Syntax(sentence(&error.to_string())),
    }
}
