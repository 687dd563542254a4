//! Recorded runs.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::RunOutcome;

/// One recorded run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecordingInfo {
    /// Names it: 32 lower-case hexadecimal digits.
    pub id: String,
    /// When the run began, microseconds since the epoch; the cursor of lists.
    pub at: u64,
    /// The app.
    pub app: String,
    /// The version that ran, where versions are numbered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// SHA-256 of the component that ran.
    pub hash: String,
    /// The message or event.
    pub message_id: String,
    /// The user whom it concerned, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// How the run ended.
    pub outcome: RunOutcome,
    /// Why it failed, in one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Messages that it sent.
    pub sent: u64,
    /// CPU time of the guest in microseconds.
    pub cpu_us: u64,
    /// Time from start to end in microseconds.
    pub wall_us: u64,
}

/// A recorded run with everything that is needed to run it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecordingView {
    /// What the run was.
    #[serde(flatten)]
    pub info: RecordingInfo,
    /// The message, every call of the guest with its answer, and what it sent; `vumi-host replay` reads it.
    #[schema(value_type = Object)]
    pub tape: Value,
}
