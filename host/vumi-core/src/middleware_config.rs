//! How middleware is configured (specification: middleware, section 1).
//!
//! ```yaml
//! middleware:
//!   - log: {class: logging, consume_priority: 0, publish_priority: 0}
//!   - prefix: vumi.middleware.provider_setter.StaticProviderSetterMiddleware
//! prefix: {provider: example}
//! ```
//!
//! The list names instances; the options of an instance stand under its name, beside the worker's other keys. A
//! worker reads its map once, from top to bottom, so the options of an instance must stand below the list that names
//! it: above it the key is an unknown one, and is reported as that, with its position.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// One item of the list: an instance of a middleware and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MiddlewareEntry {
    /// Name of the instance, under which its options stand.
    pub name: String,
    /// The class: short name or Vumi's class path.
    pub class: String,
    /// Sorts the consume direction, ascending; 0 unless given.
    pub consume_priority: i64,
    /// Sorts the publish direction, ascending; 0 unless given.
    pub publish_priority: i64,
}

/// The key `middleware` of a worker, and the options of the instances that it names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MiddlewareList {
    entries: Vec<MiddlewareEntry>,
    options: BTreeMap<String, Map<String, Value>>,
}

impl MiddlewareList {
    /// The instances, in configuration order.
    pub fn entries(&self) -> &[MiddlewareEntry] {
        &self.entries
    }

    /// The whole map of an instance, `class` first, as a registry reads it.
    pub fn component(&self, entry: &MiddlewareEntry) -> Value {
        let mut map = Map::from_iter([("class".to_owned(), Value::from(entry.class.as_str()))]);
        map.extend(self.options.get(&entry.name).cloned().unwrap_or_default());
        Value::Object(map)
    }

    /// Takes the value of `key` if that is `middleware` or names an instance listed before.
    ///
    /// # Errors
    /// For a list or for options that make no sense, with their position.
    pub fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        if key == "middleware" {
            let entries: Option<Entries> = map.next_value()?;
            self.entries = entries.map(|list| list.0).unwrap_or_default();
            return Ok(true);
        }
        if !self.entries.iter().any(|entry| entry.name == key) {
            return Ok(false);
        }
        let options: Option<Options> = map.next_value()?;
        let options = options.map(|options| options.0).unwrap_or_default();
        if self.options.insert(key.to_owned(), options).is_some() {
            return Err(A::Error::custom(format!("the options of the middleware `{key}` stand here twice")));
        }
        Ok(true)
    }
}

impl JsonSchema for MiddlewareList {
    fn schema_name() -> Cow<'static, str> {
        "MiddlewareList".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let priority = json_schema!({"type": ["integer", "string"], "default": 0});
        json_schema!({
            "type": "array",
            "items": {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": {
                    "anyOf": [
                        {"type": "string"},
                        {
                            "type": "object",
                            "required": ["class"],
                            "additionalProperties": false,
                            "properties": {
                                "class": {"type": "string"},
                                "consume_priority": priority,
                                "publish_priority": priority,
                            },
                        },
                    ],
                },
            },
        })
    }
}

/// The options of an instance as they are read.
struct Options(Map<String, Value>);

impl<'de> Deserialize<'de> for Options {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let options = Map::deserialize(deserializer)?;
        if options.contains_key("class") {
            return Err(D::Error::custom(
                "a middleware's options must not hold `class`: it belongs into the list `middleware`",
            ));
        }
        Ok(Self(options))
    }
}

/// The list as it is read.
struct Entries(Vec<MiddlewareEntry>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor;
        impl<'de> Visitor<'de> for ListVisitor {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of middleware, each a map of one instance name to its class")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries, A::Error> {
                let mut entries: Vec<MiddlewareEntry> = Vec::new();
                while let Some(Entry(entry)) = list.next_element()? {
                    if entries.iter().any(|other| other.name == entry.name) {
                        return Err(A::Error::custom(format!(
                            "two middleware are called `{}`: rename one",
                            entry.name
                        )));
                    }
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_seq(ListVisitor)
    }
}

struct Entry(MiddlewareEntry);

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntryVisitor;
        impl<'de> Visitor<'de> for EntryVisitor {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of one instance name to its class, such as `log: logging`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
                let Some(name) = map.next_key::<String>()? else {
                    return Err(A::Error::custom(
                        "a middleware item is empty: it needs one key, the name of the instance",
                    ));
                };
                let place: Place = map.next_value()?;
                if let Some(other) = map.next_key::<String>()? {
                    let text = format!(
                        "a middleware item has exactly one key; `{other}` stands beside `{name}`: begin a new item"
                    );
                    return Err(A::Error::custom(text));
                }
                Ok(Entry(MiddlewareEntry {
                    name,
                    class: place.class,
                    consume_priority: place.consume_priority,
                    publish_priority: place.publish_priority,
                }))
            }
        }
        deserializer.deserialize_map(EntryVisitor)
    }
}

/// What stands under an instance's name: a class, or a class with priorities.
struct Place {
    class: String,
    consume_priority: i64,
    publish_priority: i64,
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PlaceVisitor;
        impl<'de> Visitor<'de> for PlaceVisitor {
            type Value = Place;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a class name, or a map with `class`, `consume_priority` and `publish_priority`")
            }

            fn visit_str<E: serde::de::Error>(self, class: &str) -> Result<Place, E> {
                Ok(Place { class: class.to_owned(), consume_priority: 0, publish_priority: 0 })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Place, A::Error> {
                const FIELDS: &[&str] = &["class", "consume_priority", "publish_priority"];
                let mut class: Option<String> = None;
                let (mut consume_priority, mut publish_priority) = (0, 0);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "class" => class = Some(map.next_value()?),
                        "consume_priority" => consume_priority = map.next_value::<Priority>()?.0,
                        "publish_priority" => publish_priority = map.next_value::<Priority>()?.0,
                        other => return Err(A::Error::unknown_field(other, FIELDS)),
                    }
                }
                let class = class.ok_or_else(|| A::Error::missing_field("class"))?;
                Ok(Place { class, consume_priority, publish_priority })
            }
        }
        deserializer.deserialize_any(PlaceVisitor)
    }
}

/// A whole number, also as text.
struct Priority(i64);

impl<'de> Deserialize<'de> for Priority {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PriorityVisitor;
        const WRONG: &str = "Middleware priority level must be an integer";
        impl Visitor<'_> for PriorityVisitor {
            type Value = Priority;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer")
            }

            fn visit_i64<E: serde::de::Error>(self, n: i64) -> Result<Priority, E> {
                Ok(Priority(n))
            }

            fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<Priority, E> {
                i64::try_from(n).map(Priority).map_err(|_| E::custom(WRONG))
            }

            fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Priority, E> {
                Err(E::custom(WRONG))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Priority, E> {
                text.trim().parse().map(Priority).map_err(|_| E::custom(WRONG))
            }
        }
        deserializer.deserialize_any(PriorityVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a worker's map; keys that are not taken are an error, as in a worker.
    struct Worker(MiddlewareList);

    impl<'de> Deserialize<'de> for Worker {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct WorkerVisitor;
            impl<'de> Visitor<'de> for WorkerVisitor {
                type Value = Worker;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a map")
                }

                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Worker, A::Error> {
                    let mut list = MiddlewareList::default();
                    while let Some(key) = map.next_key::<String>()? {
                        if !list.take(&key, &mut map)? {
                            return Err(A::Error::unknown_field(&key, &[]));
                        }
                    }
                    Ok(Worker(list))
                }
            }
            deserializer.deserialize_map(WorkerVisitor)
        }
    }

    fn read(json: &str) -> Result<MiddlewareList, String> {
        serde_json::from_str::<Worker>(json).map(|worker| worker.0).map_err(|error| error.to_string())
    }

    #[test]
    fn both_forms_of_an_item_and_the_options_below() {
        let list = read(
            r#"{"middleware": [{"log": "logging"}, {"p": {"class": "x.Y", "consume_priority": "2", "publish_priority": -1}}],
                "p": {"provider": "N", "n": 1.50}}"#,
        )
        .unwrap();
        let [log, p] = list.entries() else { panic!("{list:?}") };
        assert_eq!(
            (log.name.as_str(), log.class.as_str(), log.consume_priority, log.publish_priority),
            ("log", "logging", 0, 0)
        );
        assert_eq!((p.consume_priority, p.publish_priority), (2, -1));
        assert_eq!(list.component(log).to_string(), r#"{"class":"logging"}"#);
        assert_eq!(list.component(p).to_string(), r#"{"class":"x.Y","provider":"N","n":1.50}"#);
        assert_eq!(read(r#"{"middleware": null}"#).unwrap(), MiddlewareList::default());
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (json, text) in [
            (r#"{"middleware": [{}]}"#, "a middleware item is empty"),
            (r#"{"middleware": [{"a": "x", "b": "y"}]}"#, "`b` stands beside `a`"),
            (r#"{"middleware": [{"a": 5}]}"#, "expected a class name"),
            (
                r#"{"middleware": [{"a": {"class": "x", "consume_priority": "x"}}]}"#,
                "Middleware priority level must be an integer",
            ),
            (r#"{"middleware": [{"a": {"class": "x", "publish_priority": 1.5}}]}"#, "an integer"),
            (r#"{"middleware": [{"a": {"consume_priority": 1}}]}"#, "missing field `class`"),
            (r#"{"middleware": [{"a": {"class": "x", "priority": 1}}]}"#, "unknown field `priority`"),
            (r#"{"middleware": [{"a": "x"}, {"a": "y"}]}"#, "two middleware are called `a`"),
            (r#"{"middleware": [{"a": "x"}], "a": {"class": "y"}}"#, "must not hold `class`"),
            (r#"{"middleware": [{"a": "x"}], "a": {}, "a": {}}"#, "stand here twice"),
            (r#"{"a": {}, "middleware": [{"a": "x"}]}"#, "unknown field `a`"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(text), "{json}: {error}");
            assert!(error.contains("line 1 column "), "{json}: {error}");
        }
    }
}
