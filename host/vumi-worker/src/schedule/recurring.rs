//! Recurring schedules: did a due time occur between two moments? (Specification: schedule, section 2.)

use serde_json::Value;
use vumi_message::{Payload, Timestamp};

use super::days::{Days, next, read_days, read_time};

/// A definition of recurring times: a map with `recurring` (`daily`, `day_of_month`, `day_of_week`, `never`), and with
/// `time` (`HH:MM:SS`) and `days` as that needs them. All times are UTC.
#[derive(Clone, Debug, PartialEq)]
pub struct Recurring {
    definition: Payload,
}

/// What is wrong with a definition. The texts are Vumi's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// `recurring` is missing or unknown.
    #[error("Invalid value for 'recurring': {0}")]
    Recurring(String),
    /// `time` is missing.
    #[error("Missing value for 'time'")]
    NoTime,
    /// `time` is no time.
    #[error("time data {0} does not match format '%H:%M:%S'")]
    Time(String),
    /// `days` is missing, empty, or holds something that is no day.
    #[error("Invalid value for 'days': {0}")]
    Days(String),
}

impl Recurring {
    /// Takes a definition as it is; [`Recurring::check`] says whether it makes sense.
    pub fn new(definition: Payload) -> Self {
        Self { definition }
    }

    /// Looks for mistakes.
    ///
    /// # Errors
    /// The first mistake; `time` is looked at before `days`.
    pub fn check(&self) -> Result<(), ScheduleError> {
        self.rule().map(drop)
    }

    /// The first due time strictly after `since`. A definition with a mistake has none, and the mistake is logged.
    pub fn next(&self, since: Timestamp) -> Option<Timestamp> {
        match self.rule() {
            Ok(rule) => rule.and_then(|(days, time)| next(&days, time, since)),
            Err(cause) => {
                tracing::error!(%cause, "Error processing schedule.");
                None
            }
        }
    }

    /// Whether a due time occurred after `then` and not after `now`. Several count as one.
    pub fn is_scheduled(&self, then: Timestamp, now: Timestamp) -> bool {
        self.next(then).is_some_and(|due| due <= now)
    }

    /// Days and time; `None` for never.
    fn rule(&self) -> Result<Option<(Days, jiff::civil::Time)>, ScheduleError> {
        let kind = self.definition.get("recurring");
        match kind.and_then(Value::as_str) {
            Some("never") => Ok(None),
            Some("daily") => Ok(Some((Days::Every, self.time()?))),
            Some("day_of_month") => self.time().and_then(|time| Ok(Some((Days::OfMonth(self.days(31)?), time)))),
            Some("day_of_week") => self.time().and_then(|time| Ok(Some((Days::OfWeek(self.days(7)?), time)))),
            _ => Err(ScheduleError::Recurring(quoted(kind))),
        }
    }

    fn time(&self) -> Result<jiff::civil::Time, ScheduleError> {
        let value = self.definition.get("time").ok_or(ScheduleError::NoTime)?;
        value.as_str().and_then(read_time).ok_or_else(|| ScheduleError::Time(quoted(Some(value))))
    }

    fn days(&self, most: i8) -> Result<Vec<i8>, ScheduleError> {
        let value = self.definition.get("days");
        let days = value.and_then(Value::as_str).and_then(|text| read_days(text, most));
        days.ok_or_else(|| ScheduleError::Days(quoted(value)))
    }
}

/// A value as Python shows it, not longer than a log line should be.
fn quoted(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "None".to_owned(),
        Some(Value::String(text)) => format!("'{}'", text.chars().take(100).collect::<String>()),
        Some(other) => other.to_string().chars().take(100).collect(),
    }
}
