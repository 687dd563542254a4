//! Bodies with placeholders: form, JSON, XML or text, each of which escapes what it is filled with.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::context::{Context, Wrong};
use super::template::Template;
use crate::http::form;
use crate::http::xml::{Element, Node, escape_attribute};

/// Names with texts, in their order: a query, a form, headers. A text that is one placeholder for what is not there
/// leaves its name out.
#[derive(Clone, Debug, Default)]
pub struct Pairs(pub(super) Vec<(String, Template)>);

/// JSON whose texts have placeholders. A text that is one placeholder keeps a number a number, and leaves its name out
/// where it stands for nothing.
#[derive(Clone, Debug)]
pub struct JsonBody(Leaf);

#[derive(Clone, Debug)]
enum Leaf {
    Text(Template),
    Fixed(Value),
    List(Vec<Leaf>),
    Map(Vec<(String, Leaf)>),
}

/// XML with placeholders between its tags and in its attributes.
#[derive(Clone, Debug)]
pub struct XmlBody(Template);

/// One body of the four kinds, at most.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body<'a> {
    Nothing,
    Text(&'a Template),
    Form(&'a Pairs),
    Json(&'a JsonBody),
    Xml(&'a XmlBody),
}

impl Pairs {
    /// Filled in.
    pub(super) fn render(&self, context: &Context<'_>) -> Result<Vec<(String, String)>, Wrong> {
        let mut pairs = Vec::with_capacity(self.0.len());
        for (name, template) in &self.0 {
            if let Some(text) = template.text(context)? {
                pairs.push((name.clone(), text));
            }
        }
        Ok(pairs)
    }
}

impl<'a> Body<'a> {
    /// The body of a map with these four keys.
    pub(super) fn of(
        text: &'a Option<Template>,
        form: &'a Option<Pairs>,
        json: &'a Option<JsonBody>,
        xml: &'a Option<XmlBody>,
    ) -> Result<Self, &'static str> {
        let all = [
            text.as_ref().map(Self::Text),
            form.as_ref().map(Self::Form),
            json.as_ref().map(Self::Json),
            xml.as_ref().map(Self::Xml),
        ];
        let mut given = all.into_iter().flatten();
        match (given.next(), given.next()) {
            (None, _) => Ok(Self::Nothing),
            (Some(body), None) => Ok(body),
            (Some(_), Some(_)) => Err("there can be one of text, form, json, xml only"),
        }
    }

    /// The content type unless another one is given.
    pub(super) fn content_type(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Text(_) => Some("text/plain; charset=utf-8"),
            Self::Form(_) => Some("application/x-www-form-urlencoded"),
            Self::Json(_) => Some("application/json"),
            Self::Xml(_) => Some("text/xml; charset=utf-8"),
        }
    }

    /// Filled in.
    pub(super) fn render(self, context: &Context<'_>) -> Result<String, Wrong> {
        match self {
            Self::Nothing => Ok(String::new()),
            Self::Text(template) => Ok(template.text(context)?.unwrap_or_default()),
            Self::Form(pairs) => pairs.render(context).map(form::encode),
            Self::Json(JsonBody(node)) => Ok(node.render(context)?.unwrap_or_default().to_string()),
            // As it stands in an attribute, which may have quotes of either kind, it may stand in a text as well.
            Self::Xml(XmlBody(template)) => template.render(context, |text| match escape_attribute(text) {
                escaped if escaped.contains('\'') => Cow::Owned(escaped.replace('\'', "&#39;")),
                escaped => escaped,
            }),
        }
    }

    /// The texts with placeholders in it.
    pub(super) fn templates(self) -> Vec<&'a Template> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Text(template) | Self::Xml(XmlBody(template)) => vec![template],
            Self::Form(pairs) => pairs.0.iter().map(|(_, template)| template).collect(),
            Self::Json(JsonBody(node)) => {
                let mut templates = Vec::new();
                node.collect(&mut templates);
                templates
            }
        }
    }
}

impl Leaf {
    fn new(value: Value) -> Result<Self, String> {
        Ok(match value {
            Value::String(text) => Self::Text(Template::new(&text)?),
            Value::Array(items) => Self::List(items.into_iter().map(Self::new).collect::<Result<_, _>>()?),
            Value::Object(fields) => {
                if let Some(name) = fields.keys().find(|name| name.contains("{{")) {
                    return Err(format!("`{name}` is the name of a JSON field, and has no placeholders"));
                }
                Self::Map(
                    fields
                        .into_iter()
                        .map(|(name, value)| Ok((name, Self::new(value)?)))
                        .collect::<Result<_, String>>()?,
                )
            }
            fixed => Self::Fixed(fixed),
        })
    }

    fn render(&self, context: &Context<'_>) -> Result<Option<Value>, Wrong> {
        Ok(match self {
            Self::Text(template) => template.value(context)?,
            Self::Fixed(value) => Some(value.clone()),
            Self::List(items) => {
                let items = items.iter().map(|item| item.render(context).map(Option::unwrap_or_default));
                Some(Value::Array(items.collect::<Result<_, _>>()?))
            }
            Self::Map(fields) => {
                let mut map = Map::new();
                for (name, node) in fields {
                    if let Some(value) = node.render(context)? {
                        map.insert(name.clone(), value);
                    }
                }
                Some(Value::Object(map))
            }
        })
    }

    fn collect<'a>(&'a self, templates: &mut Vec<&'a Template>) {
        match self {
            Self::Text(template) => templates.push(template),
            Self::Fixed(_) => {}
            Self::List(items) => items.iter().for_each(|item| item.collect(templates)),
            Self::Map(fields) => fields.iter().for_each(|(_, node)| node.collect(templates)),
        }
    }
}

impl XmlBody {
    fn new(text: &str) -> Result<Self, String> {
        // A text that stands in no document by chance.
        const MARK: &str = "placeholder-6f1c2a";
        let template = Template::new(text)?;
        if text.contains("<![CDATA[") {
            return Err(
                "a CDATA section cannot hold placeholders safely, and none is needed: what is filled in is escaped"
                    .to_owned(),
            );
        }
        let root =
            Element::read(template.filled_with(MARK).as_bytes()).map_err(|error| format!("it is no XML: {error}"))?;
        let safe: usize = std::iter::once(&root)
            .chain(root.descendants())
            .map(|element| {
                let texts = element.nodes.iter().filter_map(Node::text);
                let values = element.attributes.iter().map(|attribute| attribute.value.as_str());
                texts.chain(values).map(|text| text.matches(MARK).count()).sum::<usize>()
            })
            .sum();
        if safe != template.places().count() {
            return Err(
                "a placeholder stands where XML has no text: put it between tags, or into an attribute's quotes"
                    .to_owned(),
            );
        }
        Ok(Self(template))
    }
}

impl<'de> Deserialize<'de> for XmlBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for JsonBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Leaf::new(Value::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of names and texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

macro_rules! schema {
    ($($name:ident $schema:tt),*) => {
        $(impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        })*
    };
}

schema!(
    Pairs { "type": "object", "additionalProperties": { "type": "string" } },
    XmlBody { "type": "string" },
    JsonBody {}
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::secrets::tests::NOTHING;
    use super::*;

    fn filled(body: Body<'_>, content: &Value) -> String {
        let message = json!({"content": content, "n": 5});
        body.render(&Context::to_user(NOTHING, message.as_object().unwrap())).unwrap()
    }

    const HOSTILE: &str = "\"'\\\n\r</a>&amp;{{n}}${x}\u{0}]]>é🙂";

    #[test]
    fn json_is_made_of_values() {
        let body: JsonBody = serde_saphyr::from_str(
            "{a: '{{content}}', b: ['x{{content}}', '{{no}}', 1, null, true], c: '{{no}}', d: '{{n}}', e: 'n{{n}}'}",
        )
        .unwrap();
        let got: Value = serde_json::from_str(&filled(Body::Json(&body), &json!(HOSTILE))).unwrap();
        let expected = json!({"a": HOSTILE, "b": [format!("x{HOSTILE}"), null, 1, null, true], "d": 5, "e": "n5"});
        assert_eq!(got, expected);
        assert!(serde_saphyr::from_str::<JsonBody>("{'{{n}}': 1}").is_err());
    }

    #[test]
    fn xml_takes_placeholders_where_it_has_text() {
        let body: XmlBody =
            serde_saphyr::from_str("\"<a x='{{content}}' y=\\\"{{content}}\\\">{{content}}<b/></a>\"").unwrap();
        let root = Element::read(filled(Body::Xml(&body), &json!(HOSTILE)).as_bytes()).unwrap();
        let expected = HOSTILE.replace('\0', "\u{FFFD}");
        assert_eq!(root.attribute("x"), Some(expected.as_str()));
        assert_eq!(root.attribute("y"), Some(expected.as_str()));
        assert_eq!(root.text(), expected);
        for (text, told) in [
            ("<a>", "no XML"),
            ("<{{n}}/>", "where XML has no text"),
            ("<a><!-- {{n}} --></a>", "where XML has no text"),
            ("<a {{n}}='1'/>", "where XML has no text"),
            ("<a><![CDATA[{{n}}]]></a>", "CDATA"),
            ("<a>{{n</a>", "without `}}`"),
        ] {
            let error = XmlBody::new(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn forms_leave_out_what_is_not_there() {
        let body: Pairs = serde_saphyr::from_str("{z: '{{content}}', a: '{{no}}', b: '', c: 'x{{no}}'}").unwrap();
        assert_eq!(filled(Body::Form(&body), &json!("a&b=c é\n")), "z=a%26b%3Dc+%C3%A9%0A&b=&c=x");
    }

    proptest! {
        #[test]
        fn any_text_comes_out_as_it_went_in(text in ".{0,20}") {
            let json: JsonBody = serde_saphyr::from_str("{a: '{{content}}'}").unwrap();
            let got: Value = serde_json::from_str(&filled(Body::Json(&json), &json!(text))).unwrap();
            prop_assert_eq!(&got["a"], &json!(text));
            let pairs: Pairs = serde_saphyr::from_str("{a: '{{content}}'}").unwrap();
            let got = form::decode(filled(Body::Form(&pairs), &json!(text)).as_bytes()).unwrap();
            prop_assert_eq!(got, vec![(b"a".to_vec(), text.as_bytes().to_vec())]);
            let xml = XmlBody::new("<a b='{{content}}'>{{content}}</a>").unwrap();
            let root = Element::read(filled(Body::Xml(&xml), &json!(text)).as_bytes()).unwrap();
            let inside = root.text();
            prop_assert_eq!(root.attribute("b"), Some(inside.as_str()));
        }
    }
}
