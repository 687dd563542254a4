//! The host as a whole: its version, where it listens, whether it is well.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::SimulatorInfo;

/// Whether a worker (an app, a transport, a dispatcher) does its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkerStatus {
    /// It is being prepared.
    Starting,
    /// It works.
    Ok,
    /// It works, but not as it should.
    Degraded,
    /// It does not work.
    Down,
    /// It finishes what it has and takes nothing new.
    Stopping,
}

/// The answer to "may traffic be sent here?".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// Yes.
    Ok,
    /// No: the host is stopping.
    Draining,
    /// No: a worker is down.
    Down,
}

/// What `/health` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// The verdict; the HTTP status is 200 for `ok` and 503 otherwise.
    pub status: HealthStatus,
    /// The version of the host.
    pub version: String,
    /// The names of the workers that are down.
    pub down: Vec<String>,
}

/// An address on which the host takes connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Listening {
    /// What listens, e.g. `admin` or the name of a transport.
    pub name: String,
    /// The address, e.g. `127.0.0.1:9010`.
    pub address: String,
}

/// Facts about the running host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SystemInfo {
    /// The version of the host.
    pub version: String,
    /// When it was started, microseconds since the epoch.
    pub started_at: u64,
    /// How long it has been running, in seconds.
    pub uptime_seconds: u64,
    /// Whether messages and values survive a restart.
    pub durable: bool,
    /// Where they are kept, if they are kept on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<String>,
    /// Whether the kernel offers `PAGEMAP_SCAN`, which makes resetting a guest's memory quicker.
    pub pagemap_scan: bool,
    /// Where the host takes connections.
    pub listening: Vec<Listening>,
    /// What a person should know, one sentence each.
    pub warnings: Vec<String>,
    /// The transport behind the simulated phones; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulator: Option<SimulatorInfo>,
}
