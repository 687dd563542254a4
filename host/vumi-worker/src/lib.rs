//! The host's own applications and workers.
//!
//! What answers messages without being a guest is an *application* (relays, a fixed reply), in [`app`]; what works
//! beside the conversation is a *worker* (retries of failures, schedules, tag pools, metrics, heartbeats). Each is a
//! typed configuration in a file of its own and one line in [`registry`].

pub mod app;
mod failure;
mod heartbeat;
mod idle;
mod metrics;
pub mod registry;
mod schedule;
mod shared;
mod tagpool;
mod window;

pub use registry::{NativeAppConfig, WorkerConfig};
pub use shared::{AppPlace, ApplicationShared, WorkerShared};
