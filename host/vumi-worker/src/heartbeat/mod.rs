//! Heartbeats: who works, and who should but does not (specification: metrics, sections 7 and 8).
//!
//! Every worker with a `worker_name` says so every ten seconds ([`HeartbeatPublisher`]). One monitor, the class
//! `heartbeat_monitor`, counts the processes behind each expected worker, keeps what it finds in Redis, and shows it to
//! a browser, together with the components that report their own status.

mod board;
mod components;
mod expected;
mod host;
mod message;
mod monitor;
mod publisher;
mod roster;
mod storage;
#[cfg(test)]
mod tests;
mod view;
mod watch;

pub use expected::{ExpectedSystem, ExpectedWorker, MonitoredSystem, MonitoredWorker, expected};
pub use message::{Heartbeat, Report, Told};
pub use monitor::HeartbeatMonitorConfig;
pub use publisher::{HEARTBEAT_INTERVAL, HeartbeatPublisher};
pub use roster::{Heard, Issue, Roster, Verdict};
pub use watch::Watch;
