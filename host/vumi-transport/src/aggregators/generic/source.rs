//! Where a value stands: in a request of the network, in its answer to one of ours, or in a message.

use std::sync::OnceLock;

use hyper::header::CONTENT_TYPE;
use serde_json::Value;

use super::context::{Wrong, plain};
use crate::http::form::{self, Pairs};
use crate::http::xml::Element;
use crate::http::{Answered, Request};

/// Where a value stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    /// A parameter of the URL.
    Query(String),
    /// A parameter of the body, which is a form.
    Form(String),
    /// A parameter of either; the body's where both have it.
    Param(String),
    /// A place in the body, which is JSON (RFC 6901).
    Json(String),
    /// A place in the body, which is XML: the names of elements from the outermost one on, or `@` and an attribute's.
    Xml(Vec<String>),
    /// A header.
    Header(String),
    /// A segment of the path below that of the route, from 1.
    Path(usize),
}

/// What values are taken from.
pub(super) trait Origin: Sync {
    /// The value as JSON has it, or as text.
    ///
    /// # Errors
    /// When it cannot be read.
    fn value(&self, source: &Source) -> Result<Option<Value>, Wrong>;

    /// The whole body.
    ///
    /// # Errors
    /// When it is no text.
    fn body(&self) -> Result<String, Wrong>;

    /// The status code, of an answer.
    fn status(&self) -> Option<u16>;
}

impl Source {
    /// A source by the name of its kind; none for another word.
    pub(super) fn named(kind: &str, rest: &str) -> Option<Result<Self, String>> {
        let name = || rest.to_owned();
        Some(match kind {
            "query" => Ok(Self::Query(name())),
            "form" => Ok(Self::Form(name())),
            "param" => Ok(Self::Param(name())),
            "json" => pointer(rest).map(Self::Json),
            "xml" => xml_path(rest).map(Self::Xml),
            "header" => header(rest).map(Self::Header),
            "path" => rest.parse().map_err(|_| format!("`{rest}` is no segment of a path")).and_then(Self::segment),
            _ => return None,
        })
    }

    /// A segment of the path.
    pub(super) fn segment(number: usize) -> Result<Self, String> {
        if number == 0 { Err("a path's segments are counted from 1".to_owned()) } else { Ok(Self::Path(number)) }
    }

    /// What its sender is told that is missing.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Query(name) | Self::Form(name) | Self::Param(name) | Self::Json(name) | Self::Header(name) => {
                name.clone()
            }
            Self::Xml(path) => path.join("/"),
            Self::Path(number) => format!("path segment {number}"),
        }
    }

    /// The parameter that it reads, if it reads one.
    pub(super) fn parameter(&self) -> Option<&str> {
        match self {
            Self::Query(name) | Self::Form(name) | Self::Param(name) => Some(name),
            _ => None,
        }
    }

    /// Whether requests of the network alone have it.
    pub(super) fn is_of_requests(&self) -> bool {
        matches!(self, Self::Query(_) | Self::Form(_) | Self::Param(_) | Self::Path(_))
    }
}

/// A pointer into JSON, if it is one.
///
/// # Errors
/// One sentence if not.
pub(super) fn pointer(text: &str) -> Result<String, String> {
    if !text.is_empty() && !text.starts_with('/') {
        return Err(format!("`{text}` is no JSON pointer: it must begin with `/`, as /data/0/id"));
    }
    let escaped = |part: &str| part.starts_with(['0', '1']);
    if text.split('~').skip(1).all(escaped) {
        return Ok(text.to_owned());
    }
    Err(format!("`{text}` is no JSON pointer: `~` is written as `~0` there, and `/` within a name as `~1`"))
}

/// The way to an element or attribute, if it is one.
///
/// # Errors
/// One sentence if not.
pub(super) fn xml_path(text: &str) -> Result<Vec<String>, String> {
    let parts: Vec<String> = text.split('/').map(str::to_owned).collect();
    let is_name =
        |name: &str| !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || "<>@\"'=:".contains(c));
    let (last, before) = parts.split_last().ok_or("an XML path needs a name")?;
    let attribute = last.strip_prefix('@').unwrap_or(last);
    if before.iter().all(|name| is_name(name)) && is_name(attribute) && (last == attribute || !before.is_empty()) {
        return Ok(parts);
    }
    Err(format!(
        "`{text}` is no path into XML: write the names of elements from the outermost one on, without prefixes, as \
         page/data or page/@version"
    ))
}

/// The name of a header, if it is one.
///
/// # Errors
/// One sentence if not.
pub(super) fn header(name: &str) -> Result<String, String> {
    match hyper::header::HeaderName::from_bytes(name.as_bytes()) {
        Ok(_) => Ok(name.to_owned()),
        Err(_) => Err(format!("`{name}` is no name of a header")),
    }
}

/// The text at a path, without blanks around it: that of the first element that has the whole way to it.
fn in_xml(element: &Element, path: &[String]) -> Option<String> {
    let (first, rest) = path.split_first()?;
    if *first != element.name && first != "*" {
        return None;
    }
    match rest {
        [] => Some(element.trimmed()),
        [last] if last.starts_with('@') => element.attribute(last.trim_start_matches('@')).map(str::to_owned),
        _ => element.elements().find_map(|child| in_xml(child, rest)),
    }
}

fn utf8(name: &str, bytes: &[u8]) -> Result<Value, Wrong> {
    let text = std::str::from_utf8(bytes).map_err(|_| Wrong(format!("`{name}` is not UTF-8")))?;
    Ok(Value::String(text.to_owned()))
}

fn first(pairs: &Result<Pairs, Wrong>, name: &str) -> Result<Option<Value>, Wrong> {
    let pairs = pairs.as_ref().map_err(Clone::clone)?;
    let found = pairs.iter().find(|(other, _)| other == name.as_bytes());
    found.map(|(_, value)| utf8(name, value)).transpose()
}

/// A request of the network, or one item of its list.
pub(super) struct Asked<'a> {
    request: &'a Request,
    /// Pointers lead into this.
    item: Option<&'a Value>,
    json: OnceLock<Result<Value, Wrong>>,
    xml: OnceLock<Result<Element, Wrong>>,
    query: OnceLock<Result<Pairs, Wrong>>,
    form: OnceLock<Result<Pairs, Wrong>>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(request: &'a Request) -> Self {
        Self::of(request, None)
    }

    /// One item of the list in a request's body.
    pub(super) fn of(request: &'a Request, item: Option<&'a Value>) -> Self {
        Self {
            request,
            item,
            json: OnceLock::new(),
            xml: OnceLock::new(),
            query: OnceLock::new(),
            form: OnceLock::new(),
        }
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Result<&Value, Wrong> {
        let read = || {
            serde_json::from_slice(&self.request.body).map_err(|error| Wrong(format!("The body is not JSON: {error}")))
        };
        self.json.get_or_init(read).as_ref().map_err(Clone::clone)
    }
}

impl Origin for Asked<'_> {
    fn value(&self, source: &Source) -> Result<Option<Value>, Wrong> {
        let request = self.request;
        let decoded = |bytes: &[u8]| form::decode(bytes).map_err(|error| Wrong(error.to_string()));
        match source {
            Source::Query(name) => {
                let query = || decoded(request.uri.split_once('?').map_or("", |(_, query)| query).as_bytes());
                first(self.query.get_or_init(query), name)
            }
            Source::Form(name) => {
                let kind = request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
                let kind = kind.split(';').next().unwrap_or_default().trim();
                if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
                    return Ok(None);
                }
                first(self.form.get_or_init(|| decoded(&request.body)), name)
            }
            Source::Param(name) => request.first(name).map(|bytes| utf8(name, bytes)).transpose(),
            Source::Json(pointer) => {
                let document = match self.item {
                    Some(item) => item,
                    None => self.json()?,
                };
                Ok(document.pointer(pointer).filter(|value| !value.is_null()).cloned())
            }
            Source::Xml(path) => {
                let read =
                    || Element::read(&request.body).map_err(|error| Wrong(format!("The body is not XML: {error}")));
                let root = self.xml.get_or_init(read).as_ref().map_err(Clone::clone)?;
                Ok(in_xml(root, path).map(Value::String))
            }
            Source::Header(name) => match request.headers.get(name) {
                Some(value) => utf8(name, value.as_bytes()).map(Some),
                None => Ok(None),
            },
            Source::Path(number) => Ok(request.rest.get(number.saturating_sub(1)).cloned().map(Value::String)),
        }
    }

    fn body(&self) -> Result<String, Wrong> {
        utf8("body", &self.request.body).map(|text| plain(&text))
    }

    fn status(&self) -> Option<u16> {
        None
    }
}

/// The network's answer to a request. What cannot be read there is not there: it has been sent all the same.
pub(super) struct Heard<'a> {
    answered: &'a Answered,
    json: Option<Value>,
    xml: OnceLock<Option<Element>>,
}

impl<'a> Heard<'a> {
    pub(super) fn new(answered: &'a Answered) -> Self {
        Self { answered, json: answered.json(), xml: OnceLock::new() }
    }
}

impl Origin for Heard<'_> {
    fn value(&self, source: &Source) -> Result<Option<Value>, Wrong> {
        Ok(match source {
            Source::Json(pointer) => {
                let found = self.json.as_ref().and_then(|json| json.pointer(pointer));
                found.filter(|value| !value.is_null()).cloned()
            }
            Source::Xml(path) => {
                let root = self.xml.get_or_init(|| Element::read(&self.answered.body).ok());
                root.as_ref().and_then(|root| in_xml(root, path)).map(Value::String)
            }
            Source::Header(name) => self.answered.header(name).map(|text| text.into()),
            Source::Query(_) | Source::Form(_) | Source::Param(_) | Source::Path(_) => None,
        })
    }

    fn body(&self) -> Result<String, Wrong> {
        Ok(self.answered.text())
    }

    fn status(&self) -> Option<u16> {
        Some(self.answered.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_into_documents() {
        for good in ["", "/", "/a/0", "/a~1b/~0"] {
            assert_eq!(pointer(good).unwrap(), good);
        }
        for bad in ["a", "a/b", "/a~", "/a~2"] {
            assert!(pointer(bad).unwrap_err().contains("no JSON pointer"), "{bad}");
        }
        for good in ["a", "a/b", "*/b/@c"] {
            assert!(xml_path(good).is_ok(), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", "@a", "a/@b/c", "s:a", "a b"] {
            assert!(xml_path(bad).unwrap_err().contains("no path into XML"), "{bad}");
        }
    }

    #[test]
    fn the_first_element_with_the_whole_way_counts() {
        let root = Element::read(b"<a><b/><b x='1'><c> t\n</c></b><b x='2'><c>u</c></b></a>").unwrap();
        let at = |path: &str| in_xml(&root, &xml_path(path).unwrap());
        assert_eq!(at("a/b/c").as_deref(), Some("t"));
        assert_eq!(at("*/b/@x").as_deref(), Some("1"));
        assert_eq!(at("a/b").as_deref(), Some(""));
        assert_eq!((at("b"), at("a/d"), at("a/b/c/@x")), (None, None, None));
    }
}
