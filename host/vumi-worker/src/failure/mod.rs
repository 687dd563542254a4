//! Failures: outbound messages that a transport could not handle are kept here, and sent again when the failure may
//! pass (specification: messages, section 7; transports, common, section C3).
//!
//! `config` is what the worker reads from the configuration, `records` what it keeps and in which layout,
//! `worker` the worker itself: one loop takes failures, another sends again what has fallen due.

mod config;
mod records;
mod worker;

pub use config::FailureConfig;
