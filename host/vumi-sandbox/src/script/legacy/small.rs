//! The resources `config` and `metrics` (specification: sandbox, section 8).

use serde_json::Value;
use vumi_bindings::app::vumi::app::config;
use vumi_bindings::app::vumi::app::metrics::Aggregator;

use super::arguments::Arguments;
use super::{Done, Failure, done, failed, with};
use crate::state::Guest;

impl Guest {
    pub(super) fn legacy_config(&mut self, verb: &str, given: &Arguments) -> wasmtime::Result<Done> {
        if verb != "get" {
            return Ok(None);
        }
        let Some(key) = given.text("key") else { return Ok(failed(Failure::new("'key' must be a string."))) };
        Ok(match config::Host::get(self, key.to_owned())? {
            Some(text) => with("value", text.into()),
            None => failed(Failure::new(match self.app.legacy.unreadable.get(key) {
                Some(file) => format!("Cannot read file '{file}'"),
                None => format!("Configuration key '{key}' not found"),
            })),
        })
    }

    pub(super) fn legacy_metrics(&mut self, verb: &str, given: &Arguments) -> wasmtime::Result<Done> {
        if verb != "fire" {
            return Ok(None);
        }
        let checked = measured(given);
        let (store, name, value, aggregator) = match checked {
            Ok(checked) => checked,
            Err(reason) => return Ok(failed(Failure::new(reason))),
        };
        Ok(match self.fire_in(store, name, value, aggregator)? {
            Ok(()) => done(),
            Err(error) => failed(Failure::of(error)),
        })
    }
}

/// Store, name, value and aggregator.
fn measured(given: &Arguments) -> Result<(&str, &str, f64, Aggregator), String> {
    let store = match given.given("store") {
        None => "default",
        Some(store) => store.as_str().ok_or("'store' must be a string.")?,
    };
    let name = given.text("metric").ok_or("'metric' must be a string.")?;
    let value = match given.get("value") {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    let value = value.ok_or("'value' must be a number.")?;
    let aggregator = match given.text("agg") {
        Some("sum") => Aggregator::Sum,
        Some("avg") => Aggregator::Avg,
        Some("min") => Aggregator::Min,
        Some("max") => Aggregator::Max,
        Some("last") => Aggregator::Last,
        _ => return Err("'agg' must be one of sum, avg, min, max, last.".to_owned()),
    };
    Ok((store, name, value, aggregator))
}
