//! How a once-off scheduler works.

use schemars::JsonSchema;
use serde::Deserialize;
use vumi_core::{Error, Result};

/// How a once-off scheduler works (specification: schedule, section 1).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SchedulerOptions {
    /// What the keys begin with, before the `#`.
    pub prefix: String,
    /// What falls due within so many seconds is delivered together.
    #[schemars(range(min = 1))]
    pub granularity: u64,
    /// Seconds between two deliveries.
    pub delivery_period: f64,
    /// What fell due more than so many seconds ago, because no scheduler ran, is dropped and logged; nothing is
    /// unless given.
    pub max_age: Option<u64>,
    /// How often the delivery of an item may fail before the item is dropped and logged.
    #[schemars(range(min = 1))]
    pub max_attempts: u64,
}

impl Default for SchedulerOptions {
    fn default() -> Self {
        Self { prefix: "scheduler".to_owned(), granularity: 5, delivery_period: 3.0, max_age: None, max_attempts: 5 }
    }
}

impl SchedulerOptions {
    /// Looks for mistakes.
    ///
    /// # Errors
    /// One sentence for options that make no sense.
    pub fn check(&self) -> Result<()> {
        for (key, value) in [("granularity", self.granularity), ("max_attempts", self.max_attempts)] {
            if value == 0 {
                return Err(Error::permanent(format!("`{key}` is 0: write at least 1")));
            }
        }
        if crate::every::seconds("delivery_period", self.delivery_period)?.is_zero() {
            return Err(Error::permanent("`delivery_period` is 0: write a number of seconds, e.g. 3"));
        }
        Ok(())
    }
}
