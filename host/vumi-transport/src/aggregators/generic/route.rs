//! What every route has: a path, which requests it takes, and whom it lets in.

use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::condition::Condition;
use super::context::Context;
use super::secrets::Named;
use super::source::{Asked, pointer};
use super::value::Find;
use crate::http::{Refusal, Reply, Request};

/// Items of one request, at most.
const MAX_ITEMS: usize = 1000;

/// One, or a list of them.
#[derive(Clone, Debug)]
pub struct Routes<T>(pub(super) Vec<T>);

/// A pointer into JSON.
#[derive(Clone, Debug)]
pub struct Pointer(String);

/// Whether a request is of a route: the path is, and all of these conditions hold.
pub(super) fn takes(when: &[Condition], asked: &Asked<'_>, named: Named<'_>, body: &[u8]) -> bool {
    let context = Context::of(named, asked);
    // What cannot be read is of another kind.
    when.iter().all(|condition| condition.holds(&context, body).is_ok_and(|(holds, _)| holds))
}

/// Refuses a request unless all conditions hold.
pub(super) fn admit(require: &[Condition], asked: &Asked<'_>, named: Named<'_>, body: &[u8]) -> Result<(), Refusal> {
    let context = Context::of(named, asked);
    for condition in require {
        let (holds, given) = condition.holds(&context, body).map_err(|wrong| Refusal::bad(wrong.0))?;
        if holds {
            continue;
        }
        let what = condition.of.label();
        let why = if condition.secret().is_some() { "is not right" } else { "is not as `require` says" };
        let reply = match &condition.refuse {
            Some(page) => page.answer(&Context { given: given.as_deref(), ..context }, 403)?,
            None => Reply::status(403).body("Forbidden"),
        };
        return Err(Refusal::new(reply, format!("`{what}` {why}")));
    }
    Ok(())
}

/// Refuses a request with parameters that nobody reads, unless they are allowed.
pub(super) fn expected<'a>(
    request: &Request,
    read: impl Iterator<Item = &'a Find>,
    answer: Option<Vec<&str>>,
    ignored: &[String],
) -> Result<(), Refusal> {
    let mut allowed: Vec<&str> = ignored.iter().map(String::as_str).chain(answer.unwrap_or_default()).collect();
    for find in read {
        allowed.extend(find.parameters());
    }
    request.fields(&[], &allowed).map(drop)
}

/// The items of a request: those of the list that `each` leads to, or the whole request as one.
pub(super) fn items<'a>(each: Option<&Pointer>, asked: &'a Asked<'_>) -> Result<Vec<Option<&'a Value>>, Refusal> {
    let Some(Pointer(pointer)) = each else { return Ok(vec![None]) };
    let document = asked.json().map_err(|wrong| Refusal::bad(wrong.0))?;
    match document.pointer(pointer) {
        Some(Value::Array(items)) if items.len() <= MAX_ITEMS => Ok(items.iter().map(Some).collect()),
        Some(Value::Array(_)) => Err(Refusal::bad(format!("There are more than {MAX_ITEMS} items at {pointer}"))),
        _ => Err(Refusal::bad(format!("There is no list at {pointer}"))),
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        pointer(&String::deserialize(deserializer)?).map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Pointer {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pointer".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

impl<T> Default for Routes<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Routes<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMore<T> {
            type Value = Routes<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a route, or a list of them")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Routes<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|one| Routes(vec![one]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Routes<T>, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Routes)
            }
        }
        deserializer.deserialize_any(OneOrMore(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Routes<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("OneOrMore_{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({"anyOf": [one, {"type": "array", "items": one}]})
    }
}
