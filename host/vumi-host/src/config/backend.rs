//! What carries and keeps data: the broker, the kv and the store.
//!
//! Each is `embedded` (in this process, on disk where there is a `data_dir`) or a URL. This version knows `embedded`;
//! a URL is refused with a sentence of its own, because whoever writes one means something by it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};

use super::mask;

macro_rules! backend {
    ($(#[$doc:meta])* $Name:ident($what:literal)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $Name {
            /// In this process; on disk if there is a `data_dir`, else in memory.
            #[default]
            Embedded,
        }

        impl<'de> Deserialize<'de> for $Name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                if text == "embedded" {
                    return Ok(Self::Embedded);
                }
                Err(D::Error::custom(refusal($what, &text)))
            }
        }

        impl JsonSchema for $Name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($Name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "enum": ["embedded"], "default": "embedded" })
            }
        }
    };
}

backend! {
    /// What carries messages between workers.
    BrokerChoice("broker")
}

backend! {
    /// Where small values are kept.
    KvChoice("kv")
}

backend! {
    /// Where messages are kept to be looked at.
    StoreChoice("store")
}

fn refusal(what: &str, text: &str) -> String {
    if text.contains("://") {
        return format!("{what} `{}` is not supported by this version; use `embedded`", mask::url(text));
    }
    format!("there is no {what} `{text}`; use `embedded`")
}
