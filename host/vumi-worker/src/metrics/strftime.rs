//! Python's `strftime` for times in UTC without a zone, as Vumi's UDP collector used it: `%z` and `%Z` are empty, `%f`
//! has six digits.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::number::Number;

/// A format that has been checked.
#[derive(Clone, Debug)]
pub(super) struct TimeFormat(String);

impl TimeFormat {
    /// Checks a format.
    ///
    /// # Errors
    /// The rest of a sentence that begins with the key: what in it is wrong.
    pub(super) fn parse(format: &str) -> Result<Self, String> {
        let checked = Self(format.to_owned());
        checked.write(DateTime::constant(2000, 1, 1, 0, 0, 0, 0)).map(|_| checked)
    }

    /// A time in seconds since the epoch; `None` outside the years 1 to 9999.
    pub(super) fn render(&self, at: Number) -> Option<String> {
        let micros = at.as_f64() * 1e6;
        // The cast saturates, and jiff knows its bounds.
        let at = jiff::Timestamp::from_microsecond(micros.round() as i64).ok()?;
        let at = at.to_zoned(TimeZone::UTC).datetime();
        if at.year() < 1 {
            return None;
        }
        self.write(at).ok()
    }

    fn write(&self, at: DateTime) -> Result<String, String> {
        let (mut plain, mut rest) = (String::new(), self.0.as_str());
        // What jiff does otherwise is done here; the rest is jiff's.
        while let Some(at_percent) = rest.find('%') {
            let (before, after) = rest.split_at(at_percent);
            plain.push_str(before);
            let mut directive = after.chars().skip(1);
            match directive.next() {
                Some('z' | 'Z') => {}
                Some('f') => plain.push_str(&format!("{:06}", at.subsec_nanosecond() / 1000)),
                Some(letter) => {
                    plain.push('%');
                    plain.push(letter);
                }
                None => return Err("ends with a `%`: write `%%` for a percent sign".to_owned()),
            }
            let length = after.chars().take(2).map(char::len_utf8).sum();
            rest = after.get(length..).unwrap_or_default();
        }
        plain.push_str(rest);
        jiff::fmt::strtime::format(&plain, at).map_err(|error| format!("cannot be used: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_writes_it() {
        for (format, text) in [
            ("%Y-%m-%d %H:%M:%S%z", "1970-01-01 00:20:34"),
            ("%d/%m/%y %I:%M %p", "01/01/70 12:20 AM"),
            ("%a %b %j %% %f%Z é", "Thu Jan 001 % 500000 é"),
            ("", ""),
        ] {
            assert_eq!(TimeFormat::parse(format).unwrap().render(Number::Float(1234.5)).unwrap(), text, "{format}");
        }
        let format = TimeFormat::parse("%Y").unwrap();
        assert_eq!(format.render(Number::Int(-1)).unwrap(), "1969");
        assert_eq!(format.render(Number::Float(1e30)), None);
        assert_eq!(format.render(Number::Int(i64::MIN)), None);
    }

    #[test]
    fn mistakes_are_named() {
        assert!(TimeFormat::parse("%").unwrap_err().contains("write `%%`"));
        assert!(TimeFormat::parse("%é").unwrap_err().starts_with("cannot be used: "));
        assert!(TimeFormat::parse("%s").unwrap_err().starts_with("cannot be used: "));
    }
}
