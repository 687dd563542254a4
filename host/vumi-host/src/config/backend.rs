//! What carries and keeps data: the broker, the kv and the store.
//!
//! Each is `embedded` (in this process, on disk where there is a `data_dir`) or a URL of an engine. The URL may hold a
//! password, so it is never shown whole.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};

use super::mask;

/// The URL of an engine. Shown without its credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct EngineUrl(String);

impl EngineUrl {
    /// For an engine whose URL was put together elsewhere.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The whole text, credentials included.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EngineUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask::url(&self.0))
    }
}

impl fmt::Debug for EngineUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EngineUrl({self})")
    }
}

macro_rules! backend {
    ($(#[$doc:meta])* $Name:ident($what:literal) { $($(#[$vdoc:meta])* $Variant:ident: $($scheme:literal),+;)* } example $example:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $Name {
            /// In this process; on disk if there is a `data_dir`, else in memory.
            #[default]
            Embedded,
            $($(#[$vdoc])* $Variant(EngineUrl),)*
        }

        impl<'de> Deserialize<'de> for $Name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                if text == "embedded" {
                    return Ok(Self::Embedded);
                }
                let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
                match scheme {
                    $($($scheme)|+ => Ok(Self::$Variant(EngineUrl(text))),)*
                    _ => Err(D::Error::custom(refusal($what, &text, $example))),
                }
            }
        }

        impl JsonSchema for $Name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($Name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "pattern": concat!("^(embedded", $($("|", $scheme, "://.+"),+,)* ")$"),
                    "default": "embedded",
                })
            }
        }
    };
}

backend! {
    /// What carries messages between workers.
    BrokerChoice("broker") {
        /// RabbitMQ: `amqp://user:password@host:5672/vhost`, `amqps://` with TLS.
        Amqp: "amqp", "amqps";
    } example "amqp://user:password@host:5672/vhost"
}

backend! {
    /// Where small values are kept.
    KvChoice("kv") {
        /// Redis, its cluster, or Valkey: `redis://host:6379/0`, `rediss://` with TLS, `redis+cluster://a:6379,b:6379`.
        Redis: "redis", "rediss", "redis+cluster", "rediss+cluster";
    } example "redis://host:6379/0"
}

backend! {
    /// Where messages are kept to be looked at.
    StoreChoice("store") {} example ""
}

fn refusal(what: &str, text: &str, example: &str) -> String {
    let forms =
        if example.is_empty() { "`embedded`".to_owned() } else { format!("`embedded` or a URL such as {example}") };
    if text.contains("://") {
        return format!("{what} `{}` is not supported; use {forms}", mask::url(text));
    }
    format!("there is no {what} `{text}`; use {forms}")
}
