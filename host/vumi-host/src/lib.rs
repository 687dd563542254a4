//! The parts of the vumi-host binary that can be used and tested without a process.

pub mod config;
