//! Configuration values as Vumi reads them (transport specification "common", C9): a whole number may be written as
//! text, a flag in many ways, and null counts as not set.
//!
//! The functions are for serde's `deserialize_with`; the wrappers [`Flag`] and [`Whole`] for maps that are read key
//! by key. Errors keep the position that the format gives them.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// A flag; `None` when null. The texts `false`, `0` and the empty one are false, in any case and with blanks around
/// them; every other text is true. Of numbers, 0 is false.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag(pub Option<bool>);

/// A whole number within the bounds of `T`; `None` when null. May be written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole<T>(pub Option<T>);

/// A number of at least 0; `None` when null. May be written as text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decimal(pub Option<f64>);

/// A number of at least 1, for [`Whole`] and [`optional_whole`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Positive<T>(pub T);

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DecimalVisitor)
    }
}

struct DecimalVisitor;

impl Visitor<'_> for DecimalVisitor {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of at least 0")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Decimal, E> {
        if number.is_finite() && number >= 0.0 {
            return Ok(Decimal(Some(number)));
        }
        Err(E::invalid_value(Unexpected::Float(number), &self))
    }

    // The numbers of a configuration are small enough to be exact.
    #[allow(clippy::cast_precision_loss)]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Decimal, E> {
        self.visit_f64(number as f64)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Decimal, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Decimal, E> {
        match text.trim().parse::<f64>() {
            Ok(number) => self.visit_f64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Decimal, E> {
        Ok(Decimal(None))
    }

    fn visit_none<E: Error>(self) -> Result<Decimal, E> {
        Ok(Decimal(None))
    }
}

impl<T: TryFrom<i128>> TryFrom<i128> for Positive<T> {
    type Error = ();

    fn try_from(number: i128) -> Result<Self, ()> {
        if number < 1 { Err(()) } else { T::try_from(number).map(Positive).map_err(drop) }
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

struct FlagVisitor;

impl Visitor<'_> for FlagVisitor {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true or false")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Flag, E> {
        Ok(Flag(Some(flag)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Flag, E> {
        Ok(Flag(Some(number != 0)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Flag, E> {
        Ok(Flag(Some(number != 0)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Flag, E> {
        Ok(Flag(Some(!matches!(text.trim().to_lowercase().as_str(), "false" | "0" | ""))))
    }

    fn visit_unit<E: Error>(self) -> Result<Flag, E> {
        Ok(Flag(None))
    }

    fn visit_none<E: Error>(self) -> Result<Flag, E> {
        Ok(Flag(None))
    }
}

impl<'de, T: TryFrom<i128>> Deserialize<'de> for Whole<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor(PhantomData))
    }
}

struct WholeVisitor<T>(PhantomData<T>);

impl<T: TryFrom<i128>> WholeVisitor<T> {
    fn fit<E: Error>(number: i128) -> Result<Whole<T>, E> {
        match T::try_from(number) {
            Ok(fits) => Ok(Whole(Some(fits))),
            Err(_) => Err(E::custom(format!("{number} is out of range here"))),
        }
    }
}

impl<T: TryFrom<i128>> Visitor<'_> for WholeVisitor<T> {
    type Value = Whole<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Whole<T>, E> {
        Self::fit(i128::from(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Whole<T>, E> {
        Self::fit(i128::from(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Whole<T>, E> {
        match text.trim().parse::<i128>() {
            Ok(number) => Self::fit(number),
            Err(_) => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Whole<T>, E> {
        Ok(Whole(None))
    }

    fn visit_none<E: Error>(self) -> Result<Whole<T>, E> {
        Ok(Whole(None))
    }
}

/// A whole number that may be left out.
///
/// # Errors
/// Those of the format, and one for a number that does not fit.
pub fn optional_whole<'de, D: Deserializer<'de>, T: TryFrom<i128>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Whole::deserialize(deserializer).map(|whole| whole.0)
}

/// A flag that may be left out: false then.
///
/// # Errors
/// Those of the format.
pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Flag::deserialize(deserializer).map(|flag| flag.0.unwrap_or_default())
}

/// A whole number that may be left out: 0 then.
///
/// # Errors
/// As [`optional_whole`].
pub fn whole<'de, D: Deserializer<'de>, T: TryFrom<i128> + Default>(deserializer: D) -> Result<T, D::Error> {
    optional_whole(deserializer).map(Option::unwrap_or_default)
}

/// Seconds that a session lasts, at least one; 600 when left out, as in most of Vumi's transports.
///
/// # Errors
/// As [`optional_whole`].
pub fn session_timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    seconds::<600, D>(deserializer)
}

/// Seconds, at least one; `OR` when left out.
///
/// # Errors
/// As [`optional_whole`].
pub fn seconds<'de, const OR: u64, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let given: Option<Positive<u64>> = optional_whole(deserializer)?;
    Ok(given.map_or(OR, |given| given.0))
}

/// A flag that may be left out: true then. Goes with [`on`] as the default.
///
/// # Errors
/// Those of the format.
pub fn flag_on<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Flag::deserialize(deserializer).map(|flag| flag.0.unwrap_or(true))
}

/// True.
pub const fn on() -> bool {
    true
}

/// A week in seconds.
pub const fn week() -> u64 {
    604_800
}

/// Seconds that the network's ids of messages are known, at least one; a week when left out, as in Vumi. Goes
/// with [`week`] as the default.
///
/// # Errors
/// As [`optional_whole`].
pub fn id_lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let given: Option<Positive<u64>> = optional_whole(deserializer)?;
    Ok(given.map_or(week(), |given| given.0))
}

/// A text that may be left out: empty then.
///
/// # Errors
/// Those of the format.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(yaml: &str) -> Option<bool> {
        serde_saphyr::from_str::<Flag>(yaml).unwrap().0
    }

    fn whole(yaml: &str) -> Result<Option<u16>, String> {
        serde_saphyr::from_str::<Whole<u16>>(yaml).map(|whole| whole.0).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_are_read_as_vumi_reads_them() {
        for (yaml, value) in [
            ("true", true),
            ("false", false),
            ("0", false),
            ("7", true),
            ("-1", true),
            ("\"False \"", false),
            ("\"\"", false),
            ("\"0\"", false),
            ("\"no\"", true),
        ] {
            assert_eq!(flag(yaml), Some(value), "{yaml}");
        }
        assert_eq!(flag("null"), None);
        assert!(serde_saphyr::from_str::<Flag>("[true]").is_err());
    }

    #[test]
    fn whole_numbers_may_be_text_but_not_fractions() {
        assert_eq!(whole("5"), Ok(Some(5)));
        assert_eq!(whole("\"5\""), Ok(Some(5)));
        assert_eq!(whole("null"), Ok(None));
        assert_eq!(serde_saphyr::from_str::<Whole<Positive<u8>>>("1").unwrap(), Whole(Some(Positive(1))));
        assert!(serde_saphyr::from_str::<Whole<Positive<u8>>>("0").is_err());
        for (yaml, text) in
            [("5.5", "a whole number"), ("\"5.5\"", "a whole number"), ("-1", "-1 is out of range"), ("65536", "65536")]
        {
            let error = whole(yaml).unwrap_err();
            assert!(error.contains(text), "{yaml}: {error}");
        }
    }
}
