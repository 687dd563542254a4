//! The broker, the key-value store and the store of a system: in this process, or engines elsewhere.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vumi_broker::{AmqpBroker, AmqpOptions, BrokerOptions, EmbeddedBroker, QueueType};
use vumi_core::{
    Broker, Catalog, Collections, Error, Keyspace, Keyspaces, KvStore, RecordingBounds, Recordings, RedisManager,
    Result, Store, SystemClock,
};
use vumi_store::{MemoryBounds, RedisOptions, RedisStore, SqliteCollections};

use crate::config::{BrokerChoice, EngineUrl, KvChoice, QueueKind, SystemConfig};

/// What every worker is given.
#[derive(Clone)]
pub(crate) struct Backends {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) kv: Arc<dyn KvStore>,
    /// The transports' records of what they sent. In memory a store of their own, so that these never take the room
    /// that apps have for their keys.
    pub(crate) transport_kv: Arc<dyn KvStore>,
    pub(crate) store: Arc<dyn Store>,
    /// Where routers, middleware and workers keep their keys.
    pub(crate) keyspaces: Arc<dyn Keyspaces>,
    /// What is deployed.
    pub(crate) catalog: Arc<dyn Catalog>,
    /// Recorded runs.
    pub(crate) recordings: Arc<dyn Recordings>,
    /// The collections on disk, which are closed by themselves.
    collections: Option<Arc<SqliteCollections>>,
    /// The engines outside of this process.
    pub(crate) engines: Vec<Engine>,
}

/// An engine outside of this process.
#[derive(Clone)]
pub(crate) struct Engine {
    /// `broker` or `kv`.
    pub(crate) what: &'static str,
    /// Its address, without a password.
    pub(crate) place: String,
    connected: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Engine {
    /// Whether it can be reached now.
    pub(crate) fn is_connected(&self) -> bool {
        (self.connected)()
    }
}

impl Backends {
    /// Opens all of them. Engines elsewhere are connected to in the background, and again whenever they are lost.
    ///
    /// # Errors
    /// One sentence for the first that cannot be opened.
    pub(crate) fn open(config: &SystemConfig) -> Result<Self> {
        if let Some(folder) = &config.data_dir {
            std::fs::create_dir_all(folder).map_err(|error| {
                Error::permanent(format!("data_dir {} cannot be made", folder.display())).because(error)
            })?;
        }
        let folder = config.data_dir.as_deref();
        let mut engines = Vec::new();
        let broker = broker(config, folder, &mut engines)?;
        let keys = Keys::open(config, folder, &mut engines)?;
        let store = match folder {
            None => vumi_store::store_in_memory()?,
            Some(folder) => vumi_store::store_at(folder.join(vumi_store::STORE_FILE), config.durability)?,
        };
        let (catalog, recordings) = deployments(config, folder)?;
        let keyspaces = Arc::new(SystemKeyspaces {
            own: Keyspace::new(Arc::clone(&keys.transport_kv), keys.collections),
            redis: keys.redis,
            opened: parking_lot::Mutex::new(Vec::new()),
        });
        let (kv, transport_kv, collections) = (keys.kv, keys.transport_kv, keys.file);
        Ok(Self { broker, kv, transport_kv, store, keyspaces, catalog, recordings, collections, engines })
    }

    /// Closes all of them, the broker first: what it confirmed is safe, and nothing comes after it.
    pub(crate) async fn close(&self) {
        self.broker.close().await;
        self.kv.close().await;
        if let Some(collections) = &self.collections {
            collections.close().await;
        }
        self.store.close().await;
        self.recordings.close().await;
        self.catalog.close().await;
    }
}

/// What is deployed and recorded: in files beside the others, or in memory.
fn deployments(config: &SystemConfig, folder: Option<&Path>) -> Result<(Arc<dyn Catalog>, Arc<dyn Recordings>)> {
    const DAY: u64 = 24 * 3600;
    let bounds = RecordingBounds {
        recordings: config.deploy.recordings,
        bytes: config.deploy.recordings_bytes.0,
        age: Duration::from_secs(config.deploy.recordings_days.saturating_mul(DAY)),
        ..RecordingBounds::default()
    };
    let clock = Arc::new(SystemClock);
    match folder {
        None => Ok((vumi_store::catalog_in_memory()?, vumi_store::recordings_in_memory(bounds, clock)?)),
        Some(folder) => Ok((
            vumi_store::catalog_at(folder.join(vumi_store::CATALOG_FILE), config.durability)?,
            vumi_store::recordings_at(folder.join(vumi_store::RECORDINGS_FILE), config.durability, bounds, clock)?,
        )),
    }
}

fn broker(config: &SystemConfig, folder: Option<&Path>, engines: &mut Vec<Engine>) -> Result<Arc<dyn Broker>> {
    let options = BrokerOptions {
        bound: config.queues.max_messages,
        bound_bytes: config.queues.max_bytes.0,
        ..BrokerOptions::default()
    };
    match (&config.broker, folder) {
        (BrokerChoice::Amqp(url), _) => {
            let broker = AmqpBroker::open(&AmqpOptions {
                heartbeat_s: config.amqp.heartbeat,
                queue_type: match config.amqp.queue_type {
                    QueueKind::Classic => QueueType::Classic,
                    QueueKind::Quorum => QueueType::Quorum,
                },
                single_active_consumer: config.amqp.single_active_consumer,
                ca_file: config.amqp.ca_file.as_ref().map(Into::into),
                ..AmqpOptions::new(url.reveal())
            })?;
            let probe = Arc::clone(&broker);
            let connected = Arc::new(move || probe.is_connected());
            engines.push(Engine { what: "broker", place: url.to_string(), connected });
            Ok(broker)
        }
        (_, None) => Ok(EmbeddedBroker::in_memory(options)),
        (_, Some(folder)) => EmbeddedBroker::open(&folder.join("broker.sqlite"), config.durability, options)
            .map(|broker| broker as Arc<dyn Broker>)
            .map_err(|error| Error::permanent(error.to_string())),
    }
}

/// The key-value stores of a system and its collections.
struct Keys {
    kv: Arc<dyn KvStore>,
    transport_kv: Arc<dyn KvStore>,
    collections: Arc<dyn Collections>,
    /// The collections, where they are in a file.
    file: Option<Arc<SqliteCollections>>,
    /// The Redis that they are in, if so, and all of it: without the system's prefix.
    redis: Option<(EngineUrl, Keyspace)>,
}

impl Keys {
    fn open(config: &SystemConfig, folder: Option<&Path>, engines: &mut Vec<Engine>) -> Result<Self> {
        match (&config.kv, folder) {
            (KvChoice::Redis(url), _) => {
                let redis = redis(url, config)?;
                let probe = Arc::clone(&redis);
                let connected = Arc::new(move || probe.is_connected());
                engines.push(Engine { what: "kv", place: url.to_string(), connected });
                let whole = Keyspace::new(Arc::clone(&redis) as Arc<dyn KvStore>, redis);
                let keys = whole.under(config.redis.key_prefix.as_deref().unwrap_or_default());
                Ok(Self {
                    kv: Arc::clone(&keys.kv),
                    transport_kv: keys.kv,
                    collections: keys.collections,
                    file: None,
                    redis: Some((url.clone(), whole)),
                })
            }
            (_, None) => Ok(Self {
                kv: kv_in_memory(MemoryBounds::default()),
                transport_kv: kv_in_memory(MemoryBounds { keys: 4_000_000, ..MemoryBounds::default() }),
                collections: vumi_store::collections_in_memory(Arc::new(SystemClock)),
                file: None,
                redis: None,
            }),
            (_, Some(folder)) => {
                let kv: Arc<dyn KvStore> =
                    vumi_store::kv_at(folder.join(vumi_store::KV_FILE), config.durability, Arc::new(SystemClock))?;
                let collections = vumi_store::collections_at(
                    folder.join(vumi_store::COLLECTIONS_FILE),
                    config.durability,
                    Arc::new(SystemClock),
                )?;
                let file = Some(Arc::clone(&collections));
                Ok(Self { transport_kv: Arc::clone(&kv), kv, collections, file, redis: None })
            }
        }
    }
}

fn redis(url: &EngineUrl, config: &SystemConfig) -> Result<Arc<RedisStore>> {
    let mut options = RedisOptions::parse(url.reveal())?;
    options.connections = usize::from(config.redis.connections).max(1);
    options.response_timeout = std::time::Duration::from_millis(config.redis.timeout_ms);
    Ok(RedisStore::open(options))
}

fn kv_in_memory(bounds: MemoryBounds) -> Arc<dyn KvStore> {
    vumi_store::kv_in_memory(bounds, Arc::new(SystemClock))
}

/// The keyspaces of workers: within the system's own kv, or in a Redis that a worker's `redis_manager` names.
struct SystemKeyspaces {
    own: Keyspace,
    /// The system's own Redis, if it has one, without the system's prefix: a worker that names a server has all its keys
    /// under its own prefix, as in Vumi, also where it names this one.
    redis: Option<(EngineUrl, Keyspace)>,
    /// Each other Redis is connected to once.
    opened: parking_lot::Mutex<Vec<(String, Keyspace)>>,
}

impl Keyspaces for SystemKeyspaces {
    fn open(&self, manager: &RedisManager) -> Result<Keyspace> {
        let whole =
            if manager.names_a_server() { self.other(&crate::config::redis_url(manager))? } else { self.own.clone() };
        Ok(whole.separated_by(manager.separator()).under(manager.key_prefix.as_deref().unwrap_or_default()))
    }
}

impl SystemKeyspaces {
    fn other(&self, url: &str) -> Result<Keyspace> {
        if let Some((_, whole)) = self.redis.as_ref().filter(|(own, _)| own.reveal() == url) {
            return Ok(whole.clone());
        }
        let mut opened = self.opened.lock();
        if let Some((_, keyspace)) = opened.iter().find(|(other, _)| other == url) {
            return Ok(keyspace.clone());
        }
        let redis = RedisStore::open(RedisOptions::parse(url)?);
        let keyspace = Keyspace::new(Arc::clone(&redis) as Arc<dyn KvStore>, redis);
        opened.push((url.to_owned(), keyspace.clone()));
        Ok(keyspace)
    }
}
