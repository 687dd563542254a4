//! The resources that a guest may use, one file each: the host's side of `wit/`.
//!
//! Every call counts as a host call, is timed, and has a deadline: its own, cut by what the message has left.

mod config;
mod http;
mod kv;
mod log;
mod metrics;
mod outbound;

pub use metrics::{Aggregator, Datapoint, MetricSink};

use vumi_bindings::app::vumi::app::types;

/// `types` holds words only.
impl types::Host for crate::state::Guest {}
