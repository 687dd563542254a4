//! Small values that outlive the run, in the app's own namespace.
//!
//! Any type that serde can write is a value; it is stored as JSON text. Nobody but the app sees its keys; their number
//! and the size of a value are limited.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use vumi_sdk::kv;
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct Patient {
//!     name: String,
//!     visits: u32,
//! }
//!
//! kv::set("patient:7", &Patient { name: "Anna".into(), visits: 2 })?;
//! assert_eq!(kv::get::<Patient>("patient:7")?.unwrap().name, "Anna");
//! assert_eq!(kv::incr("patients", 1)?, 1);
//! assert!(kv::delete("patient:7")?);
//! # Ok::<(), vumi_sdk::Error>(())
//! ```

use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use crate::{Result, host};

/// Any JSON value, for what has no type of its own: `kv::get::<kv::Json>(…)`.
pub use serde_json::Value as Json;

/// The value of a key; none when it was never set, was deleted or has expired.
///
/// # Errors
/// [`crate::Error::Json`] when the stored value does not have the shape of `T`; others when the host cannot answer now.
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<T>> {
    match host::kv_get(key)? {
        Some(text) => Ok(Some(serde_json::from_str(&text)?)),
        None => Ok(None),
    }
}

/// The value of a key, or the type's default (0, an empty list, …) when there is none.
///
/// # Errors
/// As [`get`].
pub fn get_or_default<T: DeserializeOwned + Default>(key: &str) -> Result<T> {
    Ok(get(key)?.unwrap_or_default())
}

/// Sets a key, for good.
///
/// # Errors
/// [`crate::Error::Quota`] when it is one key too many or the value is too large.
pub fn set<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<()> {
    Ok(host::kv_set(key, &serde_json::to_string(value)?, None)?)
}

/// Sets a key that expires. Parts of a second count as a whole one.
///
/// ```
/// use std::time::Duration;
/// use vumi_sdk::{kv, testing};
///
/// kv::set_for("pin", "1234", Duration::from_secs(300))?;
/// testing::advance(Duration::from_secs(301));
/// assert_eq!(kv::get::<String>("pin")?, None);
/// # Ok::<(), vumi_sdk::Error>(())
/// ```
///
/// # Errors
/// As [`set`].
pub fn set_for<T: Serialize + ?Sized>(key: &str, value: &T, lifetime: Duration) -> Result<()> {
    let seconds = lifetime.as_secs() + u64::from(lifetime.subsec_nanos() > 0);
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    Ok(host::kv_set(key, &serde_json::to_string(value)?, Some(seconds))?)
}

/// Removes a key; true when there was one.
///
/// # Errors
/// When the host cannot do it now.
pub fn delete(key: &str) -> Result<bool> {
    Ok(host::kv_delete(key)?)
}

/// Adds to a whole number, in one step, and returns the sum. An absent key counts as 0. An expiry stays.
///
/// # Errors
/// When the value is no whole number, or it is one key too many.
pub fn incr(key: &str, amount: i64) -> Result<i64> {
    Ok(host::kv_incr(key, amount)?)
}

/// A key that knows the type of its value, so that what is written and what is read cannot differ.
///
/// ```
/// use vumi_sdk::kv::Key;
///
/// const GREETING: Key<String> = Key::new("greeting");
///
/// assert_eq!(GREETING.get()?, None);
/// GREETING.set(&"Hello".to_owned())?;
/// assert_eq!(GREETING.get()?.as_deref(), Some("Hello"));
///
/// let of_anna = GREETING.of("+27820000001");
/// assert_eq!(of_anna.name(), "greeting:+27820000001");
/// assert_eq!(of_anna.get()?, None);
/// # Ok::<(), vumi_sdk::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Key<T> {
    name: Cow<'static, str>,
    value: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// A key of this name.
    pub const fn new(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), value: PhantomData }
    }

    /// The key of one user, parcel, …: `name:which`.
    #[must_use]
    pub fn of(&self, which: &str) -> Self {
        Self { name: format!("{}:{which}", self.name).into(), value: PhantomData }
    }

    /// As kv knows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Removes it; true when there was one.
    ///
    /// # Errors
    /// As [`delete`].
    pub fn delete(&self) -> Result<bool> {
        delete(&self.name)
    }
}

impl<T: Serialize + DeserializeOwned> Key<T> {
    /// Its value.
    ///
    /// # Errors
    /// As [`get`].
    pub fn get(&self) -> Result<Option<T>> {
        get(&self.name)
    }

    /// Sets it, for good.
    ///
    /// # Errors
    /// As [`set`].
    pub fn set(&self, value: &T) -> Result<()> {
        set(&self.name, value)
    }

    /// Sets it; it expires.
    ///
    /// # Errors
    /// As [`set`].
    pub fn set_for(&self, value: &T, lifetime: Duration) -> Result<()> {
        set_for(&self.name, value, lifetime)
    }
}
