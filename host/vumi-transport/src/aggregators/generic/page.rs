//! What a request of the network is answered.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};

use super::body::{Body, JsonBody, Pairs, XmlBody};
use super::context::{Context, Wrong};
use super::template::Template;
use crate::base::values;
use crate::http::{Refusal, Reply};

/// An answer: a status code, headers, and at most one body.
#[derive(Clone, Debug, Default, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Page {
    /// The status code; 200 unless given, 403 where it refuses.
    #[serde(deserialize_with = "values::optional_whole")]
    #[schemars(range(min = 200, max = 599))]
    pub status: Option<u16>,
    /// Headers. `Content-Type` follows from the body unless it stands here. One that a message fills with what no header
    /// can hold is left out.
    pub headers: Pairs,
    /// A body of text, filled in as it is.
    pub text: Option<Template>,
    /// A body of a form's fields.
    pub form: Option<Pairs>,
    /// A body of JSON, written as YAML: its texts have placeholders.
    pub json: Option<JsonBody>,
    /// A body of XML; placeholders stand between tags and in attributes.
    pub xml: Option<XmlBody>,
}

/// When a request is answered.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Answering {
    /// At once, with this.
    Now(Box<Page>),
    /// `hold`: with the app's reply.
    Hold(#[schemars(with = "String")] ()),
}

impl Page {
    pub(super) fn body(&self) -> Result<Body<'_>, &'static str> {
        Body::of(&self.text, &self.form, &self.json, &self.xml)
    }

    /// The parameters of a request that it repeats.
    pub(super) fn parameters(&self) -> Vec<&str> {
        let body = self.body().map(Body::templates).unwrap_or_default();
        let headers = self.headers.0.iter().map(|(_, template)| template);
        body.into_iter().chain(headers).flat_map(Template::parameters).collect()
    }

    /// The answer, filled in.
    pub(super) fn reply(&self, context: &Context<'_>, unless_given: u16) -> Result<Reply, Wrong> {
        // More than one body does not pass the check of the configuration.
        let body = self.body().unwrap_or(Body::Nothing);
        let mut reply = Reply::status(self.status.unwrap_or(unless_given)).body(body.render(context)?);
        let headers = self.headers.render(context)?;
        let named = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if let Some(kind) = body.content_type().filter(|_| !named) {
            reply = reply.content_type(kind);
        }
        Ok(headers.iter().fold(reply, |reply, (name, value)| reply.header(name, value)))
    }

    /// [`Page::reply`]; what cannot be read for it is a mistake of the sender.
    pub(super) fn answer(&self, context: &Context<'_>, unless_given: u16) -> Result<Reply, Refusal> {
        self.reply(context, unless_given).map_err(|wrong| Refusal::bad(wrong.0))
    }
}

impl Default for Answering {
    fn default() -> Self {
        Self::Now(Box::default())
    }
}

impl<'de> Deserialize<'de> for Answering {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrMap;
        impl<'de> Visitor<'de> for WordOrMap {
            type Value = Answering;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`hold`, or a map of status, headers, and one of text, form, json, xml")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Answering, E> {
                if word == "hold" {
                    Ok(Answering::Hold(()))
                } else {
                    Err(E::invalid_value(Unexpected::Str(word), &self))
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Answering, A::Error> {
                Box::deserialize(MapAccessDeserializer::new(map)).map(Answering::Now)
            }
        }
        deserializer.deserialize_any(WordOrMap)
    }
}
