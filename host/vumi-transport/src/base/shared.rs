//! The configuration keys that all transports share (transport specification "common", C2).

use schemars::JsonSchema;
use serde::de::MapAccess;
use serde::{Deserialize, Serialize};
use vumi_core::component::SharedKeys;
use vumi_core::middleware_config::MiddlewareList;

use super::values::{Flag, Positive, Whole};

/// What to do with a message when the host stopped while it was being sent, so that nobody knows whether it went out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WhenUnsure {
    /// Send it again: the user may get it twice.
    #[default]
    Resend,
    /// Do not send it again: a failure message says so, and the user may not get it.
    Fail,
}

/// Keys of every transport, whatever its class.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
#[schemars(default)]
pub struct TransportShared {
    /// The transport's name, first part of its queues' names: all lower case. The key of the transport's map unless
    /// given.
    pub transport_name: Option<String>,
    /// Outbound messages taken from the queue ahead of their turn, and so also the number of users that are served
    /// side by side. Null sets no bound.
    #[schemars(range(min = 1))]
    pub amqp_prefetch_count: Option<u16>,
    /// Whether states of the transport are published on `<transport_name>.status.status`. They are logged in any
    /// case.
    pub publish_status: bool,
    /// Turns heartbeats on, under this name.
    pub worker_name: Option<String>,
    /// Middleware, a list of maps of one instance name to its class, or to a map of `class`, `consume_priority` and
    /// `publish_priority`. The options of an instance stand under its name, below this key.
    pub middleware: MiddlewareList,
    /// What to do with a message when the host stopped while it was being sent, so that nobody knows whether it went
    /// out: `resend` (the user may get it twice) or `fail` (a failure message, and the user may not get it).
    pub when_unsure: WhenUnsure,
    /// How long the transport remembers which messages it has sent, in hours. Within that time, a message that comes
    /// again with the same id is not sent again.
    #[schemars(range(min = 1))]
    pub sent_record_hours: u32,
    /// How long a message from the network waits while the queue `<transport_name>.inbound` is full, in
    /// milliseconds. After that the network is told that the host is busy.
    pub inbound_wait_ms: u32,
}

impl Default for TransportShared {
    fn default() -> Self {
        Self {
            transport_name: None,
            amqp_prefetch_count: Some(20),
            publish_status: false,
            worker_name: None,
            middleware: MiddlewareList::default(),
            when_unsure: WhenUnsure::Resend,
            sent_record_hours: 24,
            inbound_wait_ms: 5_000,
        }
    }
}

impl SharedKeys for TransportShared {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        let default = Self::default();
        match key {
            "transport_name" => self.transport_name = map.next_value()?,
            "amqp_prefetch_count" => {
                self.amqp_prefetch_count = map.next_value::<Whole<Positive<u16>>>()?.0.map(|count| count.0)
            }
            "publish_status" => self.publish_status = map.next_value::<Flag>()?.0.unwrap_or(default.publish_status),
            "worker_name" => self.worker_name = map.next_value()?,
            "when_unsure" => self.when_unsure = map.next_value::<Option<WhenUnsure>>()?.unwrap_or_default(),
            "sent_record_hours" => {
                let hours = map.next_value::<Whole<Positive<u32>>>()?.0;
                self.sent_record_hours = hours.map_or(default.sent_record_hours, |hours| hours.0);
            }
            "inbound_wait_ms" => {
                self.inbound_wait_ms = map.next_value::<Whole<u32>>()?.0.unwrap_or(default.inbound_wait_ms);
            }
            _ => return self.middleware.take(key, map),
        }
        Ok(true)
    }
}
