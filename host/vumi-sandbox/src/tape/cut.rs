//! Cuts a tape that is longer than a tape may be.

use super::document::{TapeClocks, TapeDocument, TapeInput, TapeSettings};
use super::recorder::MAX_TAPE;

/// The tape's text, cut until it is no longer than a tape may be.
pub(super) fn fitting(tape: &mut TapeDocument) -> String {
    let mut text = tape.to_text();
    let mut step = 0;
    while text.len() > MAX_TAPE && step < 4 {
        tape.truncated = true;
        match step {
            0 if !tape.calls.is_empty() => {
                tape.calls.truncate(tape.calls.len() / 2);
                text = tape.to_text();
                continue;
            }
            0 => tape.sent.clear(),
            1 => tape.clocks = TapeClocks::default(),
            2 => {
                let (TapeInput::Message(input) | TapeInput::Event(input)) = &mut tape.input;
                input.retain(|name, _| matches!(name.as_str(), "message_id" | "event_id" | "timestamp"));
            }
            _ => tape.settings = TapeSettings::default(),
        }
        step += 1;
        text = tape.to_text();
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::tape::document::{FORMAT, TapeCall};

    fn call(name: &str, args: Vec<Value>, answer: Value) -> TapeCall {
        TapeCall { call: name.into(), args, answer, ..TapeCall::default() }
    }

    #[test]
    fn a_tape_that_is_too_long_is_cut_and_says_so() {
        let mut tape = TapeDocument { format: FORMAT, ..TapeDocument::default() };
        tape.calls = (0..40).map(|_| call("log.log", vec!["x".repeat(50_000).into()], Value::Null)).collect();
        let text = fitting(&mut tape);
        assert!(text.len() <= MAX_TAPE && tape.truncated, "{}", text.len());
        assert!(!tape.calls.is_empty());
        let mut long = TapeDocument { format: FORMAT, ..TapeDocument::default() };
        let payload = json!({"message_id": "m", "content": "x".repeat(MAX_TAPE)});
        long.input = TapeInput::Message(payload.as_object().unwrap().clone());
        let text = fitting(&mut long);
        assert!(text.len() <= MAX_TAPE && long.truncated && text.contains(r#""message_id":"m""#));
        assert!(TapeDocument::parse(&text).unwrap().truncated);
    }
}
