//! What is said on `heartbeat.inbound`: heartbeats, and reports of components in two forms (specification: metrics,
//! sections 7 and 8).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Largest report of a component, in bytes.
const MAX_REPORT: usize = 16 * 1024;
/// Longest name, host name or id, in bytes.
const MAX_NAME: usize = 255;

/// A worker says that it works. Extra fields are allowed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Its name.
    pub worker_name: String,
    /// Seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<f64>,
    /// Where it runs.
    pub hostname: String,
    /// Number of its process.
    pub pid: i64,
    /// `20130319`
    pub version: String,
    /// Groups workers.
    pub system_id: String,
    /// `<system_id>:<worker_name>`
    pub worker_id: String,
}

/// A component says how it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Its name.
    pub name: String,
    /// What tells it from others of that name.
    pub uuid: String,
    /// When, in seconds since the epoch.
    pub at: i64,
    /// Whatever else it said.
    pub fields: Map<String, Value>,
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// Of a worker.
    Heartbeat(Heartbeat),
    /// Of a component.
    Report(Report),
}

impl Told {
    /// Reads a message. One with `message_version` is a report in the older form, one with `uuid` and a list as
    /// `timestamp` a report, any other a heartbeat.
    ///
    /// # Errors
    /// One sentence that says what is wrong with it.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let map: Map<String, Value> =
            serde_json::from_slice(body).map_err(|error| format!("this is no heartbeat: {error}"))?;
        if map.contains_key("message_version") {
            return bounded(body).and_then(|()| control(map)).map(Self::Report);
        }
        if map.contains_key("uuid") && map.get("timestamp").is_some_and(Value::is_array) {
            return bounded(body).and_then(|()| status(map)).map(Self::Report);
        }
        let heartbeat: Heartbeat =
            serde_json::from_slice(body).map_err(|error| format!("this is no heartbeat: {error}"))?;
        if heartbeat.hostname.len() > MAX_NAME {
            return Err(format!("this is no heartbeat: its hostname is longer than {MAX_NAME} bytes"));
        }
        Ok(Self::Heartbeat(heartbeat))
    }
}

fn bounded(body: &[u8]) -> Result<(), String> {
    if body.len() > MAX_REPORT {
        return Err(format!("this report has {} bytes; {MAX_REPORT} are allowed", body.len()));
    }
    Ok(())
}

/// `{name, uuid, timestamp: [YYYY, MM, DD, HH, MM, SS], …}`
fn status(mut map: Map<String, Value>) -> Result<Report, String> {
    let (name, uuid, at) = (text(&mut map, "name")?, text(&mut map, "uuid")?, moment(&mut map)?);
    Ok(Report { name, uuid, at, fields: map })
}

/// `{message_version: "20110707", message_type, source_name, source_id, payload, timestamp}` and nothing else.
fn control(mut map: Map<String, Value>) -> Result<Report, String> {
    let version = text(&mut map, "message_version")?;
    if version != "20110707" {
        return Err(format!("this control message has the version {version:?}; known is \"20110707\""));
    }
    let kind = text(&mut map, "message_type")?;
    let (name, uuid) = (text(&mut map, "source_name")?, text(&mut map, "source_id")?);
    let payload = map.shift_remove("payload").ok_or("this report has no `payload`")?;
    let at = moment(&mut map)?;
    if let Some(key) = map.keys().next() {
        return Err(format!("this control message has a field `{key}`, which is not allowed"));
    }
    let fields = [("message_type".to_owned(), Value::String(kind)), ("payload".to_owned(), payload)];
    Ok(Report { name, uuid, at, fields: fields.into_iter().collect() })
}

fn text(map: &mut Map<String, Value>, key: &str) -> Result<String, String> {
    match map.shift_remove(key) {
        Some(Value::String(text)) if text.len() <= MAX_NAME => Ok(text),
        Some(Value::String(_)) => Err(format!("the field `{key}` of this report is longer than {MAX_NAME} bytes")),
        Some(_) => Err(format!("the field `{key}` of this report is no text")),
        None => Err(format!("this report has no `{key}`")),
    }
}

/// `timestamp` as `[YYYY, MM, DD, HH, MM, SS]`, UTC.
fn moment(map: &mut Map<String, Value>) -> Result<i64, String> {
    let value = map.shift_remove("timestamp").ok_or("this report has no `timestamp`")?;
    civil(&value).ok_or_else(|| format!("{value} is no timestamp: it must look like [2013, 3, 19, 8, 30, 0]"))
}

fn civil(value: &Value) -> Option<i64> {
    let parts: Vec<i64> = value.as_array()?.iter().map(Value::as_i64).collect::<Option<_>>()?;
    let &[year, month, day, hour, minute, second] = parts.as_slice() else { return None };
    let small = |number: i64| i8::try_from(number).ok();
    let date = jiff::civil::Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()?;
    let time = jiff::civil::Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    Some(date.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> Result<Told, String> {
        Told::parse(body.as_bytes())
    }

    #[test]
    fn reports_in_both_forms() {
        let Ok(Told::Report(report)) =
            told(r#"{"name": "n", "uuid": "u", "timestamp": [1970, 1, 2, 0, 0, 1], "load": 0.5, "version": "1"}"#)
        else {
            panic!("a report");
        };
        assert_eq!((report.name.as_str(), report.uuid.as_str(), report.at), ("n", "u", 86401));
        assert_eq!(serde_json::to_string(&report.fields).unwrap(), r#"{"load":0.5,"version":"1"}"#);
        let control = r#"{"message_version": "20110707", "message_type": "t", "source_name": "n", "source_id": "u",
            "payload": {"a": 1}, "timestamp": [1970, 1, 1, 0, 0, 5]"#;
        let Ok(Told::Report(report)) = told(&format!("{control}}}")) else { panic!("a report") };
        assert_eq!((report.name.as_str(), report.uuid.as_str(), report.at), ("n", "u", 5));
        assert_eq!(serde_json::to_string(&report.fields).unwrap(), r#"{"message_type":"t","payload":{"a":1}}"#);
        let error = told(&format!("{control}, \"more\": 1}}")).unwrap_err();
        assert_eq!(error, "this control message has a field `more`, which is not allowed");
    }

    #[test]
    fn mistakes_are_named() {
        for (body, error) in [
            ("x", "this is no heartbeat: "),
            ("[]", "this is no heartbeat: "),
            ("{}", "missing field"),
            (r#"{"uuid": "u", "timestamp": [1970, 1, 1, 0, 0, 5]}"#, "this report has no `name`"),
            (r#"{"name": 1, "uuid": "u", "timestamp": [1970, 1, 1, 0, 0, 5]}"#, "`name` of this report is no text"),
            (r#"{"name": "n", "uuid": "u", "timestamp": [1970, 2, 30, 0, 0, 5]}"#, "is no timestamp"),
            (r#"{"name": "n", "uuid": "u", "timestamp": [1970, 1, 1]}"#, "is no timestamp"),
            (r#"{"name": "n", "uuid": "u", "timestamp": [1970, 1, 1, 0, 0, "5"]}"#, "is no timestamp"),
            (r#"{"message_version": "20110708"}"#, "known is \"20110707\""),
            (r#"{"message_version": "20110707"}"#, "this report has no `message_type`"),
        ] {
            let found = told(body).unwrap_err();
            assert!(found.contains(error), "{body}: {found}");
        }
        let long = format!(
            r#"{{"name": "n", "uuid": "u", "timestamp": [1970, 1, 1, 0, 0, 5], "x": "{}"}}"#,
            "x".repeat(MAX_REPORT)
        );
        assert!(told(&long).unwrap_err().contains("16384 are allowed"));
    }
}
