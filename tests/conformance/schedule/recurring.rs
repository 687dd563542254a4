//! Recurring schedules: checks 9 to 15.

use serde_json::{Value, json};
use tracing::Level;
use vumi_message::Timestamp;
use vumi_worker::schedule::Recurring;

use crate::applications::logs::Logs;

fn schedule(definition: Value) -> Recurring {
    let Value::Object(definition) = definition else { panic!("{definition} is no map") };
    Recurring::new(definition)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[track_caller]
fn next(definition: Value, since: &str) -> String {
    schedule(definition).next(at(since)).unwrap().to_string().replace(".000000", "")
}

fn daily(time: &str) -> Value {
    json!({"recurring": "daily", "time": time})
}

fn days(kind: &str, days: &str, time: &str) -> Value {
    json!({"recurring": kind, "days": days, "time": time})
}

#[test]
fn check_09_daily() {
    assert_eq!(next(daily("12:00:00"), "2024-03-05 11:59:59"), "2024-03-05 12:00:00");
    assert_eq!(next(daily("12:00:00"), "2024-03-05 11:59:59.999999"), "2024-03-05 12:00:00");
    assert_eq!(next(daily("12:00:00"), "2024-03-05 12:00:00"), "2024-03-06 12:00:00");
    assert_eq!(next(daily("12:00:00"), "2024-03-05 12:00:00.000001"), "2024-03-06 12:00:00");
}

#[test]
fn check_10_days_that_a_month_lacks_are_skipped() {
    assert_eq!(next(days("day_of_month", "31", "08:00:00"), "2024-04-01 00:00:00"), "2024-05-31 08:00:00");
    assert_eq!(next(days("day_of_month", "30, 29", "08:00:00"), "2024-02-01 00:00:00"), "2024-02-29 08:00:00");
    assert_eq!(next(days("day_of_month", "30", "08:00:00"), "2024-01-31 00:00:00"), "2024-03-30 08:00:00");
}

#[test]
fn check_11_over_the_end_of_the_year() {
    assert_eq!(next(days("day_of_month", "1 15", "00:00:00"), "2024-12-20 00:00:00"), "2025-01-01 00:00:00");
}

#[test]
fn check_12_days_of_the_week() {
    let definition = days("day_of_week", "1,3", "09:00:00");
    assert_eq!(next(definition.clone(), "2024-03-05 10:00:00"), "2024-03-06 09:00:00");
    assert_eq!(next(definition, "2024-03-06 09:00:00"), "2024-03-11 09:00:00");
    assert_eq!(next(days("day_of_week", "7", "09:00:00"), "2024-03-05 10:00:00"), "2024-03-10 09:00:00");
}

#[test]
fn check_13_never() {
    let logs = Logs::watch();
    let never = schedule(json!({"recurring": "never", "time": "nonsense"}));
    assert_eq!(never.next(at("2024-03-05 10:00:00")), None);
    assert!(!never.is_scheduled(at("2024-03-05 10:00:00"), at("2034-03-05 10:00:00")));
    assert!(logs.at(Level::ERROR).is_empty());
}

#[test]
fn check_14_mistakes_are_logged_and_have_no_next() {
    for (definition, cause) in [
        (json!({"recurring": "hourly"}), "Invalid value for 'recurring': 'hourly'"),
        (json!({}), "Invalid value for 'recurring': None"),
        (json!({"recurring": 5}), "Invalid value for 'recurring': 5"),
        (days("day_of_month", "0 1", "12:00:00"), "Invalid value for 'days': '0 1'"),
        (days("day_of_month", "32", "12:00:00"), "Invalid value for 'days': '32'"),
        (days("day_of_week", "8", "12:00:00"), "Invalid value for 'days': '8'"),
        (days("day_of_week", "1;2", "12:00:00"), "Invalid value for 'days': '1;2'"),
        (days("day_of_week", " , ", "12:00:00"), "Invalid value for 'days': ' , '"),
        (days("day_of_month", "", "12:00:00"), "Invalid value for 'days': ''"),
        (json!({"recurring": "day_of_week", "time": "12:00:00"}), "Invalid value for 'days': None"),
        (days("day_of_week", "99", "noon"), "time data 'noon' does not match format '%H:%M:%S'"),
        (daily("24:00:00"), "time data '24:00:00' does not match format '%H:%M:%S'"),
        (json!({"recurring": "daily"}), "Missing value for 'time'"),
    ] {
        let (logs, broken) = (Logs::watch(), schedule(definition.clone()));
        assert_eq!(broken.next(at("2024-03-05 10:00:00")), None, "{definition}");
        let line = logs.error();
        assert_eq!(
            (line.text.as_str(), line.fields.trim()),
            ("Error processing schedule.", &*format!("cause={cause}"))
        );
        assert_eq!(broken.check().unwrap_err().to_string(), cause);
        assert!(!broken.is_scheduled(at("2024-03-05 10:00:00"), at("2034-03-05 10:00:00")));
    }
}

#[test]
fn check_15_the_moment_itself() {
    let (noon, t) = (schedule(daily("12:00:00")), at("2024-03-05 12:00:00"));
    assert!(!noon.is_scheduled(t, t));
    assert!(noon.is_scheduled(Timestamp::from_secs(t.secs() - 1), t));
    // However long it was away, there is one due time, or none.
    assert!(noon.is_scheduled(Timestamp::from_secs(t.secs() - 10 * 86_400), t));
    assert!(!noon.is_scheduled(t, Timestamp::from_secs(t.secs() + 86_399)));
}
