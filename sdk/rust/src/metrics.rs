//! Numbers that the app's owner wants to see over time.

use crate::{Result, host};

pub use crate::bindings::vumi::app::metrics::Aggregator;

/// Publishes one value.
///
/// # Errors
/// When the name is no metric name or the value is not finite.
pub fn fire(name: &str, value: f64, aggregator: Aggregator) -> Result<()> {
    Ok(host::fire(name, value, aggregator)?)
}

/// Counts something: adds one to a sum.
///
/// # Errors
/// As [`fire`].
pub fn count(name: &str) -> Result<()> {
    fire(name, 1.0, Aggregator::Sum)
}
