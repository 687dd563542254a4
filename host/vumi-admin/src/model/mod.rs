//! The data that the API shows: plain structs, one file per subject, with the names that the JSON uses.
//!
//! Times are whole microseconds since 1970-01-01T00:00:00Z, durations end in their unit (`_us`, `_ms`, `_seconds`),
//! sizes end in `_bytes`. All of them fit into the 53 bits that a JavaScript number holds exactly.

mod access;
mod app;
mod build;
mod deployment;
mod event;
mod kv;
mod message;
mod queue;
mod recording;
mod run;
mod simulator;
mod system;
mod transport;

pub use access::{AuditView, CreatedToken, NewToken, Scope, TokenInfo};
pub use app::{AppCounters, AppInfo, AppLimits, LastError};
pub use build::{BuildState, BuildView};
pub use deployment::{
    Activate, CanaryInfo, DeploymentInfo, DifferenceView, SecretInfo, SetSecret, SetShadow, Uploaded, VersionInfo,
};
pub use event::{Sequenced, StatusChange, SystemEvent, WorkerKind};
pub use kv::{KvEntry, KvListing};
pub use message::{Direction, MessageView};
pub use queue::{DeadLetter, QueueInfo};
pub use recording::{RecordingInfo, RecordingView};
pub use run::{LogLevel, LogLine, RunOutcome, RunView};
pub use simulator::{
    Accepted, Delivery, PhoneInfo, PhoneKind, PhoneMessage, PhoneSend, PhoneSession, PhoneThread, PhoneUpdate, Sender,
    SessionAction, SimulatorInfo,
};
pub use system::{Health, HealthStatus, Listening, SystemInfo, WorkerStatus};
pub use transport::{DispatcherCounters, DispatcherInfo, TransportCounters, TransportInfo, WorkerInfo};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One page of a list that goes on: newest first, `next` being the cursor for what is older.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The entries, newest first.
    pub items: Vec<T>,
    /// Give this as `before` to get the entries that are older; absent when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}
