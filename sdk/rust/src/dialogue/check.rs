//! The usual checks of a free text. Each gives what is to be kept, or the reason why the user is asked again.

use std::ops::RangeInclusive;

use super::Text;
use crate::t;

/// A text of so many characters; kept as it is.
///
/// ```
/// use vumi_sdk::dialogue::check;
///
/// assert_eq!(check::length(2..=40)("Anna").unwrap(), "Anna");
/// assert!(check::length(2..=40)("A").is_err());
/// ```
pub fn length(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<String, Text> {
    move |input| match range.contains(&input.chars().count()) {
        true => Ok(input.to_owned()),
        false => {
            let (min, max) = range.clone().into_inner();
            Err(t!("Please enter between {min} and {max} characters.", min = min, max = max))
        }
    }
}

/// A whole number within a range; kept as a number.
///
/// ```
/// use vumi_sdk::dialogue::check;
///
/// assert_eq!(check::number(1..=120)("42"), Ok(42));
/// assert!(check::number(1..=120)("121").is_err());
/// assert!(check::number(1..=120)("forty").is_err());
/// ```
pub fn number(range: RangeInclusive<i64>) -> impl Fn(&str) -> Result<i64, Text> {
    move |input| {
        let number: i64 = input.parse().map_err(|_| Text::from("Please enter a number."))?;
        if range.contains(&number) {
            return Ok(number);
        }
        let (min, max) = range.clone().into_inner();
        Err(t!("Please enter a number from {min} to {max}.", min = min, max = max))
    }
}

/// A date, the day first or the year first: `31-01-2026`, `31/1/2026`, `31.1.2026`, `31 1 2026`, `31012026`,
/// `2026-01-31`; kept as `2026-01-31`.
///
/// ```
/// use vumi_sdk::dialogue::check;
///
/// assert_eq!(check::date()("31/1/2026").unwrap(), "2026-01-31");
/// assert!(check::date()("30-02-2026").is_err());
/// ```
pub fn date() -> impl Fn(&str) -> Result<String, Text> {
    |input| read_date(input).ok_or_else(|| Text::from("Please enter a date such as 31-01-2026."))
}

fn read_date(input: &str) -> Option<String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let parts: Vec<&str> = if input.len() == 8 && digits(input) {
        vec![input.get(..2)?, input.get(2..4)?, input.get(4..)?]
    } else {
        input.split(['-', '/', '.', ' ']).collect()
    };
    let (day, month, year) = match *parts.as_slice() {
        [day, month, year] if year.len() == 4 => (day, month, year),
        [year, month, day] if year.len() == 4 => (day, month, year),
        _ => return None,
    };
    if ![day, month, year].into_iter().all(digits) || day.len() > 2 || month.len() > 2 {
        return None;
    }
    let (day, month, year): (u32, u32, u32) = (day.parse().ok()?, month.parse().ok()?, year.parse().ok()?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&day).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// A phone number, kept with `+` and its country code. `country` is the code for numbers that begin with a single `0`.
///
/// ```
/// use vumi_sdk::dialogue::check;
///
/// assert_eq!(check::phone("27")("082 000 0001").unwrap(), "+27820000001");
/// assert_eq!(check::phone("27")("+255 700-000-001").unwrap(), "+255700000001");
/// assert_eq!(check::phone("27")("00255700000001").unwrap(), "+255700000001");
/// assert!(check::phone("27")("12345").is_err());
/// ```
pub fn phone(country: &'static str) -> impl Fn(&str) -> Result<String, Text> {
    move |input| {
        let plain: String = input.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
        let number = if let Some(rest) = plain.strip_prefix('+').or_else(|| plain.strip_prefix("00")) {
            rest.to_owned()
        } else if let Some(rest) = plain.strip_prefix('0') {
            format!("{country}{rest}")
        } else {
            plain
        };
        // E.164 has at most 15 digits; the shortest numbers with a country code have 8.
        let right = (8..=15).contains(&number.len())
            && number.bytes().all(|digit| digit.is_ascii_digit())
            && !number.starts_with('0');
        if right { Ok(format!("+{number}")) } else { Err(Text::from("Please enter a phone number.")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_exist() {
        for (input, expected) in [
            ("31-01-2026", Some("2026-01-31")),
            ("31012026", Some("2026-01-31")),
            ("2026-1-31", Some("2026-01-31")),
            ("29.2.2024", Some("2024-02-29")),
            ("29.2.2026", None),
            ("29.2.1900", None),
            ("29.2.2000", Some("2000-02-29")),
            ("0.1.2026", None),
            ("1.13.2026", None),
            ("1.1.26", None),
            ("+1.1.2026", None),
            ("1-1-2026-1", None),
            ("é1012026", None),
            ("", None),
        ] {
            assert_eq!(read_date(input).as_deref(), expected, "{input}");
        }
    }
}
