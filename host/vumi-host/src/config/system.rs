//! The configuration as the wiring takes it: defaults filled in, paths resolved, checked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use vumi_admin::{AdminOptions, Secret};
use vumi_broker::Durability;
use vumi_core::component::Configured;
use vumi_dispatch::{DispatcherShared, RouterConfig};
use vumi_transport::{TransportConfig, TransportShared};
use vumi_worker::{WorkerConfig, WorkerShared};

use super::app::AppChoice;
use super::backend::{BrokerChoice, KvChoice, StoreChoice};
use super::deploy::Deploy;
use super::file::{Amqp, File, Named, Queues, Redis, Telemetry};

/// Everything that one process runs.
#[derive(Clone, Debug)]
pub struct SystemConfig {
    /// What carries messages.
    pub broker: BrokerChoice,
    /// What the broker is told when it is RabbitMQ; `ca_file` is a path as the process sees it.
    pub amqp: Amqp,
    /// Where small values are kept.
    pub kv: KvChoice,
    /// How Redis is used.
    pub redis: Redis,
    /// Where messages are kept to be looked at.
    pub store: StoreChoice,
    /// Folder for what outlives the process; `None`: nothing does. Not made yet.
    pub data_dir: Option<PathBuf>,
    /// What a confirmed message survives.
    pub durability: Durability,
    /// Address and token of dashboard and HTTP API, checked; `None` for a process without.
    pub admin: Option<AdminOptions>,
    /// Filter of the host's log, as `tracing_subscriber::EnvFilter` reads it; checked.
    pub log: String,
    /// How long stopping may take.
    pub shutdown_timeout: Duration,
    /// Traces, metrics and logs for a collector.
    pub telemetry: Telemetry,
    /// Bounds of the queues.
    pub queues: Queues,
    /// What deployed apps share; `secrets_key` is a path as the process sees it.
    pub deploy: Deploy,
    /// Groups workers in heartbeats.
    pub system_id: String,
    /// Transports by name. `transport_name`, which is the connector, is always given.
    pub transports: Named<Configured<TransportShared, TransportConfig>>,
    /// Dispatchers by name.
    pub dispatchers: Named<Configured<DispatcherShared, RouterConfig>>,
    /// Apps by name. `transport_name`, `sandbox_id` and `metrics_prefix` are always given, and `component` is a path
    /// as the process sees it.
    pub apps: Named<AppChoice>,
    /// Workers by name.
    pub workers: Named<Configured<WorkerShared, WorkerConfig>>,
    /// What paths of the file are relative to.
    pub folder: PathBuf,
    /// What is allowed and yet probably not meant, one sentence each, with its place.
    pub warnings: Vec<String>,
}

impl SystemConfig {
    /// Fills in what the file leaves open.
    pub(crate) fn new(file: File, folder: &Path, token: Option<Secret>) -> Self {
        let apps = file.apps.into_iter().map(|(name, app)| {
            let app = app.completed(&name, folder);
            (name, app)
        });
        let transports = file.transports.into_iter().map(|(name, mut transport)| {
            transport.shared.transport_name.get_or_insert_with(|| name.clone());
            (name, transport)
        });
        Self {
            broker: file.broker,
            amqp: Amqp {
                ca_file: file.amqp.ca_file.map(|path| folder.join(path).to_string_lossy().into_owned()),
                ..file.amqp
            },
            kv: file.kv,
            redis: file.redis,
            store: file.store,
            data_dir: file.data_dir.map(|path| folder.join(path)),
            durability: file.durability.into(),
            admin: Some(AdminOptions { listen: file.admin.listen, token }),
            log: file.log,
            shutdown_timeout: Duration::from_secs(file.shutdown_timeout),
            telemetry: file.telemetry,
            queues: file.queues,
            deploy: Deploy {
                secrets_key: file.deploy.secrets_key.map(|path| folder.join(path).to_string_lossy().into_owned()),
                ..file.deploy
            },
            transports: transports.collect(),
            dispatchers: file.dispatchers,
            apps: apps.collect(),
            workers: file.workers,
            system_id: file.system_id,
            folder: folder.to_path_buf(),
            warnings: Vec::new(),
        }
    }
}

/// The connectors of transports, each with the transport's name.
pub(crate) fn transports(config: &SystemConfig) -> impl Iterator<Item = (&str, &str)> {
    config
        .transports
        .iter()
        .map(move |(name, transport)| (transport.shared.transport_name.as_deref().unwrap_or(name), name.as_str()))
}

/// The connectors of apps, each with the app's name.
pub(crate) fn apps(config: &SystemConfig) -> impl Iterator<Item = (&str, &str)> {
    config.apps.iter().map(|(name, app)| (app.connector(name), name.as_str()))
}
