//! The rules, by subject. Each takes a fresh store.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may fail loudly")]

pub(crate) mod expiry;
pub(crate) mod listing;
pub(crate) mod model;
pub(crate) mod numbers;
pub(crate) mod quota;
pub(crate) mod values;
