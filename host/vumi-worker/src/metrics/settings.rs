//! Numbers in configuration, which Vumi took as text as well: `buckets: "4"` (specification: workers, section 3).
//!
//! The functions are for serde's `deserialize_with`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};

/// A whole number within the bounds of `T`.
///
/// # Errors
/// Those of the format, and one for a number that does not fit.
pub(crate) fn whole<'de, D: Deserializer<'de>, T: TryFrom<i128>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(Whole(PhantomData))
}

/// A number of seconds: finite and not negative.
///
/// # Errors
/// Those of the format, and one for a number that is none.
pub(crate) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let seconds = deserializer.deserialize_any(Real)?;
    // A century is long enough, and fits into every type of time.
    if (0.0..=3.2e9).contains(&seconds) {
        return Ok(seconds);
    }
    Err(D::Error::custom(format!("{seconds} is no number of seconds")))
}

struct Whole<T>(PhantomData<T>);

impl<T: TryFrom<i128>> Whole<T> {
    fn fit<E: Error>(number: i128) -> Result<T, E> {
        T::try_from(number).map_err(|_| E::custom(format!("{number} is out of range here")))
    }
}

impl<T: TryFrom<i128>> Visitor<'_> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        Self::fit(i128::from(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        Self::fit(i128::from(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        match text.trim().parse::<i128>() {
            Ok(number) => Self::fit(number),
            Err(_) => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

struct Real;

impl<'de> Visitor<'de> for Real {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
        Ok(number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        text.trim().parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }

    /// So `serde_json` hands on a number with a fraction.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<f64, A::Error> {
        let number = serde_json::Number::deserialize(MapAccessDeserializer::new(map))?;
        number.as_f64().ok_or_else(|| A::Error::custom(format!("{number} is no number of seconds")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Debug, PartialEq)]
    struct Config {
        #[serde(deserialize_with = "whole")]
        n: u32,
        #[serde(deserialize_with = "seconds")]
        s: f64,
    }

    #[test]
    fn numbers_may_be_text() {
        for (text, config) in [
            (r#"{"n": 4, "s": 1.5}"#, Config { n: 4, s: 1.5 }),
            (r#"{"n": " 4 ", "s": "1.5"}"#, Config { n: 4, s: 1.5 }),
            (r#"{"n": 0, "s": 3}"#, Config { n: 0, s: 3.0 }),
        ] {
            assert_eq!(serde_json::from_str::<Config>(text).unwrap(), config);
        }
        for (text, error) in [
            (r#"{"n": -1, "s": 0}"#, "-1 is out of range here"),
            (r#"{"n": "x", "s": 0}"#, "expected a whole number"),
            (r#"{"n": 1, "s": -0.5}"#, "-0.5 is no number of seconds"),
            (r#"{"n": 1, "s": "nan"}"#, "NaN is no number of seconds"),
        ] {
            let found = serde_json::from_str::<Config>(text).unwrap_err().to_string();
            assert!(found.contains(error), "{found}");
        }
    }
}
