//! The keys that all dispatchers share (specification: routers, section A).

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::MapAccess;
use vumi_core::component::SharedKeys;

/// Keys of every dispatcher, whatever its router.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(default)]
pub struct DispatcherShared {
    /// Connectors towards the networks: the dispatcher consumes their `.inbound` and `.event` and publishes their
    /// `.outbound`.
    pub transport_names: Vec<String>,
    /// Connectors towards the applications: the dispatcher consumes their `.outbound` and publishes their `.inbound`
    /// and `.event`.
    pub exposed_names: Vec<String>,
    /// Messages taken from each queue ahead of their turn.
    #[schemars(range(min = 1))]
    pub amqp_prefetch_count: u16,
}

impl Default for DispatcherShared {
    fn default() -> Self {
        Self { transport_names: Vec::new(), exposed_names: Vec::new(), amqp_prefetch_count: 20 }
    }
}

impl SharedKeys for DispatcherShared {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "transport_names" => self.transport_names = map.next_value()?,
            "exposed_names" => self.exposed_names = map.next_value()?,
            "amqp_prefetch_count" => self.amqp_prefetch_count = map.next_value()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}
