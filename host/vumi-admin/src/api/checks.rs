//! What a name or a value must be like before anybody is asked about it.

use serde_json::{Map, Value};

use crate::model::CanaryInfo;
use crate::problem::Problem;

/// The longest name of a deployed app, in characters.
const MAX_APP: usize = 63;
/// The longest name of a secret, in characters.
const MAX_SECRET_NAME: usize = 64;
/// The longest secret, in bytes.
const MAX_SECRET: usize = 32 * 1024;
/// The longest settings, in bytes of JSON text.
const MAX_SETTINGS: usize = 16 * 1024;

/// The name of a deployed app; also that of its queues, so it is kept simple.
pub(super) fn app(name: &str) -> Result<(), Problem> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let first = name.bytes().next().is_some_and(plain);
    if first && name.len() <= MAX_APP && name.bytes().all(|byte| plain(byte) || byte == b'-' || byte == b'_') {
        return Ok(());
    }
    Err(Problem::invalid(format!(
        "an app's name has at most {MAX_APP} characters: small letters, digits, - and _, the first one a letter or digit"
    )))
}

/// The name of a secret.
pub(super) fn secret_name(name: &str) -> Result<(), Problem> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if (1..=MAX_SECRET_NAME).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(Problem::invalid(format!("a secret's name has 1 to {MAX_SECRET_NAME} characters: letters, digits, _, . and -")))
}

/// A secret's value.
pub(super) fn secret(value: &str) -> Result<(), Problem> {
    if value.len() <= MAX_SECRET {
        return Ok(());
    }
    Err(Problem::invalid(format!("a secret has at most {MAX_SECRET} bytes")))
}

/// Settings that came as JSON text.
pub(super) fn settings_text(text: &str) -> Result<Map<String, Value>, Problem> {
    if text.len() > MAX_SETTINGS {
        return Err(settings_too_long());
    }
    serde_json::from_str(text)
        .map_err(|error| Problem::invalid(format!("settings must be the JSON text of an object: {error}")))
}

/// Settings that came as a body.
pub(super) fn settings(settings: &Map<String, Value>) -> Result<(), Problem> {
    // What was just read from JSON can be written as JSON.
    let length = serde_json::to_string(settings).map_or(0, |text| text.len());
    if length > MAX_SETTINGS { Err(settings_too_long()) } else { Ok(()) }
}

fn settings_too_long() -> Problem {
    Problem::invalid(format!("settings have at most {MAX_SETTINGS} bytes of JSON text"))
}

/// A canary's share. Less than a hundredth of a percent would be none.
pub(super) fn canary(canary: &CanaryInfo) -> Result<(), Problem> {
    if (0.01..=100.0).contains(&canary.percent) {
        return Ok(());
    }
    Err(Problem::invalid(format!(
        "percent is {}; it must be from 0.01 to 100, and DELETE ends a canary",
        canary.percent
    )))
}

/// A text for people: it may go over several lines, but has no other control characters.
pub(super) fn readable(name: &str, text: Option<String>) -> Result<Option<String>, Problem> {
    let odd = |char: char| char.is_control() && !matches!(char, '\n' | '\r' | '\t');
    match text {
        Some(text) if text.contains(odd) => Err(Problem::invalid(format!("{name} has control characters"))),
        other => Ok(other),
    }
}

/// The id of a recording.
pub(super) fn recording(id: &str) -> Result<(), Problem> {
    if id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
        return Ok(());
    }
    Err(Problem::invalid("a recording's id has 32 digits, 0 to 9 and a to f; /api/v1/recordings lists them"))
}
