//! The contract, one file per part. Each test takes the function that makes the broker.

pub(crate) mod bounds;
pub(crate) mod closing;
pub(crate) mod dead;
pub(crate) mod delivery;
pub(crate) mod kit;
pub(crate) mod stress;
