//! The tape as a document: one JSON text, versioned, that a person can read.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vumi_core::{Input, Outcome};
use vumi_message::{Event, Payload, UserMessage, json};

use crate::limits::Limits;
use crate::meter::Stop;

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

/// Why a tape cannot be read or played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TapeError {
    /// Not the JSON text of a tape.
    #[error("this is no recording: {reason}")]
    Unreadable {
        /// What is wrong.
        reason: String,
    },
    /// Written by another version of the host.
    #[error("the recording has format {found}, this host reads format {FORMAT}: replay it with the host that made it")]
    Format {
        /// The format found.
        found: u64,
    },
    /// The run was larger than a recording may be.
    #[error("the recording is incomplete (the run was larger than a recording may be), so it cannot be replayed")]
    Truncated,
}

fn unreadable(reason: impl ToString) -> TapeError {
    TapeError::Unreadable { reason: reason.to_string() }
}

fn objects(value: Value) -> Result<Vec<Payload>, TapeError> {
    let Value::Array(items) = value else { return Err(unreadable("`sent` is no list")) };
    let object = |item| match item {
        Value::Object(payload) => Ok(payload),
        _ => Err(unreadable("`sent` holds something else than messages")),
    };
    items.into_iter().map(object).collect()
}

impl TapeDocument {
    /// Reads a tape.
    ///
    /// # Errors
    /// [`TapeError::Unreadable`], [`TapeError::Format`].
    pub fn parse(text: &str) -> Result<Self, TapeError> {
        // Messages are taken out before serde sees them, for the reason that `vumi_message::json` gives.
        let mut fields = json::parse_object(text.as_bytes()).map_err(unreadable)?;
        match fields.get("format").and_then(Value::as_u64) {
            Some(found) if found == u64::from(FORMAT) => {}
            Some(found) => return Err(TapeError::Format { found }),
            None => return Err(unreadable("it has no `format`")),
        }
        let mut input = match fields.shift_remove("input") {
            Some(Value::Object(input)) => input,
            _ => return Err(unreadable("it has no `input`")),
        };
        let input = match (input.shift_remove("message"), input.shift_remove("event")) {
            (Some(Value::Object(message)), None) => TapeInput::Message(message),
            (None, Some(Value::Object(event))) => TapeInput::Event(event),
            _ => return Err(unreadable("`input` is neither a message nor an event")),
        };
        let sent = objects(fields.shift_remove("sent").unwrap_or_default())?;
        let rest: Self = serde_json::from_value(Value::Object(fields)).map_err(unreadable)?;
        Ok(Self { input, sent, ..rest })
    }

    /// The tape as JSON text.
    pub fn to_text(&self) -> String {
        // Only maps with keys that are no texts cannot be written, and there are none.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The message or event, as the app was given it.
    pub(super) fn input(&self) -> Result<Input, TapeError> {
        match self.input.clone() {
            TapeInput::Message(payload) => {
                let message = UserMessage::from_payload(payload).map_err(unreadable)?;
                Ok(Input::Message(Arc::new(message)))
            }
            TapeInput::Event(payload) => {
                let event = Event::from_payload(payload).map_err(unreadable)?;
                Ok(Input::Event(Arc::new(event)))
            }
        }
    }
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
        }
    }
}
