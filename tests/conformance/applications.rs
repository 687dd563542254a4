//! The application base, checked with native applications on the broker of one process (specification: applications),
//! and the demonstration applications.
//!
//! Check 1 (`Missing required config field 'transport_name'`) has no counterpart: an app's `transport_name` is its name
//! in the configuration file unless given.

mod base;
mod demos;
pub(crate) mod logs;
pub(crate) mod rig;
mod static_reply;
pub(crate) mod web;
