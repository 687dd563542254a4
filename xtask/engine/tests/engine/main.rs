//! The built engine, called as a host calls it. `cargo xtask engine` builds it first.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod compile;
mod kit;
mod modules;
mod old_scripts;
mod toolkit;
