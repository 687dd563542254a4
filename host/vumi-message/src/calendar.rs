//! Days and dates of the Gregorian calendar, carried back to the year 1.
//!
//! Every message is stamped, and every message that comes in has its stamp read: these few lines of integer arithmetic
//! cost a fraction of what a calendar library takes. They follow Howard Hinnant's `chrono`-compatible algorithms
//! (<https://howardhinnant.github.io/date_algorithms.html>): a year is taken to begin in March, so that the leap day
//! is its last.

/// Days from 0000-03-01 to 1970-01-01.
const TO_EPOCH: i64 = 719_468;

/// Days in 400 years.
const ERA: i64 = 146_097;

/// A date: year, month from 1, day from 1.
pub(crate) type Date = (i64, i64, i64);

/// The date so many days after (negative: before) 1970-01-01.
pub(crate) fn date_of(days: i64) -> Date {
    let days = days + TO_EPOCH;
    let era = days.div_euclid(ERA);
    let day_of_era = days.rem_euclid(ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// The days from 1970-01-01 to a date, if there is such a date.
pub(crate) fn days_to((year, month, day): Date) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let (year, month_from_march) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    Some(era * ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - TO_EPOCH)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn agrees_with_a_calendar_library_from_the_year_1_to_9999() {
        let (first, last) = (date(1, 1, 1), date(9999, 12, 31));
        let mut day = first;
        let mut days = -719_162;
        loop {
            let parts = (i64::from(day.year()), i64::from(day.month()), i64::from(day.day()));
            assert_eq!((date_of(days), days_to(parts)), (parts, Some(days)));
            // A prime number of days: over the years every day of every kind of year comes up.
            match day.checked_add(61.days()) {
                Ok(next) if next <= last => day = next,
                _ => break,
            }
            days += 61;
        }
        assert_eq!(date_of(2_932_896), (9999, 12, 31));
        assert_eq!(days_to((9999, 12, 31)), Some(2_932_896));
    }

    #[test]
    fn there_is_no_other_day() {
        for (year, month, last) in [(2016, 2, 29), (2015, 2, 28), (1900, 2, 28), (2000, 2, 29), (1, 4, 30), (1, 12, 31)]
        {
            assert!(days_to((year, month, last)).is_some(), "{year}-{month}-{last}");
            assert_eq!(days_to((year, month, last + 1)), None);
            assert_eq!(days_to((year, month, 0)), None);
        }
        assert_eq!((days_to((2016, 0, 1)), days_to((2016, 13, 1))), (None, None));
    }
}
