//! Names, and the namespaces that their prefixes stand for.

use std::sync::Arc;

use super::error::{Fallible, XmlFault, shown};

/// Declarations of namespaces that may be in force at a time.
pub const MAX_NAMESPACES: usize = 128;

const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// The declarations that are in force: prefixes (empty: none) with the address that they stand for, which is kept once
/// however many names have it, and the depth of the element that declares them.
#[derive(Default)]
pub(super) struct Scope(Vec<(String, Option<Arc<str>>, usize)>);

impl Scope {
    /// Ends the element at a depth, and its declarations with it.
    pub(super) fn leave(&mut self, depth: usize) {
        self.0.retain(|(_, _, declared)| *declared < depth);
    }

    /// Declares a prefix for the element that stands at a depth.
    pub(super) fn declare(&mut self, prefix: &str, address: &str, depth: usize) -> Fallible<()> {
        let wrong = match prefix {
            "xml" => address != XML,
            "xmlns" => true,
            "" => false,
            _ => address.is_empty() || !split(prefix)?.0.is_empty(),
        };
        if wrong {
            return Err(XmlFault::Declaration(shown(prefix)));
        }
        if self.0.iter().any(|(other, _, at)| *at == depth && other == prefix) {
            return Err(XmlFault::Twice(shown(&format!("xmlns:{prefix}"))));
        }
        if self.0.len() >= MAX_NAMESPACES {
            return Err(XmlFault::TooManyNamespaces);
        }
        let address = (!address.is_empty()).then(|| Arc::from(address));
        self.0.push((prefix.to_owned(), address, depth));
        Ok(())
    }

    /// The namespace that a prefix stands for; none for no prefix where no default is declared.
    pub(super) fn resolve(&self, prefix: &str) -> Fallible<Option<Arc<str>>> {
        match self.0.iter().rev().find(|(declared, _, _)| declared == prefix) {
            Some((_, address, _)) => Ok(address.clone()),
            None if prefix.is_empty() => Ok(None),
            None if prefix == "xml" => Ok(Some(Arc::from(XML))),
            None => Err(XmlFault::Prefix(shown(prefix))),
        }
    }
}

/// The prefix (empty: none) and the rest of a name.
pub(super) fn split(name: &str) -> Fallible<(&str, &str)> {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    let whole = is_name(local) && (is_name(prefix) || !name.contains(':'));
    if whole { Ok((prefix, local)) } else { Err(XmlFault::Name(shown(name))) }
}

/// Whether a text is a name without a colon (XML 1.0, production 5; for other scripts a little wider).
fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    let starts = |c: char| c == '_' || if c.is_ascii() { c.is_ascii_alphabetic() } else { c.is_alphabetic() };
    characters.next().is_some_and(starts)
        && characters
            .all(|c| matches!(c, '_' | '-' | '.' | '·') || c.is_alphanumeric() || (!c.is_ascii() && is_mark(c)))
}

/// The combining marks that names may have beside letters (XML 1.0, production 4a).
fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}
