//! Comparing XML: white space between elements, the order of attributes and the way in which characters are escaped do
//! not count. A small reader of its own, so that the tests do not trust the host's.

use std::collections::BTreeMap;

use super::pattern::Bindings;

/// An element.
#[derive(Debug, Default, PartialEq)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    inside: Vec<Node>,
}

#[derive(Debug, PartialEq)]
enum Node {
    Element(Element),
    Text(String),
}

/// Compares two documents. Texts and attributes of the expected one may have placeholders.
///
/// # Errors
/// The first difference, with the way to it; or that one of them is no XML.
pub fn compare(expected: &str, got: &str, bindings: &mut Bindings) -> Result<(), String> {
    let expected = document(expected).map_err(|error| format!("of the case: {error}"))?;
    let there = document(got).map_err(|error| format!(": no XML ({error}): {got:?}"))?;
    element(&expected, &there, bindings)
}

fn element(expected: &Element, got: &Element, bindings: &mut Bindings) -> Result<(), String> {
    let inside = |error: String| format!("/{}{error}", got.name);
    if expected.name != got.name {
        return Err(format!(": expected <{}>, got <{}>", expected.name, got.name));
    }
    for (name, value) in &expected.attributes {
        let Some(there) = got.attributes.get(name) else {
            return Err(inside(format!(": the attribute {name} is missing")));
        };
        bindings.text(value, there).map_err(|error| inside(format!("@{name}: {error}")))?;
    }
    if let Some(name) = got.attributes.keys().find(|name| !expected.attributes.contains_key(*name)) {
        return Err(inside(format!(": the attribute {name} was not expected")));
    }
    for (index, node) in expected.inside.iter().enumerate() {
        match (node, got.inside.get(index)) {
            (Node::Element(a), Some(Node::Element(b))) => element(a, b, bindings).map_err(inside)?,
            (Node::Text(a), Some(Node::Text(b))) => {
                bindings.text(a, b).map_err(|error| inside(format!(": {error}")))?
            }
            (Node::Text(a), None) if a == "${_}" => {}
            (Node::Element(a), there) => return Err(inside(format!(": expected <{}>, got {}", a.name, shown(there)))),
            (Node::Text(a), there) => return Err(inside(format!(": expected {a:?}, got {}", shown(there)))),
        }
    }
    match got.inside.get(expected.inside.len()) {
        Some(more) => Err(inside(format!(": {} was not expected", shown(Some(more))))),
        None => Ok(()),
    }
}

fn shown(node: Option<&Node>) -> String {
    match node {
        None => "nothing".to_owned(),
        Some(Node::Element(element)) => format!("<{}>", element.name),
        Some(Node::Text(text)) => format!("{text:?}"),
    }
}

/// What is not read yet.
struct Reader<'a>(&'a str);

fn document(text: &str) -> Result<Element, String> {
    let mut reader = Reader(text.trim_start_matches('\u{feff}'));
    reader.pass()?;
    let root = reader.element()?;
    reader.pass()?;
    if reader.0.is_empty() { Ok(root) } else { Err(format!("something follows the document: {:?}", reader.0)) }
}

impl<'a> Reader<'a> {
    /// Passes white space, comments, declarations.
    fn pass(&mut self) -> Result<(), String> {
        loop {
            self.0 = self.0.trim_start();
            if self.skip("<?") {
                self.until("?>")?;
            } else if self.skip("<!--") {
                self.until("-->")?;
            } else if self.skip("<!DOCTYPE") {
                self.until(">")?;
            } else {
                return Ok(());
            }
        }
    }

    fn skip(&mut self, text: &str) -> bool {
        let rest = self.0.strip_prefix(text);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn until(&mut self, end: &str) -> Result<&'a str, String> {
        let (before, after) = self.0.split_once(end).ok_or_else(|| format!("`{end}` is missing"))?;
        self.0 = after;
        Ok(before)
    }

    fn name(&mut self) -> Result<String, String> {
        let end = self.0.find(|c: char| c.is_whitespace() || "<>/=\"'&".contains(c)).unwrap_or(self.0.len());
        let (name, rest) = self.0.split_at(end);
        self.0 = rest;
        if name.is_empty() { Err(format!("a name is missing before {rest:?}")) } else { Ok(name.to_owned()) }
    }

    fn element(&mut self) -> Result<Element, String> {
        if !self.skip("<") {
            return Err(format!("an element is missing before {:?}", self.0));
        }
        let mut element = Element { name: self.name()?, ..Element::default() };
        loop {
            self.0 = self.0.trim_start();
            if self.skip("/>") {
                return Ok(element);
            }
            if self.skip(">") {
                break;
            }
            let name = self.name()?;
            self.0 = self.0.trim_start();
            if !self.skip("=") {
                return Err(format!("the attribute {name} has no value"));
            }
            self.0 = self.0.trim_start();
            let quote = if self.skip("\"") { "\"" } else { "'" };
            if quote == "'" && !self.skip("'") {
                return Err(format!("the value of {name} has no quotes"));
            }
            let value = unescape(self.until(quote)?)?;
            if element.attributes.insert(name.clone(), value).is_some() {
                return Err(format!("the attribute {name} stands twice"));
            }
        }
        element.inside = self.inside()?;
        let end = self.until(">")?.trim_end();
        if end != element.name {
            return Err(format!("<{}> ends with </{end}>", element.name));
        }
        Ok(element)
    }

    /// Up to and with `</`.
    fn inside(&mut self) -> Result<Vec<Node>, String> {
        let (mut nodes, mut text) = (Vec::new(), String::new());
        loop {
            let end = self.0.find('<').ok_or("the document ends within an element")?;
            let (before, rest) = self.0.split_at(end);
            text.push_str(&unescape(before)?);
            self.0 = rest;
            if self.skip("<![CDATA[") {
                text.push_str(self.until("]]>")?);
            } else if self.skip("<!--") {
                self.until("-->")?;
            } else if self.skip("<?") {
                self.until("?>")?;
            } else {
                let ends = self.skip("</");
                if !(text.is_empty() || (text.trim().is_empty() && !(ends && nodes.is_empty()))) {
                    nodes.push(Node::Text(std::mem::take(&mut text)));
                }
                text.clear();
                if ends {
                    return Ok(nodes);
                }
                nodes.push(Node::Element(self.element()?));
            }
        }
    }
}

fn unescape(text: &str) -> Result<String, String> {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, after) = after.split_once(';').ok_or_else(|| format!("a bare & in {text:?}"))?;
        let number = entity.strip_prefix('#').map(|number| match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        });
        out.push(match (entity, number) {
            ("lt", _) => '<',
            ("gt", _) => '>',
            ("amp", _) => '&',
            ("quot", _) => '"',
            ("apos", _) => '\'',
            (_, Some(Ok(number))) => char::from_u32(number).ok_or_else(|| format!("&{entity}; is no character"))?,
            _ => return Err(format!("&{entity}; is not known")),
        });
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(expected: &str, got: &str) -> Result<(), String> {
        compare(expected, got, &mut Bindings::default())
    }

    #[test]
    fn what_does_not_count() {
        let got = "<?xml version=\"1.0\"?>\n<!-- c --><a y='2' x=\"1\">\n <b>t &lt;&#x41;&#66;</b><c/>\n <d><![CDATA[<x> ]]>y</d></a>\n";
        told("<a x='1' y='2'><b>t &lt;AB</b><c></c><d>&lt;x> y</d></a>", got).unwrap();
        told("<a x='${x}' y='${_}'><b>${b}</b><c>${_}</c><d>${_}</d></a>", got).unwrap();
    }

    #[test]
    fn every_difference_is_told() {
        let got = "<a x='1'><b> t</b><c/></a>";
        for (expected, error) in [
            ("<a><b> t</b><c/></a>", "/a: the attribute x was not expected"),
            ("<a x='2'><b> t</b><c/></a>", "/a@x: expected \"2\", got \"1\""),
            ("<a x='1' y=''><b> t</b><c/></a>", "/a: the attribute y is missing"),
            ("<a x='1'><b>t</b><c/></a>", "/a/b: expected \"t\", got \" t\""),
            ("<a x='1'><b> t</b></a>", "/a: <c> was not expected"),
            ("<a x='1'><b> t</b><c/><d/></a>", "/a: expected <d>, got nothing"),
            ("<a x='1'><c/><b> t</b></a>", "/a: expected <c>, got <b>"),
            ("<b/>", ": expected <b>, got <a>"),
            ("<a x='1'><b> t</b><c> </c></a>", "/a/c: expected \" \", got nothing"),
        ] {
            assert_eq!(told(expected, got).unwrap_err(), error, "{expected}");
        }
        for wrong in ["<a", "<a>", "<a></b>", "<a/>x", "<a x=1/>", "<a>&nbsp;</a>", "<a>&</a>", "", "<a x='1' x='2'/>"]
        {
            assert!(told("<a/>", wrong).unwrap_err().contains("no XML"), "{wrong}");
        }
    }
}
