//! Placeholders: `${name}` in the texts of a case.
//!
//! Where a text is sent, `${name}` is replaced by what the name stands for. Where a text is expected, a name that stands
//! for nothing yet takes what is there, so that it can be used further down; `${_}` takes anything and forgets it.
//! `${msg.transport_metadata.x}` goes down into a message. `$${` is `${` itself.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::Value;

/// What names stand for in one case.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    values: BTreeMap<String, Value>,
    /// Names that an expectation made and that nobody has read yet.
    unread: BTreeSet<String>,
}

/// A part of a text.
#[derive(Debug, PartialEq)]
enum Part<'a> {
    Literal(&'a str),
    Name(&'a str),
}

impl Bindings {
    /// Makes a name stand for a value.
    pub fn bind(&mut self, name: &str, value: impl Into<Value>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// The value of `name` or `name.field.field`.
    pub fn get(&mut self, path: &str) -> Option<Value> {
        let mut steps = path.split('.');
        let name = steps.next()?;
        let value = self.values.get(name)?;
        self.unread.remove(name);
        steps.try_fold(value, |value, step| value.get(step)).cloned()
    }

    /// Names that were made by an expectation and never used: `${_}` is meant, or another name.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.unread.iter().map(String::as_str)
    }

    /// A text with its placeholders replaced.
    ///
    /// # Errors
    /// A name that stands for nothing.
    pub fn fill(&mut self, text: &str) -> Result<String, String> {
        let mut filled = String::with_capacity(text.len());
        for part in parts(text)? {
            match part {
                Part::Literal(literal) => filled.push_str(literal),
                Part::Name(name) => {
                    let value = self.get(name).ok_or_else(|| format!("`${{{name}}}` stands for nothing"))?;
                    filled.push_str(&plain(&value));
                }
            }
        }
        Ok(filled)
    }

    /// A value with the placeholders of its texts replaced. A text that is one placeholder becomes its value, of
    /// whatever type.
    ///
    /// # Errors
    /// See [`Bindings::fill`].
    pub fn fill_value(&mut self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => match parts(text)?.as_slice() {
                [Part::Name(name)] => self.get(name).ok_or_else(|| format!("`${{{name}}}` stands for nothing"))?,
                _ => self.fill(text)?.into(),
            },
            Value::Array(items) => {
                items.iter().map(|item| self.fill_value(item)).collect::<Result<Vec<_>, _>>()?.into()
            }
            Value::Object(fields) => {
                let fields = fields.iter().map(|(key, value)| Ok((self.fill(key)?, self.fill_value(value)?)));
                Value::Object(fields.collect::<Result<_, String>>()?)
            }
            other => other.clone(),
        })
    }

    /// Whether a text is as expected; binds the names that stand for nothing yet.
    ///
    /// # Errors
    /// What is different.
    pub fn text(&mut self, expected: &str, got: &str) -> Result<(), String> {
        let (mut regex, mut new) = ("(?s)\\A".to_owned(), Vec::new());
        for part in parts(expected)? {
            match part {
                Part::Literal(literal) => regex.push_str(&regex::escape(literal)),
                Part::Name("_") => regex.push_str(".*?"),
                Part::Name(name) => match self.get(name) {
                    Some(value) => regex.push_str(&regex::escape(&plain(&value))),
                    None if name.contains('.') => return Err(format!("`${{{name}}}` stands for nothing")),
                    None if new.contains(&name) => return Err(format!("`${{{name}}}` is new and stands here twice")),
                    None => {
                        regex.push_str("(.+?)");
                        new.push(name);
                    }
                },
            }
        }
        regex.push_str("\\z");
        let regex = Regex::new(&regex).map_err(|error| error.to_string())?;
        let Some(found) = regex.captures(got) else {
            let known = self.fill(expected).unwrap_or_else(|_| expected.to_owned());
            return Err(format!("expected {known:?}, got {got:?}"));
        };
        for (name, group) in new.into_iter().zip(found.iter().skip(1)) {
            self.bind(name, group.map(|group| group.as_str()).unwrap_or_default());
            self.unread.insert(name.to_owned());
        }
        Ok(())
    }

    /// Whether a value is what one placeholder alone stands for; `None` where the text is no such placeholder.
    pub(super) fn alone(&mut self, expected: &str, got: &Value) -> Option<Result<(), Option<Value>>> {
        let parts = parts(expected).ok()?;
        let [Part::Name(name)] = parts.as_slice() else { return None };
        if *name == "_" {
            return Some(Ok(()));
        }
        Some(match self.get(name) {
            Some(value) if value == *got => Ok(()),
            Some(value) => Err(Some(value)),
            None if name.contains('.') || got.is_null() => Err(None),
            None => {
                self.bind(name, got.clone());
                self.unread.insert((*name).to_owned());
                Ok(())
            }
        })
    }
}

/// A value as it stands inside a text.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn parts(text: &str) -> Result<Vec<Part<'_>>, String> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.find("${") {
        let (before, after) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            parts.extend([Part::Literal(before), Part::Literal("${")]);
            rest = after.get(2..).unwrap_or_default();
            continue;
        }
        parts.push(Part::Literal(before));
        let (name, after) = after
            .get(2..)
            .and_then(|after| after.split_once('}'))
            .ok_or_else(|| format!("`${{` is not closed in {text:?}; write $${{ for the characters themselves"))?;
        let fits = |c: char| c == '_' || c == '.' || c == '-' || c == '@' || c.is_ascii_alphanumeric();
        if name.is_empty() || !name.chars().all(fits) {
            return Err(format!("`${{{name}}}` is no name; write $${{ for the characters themselves"));
        }
        parts.push(Part::Name(name));
        rest = after;
    }
    parts.push(Part::Literal(rest));
    parts.retain(|part| *part != Part::Literal(""));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bindings() -> Bindings {
        let mut bindings = Bindings::default();
        bindings.bind("port", 8080);
        bindings.bind("msg", json!({"id": "m1", "transport_metadata": {"a-b": {"x": 5}}}));
        bindings
    }

    #[test]
    fn known_names_are_replaced() {
        let mut bindings = bindings();
        let text = "http://h:${port}/${msg.id}/${msg.transport_metadata.a-b.x}$${no}$";
        assert_eq!(bindings.fill(text).unwrap(), "http://h:8080/m1/5${no}$");
        assert_eq!(bindings.fill_value(&json!({"p": ["${port}", "${port}0"]})).unwrap(), json!({"p": [8080, "80800"]}));
        for (wrong, told) in [("${new}", "stands for nothing"), ("${msg.no}", "stands for nothing"), ("${x", "closed")]
        {
            assert!(bindings.fill(wrong).unwrap_err().contains(told), "{wrong}");
        }
        assert!(bindings.fill("${a b}").unwrap_err().contains("no name"));
    }

    #[test]
    fn new_names_take_what_is_there() {
        let mut bindings = bindings();
        bindings.text("<${a}|${_}|${port}>", "<x|\ny|8080>").unwrap();
        assert_eq!(bindings.unread().collect::<Vec<_>>(), ["a"]);
        bindings.text("${a}", "x").unwrap();
        assert_eq!(bindings.unread().count(), 0);
        assert_eq!(bindings.text("${a}!", "y!").unwrap_err(), r#"expected "x!", got "y!""#);
        assert!(bindings.text("a${b}", "a").is_err(), "nothing is not something");
        assert!(bindings.text("${b}${b}", "aa").unwrap_err().contains("twice"));
        assert!(bindings.text("${msg.no}", "").is_err());
        assert!(bindings.text("a.c", "abc").is_err(), "a text is no regular expression");
        assert!(bindings.text("abc", "abcd").is_err() && bindings.text("abc", "zabc").is_err());
        assert!(bindings.text("abc", "abc\n").is_err(), "the end is the end");
    }

    #[test]
    fn one_placeholder_stands_for_any_value() {
        let mut bindings = bindings();
        assert_eq!(bindings.alone("x", &json!(1)), None);
        assert_eq!(bindings.alone("${n}", &json!([1])), Some(Ok(())));
        assert_eq!(bindings.alone("${n}", &json!([2])), Some(Err(Some(json!([1])))));
        assert_eq!(bindings.alone("${m}", &Value::Null), Some(Err(None)));
        assert_eq!(bindings.alone("${_}", &Value::Null), Some(Ok(())));
    }
}
