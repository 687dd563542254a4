//! Writing documents.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// An element to be written. Names stand as they are given, prefixes and declarations of namespaces included.
///
/// It is written as Python's ElementTree writes it: attributes in their order, double quotes, `<name />` when nothing
/// stands in the element, no white space that was not given, no XML declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markup {
    name: Cow<'static, str>,
    attributes: Vec<(Cow<'static, str>, String)>,
    content: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Markup(Markup),
    Text(String),
    Raw(String),
}

impl Markup {
    /// An element with nothing in it. The name is the program's own, never a network's: it is not checked.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), attributes: Vec::new(), content: Vec::new() }
    }

    /// An element with a text in it.
    pub fn of(name: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        Self::new(name).text(text)
    }

    /// With an attribute more. The name is not checked.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// With an element more in it.
    #[must_use]
    pub fn child(mut self, child: Markup) -> Self {
        self.content.push(Piece::Markup(child));
        self
    }

    /// With elements more in it; an `Option` is none or one.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Markup>) -> Self {
        self.content.extend(children.into_iter().map(Piece::Markup));
        self
    }

    /// With a text more in it; the empty one is nothing.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.content.push(Piece::Text(text));
        }
        self
    }

    /// With XML more in it that was written already; it is not checked.
    #[must_use]
    pub fn raw(mut self, xml: impl Into<String>) -> Self {
        let xml = xml.into();
        if !xml.is_empty() {
            self.content.push(Piece::Raw(xml));
        }
        self
    }

    /// The element as ASCII, everything else as character references.
    #[must_use]
    pub fn to_ascii(&self) -> String {
        ascii(&self.to_string())
    }
}

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}", self.name)?;
        for (name, value) in &self.attributes {
            write!(f, " {name}=\"{}\"", escape_attribute(value))?;
        }
        if self.content.is_empty() {
            return f.write_str(" />");
        }
        f.write_char('>')?;
        for piece in &self.content {
            match piece {
                Piece::Markup(child) => child.fmt(f)?,
                Piece::Text(text) => f.write_str(&escape_text(text))?,
                Piece::Raw(xml) => f.write_str(xml)?,
            }
        }
        write!(f, "</{}>", self.name)
    }
}

/// A text as it stands between tags. Characters that XML cannot carry (control characters) become U+FFFD, and a
/// carriage return a reference, since readers make a line feed of it otherwise.
#[must_use]
pub fn escape_text(text: &str) -> Cow<'_, str> {
    escape(text, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\r' => Some("&#13;"),
        _ => None,
    })
}

/// A text as it stands between the double quotes of an attribute. White space other than blanks becomes references,
/// since readers make blanks of it otherwise.
#[must_use]
pub fn escape_attribute(text: &str) -> Cow<'_, str> {
    escape(text, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\t' => Some("&#9;"),
        '\n' => Some("&#10;"),
        '\r' => Some("&#13;"),
        _ => None,
    })
}

fn escape(text: &str, escaped: impl Fn(char) -> Option<&'static str>) -> Cow<'_, str> {
    let replaced = |c| escaped(c).or_else(|| (!allowed(c)).then_some("\u{FFFD}"));
    if !text.chars().any(|c| replaced(c).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars() {
        match replaced(character) {
            Some(reference) => written.push_str(reference),
            None => written.push(character),
        }
    }
    Cow::Owned(written)
}

/// XML as ASCII: every other character becomes a decimal character reference, as Python's ElementTree writes it. For
/// texts and whole documents; names must be ASCII already.
#[must_use]
pub fn ascii(xml: &str) -> String {
    let mut written = String::with_capacity(xml.len());
    for character in xml.chars() {
        if character.is_ascii() {
            written.push(character);
        } else {
            let _ = write!(written, "&#{};", u32::from(character));
        }
    }
    written
}

/// Whether a character may stand in a document at all (XML 1.0, production 2).
pub(super) fn allowed(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        _ => character >= ' ',
    }
}
