//! A number as metrics carry it, and how Python writes it.
//!
//! Vumi's metrics are JSON numbers: whole ones stay whole (`3`), others are floats (`1.0`). What collectors print
//! follows Python 2: `%f` has six decimals, `%s` of a float has twelve significant digits and always a point.

use std::cmp::Ordering;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A number; a float in it is finite when it came from JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole one.
    Int(i64),
    /// Any other.
    Float(f64),
}

impl Number {
    /// As a float.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(n) => n as f64,
            Self::Float(n) => n,
        }
    }

    /// The largest whole number that is not above it.
    pub fn floor(self) -> i64 {
        match self {
            Self::Int(n) => n,
            // The cast saturates.
            Self::Float(n) => n.floor() as i64,
        }
    }

    /// Without its fraction, as Python's `%d` does.
    pub fn trunc(self) -> i64 {
        match self {
            Self::Int(n) => n,
            Self::Float(n) => n.trunc() as i64,
        }
    }

    /// Whether JSON can hold it.
    pub fn is_finite(self) -> bool {
        self.as_f64().is_finite()
    }

    /// Order by size.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (a, b) => a.as_f64().total_cmp(&b.as_f64()),
        }
    }

    /// Their sum: whole if both are and it fits.
    pub fn plus(self, other: Self) -> Self {
        if let (Self::Int(a), Self::Int(b)) = (self, other)
            && let Some(sum) = a.checked_add(b)
        {
            return Self::Int(sum);
        }
        Self::Float(self.as_f64() + other.as_f64())
    }

    /// As JSON, in the digits that Python writes; `null` for what is not finite.
    pub fn to_json(self) -> Value {
        self.exact().parse().map_or(Value::Null, Value::Number)
    }

    /// `%.<decimals>f`
    pub(crate) fn fixed(self, decimals: usize) -> String {
        format!("{:.decimals$}", self.as_f64())
    }

    /// `%.<decimals>e`
    pub(crate) fn scientific(self, decimals: usize) -> String {
        let text = format!("{:.decimals$e}", self.as_f64());
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
        format!("{digits}e{sign}{exponent:0>2}")
    }

    /// `%.<digits>g`: the shorter of the two, without zeros at the end.
    pub(crate) fn general(self, digits: usize) -> String {
        let digits = digits.max(1);
        let scientific = self.scientific(digits - 1);
        let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
        let size: i64 = exponent.parse().unwrap_or(0);
        let bound = i64::try_from(digits).unwrap_or(i64::MAX);
        if (-4..bound).contains(&size) {
            let decimals = usize::try_from(bound - 1 - size).unwrap_or(0);
            return without_zeros(&self.fixed(decimals)).to_owned();
        }
        format!("{}e{exponent}", without_zeros(mantissa))
    }

    /// `%s` of Python 2.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Int(n) => n.to_string(),
            Self::Float(_) => pointed(self.general(12)),
        }
    }

    /// `%r`: as many digits as it takes to read the same number again.
    pub(crate) fn exact(self) -> String {
        let Self::Float(float) = self else { return self.text() };
        let text = format!("{float:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        match exponent.parse::<i32>() {
            Ok(size) if !(-4..16).contains(&size) => {
                let sign = if size < 0 { '-' } else { '+' };
                format!("{digits}e{sign}{:02}", size.unsigned_abs())
            }
            _ => pointed(float.to_string()),
        }
    }
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// A float is never written as if it were whole.
fn pointed(text: String) -> String {
    if text.contains(['.', 'e']) || !text.ends_with(|c: char| c.is_ascii_digit()) { text } else { format!("{text}.0") }
}

impl From<i64> for Number {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl From<f64> for Number {
    fn from(n: f64) -> Self {
        Self::Float(n)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        if let Some(whole) = number.as_i64() {
            return Ok(Self::Int(whole));
        }
        match number.as_f64() {
            Some(float) if float.is_finite() => Ok(Self::Float(float)),
            _ => Err(serde::de::Error::custom(format!("the number {number} is too large"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_as_python_does() {
        for (number, text) in [
            (2.5, "2.5"),
            (1.0, "1.0"),
            (0.1 + 0.2, "0.3"),
            (1e11, "100000000000.0"),
            (1e12, "1e+12"),
            (1.5e-5, "1.5e-05"),
            (0.0001, "0.0001"),
            (-0.0, "-0.0"),
            (123456.789, "123456.789"),
        ] {
            assert_eq!(Number::Float(number).text(), text);
        }
        assert_eq!(Number::Int(7).text(), "7");
        assert_eq!(Number::Float(1.5).fixed(6), "1.500000");
        assert_eq!(Number::Int(1500000000).fixed(6), "1500000000.000000");
        assert_eq!(Number::Float(12345.678).scientific(3), "1.235e+04");
        assert_eq!(Number::Float(12345.678).general(3), "1.23e+04");
        assert_eq!(Number::Float(0.0).general(6), "0");
    }

    #[test]
    fn exact_reads_the_same_again() {
        for (number, text) in [
            (0.1, "0.1"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1.0, "1.0"),
            (1e16, "1e+16"),
            (123456789012345.0, "123456789012345.0"),
            (2.1457672119140625e-06, "2.1457672119140625e-06"),
        ] {
            assert_eq!(Number::Float(number).exact(), text);
        }
    }

    #[test]
    fn whole_numbers_stay_whole() {
        let read: Vec<Number> = serde_json::from_str("[3, 3.0, -2, 1e2, 9223372036854775808]").unwrap();
        let expected = [
            Number::Int(3),
            Number::Float(3.0),
            Number::Int(-2),
            Number::Float(100.0),
            Number::Float(9.223_372_036_854_776e18),
        ];
        assert_eq!(read, expected);
        let written =
            [Number::Int(3), Number::Float(3.0), Number::Float(2e-6)].map(|number| number.to_json().to_string());
        assert_eq!(written, ["3", "3.0", "2e-06"]);
        assert_eq!(Number::Float(f64::NAN).to_json(), Value::Null);
        for bad in ["1e999", "true", "\"1\"", "null", "NaN"] {
            assert!(serde_json::from_str::<Number>(bad).is_err(), "{bad}");
        }
        assert_eq!(Number::Int(i64::MAX).plus(Number::Int(1)), Number::Float(9.223_372_036_854_776e18));
    }
}
