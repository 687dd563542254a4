//! The rules, by subject. Each takes fresh collections.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may fail loudly")]

pub(crate) mod changes;
pub(crate) mod expiry;
pub(crate) mod kinds;
pub(crate) mod model;
pub(crate) mod races;
