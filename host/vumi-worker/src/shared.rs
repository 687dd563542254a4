//! The keys that all applications, and all workers, share.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::MapAccess;
use serde_json::Value;
use vumi_core::component::SharedKeys;
use vumi_core::middleware_config::MiddlewareList;
use vumi_core::{Context, Outbox};

/// Keys of every native application (specification: applications, section 1).
#[derive(Clone, Debug, PartialEq, JsonSchema)]
#[schemars(default)]
pub struct ApplicationShared {
    /// The connector: the app consumes `<transport_name>.inbound` and `.event` and publishes
    /// `<transport_name>.outbound`. The app's name unless given.
    pub transport_name: Option<String>,
    /// Messages taken from each queue ahead of their turn; `null` for no bound.
    #[schemars(range(min = 1))]
    pub amqp_prefetch_count: Option<u16>,
    /// Per endpoint, fields for messages that are no replies, e.g. `{default: {transport_name: sms}}`.
    pub send_to: BTreeMap<String, BTreeMap<String, Value>>,
    /// Endpoints from which the app takes messages; all unless given.
    pub inbound_endpoints: Option<Vec<String>>,
    /// Conversations handled side by side. Messages of one conversation always keep their order.
    #[schemars(range(min = 1))]
    pub parallel: usize,
    /// Turns heartbeats on, under this name.
    pub worker_name: Option<String>,
    /// Middleware, in order. The options of each instance stand under its name, below this list.
    pub middleware: MiddlewareList,
}

impl Default for ApplicationShared {
    fn default() -> Self {
        Self {
            transport_name: None,
            amqp_prefetch_count: Some(20),
            send_to: BTreeMap::new(),
            inbound_endpoints: None,
            parallel: 20,
            worker_name: None,
            middleware: MiddlewareList::default(),
        }
    }
}

impl SharedKeys for ApplicationShared {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "transport_name" => self.transport_name = map.next_value()?,
            "amqp_prefetch_count" => self.amqp_prefetch_count = map.next_value()?,
            "send_to" => self.send_to = map.next_value()?,
            "inbound_endpoints" => self.inbound_endpoints = map.next_value()?,
            "parallel" => self.parallel = map.next_value()?,
            "worker_name" => self.worker_name = map.next_value()?,
            _ => return self.middleware.take(key, map),
        }
        Ok(true)
    }
}

/// The application's place in the system.
#[derive(Clone)]
pub struct AppPlace {
    /// The app's name.
    pub name: String,
    /// Its connector.
    pub connector: String,
    /// The keys that all applications share.
    pub shared: ApplicationShared,
    /// Where its messages go: the outbound queue, behind the publish middleware.
    pub outbox: Arc<dyn Outbox>,
    /// What it may reach.
    pub context: Context,
}

/// Keys of every worker.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(default)]
pub struct WorkerShared {
    /// Turns heartbeats on, under this name.
    pub worker_name: Option<String>,
    /// Messages taken from a queue ahead of their turn; `null` for no bound, 20 unless given.
    #[schemars(range(min = 1))]
    pub amqp_prefetch_count: Option<Option<u16>>,
}

impl WorkerShared {
    /// The prefetch as a broker takes it: 0 for no bound.
    pub fn prefetch(&self) -> u16 {
        self.amqp_prefetch_count.unwrap_or(Some(20)).unwrap_or(0)
    }
}

impl SharedKeys for WorkerShared {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "worker_name" => self.worker_name = map.next_value()?,
            "amqp_prefetch_count" => self.amqp_prefetch_count = Some(map.next_value()?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}
