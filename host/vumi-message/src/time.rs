//! The one date in a message: `timestamp`, the moment the message was made.
//!
//! Vumi writes dates as `2016-03-01 08:30:00.000000`: UTC, a blank in the middle, always six digits of fraction.
//! A date without fraction is read as well. Vumi also let dates pass that it could not read, among them ISO 8601
//! (`2016-03-01T08:30:00Z`), so that form is understood too.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::civil::DateTime;

use crate::calendar::{date_of, days_to};
use crate::fields::shorten;

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
/// 0001-01-01 00:00:00 and 9999-12-31 23:59:59.999999: what Python's dates, and four digits, can hold.
const MIN_MICROS: i64 = -62_135_596_800_000_000;
const MAX_MICROS: i64 = 253_402_300_799_999_999;

/// A moment in UTC, to the microsecond, between the years 1 and 9999 (messages.md §2 "Dates").
///
/// `Display` and `FromStr` use Vumi's format `YYYY-MM-DD HH:MM:SS.ffffff`; reading also takes no fraction, one
/// to five digits of it, and ISO 8601 with a `T` (no zone means UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The present moment by the system's clock.
    pub fn now() -> Self {
        let micros = |distance: Duration| i64::try_from(distance.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => micros(after),
            // A clock that was never set.
            Err(before) => -micros(before.duration()),
        })
    }

    /// `micros` microseconds after (negative: before) 1970-01-01 00:00:00 UTC. A moment outside the years
    /// 1 to 9999 becomes the nearest one inside.
    pub fn from_micros(micros: i64) -> Self {
        Timestamp(micros.clamp(MIN_MICROS, MAX_MICROS))
    }

    /// `secs` seconds after 1970-01-01 00:00:00 UTC, with the same bounds as [`Timestamp::from_micros`].
    pub fn from_secs(secs: i64) -> Self {
        Self::from_micros(secs.saturating_mul(1_000_000))
    }

    /// Microseconds since 1970-01-01 00:00:00 UTC.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01 00:00:00 UTC, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// `YYYY-MM-DDTHH:MM:SS`, without fraction and zone, as Vumi names retry buckets (messages.md §7).
    pub fn iso_seconds(self) -> String {
        let [seconds @ .., _, _, _, _, _, _, _] = self.written(b'T');
        ascii(&seconds).to_owned()
    }

    /// Date, separator, time, and six digits of fraction.
    fn written(self, separator: u8) -> [u8; 26] {
        let (seconds, micros) = (self.0.div_euclid(1_000_000), self.0.rem_euclid(1_000_000));
        let (year, month, day) = date_of(seconds.div_euclid(86_400));
        let second = seconds.rem_euclid(86_400);
        let ([a, b], [c, d]) = (two(year / 100), two(year));
        let ([e, f], [g, h]) = (two(month), two(day));
        let ([i, j], [k, l], [m, n]) = (two(second / 3_600), two(second / 60 % 60), two(second % 60));
        let ([o, p], [q, r], [s, t]) = (two(micros / 10_000), two(micros / 100), two(micros));
        [a, b, c, d, b'-', e, f, b'-', g, h, separator, i, j, b':', k, l, b':', m, n, b'.', o, p, q, r, s, t]
    }

    fn from_civil(time: DateTime) -> Option<Self> {
        let micros = i64::try_from(time.duration_since(EPOCH).as_micros()).ok()?;
        (MIN_MICROS..=MAX_MICROS).contains(&micros).then_some(Timestamp(micros))
    }

    /// Reads Vumi's own format and no other.
    pub(crate) fn parse_vumi(text: &str) -> Option<Self> {
        let (head, fraction) = text.as_bytes().split_first_chunk::<19>()?;
        let [a, b, c, d, b'-', e, f, b'-', g, h, b' ', i, j, b':', k, l, b':', m, n] = *head else { return None };
        let micros = match fraction {
            [] => 0,
            // One to six digits, as many as there are.
            [b'.', digits @ ..] if (1..=6).contains(&digits.len()) => {
                number(digits)? * 10_i64.pow(6 - u32::try_from(digits.len()).ok()?)
            }
            _ => return None,
        };
        let year = number(&[a, b, c, d]).filter(|year| *year > 0)?;
        let days = days_to((year, number(&[e, f])?, number(&[g, h])?))?;
        let hour = number(&[i, j]).filter(|hour| *hour < 24)?;
        let minute = number(&[k, l]).filter(|minute| *minute < 60)?;
        let second = number(&[m, n]).filter(|second| *second < 60)?;
        Some(Timestamp((days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000_000 + micros))
    }

    fn parse_iso(text: &str) -> Option<Self> {
        if text.as_bytes().get(10) != Some(&b'T') {
            return None;
        }
        if let Ok(instant) = jiff::Timestamp::from_str(text) {
            return Some(Self::from_micros(instant.as_microsecond()));
        }
        // jiff reads a time with a zone as a plain date too, dropping the zone: only a text without one is meant.
        let plain = !text.contains(['Z', 'z', '+', '[']) && text.matches('-').count() == 2;
        plain.then(|| DateTime::from_str(text).ok().and_then(Self::from_civil)).flatten()
    }
}

/// The last two decimal digits of a number.
fn two(number: i64) -> [u8; 2] {
    let last = (number % 100).unsigned_abs() as u8;
    [b'0' + last / 10, b'0' + last % 10]
}

/// The number that a few digits are, if they are.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

/// What [`Timestamp::written`] made is ASCII.
fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ascii(&self.written(b' ')))
    }
}

/// A text that is not a date as messages carry them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a date: it must look like 2016-03-01 08:30:00.000000 (UTC)")]
pub struct ParseTimestampError(String);

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse_vumi(text).or_else(|| Self::parse_iso(text)).ok_or_else(|| ParseTimestampError(shorten(text)))
    }
}

/// In records (not in messages) a timestamp is the number of microseconds.
impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.micros())
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self::from_micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        text.parse::<Timestamp>().ok().map(|timestamp| timestamp.to_string())
    }

    #[test]
    fn reads_any_number_of_fraction_digits_up_to_six() {
        assert_eq!(read("2016-03-01 08:30:00").unwrap(), "2016-03-01 08:30:00.000000");
        assert_eq!(read("2016-03-01 08:30:00.5").unwrap(), "2016-03-01 08:30:00.500000");
        assert_eq!(read("2016-03-01 08:30:00.000123").unwrap(), "2016-03-01 08:30:00.000123");
    }

    #[test]
    fn reads_iso_8601_with_and_without_zone() {
        assert_eq!(read("2016-03-01T08:30:00Z").unwrap(), "2016-03-01 08:30:00.000000");
        assert_eq!(read("2016-03-01T08:30:00.25").unwrap(), "2016-03-01 08:30:00.250000");
        assert_eq!(read("2016-03-01T08:30:00+02:00").unwrap(), "2016-03-01 06:30:00.000000");
        assert_eq!(read("2016-03-01T08:30:00-02:00").unwrap(), "2016-03-01 10:30:00.000000");
    }

    #[test]
    fn refuses_what_is_not_a_date() {
        for text in [
            "",
            "now",
            "2016-03-01",
            "2016-3-1 8:30:00",
            "2016-02-30 08:30:00",
            "2016-03-01 24:00:00",
            "2016-03-01 08:30:60",
            "2016-03-01 08:30:00.",
            "2016-03-01 08:30:00.1234567",
            "2016-03-01 08:30:00.+5",
            "2016-03-01 08:30:00Z",
            "2016-03-01 08:30:+1",
            "+016-03-01 08:30:00",
            "0000-03-01 08:30:00",
            "2016-03-01T08:30:00[",
            "2016-03-01T08:30:00-02:99",
            "２０１６-03-01 08:30:00",
        ] {
            assert_eq!(read(text), None, "{text:?} must not be a date");
        }
        assert_eq!(
            "now".parse::<Timestamp>().unwrap_err().to_string(),
            "'now' is not a date: it must look like 2016-03-01 08:30:00.000000 (UTC)"
        );
    }

    #[test]
    fn covers_the_years_1_to_9999_and_stays_inside() {
        assert_eq!(Timestamp::from_micros(i64::MIN).to_string(), "0001-01-01 00:00:00.000000");
        assert_eq!(Timestamp::from_micros(i64::MAX).to_string(), "9999-12-31 23:59:59.999999");
        for text in ["0001-01-01 00:00:00.000000", "9999-12-31 23:59:59.999999", "1969-12-31 23:59:59.999999"] {
            assert_eq!(read(text).unwrap(), text);
        }
    }

    #[test]
    fn counts_from_the_epoch() {
        let before = Timestamp::from_micros(-1);
        assert_eq!((before.secs(), before.micros()), (-1, -1));
        assert_eq!(before.iso_seconds(), "1969-12-31T23:59:59");
        assert_eq!(Timestamp::from_secs(1_400_000_003).iso_seconds(), "2014-05-13T16:53:23");
    }

    #[test]
    fn now_is_now() {
        let system = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let apart = Timestamp::now().micros() - i64::try_from(system.as_micros()).unwrap();
        assert!((0..60_000_000).contains(&apart), "{apart} µs apart");
    }
}
