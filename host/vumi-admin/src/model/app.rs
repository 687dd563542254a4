//! An application as the dashboard shows it: which component runs, under which limits, and how its runs ended.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{BuildView, WorkerStatus};

/// One application: a component that answers messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AppInfo {
    /// The name under `apps:` in the configuration.
    pub name: String,
    /// The component's file, as it was configured.
    pub component: String,
    /// SHA-256 of the component's bytes, 64 lower-case hex digits.
    pub content_hash: String,
    /// The namespace of the app's kv values and log lines.
    pub sandbox_id: String,
    /// The name of the app's connector: the transport or the dispatcher's exposed name that feeds it.
    pub transport_name: String,
    /// The queues that the app reads from and writes to.
    pub queues: Vec<String>,
    /// Whether the app is able to answer.
    pub status: WorkerStatus,
    /// One sentence that explains a status other than `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// What one message may use.
    pub limits: AppLimits,
    /// Counted since the host was started.
    pub counters: AppCounters,
    /// The newest failure, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,
    /// The newest build; absent for an app whose source is not watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<BuildView>,
}

/// What an app may use while it handles one message. An absent value is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppLimits {
    /// Wall-clock time in milliseconds.
    pub wall_ms: Option<u64>,
    /// CPU time of the guest itself in milliseconds.
    pub cpu_ms: Option<u64>,
    /// Linear memory in bytes.
    pub memory_bytes: Option<u64>,
    /// Calls from the guest into the host.
    pub host_calls: Option<u64>,
    /// Messages that may be sent.
    pub outbound_messages: Option<u64>,
    /// Bytes of log text.
    pub log_bytes: Option<u64>,
    /// HTTP requests.
    pub http_requests: Option<u64>,
    /// Bytes of all HTTP request and response bodies together.
    pub http_bytes: Option<u64>,
    /// Keys in the sandbox's kv, over all messages.
    pub kv_keys: Option<u64>,
    /// Bytes of one kv value.
    pub kv_value_bytes: Option<u64>,
    /// Messages that are handled side by side.
    pub concurrency: Option<u64>,
}

/// What happened to an app's messages since the host was started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppCounters {
    /// Runs that ended, successful or not.
    pub runs: u64,
    /// Runs going on now.
    pub running: u64,
    /// Messages that the app sent.
    pub sent: u64,
    /// Failed runs by reason, e.g. `trap` or `memory`: the words of `reason` in a run.
    pub failures: BTreeMap<String, u64>,
}

/// The newest failure of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastError {
    /// When it happened, microseconds since the epoch.
    pub at: u64,
    /// The reason in one word.
    pub reason: String,
    /// What happened, in one sentence.
    pub message: String,
}
