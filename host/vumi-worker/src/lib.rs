//! The host's own applications and workers.
//!
//! What answers messages without being a guest is an *application* (relays, a fixed reply), in [`app`]; what works
//! beside the conversation is a *worker* (retries of failures, schedules, tag pools, metrics, heartbeats). Each is a
//! typed configuration in a file of its own and one line in [`registry`].

pub mod app;
mod bounded;
mod buckets;
mod endpoint;
mod every;
pub mod failure;
pub mod heartbeat;
pub mod metrics;
pub mod registry;
pub mod schedule;
mod shared;
pub mod tagpool;
mod taking;
pub mod window;

pub use registry::{NativeAppConfig, WorkerConfig};
pub use shared::{AppPlace, ApplicationShared, WorkerShared};
