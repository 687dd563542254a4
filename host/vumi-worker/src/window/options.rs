//! How large windows are and how long flights last.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use vumi_core::{Error, Result};

use crate::every::seconds;

/// How large windows are and how long flights last (specification: window_manager, section 1).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WindowOptions {
    /// Items that may be in flight in each window.
    #[schemars(range(min = 1))]
    pub window_size: u64,
    /// Seconds after which an item in flight frees its slot; `gc_interval` times `window_size` unless given, or 0.
    #[schemars(range(min = 0))]
    pub flight_lifetime: Option<f64>,
    /// Seconds between two looks for such items.
    pub gc_interval: f64,
}

impl Default for WindowOptions {
    fn default() -> Self {
        Self { window_size: 100, flight_lifetime: None, gc_interval: 10.0 }
    }
}

impl WindowOptions {
    /// How long a flight lasts.
    ///
    /// # Errors
    /// One sentence for options that make no sense.
    pub fn lifetime(&self) -> Result<Duration> {
        if self.window_size == 0 {
            return Err(Error::permanent("`window_size` is 0, so nothing would ever take off: write at least 1"));
        }
        match self.flight_lifetime.filter(|given| *given != 0.0) {
            Some(given) => seconds("flight_lifetime", given),
            None => seconds("gc_interval times window_size", self.gc_interval * self.window_size as f64),
        }
    }

    /// Between two looks for flights that have ended.
    ///
    /// # Errors
    /// One sentence for an interval that makes no sense.
    pub fn interval(&self) -> Result<Duration> {
        let interval = seconds("gc_interval", self.gc_interval)?;
        if interval.is_zero() {
            return Err(Error::permanent("`gc_interval` is 0: write a number of seconds, e.g. 10"));
        }
        Ok(interval)
    }
}
