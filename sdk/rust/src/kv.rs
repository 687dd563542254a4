//! Small values that outlive the run, in the app's own namespace.
//!
//! Any type that serde can write is a value; it is stored as JSON text.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use crate::Result;
use crate::bindings::vumi::app::kv;

/// The value of a key; none when it was never set, was deleted or has expired.
///
/// # Errors
/// When the stored value does not have the shape of `T`, or the host cannot answer now.
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<T>> {
    match kv::get(key)? {
        Some(text) => Ok(Some(serde_json::from_str(&text)?)),
        None => Ok(None),
    }
}

/// Sets a key, for good.
///
/// # Errors
/// [`crate::Error::Quota`] when it is one key too many or the value is too large.
pub fn set<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<()> {
    Ok(kv::set(key, &serde_json::to_string(value)?, None)?)
}

/// Sets a key that expires. Parts of a second count as a whole one.
///
/// # Errors
/// As [`set`].
pub fn set_for<T: Serialize + ?Sized>(key: &str, value: &T, lifetime: Duration) -> Result<()> {
    let seconds = lifetime.as_secs() + u64::from(lifetime.subsec_nanos() > 0);
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    Ok(kv::set(key, &serde_json::to_string(value)?, Some(seconds))?)
}

/// Removes a key; true when there was one.
///
/// # Errors
/// When the host cannot do it now.
pub fn delete(key: &str) -> Result<bool> {
    Ok(kv::delete(key)?)
}

/// Adds to a whole number, in one step, and returns the sum. An absent key counts as 0.
///
/// # Errors
/// When the value is no whole number, or it is one key too many.
pub fn incr(key: &str, amount: i64) -> Result<i64> {
    Ok(kv::incr(key, amount)?)
}
