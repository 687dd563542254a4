//! The keys that all dispatchers share (specification: routers, section A).

use schemars::JsonSchema;
use serde::de::MapAccess;
use vumi_core::component::SharedKeys;
use vumi_core::middleware_config::MiddlewareList;
use vumi_core::{Error, Result};

/// Keys of every dispatcher, whatever its router.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
#[schemars(default)]
pub struct DispatcherShared {
    /// Connectors towards the networks: the dispatcher consumes their `.inbound` and `.event` and publishes their
    /// `.outbound`. Vumi's endpoint dispatchers call this key `receive_inbound_connectors`; both names are taken.
    pub transport_names: Vec<String>,
    /// Connectors towards the applications: the dispatcher consumes their `.outbound` and publishes their `.inbound`
    /// and `.event`. Vumi's endpoint dispatchers call this key `receive_outbound_connectors`; both names are taken.
    pub exposed_names: Vec<String>,
    /// Messages taken from each queue ahead of their turn; `null` for no bound.
    #[schemars(range(min = 1))]
    pub amqp_prefetch_count: Option<u16>,
    /// Turns heartbeats on, under this name.
    pub worker_name: Option<String>,
    /// Middleware of both sides, in order. The options of each instance stand under its name, below this list.
    pub middleware: MiddlewareList,
}

impl Default for DispatcherShared {
    fn default() -> Self {
        Self {
            transport_names: Vec::new(),
            exposed_names: Vec::new(),
            amqp_prefetch_count: Some(20),
            worker_name: None,
            middleware: MiddlewareList::default(),
        }
    }
}

impl DispatcherShared {
    /// Checks that a name that stands under `key` is one of the transports.
    ///
    /// # Errors
    /// When it is not.
    pub fn transport(&self, key: &str, name: &str) -> Result<()> {
        among(&self.transport_names, key, name, "transport_names")
    }

    /// Checks that a name that stands under `key` is one of the exposed names.
    ///
    /// # Errors
    /// When it is not.
    pub fn exposed(&self, key: &str, name: &str) -> Result<()> {
        among(&self.exposed_names, key, name, "exposed_names")
    }
}

fn among(list: &[String], key: &str, name: &str, of: &str) -> Result<()> {
    if list.iter().any(|known| known == name) {
        return Ok(());
    }
    Err(Error::permanent(format!("{key} names `{name}`, which is not among {of}: add it there or mend the name")))
}

impl SharedKeys for DispatcherShared {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> std::result::Result<bool, A::Error> {
        match key {
            "transport_names" | "receive_inbound_connectors" => self.transport_names = map.next_value()?,
            "exposed_names" | "receive_outbound_connectors" => self.exposed_names = map.next_value()?,
            "amqp_prefetch_count" => self.amqp_prefetch_count = map.next_value()?,
            "worker_name" => self.worker_name = map.next_value()?,
            _ => return self.middleware.take(key, map),
        }
        Ok(true)
    }
}
