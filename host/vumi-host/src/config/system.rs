//! The configuration as the wiring takes it: defaults filled in, paths resolved, checked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use vumi_admin::{AdminOptions, Secret};
use vumi_broker::Durability;
use vumi_core::component::Configured;
use vumi_dispatch::{DispatcherShared, RouterConfig};
use vumi_sandbox::AppConfig;
use vumi_transport::{TransportConfig, TransportShared};

use super::backend::{BrokerChoice, KvChoice, StoreChoice};
use super::file::{File, Named, Queues};

/// Everything that one process runs.
#[derive(Clone, Debug)]
pub struct SystemConfig {
    /// What carries messages.
    pub broker: BrokerChoice,
    /// Where small values are kept.
    pub kv: KvChoice,
    /// Where messages are kept to be looked at.
    pub store: StoreChoice,
    /// Folder for what outlives the process; `None`: nothing does. Not made yet.
    pub data_dir: Option<PathBuf>,
    /// What a confirmed message survives.
    pub durability: Durability,
    /// Address and token of dashboard and HTTP API; checked.
    pub admin: AdminOptions,
    /// Filter of the host's log, as `tracing_subscriber::EnvFilter` reads it; checked.
    pub log: String,
    /// How long stopping may take.
    pub shutdown_timeout: Duration,
    /// Bounds of the queues.
    pub queues: Queues,
    /// Transports by name. `transport_name`, which is the connector, is always given.
    pub transports: Named<Configured<TransportShared, TransportConfig>>,
    /// Dispatchers by name.
    pub dispatchers: Named<Configured<DispatcherShared, RouterConfig>>,
    /// Apps by name. `transport_name`, `sandbox_id` and `metrics_prefix` are always given, and `component` is a path
    /// as the process sees it.
    pub apps: Named<AppConfig>,
    /// What is allowed and yet probably not meant, one sentence each, with its place.
    pub warnings: Vec<String>,
}

impl SystemConfig {
    /// Fills in what the file leaves open.
    pub(crate) fn new(file: File, folder: &Path, token: Option<Secret>) -> Self {
        let apps = file.apps.into_iter().map(|(name, app)| {
            let app = completed(&name, app, folder);
            (name, app)
        });
        let transports = file.transports.into_iter().map(|(name, mut transport)| {
            transport.shared.transport_name.get_or_insert_with(|| name.clone());
            (name, transport)
        });
        Self {
            broker: file.broker,
            kv: file.kv,
            store: file.store,
            data_dir: file.data_dir.map(|path| folder.join(path)),
            durability: file.durability.into(),
            admin: AdminOptions { listen: file.admin.listen, token },
            log: file.log,
            shutdown_timeout: Duration::from_secs(file.shutdown_timeout),
            queues: file.queues,
            transports: transports.collect(),
            dispatchers: file.dispatchers,
            apps: apps.collect(),
            warnings: Vec::new(),
        }
    }
}

fn completed(name: &str, app: AppConfig, folder: &Path) -> AppConfig {
    AppConfig {
        component: folder.join(&app.component).to_string_lossy().into_owned(),
        transport_name: Some(app.transport_name.unwrap_or_else(|| name.to_owned())),
        sandbox_id: Some(app.sandbox_id.unwrap_or_else(|| name.to_owned())),
        metrics_prefix: Some(app.metrics_prefix.unwrap_or_else(|| name.to_owned())),
        ..app
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
    config.apps.iter().map(|(name, app)| (app.transport_name.as_deref().unwrap_or(name), name.as_str()))
}
