//! Configuration of a component: a class name first, then its own keys, and the keys that all of its kind share.
//!
//! A component *is* its typed configuration struct. Where the same keys stand on every transport (prefetch,
//! middleware, …), they are not repeated in each struct, and serde's `flatten` would lose the line and column of
//! every error. So the map is read once: [`Split`] takes the shared keys out as they pass and hands all others,
//! unbuffered, to the component's own struct.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess};

/// The typed configuration of one class.
pub trait Component: DeserializeOwned + schemars::JsonSchema + Send + 'static {
    /// Short name, e.g. `telnet`.
    const CLASS: &'static str;
    /// Vumi's full class paths that mean the same.
    const ALIASES: &'static [&'static str];
    /// A configuration that works, as it stands below the component's name; empty where there is none. It is in the
    /// manual, and tested.
    const EXAMPLE: &'static str = "";
}

/// One class of a registry, for the command line, the documentation and the tests.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Short name.
    pub class: &'static str,
    /// Vumi's full class paths.
    pub aliases: &'static [&'static str],
    /// A configuration that works; may be empty.
    pub example: &'static str,
    /// JSON schema of the class's own keys.
    pub schema: fn() -> schemars::Schema,
}

impl Kind {
    /// True when `name` names this class.
    pub fn is_called(&self, name: &str) -> bool {
        self.class == name || self.aliases.contains(&name)
    }
}

/// Keys that all components of a kind share.
pub trait SharedKeys: Default + schemars::JsonSchema {
    /// Takes the value of `key` if it is a shared one; false leaves it to the component.
    ///
    /// # Errors
    /// Those of reading the value.
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error>;
}

/// A component with its shared keys, as read from one map.
#[derive(Clone, Debug)]
pub struct Configured<B, C> {
    /// The shared keys.
    pub shared: B,
    /// The component.
    pub component: C,
}

/// A map that keeps the shared keys for itself.
pub struct Split<'a, A, B> {
    map: A,
    shared: &'a mut B,
}

impl<'a, A, B> Split<'a, A, B> {
    /// Wraps a map.
    pub fn new(map: A, shared: &'a mut B) -> Self {
        Self { map, shared }
    }
}

impl<'de, A: MapAccess<'de>, B: SharedKeys> MapAccess<'de> for Split<'_, A, B> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.map.next_key::<String>()? {
            if self.shared.take(&key, &mut self.map)? {
                continue;
            }
            let key: StrDeserializer<'_, A::Error> = key.as_str().into_deserializer();
            return seed.deserialize(key).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// Reads the leading `class` key of a component's map.
///
/// # Errors
/// When the first key is another one, or the value is no text.
pub fn read_class<'de, A: MapAccess<'de>>(map: &mut A, what: &str) -> Result<String, A::Error> {
    match map.next_key::<String>()? {
        Some(key) if key == "class" => map.next_value(),
        Some(key) => Err(A::Error::custom(format!(
            "`class` must be the first key of a {what}, here it is `{key}`: move `class` above it"
        ))),
        None => Err(A::Error::custom(format!("a {what} needs a `class`"))),
    }
}

/// The error for a class that nobody registered; names those that are.
pub fn unknown_class<E: serde::de::Error>(what: &str, class: &str, kinds: &[Kind]) -> E {
    let known: Vec<&str> = kinds.iter().map(|kind| kind.class).collect();
    E::custom(format!("unknown {what} class `{class}`; known are {}", known.join(", ")))
}
