//! The resource `log` (specification: sandbox, section 4).

use serde_json::Value;
use vumi_bindings::app::vumi::app::log::{Host, Level};

use super::arguments::Arguments;
use super::{Done, Failure, done, failed};
use crate::state::Guest;

/// The level of a number; Python's numbers have any value.
fn level_of(number: i64) -> Level {
    match number {
        50.. => Level::Critical,
        40..50 => Level::Error,
        30..40 => Level::Warning,
        20..30 => Level::Info,
        _ => Level::Debug,
    }
}

/// A number, or a text that is one.
fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

impl Guest {
    pub(super) fn legacy_log(&mut self, verb: &str, given: &Arguments) -> wasmtime::Result<Done> {
        let usual = match verb {
            "debug" => Level::Debug,
            "info" | "log" => Level::Info,
            "warning" => Level::Warning,
            "error" => Level::Error,
            "critical" => Level::Critical,
            _ => return Ok(None),
        };
        let Some(msg) = given.given("msg") else { return Ok(failed(Failure::new("Value expected for msg"))) };
        let level = match given.given("level") {
            None => usual,
            Some(level) => match number(level) {
                Some(number) => level_of(number),
                None => return Ok(failed(Failure::told("'level' must be a number."))),
            },
        };
        let text = msg.as_str().map_or_else(|| msg.to_string(), str::to_owned);
        Host::log(self, level, text)?;
        Ok(done())
    }
}
