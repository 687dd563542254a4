//! Tests of an app on the machine at hand: no host, no component, `cargo test` alone.
//!
//! Compiled for anything but wasm, the calls of this crate are answered by a *desk* in memory, one for each thread and
//! so for each test: `kv` keeps, messages and metrics are collected, `http` is answered by a function of the test, and
//! time stands still unless the test moves it. [`Phone`] holds a conversation with a [`Dialogue`].
//!
//! ```
//! use vumi_sdk::dialogue::*;
//! use vumi_sdk::testing::Phone;
//!
//! fn poll() -> Dialogue {
//!     Dialogue::new("poll")
//!         .state(Choice::new("tea", "Tea?").option("yes", "Yes").option("no", "No").next("thanks"))
//!         .state(End::new("thanks", "Noted: {tea}."))
//! }
//!
//! let mut phone = Phone::ussd(poll);
//! assert_eq!(phone.dial(), "Tea?\n1. Yes\n2. No");
//! assert_eq!(phone.say("2"), "Noted: no.");
//! assert!(phone.is_closed());
//! ```
//!
//! What the host adds (limits, the allow-list, isolation) is only there in `vumi-host test`, which plays conversations
//! against the component itself.

pub(crate) mod calls;
mod desk;
mod phone;

pub use desk::{Fired, Sent, advance, logs, metrics, on_http, reset, sent, set_config, slept, stored, ttl_seconds};
pub use phone::{Phone, message};

#[cfg(doc)]
use crate::dialogue::Dialogue;
