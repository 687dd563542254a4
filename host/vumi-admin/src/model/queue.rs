//! Queues of the broker and the dead letters beside them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One queue of the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueInfo {
    /// The queue's name, e.g. `telnet.inbound`.
    pub name: String,
    /// Messages that wait for a consumer.
    pub ready: u64,
    /// Messages that a consumer has, but has not acknowledged.
    pub unacked: u64,
    /// Messages in `<name>.dead`.
    pub dead: u64,
    /// How many messages the queue takes; absent when the broker does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<u64>,
}

/// A message that could not be handled and was set aside, with the reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetter {
    /// Names the letter within its queue.
    pub id: String,
    /// The queue that the message came from (without `.dead`).
    pub queue: String,
    /// When it was set aside, microseconds since the epoch.
    pub at: u64,
    /// Why, in one sentence.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The message. Where it is not JSON: a JSON string with its text, bytes that are not UTF-8 replaced.
    pub payload: serde_json::Value,
}
