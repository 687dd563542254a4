//! The resource `kv` (specification: sandbox, section 5).

use serde_json::Value;
use vumi_bindings::app::vumi::app::kv::Host;

use super::arguments::Arguments;
use super::{Done, Failure, done, failed, with};
use crate::state::Guest;

/// Redis' own words for a number that is none.
const NO_INTEGER: &str = "value is not an integer or out of range";

/// The lifetime of a value. Vumi took 0 for none.
fn lifetime(seconds: Option<&Value>) -> Result<Option<u32>, Failure> {
    let Some(seconds) = seconds else { return Ok(None) };
    match seconds.as_i64() {
        Some(0) => Ok(None),
        Some(1..) => Ok(Some(seconds.as_i64().and_then(|number| number.try_into().ok()).unwrap_or(u32::MAX))),
        Some(_) => Err(Failure::told("invalid expire time in 'setex' command")),
        None => Err(Failure::new("seconds must be a number or null")),
    }
}

impl Guest {
    pub(super) async fn legacy_kv(&mut self, verb: &str, given: &Arguments) -> wasmtime::Result<Done> {
        if !matches!(verb, "get" | "set" | "delete" | "incr") {
            return Ok(None);
        }
        let lifetime = match lifetime(given.given("seconds").filter(|_| verb == "set")) {
            Ok(lifetime) => lifetime,
            Err(failure) => return Ok(failed(failure)),
        };
        let Some(key) = given.text("key") else { return Ok(failed(Failure::told("'key' must be a string."))) };
        let key = key.to_owned();
        Ok(match verb {
            "get" => match Host::get(self, key).await? {
                Ok(None) => with("value", Value::Null),
                Ok(Some(text)) => match serde_json::from_str(&text) {
                    Ok(value) => with("value", value),
                    Err(_) => failed(Failure::told("the value in kv is no JSON text")),
                },
                Err(error) => failed(Failure::of(error)),
            },
            "set" => {
                let value = given.get("value").unwrap_or(&Value::Null).to_string();
                match Host::set(self, key, value, lifetime).await? {
                    Ok(()) => done(),
                    Err(error) => failed(Failure::of(error)),
                }
            }
            "delete" => match Host::delete(self, key).await? {
                Ok(existed) => with("existed", existed.into()),
                Err(error) => failed(Failure::of(error)),
            },
            _ => {
                let amount = given.get("amount").map_or(Some(1), Value::as_i64);
                let Some(amount) = amount else { return Ok(failed(Failure::told(NO_INTEGER))) };
                match Host::incr(self, key, amount).await? {
                    Ok(value) => with("value", value.into()),
                    Err(error) => failed(Failure::of(error)),
                }
            }
        })
    }
}
