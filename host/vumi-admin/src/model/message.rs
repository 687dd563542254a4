//! A message as it passed through the host.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which way a message went, or what kind it is when it belongs to neither way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// A user message from a user to an app.
    Inbound,
    /// A user message from an app to a user.
    Outbound,
    /// An ack, nack or delivery report.
    Event,
    /// A transport's report about itself.
    Status,
    /// An outbound message that could not be sent.
    Failure,
}

/// One message with the facts that lists are filtered by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MessageView {
    /// Grows with each message; the cursor of lists.
    pub seq: u64,
    /// When it passed, microseconds since the epoch.
    pub at: u64,
    /// Which way it went.
    pub direction: Direction,
    /// The transport that it came from or goes to, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport_name: Option<String>,
    /// The user's address (`from_addr` of inbound, `to_addr` of outbound messages), if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The app that sent it or that it goes to, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// The whole message as it travels between workers.
    pub payload: serde_json::Value,
}
