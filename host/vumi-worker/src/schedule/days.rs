//! Days, times of day, and the search for the next of both.

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, ToSpan};
use vumi_message::Timestamp;

/// How many days ahead the next one that fits is looked for. What one month lacks the next one has: no day is more than
/// 62 days away from the next one of its number.
const SEARCH: i64 = 70;

/// On which days something is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Days {
    Every,
    /// 1 to 31.
    OfMonth(Vec<i8>),
    /// 1 (Monday) to 7.
    OfWeek(Vec<i8>),
}

impl Days {
    fn fit(&self, date: Date) -> bool {
        match self {
            Self::Every => true,
            Self::OfMonth(days) => days.contains(&date.day()),
            Self::OfWeek(days) => days.contains(&date.weekday().to_monday_one_offset()),
        }
    }
}

/// Integers from 1 to `most`, separated by commas and white space; `None` when there are none, or others.
pub(super) fn read_days(text: &str, most: i8) -> Option<Vec<i8>> {
    let parts = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty());
    let days: Option<Vec<i8>> = parts.map(|part| part.parse().ok().filter(|day| (1..=most).contains(day))).collect();
    days.filter(|days| !days.is_empty())
}

/// `HH:MM:SS`, each of one or two digits, as Python's `%H:%M:%S` takes it.
pub(super) fn read_time(text: &str) -> Option<Time> {
    let mut parts = text.split(':').map(|part| {
        let plain = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse::<i8>().ok()).flatten()
    });
    let time = Time::new(parts.next()??, parts.next()??, parts.next()??, 0).ok()?;
    parts.next().is_none().then_some(time)
}

/// The first moment strictly after `since` at this time of a day that fits, UTC; `None` beyond the year 9999.
pub(super) fn next(days: &Days, time: Time, since: Timestamp) -> Option<Timestamp> {
    let epoch = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    let since_date = epoch.checked_add(SignedDuration::from_micros(since.micros())).ok()?.date();
    (0..=SEARCH).find_map(|ahead| {
        let due = since_date.checked_add(ahead.days()).ok()?.to_datetime(time);
        let at = Timestamp::from_secs(due.duration_since(epoch).as_secs());
        (at > since && days.fit(due.date())).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_single_day_of_a_month_is_found_from_anywhere() {
        let noon = read_time("12:00:00").unwrap();
        // Four years with a leap day, and the turn of a century without one (2100).
        for start in [1_704_067_200_i64, 4_102_444_800 - 86_400 * 400] {
            for day in 0..4 * 366 {
                let since = Timestamp::from_secs(start + day * 86_400);
                for wanted in 1..=31 {
                    let found = next(&Days::OfMonth(vec![wanted]), noon, since).unwrap();
                    assert!(found > since && found.secs() - since.secs() <= 63 * 86_400, "{wanted} since {since}");
                    assert_eq!(found.iso_seconds()[8..], format!("{wanted:02}T12:00:00"));
                }
            }
        }
    }

    #[test]
    fn there_is_an_end_of_time() {
        let last: Timestamp = "9999-12-31 23:59:59".parse().unwrap();
        assert_eq!(next(&Days::Every, read_time("12:00:00").unwrap(), last), None);
        assert!(next(&Days::Every, read_time("12:00:00").unwrap(), Timestamp::from_micros(i64::MIN)).is_some());
    }

    #[test]
    fn texts() {
        assert_eq!(read_days(" 1,, 15\t31\n", 31), Some(vec![1, 15, 31]));
        for odd in ["", " , ", "0", "32", "-1", "1.5", "x", "1 x", "999", "1;2"] {
            assert_eq!(read_days(odd, 31), None, "{odd}");
        }
        assert_eq!(read_time("9:5:03"), Some(Time::constant(9, 5, 3, 0)));
        for odd in [
            "",
            "noon",
            "12:00",
            "24:00:00",
            "12:60:00",
            "12:00:60",
            "12:00:00:00",
            "+1:00:00",
            "012:00:00",
            "12:00:00 ",
        ] {
            assert_eq!(read_time(odd), None, "{odd}");
        }
    }
}
