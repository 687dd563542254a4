//! The broker, the key-value store and the store of a system.

use std::path::Path;
use std::sync::Arc;

use vumi_broker::{BrokerOptions, Durability, EmbeddedBroker};
use vumi_core::{
    Broker, Collections, Error, Keyspace, Keyspaces, KvStore, RedisManager, Result, Store, SystemClock,
};
use vumi_store::MemoryBounds;

use crate::config::SystemConfig;

/// What every worker is given.
#[derive(Clone)]
pub(crate) struct Backends {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) kv: Arc<dyn KvStore>,
    /// The transports' records of what they sent, and their sessions. In memory a store of their own, so that these
    /// never take the room that apps have for their keys.
    pub(crate) transport_kv: Arc<dyn KvStore>,
    pub(crate) store: Arc<dyn Store>,
    /// The engines outside of this process, one line each for the banner; without passwords.
    pub(crate) engines: Vec<String>,
    /// Where routers, middleware and workers keep their keys.
    pub(crate) keyspaces: Arc<dyn Keyspaces>,
}

impl Backends {
    /// Opens all three: in `data_dir`, or in memory without one.
    pub(crate) fn open(config: &SystemConfig) -> Result<Self> {
        let options = BrokerOptions {
            bound: config.queues.max_messages,
            bound_bytes: config.queues.max_bytes.0,
            ..BrokerOptions::default()
        };
        let transport_kv = kv_in_memory(MemoryBounds { keys: 4_000_000, ..MemoryBounds::default() });
        match &config.data_dir {
            None => Ok(Self {
                broker: EmbeddedBroker::in_memory(options),
                engines: Vec::new(),
                keyspaces: keyspaces(&transport_kv),
                transport_kv,
                kv: kv_in_memory(MemoryBounds::default()),
                store: vumi_store::store_in_memory()?,
            }),
            Some(folder) => Self::durable(folder, config.durability, options),
        }
    }

    fn durable(folder: &Path, durability: Durability, options: BrokerOptions) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|error| {
            Error::permanent(format!("data_dir {} cannot be made", folder.display())).because(error)
        })?;
        let kv = vumi_store::kv_at(folder.join(vumi_store::KV_FILE), durability, Arc::new(SystemClock))?;
        Ok(Self {
            broker: EmbeddedBroker::open(&folder.join("broker.sqlite"), durability, options)
                .map_err(|error| Error::permanent(error.to_string()))?,
            transport_kv: Arc::clone(&kv) as Arc<dyn KvStore>,
            engines: Vec::new(),
            keyspaces: keyspaces(&(Arc::clone(&kv) as Arc<dyn KvStore>)),
            kv,
            store: vumi_store::store_at(folder.join(vumi_store::STORE_FILE), durability)?,
        })
    }

    /// Closes all three, the broker first: what it confirmed is safe, and nothing comes after it.
    pub(crate) async fn close(&self) {
        self.broker.close().await;
        self.kv.close().await;
        self.store.close().await;
    }
}

fn kv_in_memory(bounds: MemoryBounds) -> Arc<dyn KvStore> {
    vumi_store::kv_in_memory(bounds, Arc::new(SystemClock))
}

/// Keyspaces within the system's own kv.
fn keyspaces(kv: &Arc<dyn KvStore>) -> Arc<dyn Keyspaces> {
    let collections: Arc<dyn Collections> = vumi_store::collections_in_memory(Arc::new(SystemClock));
    Arc::new(SystemKeyspaces { kv: Arc::clone(kv), collections })
}

struct SystemKeyspaces {
    kv: Arc<dyn KvStore>,
    collections: Arc<dyn Collections>,
}

impl Keyspaces for SystemKeyspaces {
    fn open(&self, manager: &RedisManager) -> Result<Keyspace> {
        let whole = Keyspace::new(Arc::clone(&self.kv), Arc::clone(&self.collections));
        Ok(whole.separated_by(manager.separator()).under(manager.key_prefix.as_deref().unwrap_or_default()))
    }
}
