//! Existing Vumi JavaScript apps: everything that docs/toolkit.md says runs, run.
//!
//! The toolkit that such apps were written with (`vumigo_v02`) comes from npm by a lock file, with its own tests and
//! examples, and is run as it came: its test suite within the script engine against the same suite on node, its example
//! applications as conversations, and each of its features as a conversation with an app of ours (`js/features`).
//! Needs Node.js and npm; the script engine comes from `cargo xtask engine`.

mod bundles;
mod examples;
mod features;
#[allow(dead_code)]
#[path = "../conformance/sandbox/kit.rs"]
mod kit;
mod list;
mod phone;
mod service;
mod suite;
