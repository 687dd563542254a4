//! Texts with placeholders: `Hello {{content}}`.
//!
//! What may stand between the braces:
//! - `content`, `transport_metadata.linkId`: a field of the message,
//! - `param msisdn`, `json /data/id`, `header X-Id` …: a part of the request or of the answer, written as the sources
//!   are ([`super::source`]); `body` and `status`: all of an answer's body, and its status code,
//! - `secret.token`, `secret.password[from_addr]`: a secret, the second by the value of a field,
//! - `value.flow`: one of the configuration's `values`,
//! - `"{{"`: the text between the quotes itself.
//!
//! A text is read once, when the configuration is. What it is filled with is escaped by the place where it stands, and
//! never read as a template again.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;

use super::context::{Context, Wrong};
use super::source::Source;

/// A text with placeholders.
#[derive(Clone)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Place(Place),
}

/// What stands between the braces.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    /// A field of the message, and the way down into it.
    Field(Vec<String>),
    /// A part of a request or an answer.
    Source(Source),
    /// The body of a request or an answer.
    Body,
    /// The status code of an answer.
    Status,
    /// What a condition looked at.
    Given,
    /// A secret, and the field that chooses among several.
    Secret(String, Option<Vec<String>>),
    /// One of the configuration's `values`.
    Named(String),
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// One sentence for braces that do not close or hold what is no placeholder.
    pub fn new(text: &str) -> Result<Self, String> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("{{") {
            let trimmed = after.trim_start();
            // A quoted text may hold braces itself.
            let (inside, after) = match trimmed.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
                Some((quoted, after)) => {
                    let after = after.trim_start().strip_prefix("}}");
                    let after = after.ok_or_else(|| format!("`}}}}` is missing behind {{{{\"{quoted}\""))?;
                    pieces.extend([Piece::Text(before.to_owned()), Piece::Text(quoted.to_owned())]);
                    rest = after;
                    continue;
                }
                None => after.split_once("}}").ok_or_else(|| {
                    format!("`{{{{` without `}}}}` in {text:?}; for the braces themselves write {{{{\"{{{{\"}}}}")
                })?,
            };
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Place(place(inside.trim())?));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        Ok(Self { text: text.to_owned(), pieces })
    }

    /// The placeholders, in order.
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Place(place) => Some(place),
            Piece::Text(_) => None,
        })
    }

    /// The parameters of a request that it reads.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.places().filter_map(|place| match place {
            Place::Source(source) => source.parameter(),
            _ => None,
        })
    }

    /// What stands before the first placeholder.
    pub(super) fn beginning(&self) -> String {
        let texts = self.pieces.iter().map_while(|piece| match piece {
            Piece::Text(text) => Some(text.as_str()),
            Piece::Place(_) => None,
        });
        texts.collect()
    }

    /// The text with something in place of every placeholder.
    pub(super) fn filled_with(&self, text: &str) -> String {
        let texts = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Place(_) => text,
        });
        texts.collect()
    }

    /// The text as it was written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a secret may stand in it.
    pub(super) fn is_secret(&self) -> bool {
        self.places().any(|place| matches!(place, Place::Secret(..) | Place::Named(_)))
    }

    /// The text with its placeholders filled in, each through `escape`. Nothing stands for what is not there.
    ///
    /// # Errors
    /// When a part of the request that is needed cannot be read.
    pub(super) fn render(&self, context: &Context<'_>, escape: impl Fn(&str) -> Cow<'_, str>) -> Result<String, Wrong> {
        let mut rendered = String::with_capacity(self.text.len());
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => rendered.push_str(text),
                Piece::Place(place) => {
                    if let Some(text) = context.text(place)? {
                        rendered.push_str(&escape(&text));
                    }
                }
            }
        }
        Ok(rendered)
    }

    /// As [`Template::render`], without escaping; none where the whole text is one placeholder for what is not there.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub(super) fn text(&self, context: &Context<'_>) -> Result<Option<String>, Wrong> {
        match self.pieces.as_slice() {
            [Piece::Place(place)] => context.text(place),
            _ => self.render(context, |text| Cow::Owned(text.to_owned())).map(Some),
        }
    }

    /// As [`Template::text`], with numbers and flags as they are where the whole text is one placeholder.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub(super) fn value(&self, context: &Context<'_>) -> Result<Option<Value>, Wrong> {
        match self.pieces.as_slice() {
            [Piece::Place(place)] => context.value(place),
            _ => Ok(self.text(context)?.map(Value::String)),
        }
    }
}

fn place(inside: &str) -> Result<Place, String> {
    let strange = || {
        format!(
            "`{{{{{inside}}}}}` is no placeholder; write a field of the message, `secret.NAME`, `value.NAME`, or a source \
             and its name, as `param NAME` or `json /POINTER`"
        )
    };
    if let Some((kind, rest)) = inside.split_once(char::is_whitespace) {
        return Source::named(kind, rest.trim()).ok_or_else(strange)?.map(Place::Source);
    }
    if let Some(name) = inside.strip_prefix("secret.") {
        return match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
            Some((name, field)) if is_name(name) => {
                Ok(Place::Secret(name.to_owned(), Some(way(field).ok_or_else(strange)?)))
            }
            None if is_name(name) => Ok(Place::Secret(name.to_owned(), None)),
            _ => Err(strange()),
        };
    }
    if let Some(name) = inside.strip_prefix("value.") {
        return if is_name(name) { Ok(Place::Named(name.to_owned())) } else { Err(strange()) };
    }
    match inside {
        "body" => Ok(Place::Body),
        "status" => Ok(Place::Status),
        "given" => Ok(Place::Given),
        _ => way(inside).map(Place::Field).ok_or_else(strange),
    }
}

/// `a.b.c` in its parts.
pub(super) fn way(text: &str) -> Option<Vec<String>> {
    let parts: Vec<String> = text.split('.').map(str::to_owned).collect();
    parts.iter().all(|part| is_name(part)).then_some(parts)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_placeholder() {
        let places = |text: &str| Template::new(text).unwrap().places().cloned().collect::<Vec<_>>();
        assert_eq!(
            places("a {b} }} {{ content }}{{secret.t}}!"),
            [Place::Field(vec!["content".into()]), Place::Secret("t".into(), None)]
        );
        assert_eq!(
            places("{{secret.p[transport_metadata.a-b]}}"),
            [Place::Secret("p".into(), Some(vec!["transport_metadata".into(), "a-b".into()]))]
        );
        assert_eq!(places("{{value.x}}{{body}}{{status}}{{given}}").len(), 4);
        let [Place::Source(_)] = places("{{json /a b/0}}")[..] else { panic!() };
        let quoted = Template::new(r#"a{{"{{x}}"}}b"#).unwrap();
        assert_eq!((quoted.places().count(), quoted.filled_with("-")), (0, "a{{x}}b".to_owned()));
    }

    #[test]
    fn what_is_none_is_told() {
        for (text, told) in [
            ("{{content", "without `}}`"),
            ("{{}}", "no placeholder"),
            ("{{a..b}}", "no placeholder"),
            ("{{secret.}}", "no placeholder"),
            ("{{secret.a[}}", "no placeholder"),
            ("{{value.a[b]}}", "no placeholder"),
            ("{{parm x}}", "no placeholder"),
            ("{{json x}}", "must begin with `/`"),
            ("{{path 0}}", "path"),
            (r#"{{"a" b}}"#, "is missing behind"),
        ] {
            let error = Template::new(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
