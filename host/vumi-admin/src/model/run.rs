//! What an app's owner asks first: did my code run, what did it use, what did it say?

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// The handler returned without an error.
    Ok,
    /// The handler returned an error, trapped or met a limit.
    Failed,
}

/// One run: an app handled one message or event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunView {
    /// Grows with each run; the cursor of lists.
    pub seq: u64,
    /// When the run ended, microseconds since the epoch.
    pub at: u64,
    /// The app.
    pub app: String,
    /// The message or event that was handled.
    pub message_id: String,
    /// The user whom the message concerned, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The transport that the message came from, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport_name: Option<String>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Why it failed, in one word, e.g. `trap`, `memory`, `cpu`, `timeout`, `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it failed, in a sentence; may go over several lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// CPU time of the guest in microseconds.
    pub cpu_us: u64,
    /// The largest size of its memory in bytes.
    pub peak_memory_bytes: u64,
    /// Calls from the guest into the host.
    pub host_calls: u64,
    /// Time spent in those calls in microseconds.
    pub host_time_us: u64,
    /// Time from start to end in microseconds.
    pub wall_us: u64,
    /// Messages that the run sent.
    pub replies: u64,
}

/// How serious a log line is. The words are Vumi's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// For the author of the code.
    Debug,
    /// Worth knowing.
    Info,
    /// Something is not as it should be.
    Warning,
    /// Something failed.
    Error,
    /// The app cannot go on.
    Critical,
}

/// One line of an app's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// Grows with each line; the cursor of lists.
    pub seq: u64,
    /// When it was written, microseconds since the epoch.
    pub at: u64,
    /// The app.
    pub app: String,
    /// How serious it is.
    pub level: LogLevel,
    /// The text.
    pub text: String,
    /// The message that was being handled, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The user whom that message concerned, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}
