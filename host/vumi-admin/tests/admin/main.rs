//! The admin server over real sockets, on a system that exists only in memory.

#![allow(missing_docs, unreachable_pub)]
// Helpers outside of test functions may fail as loudly as the tests themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod api;
mod audit;
mod deployments;
mod events;
mod http;
mod pages;
mod recordings;
mod scopes;
mod security;
mod simulator;
mod tokens;

#[path = "../fake/mod.rs"]
mod fake;
