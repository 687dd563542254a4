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
use vumi_transport::{TransportConfig, TransportShared};
use vumi_worker::{WorkerConfig, WorkerShared};

use super::app::AppChoice;
use super::backend::{BrokerChoice, KvChoice, StoreChoice};
use super::deploy::Deploy;
use super::schema;

/// Things with names, in the order of the file.
pub type Named<T> = Vec<(String, T)>;

/// A vumi-host system: everything that one process runs.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct File {
    /// What carries messages between transports, dispatchers and apps: `embedded` (in this process), or RabbitMQ:
    /// `amqp://user:password@host:5672/vhost`, `amqps://…` with TLS. The vhost `/develop` is written `%2Fdevelop`.
    pub(crate) broker: BrokerChoice,
    /// What the broker is told when it is RabbitMQ.
    pub(crate) amqp: Amqp,
    /// Where apps and sessions keep small values: `embedded` (in this process), or Redis or Valkey:
    /// `redis://host:6379/0`, `rediss://…` with TLS, `redis+cluster://a:6379,b:6379` for a cluster.
    pub(crate) kv: KvChoice,
    /// How Redis is used when it is the kv.
    pub(crate) redis: Redis,
    /// Where messages are kept to be looked at: `embedded` (in this process).
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
    /// Traces, metrics and logs for an OpenTelemetry collector.
    pub(crate) telemetry: Telemetry,
    /// Bounds of the queues between transports, dispatchers and apps.
    pub(crate) queues: Queues,
    /// Apps that are deployed to the running host, through its API or `vumi-host deploy`.
    pub(crate) deploy: Deploy,
    /// Groups workers in heartbeats, as Vumi's `--system-id` did.
    pub(crate) system_id: String,
    /// Connections to networks. Each key is a transport's name, and so the name of its queues.
    #[serde(deserialize_with = "named")]
    #[schemars(schema_with = "schema::transports")]
    pub(crate) transports: Named<Configured<TransportShared, TransportConfig>>,
    /// What sits between transports and apps and decides where a message goes.
    #[serde(deserialize_with = "named")]
    #[schemars(schema_with = "schema::dispatchers")]
    pub(crate) dispatchers: Named<Configured<DispatcherShared, RouterConfig>>,
    /// What answers messages: WebAssembly components, and applications of the host itself. Each key is an app's name.
    #[serde(deserialize_with = "named")]
    #[schemars(schema_with = "schema::apps")]
    pub(crate) apps: Named<AppChoice>,
    /// What works beside the conversation: retries of failures, schedules, tag pools, metrics, heartbeats. Each key is
    /// a worker's name.
    #[serde(deserialize_with = "named")]
    #[schemars(schema_with = "schema::workers")]
    pub(crate) workers: Named<Configured<WorkerShared, WorkerConfig>>,
}

impl Default for File {
    fn default() -> Self {
        Self {
            broker: BrokerChoice::default(),
            amqp: Amqp::default(),
            redis: Redis::default(),
            system_id: "global".to_owned(),
            workers: Vec::new(),
            kv: KvChoice::default(),
            store: StoreChoice::default(),
            data_dir: None,
            durability: Durability::default(),
            admin: AdminFile::default(),
            log: "info".to_owned(),
            shutdown_timeout: 30,
            telemetry: Telemetry::default(),
            queues: Queues::default(),
            deploy: Deploy::default(),
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

/// Traces, metrics and logs for an OpenTelemetry collector.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// Where the collector takes OTLP over HTTP, e.g. `http://127.0.0.1:4318`; without it nothing is exported.
    pub otlp_endpoint: Option<String>,
    /// What this process is called there.
    pub service_name: String,
    /// The part of conversations that is traced, from 0 to 1. A trace that began elsewhere is always followed.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub sample_ratio: f64,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { otlp_endpoint: None, service_name: "vumi-host".to_owned(), sample_ratio: 1.0 }
    }
}

/// What the broker is told when it is RabbitMQ.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Amqp {
    /// `classic` declares queues as Vumi does, so that old and new workers share them; `quorum` replicates them, for
    /// deployments without Vumi's own workers. All workers of a queue must agree.
    pub queue_type: QueueKind,
    /// Lets RabbitMQ hand each queue to one host at a time, the others standing by: with several hosts on one queue,
    /// conversations keep their order. Not with queues that Vumi's own workers share.
    pub single_active_consumer: bool,
    /// Seconds between heartbeats of the connection; 0 turns them off.
    #[schemars(range(min = 0, max = 3600))]
    pub heartbeat: u16,
    /// A file with the certificate of the authority that signed RabbitMQ's own, in place of the system's. Relative to
    /// this file.
    pub ca_file: Option<String>,
}

impl Default for Amqp {
    fn default() -> Self {
        Self { queue_type: QueueKind::Classic, single_active_consumer: false, heartbeat: 30, ca_file: None }
    }
}

/// Kinds of queues in RabbitMQ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum QueueKind {
    /// As Vumi declares them.
    #[default]
    Classic,
    /// Replicated.
    Quorum,
}

/// How Redis is used when it is the kv.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// What every key begins with, followed by a `:`. Vumi's workers each had one in their `redis_manager`.
    pub key_prefix: Option<String>,
    /// Connections that are kept open.
    #[schemars(range(min = 1, max = 64))]
    pub connections: u16,
    /// How long an answer may take, in milliseconds.
    #[schemars(range(min = 10, max = 60_000))]
    pub timeout_ms: u64,
}

impl Default for Redis {
    fn default() -> Self {
        Self { key_prefix: None, connections: 4, timeout_ms: 5_000 }
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

impl Item for AppChoice {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer)
    }
}

impl Item for Configured<WorkerShared, WorkerConfig> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        WorkerConfig::read(deserializer)
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
