//! Transports, dispatchers and workers as the dashboard shows them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::WorkerStatus;

/// One transport: the side of the host that speaks to a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransportInfo {
    /// The transport's name, the `transport_name` of its messages.
    pub name: String,
    /// The class as configured, e.g. `telnet`.
    pub class: String,
    /// The `transport_type` of its messages, e.g. `ussd`; absent when the transport serves several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport_type: Option<String>,
    /// The address that it listens on or is connected to, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Whether messages get through.
    pub status: WorkerStatus,
    /// One sentence that explains a status other than `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// Counted since the host was started.
    pub counters: TransportCounters,
}

/// What passed through a transport since the host was started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransportCounters {
    /// Messages from users.
    pub inbound: u64,
    /// Messages to users.
    pub outbound: u64,
    /// Acks, nacks and delivery reports.
    pub events: u64,
    /// Messages that could not be sent.
    pub failures: u64,
}

/// One dispatcher: it stands between transports and apps and decides where a message goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DispatcherInfo {
    /// The name under `dispatchers:` in the configuration.
    pub name: String,
    /// The router's class as configured, e.g. `simple`.
    pub class: String,
    /// The transports on its one side.
    pub transport_names: Vec<String>,
    /// The names that it exposes to apps on its other side.
    pub exposed_names: Vec<String>,
    /// Whether messages get through.
    pub status: WorkerStatus,
    /// One sentence that explains a status other than `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// Counted since the host was started.
    pub counters: DispatcherCounters,
}

/// What passed through a dispatcher since the host was started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DispatcherCounters {
    /// Messages from transports to apps.
    pub inbound: u64,
    /// Messages from apps to transports.
    pub outbound: u64,
    /// Acks, nacks and delivery reports.
    pub events: u64,
    /// Messages for which the router named no target.
    pub unroutable: u64,
}

/// A worker beside the conversation: a scheduler, a collector of metrics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerInfo {
    /// The name under `workers:` in the configuration.
    pub name: String,
    /// Its class.
    pub class: String,
    /// Whether it works.
    pub status: WorkerStatus,
    /// Why not, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// Where it listens, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
}
