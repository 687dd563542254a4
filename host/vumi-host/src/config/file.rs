//! The shape of the file: what serde reads and what the manual describes.
//!
//! The doc comments of this module are the reference: they become the JSON schema and what
//! `vumi-host config explain` prints.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use vumi_core::ByteSize;
use vumi_core::component::Configured;
use vumi_dispatch::{DispatcherShared, RouterConfig};
use vumi_sandbox::AppConfig;
use vumi_transport::{TransportConfig, TransportShared};

use super::backend::{BrokerChoice, KvChoice, StoreChoice};
use super::schema;

/// Things with names, in the order of the file.
pub type Named<T> = Vec<(String, T)>;

/// A vumi-host system: everything that one process runs.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct File {
    /// What carries messages between transports, dispatchers and apps.
    pub(crate) broker: BrokerChoice,
    /// Where apps and sessions keep small values.
    pub(crate) kv: KvChoice,
    /// Where messages are kept to be looked at.
    pub(crate) store: StoreChoice,
    /// Folder for everything that is to outlive this process. Relative to this file. Without it all of it is lost at
    /// the end.
    pub(crate) data_dir: Option<String>,
    /// What a message survives once it has been accepted.
    pub(crate) durability: Durability,
    /// Dashboard, simulator page and HTTP API.
    pub(crate) admin: AdminFile,
    /// What is written to the host's log: a level (error, warn, info, debug, trace), or a list such as
    /// `info,vumi_transport=debug`.
    pub(crate) log: String,
    /// How long stopping may take: what is still running after so many seconds is left for the next start.
    #[schemars(range(min = 1, max = 3600))]
    pub(crate) shutdown_timeout: u64,
    /// Bounds of the queues between transports, dispatchers and apps.
    pub(crate) queues: Queues,
    /// Connections to networks. Each key is a transport's name, and so the name of its queues.
    #[serde(deserialize_with = "named")]
    #[schemars(schema_with = "schema::transports")]
    pub(crate) transports: Named<Configured<TransportShared, TransportConfig>>,
    /// What sits between transports and apps and decides where a message goes.
    #[serde(deserialize_with = "named")]
    #[schemars(schema_with = "schema::dispatchers")]
    pub(crate) dispatchers: Named<Configured<DispatcherShared, RouterConfig>>,
    /// WebAssembly components that answer messages. Each key is an app's name.
    #[serde(deserialize_with = "named")]
    #[schemars(schema_with = "schema::apps")]
    pub(crate) apps: Named<AppConfig>,
}

impl Default for File {
    fn default() -> Self {
        Self {
            broker: BrokerChoice::default(),
            kv: KvChoice::default(),
            store: StoreChoice::default(),
            data_dir: None,
            durability: Durability::default(),
            admin: AdminFile::default(),
            log: "info".to_owned(),
            shutdown_timeout: 30,
            queues: Queues::default(),
            transports: Vec::new(),
            dispatchers: Vec::new(),
            apps: Vec::new(),
        }
    }
}

/// What a confirmed write survives.
#[derive(Clone, Copy, Default, serde::Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Durability {
    /// A power loss: each confirmation waits for the disk.
    #[default]
    Power,
    /// A killed process, but not always a power loss. Faster.
    Process,
}

impl From<Durability> for vumi_broker::Durability {
    fn from(durability: Durability) -> Self {
        match durability {
            Durability::Power => Self::Power,
            Durability::Process => Self::Process,
        }
    }
}

/// Dashboard, simulator page and HTTP API.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AdminFile {
    /// Address and port to listen on. Other machines can reach the host only at an address that is not a loopback
    /// one, and then `token` is required.
    #[serde(deserialize_with = "address")]
    #[schemars(with = "String")]
    pub(crate) listen: SocketAddr,
    /// What callers of the HTTP API send as `Authorization: Bearer …`; at least 16 characters. Better written as
    /// `"${NAME}"` than in clear.
    pub(crate) token: Option<String>,
    /// File that holds the token, in place of `token`. Relative to this file.
    pub(crate) token_file: Option<String>,
}

impl Default for AdminFile {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)), token: None, token_file: None }
    }
}

/// Bounds of the queues between transports, dispatchers and apps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Queues {
    /// Messages that may wait in one queue. When it is full, what fills it is held up.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub max_messages: u64,
    /// Bytes of their bodies; a queue is full when either bound is reached. At least 1 MiB.
    pub max_bytes: ByteSize,
}

impl Default for Queues {
    fn default() -> Self {
        Self { max_messages: 10_000, max_bytes: ByteSize::mib(64) }
    }
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = || D::Error::custom(format!("expected an address and a port such as 127.0.0.1:8080, found `{text}`"));
    text.parse().map_err(|_| wrong())
}

/// What stands in one of the maps of named things.
trait Item: Sized {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

impl Item for Configured<TransportShared, TransportConfig> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TransportConfig::read(deserializer)
    }
}

impl Item for Configured<DispatcherShared, RouterConfig> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RouterConfig::read(deserializer)
    }
}

impl Item for AppConfig {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

fn named<'de, D: Deserializer<'de>, T: Item>(deserializer: D) -> Result<Named<T>, D::Error> {
    struct Value<T>(T);
    impl<'de, T: Item> Deserialize<'de> for Value<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            T::read(deserializer).map(Self)
        }
    }
    struct Names<T>(std::marker::PhantomData<T>);
    impl<'de, T: Item> Visitor<'de> for Names<T> {
        type Value = Named<T>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
            let mut all = Vec::new();
            while let Some((name, Value(item))) = map.next_entry::<String, Value<T>>()? {
                all.push((name, item));
            }
            Ok(all)
        }
    }
    deserializer.deserialize_map(Names(std::marker::PhantomData))
}
