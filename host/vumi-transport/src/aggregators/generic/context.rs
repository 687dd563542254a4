//! What placeholders are filled with.

use serde_json::Value;
use vumi_message::Payload;

use super::secrets::Named;
use super::source::{Origin, Source};
use super::template::Place;

/// A part of a request that cannot be read; one sentence for its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong(pub(super) String);

/// Everything that a text may be filled with. What is not there is nothing.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// The configuration's secrets and values.
    pub(super) named: Named<'a>,
    /// The request or the answer.
    pub(super) origin: Option<&'a dyn Origin>,
    /// The message.
    pub(super) message: Option<&'a Payload>,
    /// What a condition looked at.
    pub(super) given: Option<&'a str>,
}

impl<'a> Context<'a> {
    /// With a request or an answer.
    pub(super) fn of(named: Named<'a>, origin: &'a dyn Origin) -> Self {
        Self { named, origin: Some(origin), message: None, given: None }
    }

    /// With a message to a user.
    pub(super) fn to_user(named: Named<'a>, message: &'a Payload) -> Self {
        Self { named, origin: None, message: Some(message), given: None }
    }

    /// What a placeholder stands for.
    pub(super) fn value(&self, place: &Place) -> Result<Option<Value>, Wrong> {
        Ok(match place {
            Place::Field(way) => self.field(way).cloned(),
            Place::Source(source) => return self.source(source),
            Place::Body => self.origin.map(Origin::body).transpose()?.map(Value::String),
            Place::Status => self.origin.and_then(Origin::status).map(|status| status.to_string().into()),
            Place::Given => self.given.map(Value::from),
            Place::Secret(name, by) => {
                let by = by.as_ref().map(|way| self.field(way).map(plain).unwrap_or_default());
                self.named.secret(name, by.as_deref()).map(|secret| secret.expose().into())
            }
            Place::Named(name) => match self.named.values.get(name) {
                Some(value) => value.find(self)?.map(Value::String),
                None => None,
            },
        })
    }

    /// [`Context::value`] as text.
    pub(super) fn text(&self, place: &Place) -> Result<Option<String>, Wrong> {
        Ok(self.value(place)?.as_ref().map(plain))
    }

    /// A part of the request or the answer.
    pub(super) fn source(&self, source: &Source) -> Result<Option<Value>, Wrong> {
        match self.origin {
            Some(origin) => origin.value(source),
            None => Ok(None),
        }
    }

    /// A field of the message, unless it is null.
    pub(super) fn field(&self, way: &[String]) -> Option<&'a Value> {
        let (first, rest) = way.split_first()?;
        let mut value = self.message?.get(first)?;
        for name in rest {
            value = value.get(name)?;
        }
        (!value.is_null()).then_some(value)
    }
}

/// A value as it stands in a text.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
