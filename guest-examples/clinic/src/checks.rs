//! Which answers are right. Each check gives what is kept, or the text that tells the user what to mend.

use vumi_sdk::dialogue::{Text, check};
use vumi_sdk::prelude::*;

/// Nobody was born before.
const EARLIEST: i64 = 1900;

/// A name: letters of any script, spaces, hyphens, apostrophes and full stops. White space between is made one space.
pub fn name(input: &str) -> Result<String, Text> {
    let name = input.split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = |c: char| c.is_alphabetic() || matches!(c, ' ' | '-' | '\'' | '’' | '.');
    if !name.chars().all(fits) || !name.chars().any(char::is_alphabetic) {
        return Err("Please write your name with letters only.".into());
    }
    check::length(2..=60)(&name)
}

/// A day of birth, kept as `1990-01-31`. `now` is the day of the message, in the same form.
pub fn birth(input: &str, now: String) -> Result<String, Text> {
    let born = check::date()(input)?;
    // In this form days are in order as texts are.
    if born > now {
        return Err("That day is still to come.".into());
    }
    match born.get(..4).and_then(|year| year.parse::<i64>().ok()) {
        Some(EARLIEST..) => Ok(born),
        _ => Err("Please check the year.".into()),
    }
}

/// A day as people write it: `31-01-1990`.
pub fn shown(day: &str) -> String {
    day.rsplit('-').collect::<Vec<_>>().join("-")
}

/// The day on which a message was sent, such as `2026-01-31` (in universal time; off by some hours is good enough here).
pub fn today(message: &Message) -> String {
    let (year, month, day) = date(message.timestamp_micros().div_euclid(86_400_000_000));
    format!("{year:04}-{month:02}-{day:02}")
}

/// The date of the n-th day since 1970-01-01, as in Howard Hinnant's "chrono-compatible low-level date algorithms".
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, of_year - (153 * from_march + 2) / 5 + 1)
}

/// A South African identity number: 13 digits that begin with the day of birth (`YYMMDD`) and end with a check digit.
pub fn id_number(input: &str, born: &str) -> Result<String, Text> {
    let number: String = input.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    if number.len() != 13 || !has_right_check_digit(&number) {
        return Err("That is no ID number. Please check all 13 digits.".into());
    }
    let day = born.replace('-', "");
    if day.get(2..).is_some_and(|day| number.starts_with(day)) {
        Ok(number)
    } else {
        Err("That ID number is of somebody born on another day.".into())
    }
}

/// Luhn's rule: from the right every second digit counts twice, its digits added; the sum ends with 0.
fn has_right_check_digit(number: &str) -> bool {
    let digits: Option<Vec<u32>> = number.chars().rev().map(|c| c.to_digit(10)).collect();
    let twice = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let counted = |(place, &digit): (usize, &u32)| if place % 2 == 1 { twice(digit) } else { digit };
    digits.is_some_and(|digits| digits.iter().enumerate().map(counted).sum::<u32>() % 10 == 0)
}

/// A passport number of any country, kept in capitals.
pub fn passport(input: &str) -> Result<String, Text> {
    let number: String = input.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase();
    let right = (6..=9).contains(&number.len())
        && number.chars().all(|c| c.is_ascii_alphanumeric())
        && number.chars().any(|c| c.is_ascii_digit());
    if right { Ok(number) } else { Err("A passport number has 6 to 9 letters and digits.".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_letters() {
        for good in ["Anna", "Thandiwe  Nkosi", "Ngũgĩ wa Thiong'o", "M. O’Neill-Smith", "李小龙"] {
            assert!(name(good).is_ok(), "{good}");
        }
        assert_eq!(name("Anna \t Maria").unwrap(), "Anna Maria");
        for bad in ["Anna1", "1", "--", "A", "x@y", &"a".repeat(61)] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nobody_is_born_tomorrow_or_too_long_ago() {
        let now = || "2026-01-31".to_owned();
        assert_eq!(birth("31/1/2026", now()).unwrap(), "2026-01-31");
        assert_eq!(birth("1.1.1900", now()).unwrap(), "1900-01-01");
        for bad in ["01-02-2026", "31-12-1899", "31-02-1990", "x"] {
            assert!(birth(bad, now()).is_err(), "{bad}");
        }
        assert_eq!(shown("1990-01-31"), "31-01-1990");
    }

    #[test]
    fn days_have_dates() {
        for (days, expected) in [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (20_484, (2026, 1, 31)),
        ] {
            assert_eq!(date(days), expected, "{days}");
        }
    }

    #[test]
    fn identity_numbers_have_a_check_digit_and_the_day_of_birth() {
        assert_eq!(id_number("900131 5015 080", "1990-01-31").unwrap(), "9001315015080");
        for (bad, born) in [
            ("9001315015081", "1990-01-31"),
            ("900131501508", "1990-01-31"),
            ("90013150150800", "1990-01-31"),
            ("900131501508x", "1990-01-31"),
            ("9001315015080", "1990-01-30"),
        ] {
            assert!(id_number(bad, born).is_err(), "{bad}");
        }
    }

    #[test]
    fn passports_are_those_of_all_countries() {
        assert_eq!(passport("ab 123456").unwrap(), "AB123456");
        for bad in ["12345", "1234567890", "ABCDEFG", "A-123456", ""] {
            assert!(passport(bad).is_err(), "{bad}");
        }
    }
}
