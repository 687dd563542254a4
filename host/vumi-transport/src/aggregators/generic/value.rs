//! How one value is found: where it stands, and what is made of it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use vumi_message::address::{cleanup_msisdn, normalize_msisdn};

use super::context::{Context, Wrong, plain};
use super::source::{Source, header, pointer, xml_path};
use super::template::{Template, way};
use crate::base::values::Whole;
use crate::http::Pattern;

/// Where a value stands, and what is made of it. One of the first keys, down to `text`, says where; the others work in
/// the order in which they stand here.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FindKeys {
    /// A parameter of the URL.
    pub query: Option<String>,
    /// A parameter of the body, which is a form.
    pub form: Option<String>,
    /// A parameter of either; the body's where both have it.
    pub param: Option<String>,
    /// A place in the body, which is JSON: a pointer (RFC 6901), as `/data/0/id`.
    pub json: Option<String>,
    /// A place in the body, which is XML: the names of elements from the outermost one on, without prefixes, as
    /// `page/data`; last may stand an attribute, as `page/@version`. `*` is an element of any name.
    pub xml: Option<String>,
    /// A header.
    pub header: Option<String>,
    /// A segment of the path below that of the route, from 1.
    #[serde(deserialize_with = "number")]
    pub path: Option<usize>,
    /// A field of the message, as `to_addr` or `transport_metadata.linkId`. For messages to users.
    pub field: Option<String>,
    /// This very text.
    #[serde(rename = "const")]
    pub constant: Option<String>,
    /// A text with placeholders.
    pub text: Option<Template>,
    /// A regular expression with one group: the group is the value. What it does not match counts as not there.
    pub pattern: Option<Pattern>,
    /// From what stands there to the value. What is not in it counts as not there.
    pub map: Option<BTreeMap<String, String>>,
    /// Brings a number to the form `+27821234567`; this is the country's code, which numbers with a leading 0 get.
    pub normalize_msisdn: Option<String>,
    /// Brings a number to the form `27821234567`; this is the country's code, which numbers with a leading 0 get.
    pub cleanup_msisdn: Option<String>,
    /// The value where there is none; may have placeholders.
    pub default: Option<Template>,
    /// Whether a request without it is refused. For messages from users: true for `from_addr`, `to_addr` and `content`
    /// unless given, false for all others.
    pub required: Option<bool>,
}

/// [`FindKeys`] that make sense.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "FindKeys")]
pub struct Find {
    pub(super) from: From,
    pattern: Option<Pattern>,
    pub(super) map: Option<BTreeMap<String, String>>,
    normalize: Option<String>,
    cleanup: Option<String>,
    pub(super) default: Option<Template>,
    required: Option<bool>,
}

/// Where a value stands.
#[derive(Clone, Debug)]
pub(super) enum From {
    Source(Source),
    Field(Vec<String>),
    Constant(String),
    Text(Template),
}

impl JsonSchema for Find {
    fn schema_name() -> Cow<'static, str> {
        "Find".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        FindKeys::json_schema(generator)
    }
}

impl TryFrom<FindKeys> for Find {
    type Error = String;

    fn try_from(keys: FindKeys) -> Result<Self, String> {
        let from = [
            keys.query.map(|name| Ok(From::Source(Source::Query(name)))),
            keys.form.map(|name| Ok(From::Source(Source::Form(name)))),
            keys.param.map(|name| Ok(From::Source(Source::Param(name)))),
            keys.json.map(|text| pointer(&text).map(Source::Json).map(From::Source)),
            keys.xml.map(|text| xml_path(&text).map(Source::Xml).map(From::Source)),
            keys.header.map(|name| header(&name).map(Source::Header).map(From::Source)),
            keys.path.map(|number| Source::segment(number).map(From::Source)),
            keys.field
                .map(|text| way(&text).map(From::Field).ok_or_else(|| format!("`{text}` is no field of a message"))),
            keys.constant.map(|text| Ok(From::Constant(text))),
            keys.text.map(|text| Ok(From::Text(text))),
        ];
        let mut given = from.into_iter().flatten();
        let places = "query, form, param, json, xml, header, path, field, const, text";
        let from = given.next().ok_or_else(|| format!("a value needs one of {places}"))??;
        if given.next().is_some() {
            return Err(format!("a value has one of {places} only"));
        }
        if let Some(pattern) = keys.pattern.as_ref().filter(|pattern| pattern.groups() != 1) {
            let groups = pattern.groups();
            return Err(format!(
                "the pattern `{pattern}` has {groups} groups: put round brackets around the part that is the value, and \
                 write others as `(?:…)`"
            ));
        }
        if keys.normalize_msisdn.is_some() && keys.cleanup_msisdn.is_some() {
            return Err("a value has one of normalize_msisdn, cleanup_msisdn only".to_owned());
        }
        for code in keys.normalize_msisdn.iter().chain(&keys.cleanup_msisdn) {
            if !code.chars().all(|c| c.is_ascii_digit()) {
                return Err(format!("`{code}` is no country code: write its digits, as 27, or nothing"));
            }
        }
        Ok(Self {
            from,
            pattern: keys.pattern,
            map: keys.map,
            normalize: keys.normalize_msisdn,
            cleanup: keys.cleanup_msisdn,
            default: keys.default,
            required: keys.required,
        })
    }
}

impl Find {
    /// The value, if it is there.
    ///
    /// # Errors
    /// When the request cannot be read.
    pub(super) fn find(&self, context: &Context<'_>) -> Result<Option<String>, Wrong> {
        let found = match &self.from {
            From::Source(source) => context.source(source)?.as_ref().and_then(scalar),
            From::Field(way) => context.field(way).map(plain),
            From::Constant(text) => Some(text.clone()),
            From::Text(template) => template.text(context)?,
        };
        match found.and_then(|text| self.shaped(&text)) {
            Some(text) => Ok(Some(text)),
            None => self.default.as_ref().map(|default| default.text(context)).transpose().map(Option::flatten),
        }
    }

    fn shaped(&self, text: &str) -> Option<String> {
        let text = match &self.pattern {
            Some(pattern) => pattern.group(text)?,
            None => text,
        };
        let text = match &self.map {
            Some(map) => map.get(text)?,
            None => text,
        };
        Some(match (&self.normalize, &self.cleanup) {
            (Some(code), _) => normalize_msisdn(text, code),
            (None, Some(code)) => cleanup_msisdn(text, code),
            (None, None) => text.to_owned(),
        })
    }

    /// Whether a request without it is refused.
    pub(super) fn is_required(&self, unless_given: bool) -> bool {
        self.required.unwrap_or(unless_given)
    }

    /// What its sender is told that is missing.
    pub(super) fn label(&self) -> String {
        match &self.from {
            From::Source(source) => source.label(),
            From::Field(way) => way.join("."),
            From::Constant(text) => text.clone(),
            From::Text(template) => template.as_str().to_owned(),
        }
    }

    /// The parameters of a request that it reads.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        let own = match &self.from {
            From::Source(source) => source.parameter(),
            _ => None,
        };
        own.into_iter().chain(self.templates().flat_map(Template::parameters))
    }

    /// Every text that it can be, where they are known beforehand.
    pub(super) fn choices(&self) -> Option<Vec<&str>> {
        let fixed = |template: &'_ Template| template.places().next().is_none();
        let mut choices: Vec<&str> = match (&self.map, &self.from) {
            (Some(map), _) => map.values().map(String::as_str).collect(),
            (None, From::Constant(text)) => vec![text],
            (None, From::Text(template)) if fixed(template) => vec![template.as_str()],
            _ => return None,
        };
        match &self.default {
            Some(template) if fixed(template) => choices.push(template.as_str()),
            Some(_) => return None,
            None => {}
        }
        Some(choices)
    }

    /// The texts with placeholders in it.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        let text = match &self.from {
            From::Text(template) => Some(template),
            _ => None,
        };
        text.into_iter().chain(&self.default)
    }
}

/// Texts, numbers and flags are values; lists and objects are not.
fn scalar(value: &serde_json::Value) -> Option<String> {
    (!value.is_object() && !value.is_array()).then(|| plain(value))
}

fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    Whole::deserialize(deserializer).map(|whole| whole.0)
}

#[cfg(test)]
mod tests {
    use super::super::secrets::tests::NOTHING;
    use super::*;

    fn find(yaml: &str) -> Result<Find, String> {
        serde_saphyr::from_str(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn the_steps_work_in_their_order() {
        let message = serde_json::json!({"to_addr": "+254700", "n": 5, "m": {"a": null}});
        let context = Context::to_user(NOTHING, message.as_object().unwrap());
        for (yaml, value) in [
            (r"{field: to_addr, pattern: '^\+?(.*)$'}", Some("254700")),
            ("{field: n}", Some("5")),
            ("{field: m.a}", None),
            ("{field: m.a, default: 'n{{n}}'}", Some("n5")),
            ("{field: n, map: {5: five}}", Some("five")),
            ("{field: n, map: {6: six}}", None),
            ("{field: n, map: {6: six}, default: other}", Some("other")),
            (r"{field: to_addr, pattern: '^(\d+)$', default: no}", Some("no")),
            ("{const: 0821234567, normalize_msisdn: 27}", Some("+27821234567")),
            ("{const: '0821234567', cleanup_msisdn: '27'}", Some("27821234567")),
            ("{text: '<{{to_addr}}|{{m.a}}>'}", Some("<+254700|>")),
        ] {
            assert_eq!(find(yaml).unwrap().find(&context).unwrap().as_deref(), value, "{yaml}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        for (yaml, told) in [
            ("{required: true}", "a value needs one of query, form"),
            ("{param: a, json: /a}", "one of query, form, param, json, xml, header, path, field, const, text only"),
            ("{json: a}", "`a` is no JSON pointer"),
            ("{xml: 'a/'}", "`a/` is no path into XML"),
            ("{header: 'a b'}", "`a b` is no name of a header"),
            ("{path: 0}", "counted from 1"),
            ("{field: 'a b'}", "no field of a message"),
            ("{param: a, pattern: 'x'}", "the pattern `x` has 0 groups"),
            ("{param: a, pattern: '(x)(y)'}", "has 2 groups"),
            ("{param: a, pattern: '('}", "unclosed group"),
            ("{param: a, normalize_msisdn: '+27'}", "`+27` is no country code"),
            ("{param: a, normalise: '27'}", "normalise"),
            ("{text: '{{a'}", "without `}}`"),
        ] {
            let error = find(yaml).unwrap_err();
            assert!(error.contains(told), "{yaml}: {error}");
        }
    }
}
