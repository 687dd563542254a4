//! The tape as a document: one JSON text, versioned, that a person can read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vumi_core::Outcome;
use vumi_message::Payload;

use crate::limits::Limits;
use crate::meter::Stop;
use crate::script::LegacyOptions;

/// The version of the format that this host writes and reads.
pub const FORMAT: u32 = 1;

/// Everything that is needed to make a run again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TapeDocument {
    /// [`FORMAT`].
    pub format: u32,
    /// The app.
    pub app: String,
    /// The namespace that it ran in.
    pub sandbox_id: String,
    /// The version that ran, where versions are numbered.
    pub version: Option<u32>,
    /// SHA-256 of the component that ran.
    pub hash: String,
    /// When the run began, as messages write it (UTC).
    pub at: String,
    /// True when the run was larger than a tape may be: the rest is missing, and it cannot be run again.
    pub truncated: bool,
    /// What was masked, as the rule names it.
    pub mask: Vec<String>,
    /// What started the run.
    #[serde(skip_deserializing)]
    pub input: TapeInput,
    /// What the app's owner had configured.
    pub settings: TapeSettings,
    /// What the run's random numbers were made of: 64 hexadecimal digits.
    pub seed: String,
    /// What the clocks showed, in the order in which they were read.
    pub clocks: TapeClocks,
    /// Host calls, in order.
    pub calls: Vec<TapeCall>,
    /// Messages that were sent, in order.
    #[serde(skip_deserializing)]
    pub sent: Vec<Payload>,
    /// How the run ended.
    pub outcome: Option<Outcome>,
    /// One sentence, when it did not end well.
    pub error: Option<String>,
    /// What the run used.
    pub cost: TapeCost,
}

/// What started a run, as it was received.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TapeInput {
    /// A message from a user.
    Message(Payload),
    /// An event.
    Event(Payload),
}

impl Default for TapeInput {
    fn default() -> Self {
        Self::Message(Payload::new())
    }
}

/// What the app's owner had configured, as far as a run depends on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TapeSettings {
    /// Texts for `config.get`.
    pub config: BTreeMap<String, String>,
    /// Endpoints that the app could send to.
    pub endpoints: Vec<String>,
    /// Fields for messages that are no replies, by endpoint.
    pub send_to: BTreeMap<String, Payload>,
    /// Keys of helper metadata that it could set.
    pub allowed_helper_metadata: Vec<String>,
    /// The limits of the run.
    pub limits: Limits,
    /// Wall-clock time for one message, in seconds.
    pub timeout_s: u64,
    /// Time for one exchange over HTTP, in seconds.
    pub http_timeout_s: u64,
    /// Largest response body.
    pub http_data_limit: u64,
    /// What an app of Vumi's sandbox was given; nothing for all of it, and for other apps.
    #[serde(default, skip_serializing_if = "LegacyOptions::is_usual")]
    pub legacy: LegacyOptions,
}

/// Readings of clocks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TapeClocks {
    /// The wall clock, in nanoseconds since 1970.
    pub wall_ns: Vec<u64>,
    /// The monotonic clock, in nanoseconds since the run began.
    pub monotonic_ns: Vec<u64>,
    /// The times that the host put on messages that the run built.
    pub stamps: Vec<String>,
}

/// One host call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TapeCall {
    /// `kv.get`, `http.request`, `outbound.reply`, …; `stdout` and `stderr` for what was printed, `clock.sleep` and
    /// `clock.sleep-until` for waiting.
    pub call: String,
    /// The arguments, in the order of the contract.
    pub args: Vec<Value>,
    /// The answer; of calls that can fail either `{"ok": …}` or `{"error": {"<kind>": "<text>"}}`.
    #[serde(default)]
    pub answer: Value,
    /// The host could not do its part, for this reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The run was stopped in this call, which therefore has no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<TapeStop>,
    /// How long it took, in microseconds.
    pub us: u64,
}

/// Why a run was stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TapeStop {
    /// The error code.
    pub outcome: Outcome,
    /// One sentence.
    pub error: String,
}

impl From<&Stop> for TapeStop {
    fn from(stop: &Stop) -> Self {
        Self { outcome: stop.outcome, error: stop.sentence.clone() }
    }
}

impl From<TapeStop> for Stop {
    fn from(stop: TapeStop) -> Self {
        Self::new(stop.outcome, stop.error)
    }
}

/// What a run used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TapeCost {
    /// The guest's own CPU time, in microseconds.
    pub cpu_us: u64,
    /// Time from start to end, in microseconds.
    pub wall_us: u64,
    /// Time spent in host calls, in microseconds.
    pub host_us: u64,
    /// Host calls made.
    pub host_calls: u64,
    /// Largest linear memory, in bytes.
    pub peak_memory: u64,
    /// Log bytes written, stdout and stderr included.
    pub log_bytes: u64,
}

/// The settings of an app, for its tapes.
impl From<&crate::app::AppShared> for TapeSettings {
    fn from(app: &crate::app::AppShared) -> Self {
        Self {
            config: app.config.clone(),
            endpoints: app.endpoints.clone(),
            send_to: app.send_to.clone(),
            allowed_helper_metadata: app.allowed_helper_metadata.clone(),
            limits: app.limits.clone(),
            timeout_s: app.timeout.as_secs(),
            http_timeout_s: app.http_timeout.as_secs(),
            http_data_limit: app.http_data_limit,
            legacy: LegacyOptions::clone(&app.legacy),
        }
    }
}
