//! What can be wrong with a document, and where.

use thiserror::Error;

use super::names::MAX_NAMESPACES;
use super::read::{MAX_ATTRIBUTES, MAX_DEPTH, MAX_NODES};

/// Characters of a network's text that an error repeats.
const SHOWN: usize = 80;
/// Characters of the reader's own sentences, which may hold two names of a network.
const SENTENCE: usize = 200;

/// Why a document cannot be read, and where; one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {fault}")]
pub struct XmlError {
    /// What is wrong.
    pub fault: XmlFault,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl XmlError {
    /// The error at a place of the document, given in bytes.
    pub(super) fn at(fault: XmlFault, text: &str, offset: usize) -> Self {
        let before = text.get(..text.floor_char_boundary(offset)).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { fault, line, column }
    }
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum XmlFault {
    /// The bytes are not the encoding that they should be.
    #[error("the document is not UTF-8")]
    NotUtf8,
    /// An encoding that is not read here.
    #[error("the encoding {0} is not supported, send UTF-8")]
    Encoding(String),
    /// The document breaks the rules of XML.
    #[error("{0}")]
    Syntax(String),
    /// A character that XML does not allow.
    #[error("the character U+{:04X} is not allowed in XML", u32::from(*.0))]
    Character(char),
    /// Something that is no name stands where a name must be.
    #[error("`{0}` is not a name")]
    Name(String),
    /// The document type declares an entity.
    #[error("the document declares entities, which are not accepted")]
    Entities,
    /// A reference to an entity that XML does not know by itself.
    #[error("the entity `{0}` is not known; only amp, lt, gt, apos and quot are")]
    Entity(String),
    /// A prefix that no element around it declares.
    #[error("the prefix `{0}` is not declared")]
    Prefix(String),
    /// A prefix that is declared as it must not be.
    #[error("the prefix `{0}` cannot be declared like this")]
    Declaration(String),
    /// An element with two attributes of one name.
    #[error("the attribute `{0}` is given twice")]
    Twice(String),
    /// Elements within elements within elements.
    #[error("the elements are nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// More elements, texts and attributes than are read.
    #[error("the document has more than {MAX_NODES} parts")]
    TooLarge,
    /// More attributes at one element than are read.
    #[error("the element has more than {MAX_ATTRIBUTES} attributes")]
    TooManyAttributes,
    /// More namespaces at a time than are read.
    #[error("more than {MAX_NAMESPACES} namespaces are declared at a time")]
    TooManyNamespaces,
    /// Nothing, or only comments.
    #[error("the document has no element")]
    Empty,
    /// The document ends within an element.
    #[error("the document ends before `{0}` is closed")]
    Unclosed(String),
    /// Text or a second element outside the outermost one.
    #[error("nothing but comments may stand outside the outermost element")]
    Outside,
}

/// What the parts of the reader return: the place is added at the end.
pub(super) type Fallible<T> = Result<T, XmlFault>;

/// A network's text for an error: not longer than a person reads, without control characters.
pub(super) fn shown(text: &str) -> String {
    cut(text, SHOWN)
}

/// A sentence of the reader, which may hold a network's text.
pub(super) fn sentence(text: &str) -> String {
    cut(text, SENTENCE)
}

fn cut(text: &str, length: usize) -> String {
    let mut shown: String = text.chars().take(length).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(length).is_some() {
        shown.push('…');
    }
    shown
}
