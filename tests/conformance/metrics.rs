//! Metrics and heartbeats (specification: metrics). The numbered checks are in `values` (1 to 12) and `heartbeats`
//! (13 to 17); `flow` runs the workers together on the embedded broker.

mod collectors;
mod flow;
mod heartbeats;
mod kit;
mod monitor;
mod values;
