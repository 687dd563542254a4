//! The keys that all dispatchers share (specification: routers, section A).

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use vumi_core::component::SharedKeys;
use vumi_core::middleware_config::MiddlewareList;
use vumi_core::{Error, Result};

/// Keys of every dispatcher, whatever its router.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
#[schemars(default)]
pub struct DispatcherShared {
    /// Connectors towards the networks: the dispatcher consumes their `.inbound` and `.event` and publishes their
    /// `.outbound`. Vumi's endpoint dispatchers call this key `receive_inbound_connectors`; both names are taken.
    #[schemars(with = "NameList")]
    pub transport_names: Vec<String>,
    /// Connectors towards the applications: the dispatcher consumes their `.outbound` and publishes their `.inbound`
    /// and `.event`. Vumi's endpoint dispatchers call this key `receive_outbound_connectors`; both names are taken.
    #[schemars(with = "NameList")]
    pub exposed_names: Vec<String>,
    /// Messages taken from each queue ahead of their turn; `null` for no bound.
    #[schemars(range(min = 1))]
    pub amqp_prefetch_count: Option<u16>,
    /// Turns heartbeats on, under this name.
    pub worker_name: Option<String>,
    /// Middleware of both sides, in order. The options of each instance stand under its name, below this list.
    pub middleware: MiddlewareList,
}

impl Default for DispatcherShared {
    fn default() -> Self {
        Self {
            transport_names: Vec::new(),
            exposed_names: Vec::new(),
            amqp_prefetch_count: Some(20),
            worker_name: None,
            middleware: MiddlewareList::default(),
        }
    }
}

impl DispatcherShared {
    /// Checks that a name that stands under `key` is one of the transports.
    ///
    /// # Errors
    /// When it is not.
    pub fn transport(&self, key: &str, name: &str) -> Result<()> {
        among(&self.transport_names, key, name, "transport_names")
    }

    /// Checks that a name that stands under `key` is one of the exposed names.
    ///
    /// # Errors
    /// When it is not.
    pub fn exposed(&self, key: &str, name: &str) -> Result<()> {
        among(&self.exposed_names, key, name, "exposed_names")
    }
}

fn among(list: &[String], key: &str, name: &str, of: &str) -> Result<()> {
    if list.iter().any(|known| known == name) {
        return Ok(());
    }
    Err(Error::permanent(format!("{key} names `{name}`, which is not among {of}: add it there or mend the name")))
}

impl SharedKeys for DispatcherShared {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> std::result::Result<bool, A::Error> {
        match key {
            "transport_names" | "receive_inbound_connectors" => {
                self.transport_names = map.next_value::<NameList>()?.0;
            }
            "exposed_names" | "receive_outbound_connectors" => {
                self.exposed_names = map.next_value::<NameList>()?.0;
            }
            "amqp_prefetch_count" => self.amqp_prefetch_count = map.next_value()?,
            "worker_name" => self.worker_name = map.next_value()?,
            _ => return self.middleware.take(key, map),
        }
        Ok(true)
    }
}

/// A list of names as it is read: Vumi's documentation writes a list of one as the name alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NameList(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for NameList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct ListVisitor;
        impl<'de> Visitor<'de> for ListVisitor {
            type Value = NameList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a list of names")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> std::result::Result<NameList, E> {
                Ok(NameList(vec![name.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> std::result::Result<NameList, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(NameList)
            }
        }
        deserializer.deserialize_any(ListVisitor)
    }
}

impl JsonSchema for NameList {
    fn schema_name() -> Cow<'static, str> {
        "NameList".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_is_a_list_of_one() {
        assert_eq!(serde_json::from_str::<NameList>(r#""a1""#).unwrap().0, ["a1"]);
        assert_eq!(serde_json::from_str::<NameList>(r#"["a1", "a2"]"#).unwrap().0, ["a1", "a2"]);
        assert_eq!(serde_json::from_str::<NameList>("[]").unwrap().0, Vec::<String>::new());
    }

    #[test]
    fn mistakes_in_a_list_are_named() {
        for json in ["5", "[5]", "{}", "null"] {
            let error = serde_json::from_str::<NameList>(json).unwrap_err().to_string();
            assert!(error.contains("expected a "), "{json}: {error}");
        }
    }
}
