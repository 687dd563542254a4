//! Tapes as text, and back.

use std::sync::Arc;

use serde_json::Value;
use vumi_core::Input;
use vumi_message::{Event, Payload, UserMessage, json};

use super::document::{FORMAT, TapeDocument, TapeInput};

/// Why a tape cannot be read or played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TapeError {
    /// Not the JSON text of a tape.
    #[error("this is no recording: {reason}")]
    Unreadable {
        /// What is wrong.
        reason: String,
    },
    /// Written by another version of the host.
    #[error("the recording has format {found}, this host reads format {FORMAT}: replay it with the host that made it")]
    Format {
        /// The format found.
        found: u64,
    },
    /// The run was larger than a recording may be.
    #[error("the recording is incomplete (the run was larger than a recording may be), so it cannot be replayed")]
    Truncated,
    /// The component to replay with cannot be brought into memory.
    #[error("{0}")]
    Component(String),
}

fn unreadable(reason: impl ToString) -> TapeError {
    TapeError::Unreadable { reason: reason.to_string() }
}

fn objects(value: Value) -> Result<Vec<Payload>, TapeError> {
    let Value::Array(items) = value else { return Err(unreadable("`sent` is no list")) };
    let object = |item| match item {
        Value::Object(payload) => Ok(payload),
        _ => Err(unreadable("`sent` holds something else than messages")),
    };
    items.into_iter().map(object).collect()
}

impl TapeDocument {
    /// Reads a tape.
    ///
    /// # Errors
    /// [`TapeError::Unreadable`], [`TapeError::Format`].
    pub fn parse(text: &str) -> Result<Self, TapeError> {
        // Messages are taken out before serde sees them, for the reason that `vumi_message::json` gives.
        let mut fields = json::parse_object(text.as_bytes()).map_err(unreadable)?;
        match fields.get("format").and_then(Value::as_u64) {
            Some(found) if found == u64::from(FORMAT) => {}
            Some(found) => return Err(TapeError::Format { found }),
            None => return Err(unreadable("it has no `format`")),
        }
        let mut input = match fields.shift_remove("input") {
            Some(Value::Object(input)) => input,
            _ => return Err(unreadable("it has no `input`")),
        };
        let input = match (input.shift_remove("message"), input.shift_remove("event")) {
            (Some(Value::Object(message)), None) => TapeInput::Message(message),
            (None, Some(Value::Object(event))) => TapeInput::Event(event),
            _ => return Err(unreadable("`input` is neither a message nor an event")),
        };
        let sent = objects(fields.shift_remove("sent").unwrap_or_default())?;
        let rest: Self = serde_json::from_value(Value::Object(fields)).map_err(unreadable)?;
        Ok(Self { input, sent, ..rest })
    }

    /// The tape as JSON text.
    pub fn to_text(&self) -> String {
        // Only maps with keys that are no texts cannot be written, and there are none.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The message or event, as the app was given it.
    pub(super) fn input(&self) -> Result<Input, TapeError> {
        match self.input.clone() {
            TapeInput::Message(payload) => {
                let message = UserMessage::from_payload(payload).map_err(unreadable)?;
                Ok(Input::Message(Arc::new(message)))
            }
            TapeInput::Event(payload) => {
                let event = Event::from_payload(payload).map_err(unreadable)?;
                Ok(Input::Event(Arc::new(event)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vumi_core::Outcome;

    use super::*;
    use crate::tape::document::TapeCall;

    fn call(name: &str, args: Vec<Value>, answer: Value) -> TapeCall {
        TapeCall { call: name.into(), args, answer, ..TapeCall::default() }
    }

    #[test]
    fn a_tape_comes_back_as_it_was() {
        let mut tape = TapeDocument { format: FORMAT, outcome: Some(Outcome::Trap), ..TapeDocument::default() };
        let payload = json!({"message_id": "m", "n": 1, "deep": {"$serde_json::private::Number": "5"}});
        tape.input = TapeInput::Event(payload.as_object().unwrap().clone());
        tape.sent = vec![payload.as_object().unwrap().clone()];
        tape.calls = vec![call("kv.get", vec![json!("k")], json!({"ok": null}))];
        tape.clocks.wall_ns = vec![u64::MAX];
        assert_eq!(TapeDocument::parse(&tape.to_text()).unwrap(), tape);
    }

    #[test]
    fn what_is_no_tape_of_this_format_is_refused() {
        let error = |text: &str| TapeDocument::parse(text).unwrap_err().to_string();
        assert!(error("{}").contains("format") && error("x").contains("no recording"));
        assert!(error(r#"{"format": 2}"#).contains("format 2"));
        assert!(error(r#"{"format": 1}"#).contains("input"));
        assert!(error(r#"{"format": 1, "input": {"message": {}}, "sent": 5}"#).contains("sent"));
    }
}
