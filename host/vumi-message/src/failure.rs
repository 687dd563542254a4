//! Failures: outbound messages that a transport could not handle, with the reason.
//!
//! A transport whose handler fails publishes one; the failure worker keeps it, and sends the message again when
//! the failure may pass.

use serde_json::Value;

use crate::envelope::{Schema, filled, message_kind};
use crate::fields::{self, invalid};
use crate::{Kind, MessageError, Payload};

/// Whether a failure may pass (messages.md §7, common.md C3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureCode {
    /// Nobody knows; on the wire null. It is not tried again.
    Unspecified,
    /// It will not pass.
    Permanent,
    /// It may pass: the message is tried again later.
    Temporary,
}

impl FailureCode {
    /// The word on the wire; `None` (null) for unspecified.
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            FailureCode::Unspecified => None,
            FailureCode::Permanent => Some("permanent"),
            FailureCode::Temporary => Some("temporary"),
        }
    }
}

message_kind! {
    /// A failure (messages.md §7).
    Failure
}

impl Schema for Failure {
    const KIND: Kind = Kind::Failure;

    fn defaults(_payload: &mut Payload, _given: &Payload) {}

    fn check(payload: &Payload) -> Result<(), MessageError> {
        match fields::require(payload, "message")? {
            Value::Object(_) => {}
            other => {
                let reason = format!("it must be the failed message as an object, not {}", fields::describe(other));
                return invalid("message", reason);
            }
        }
        fields::require(payload, "failure_code")?;
        fields::text_or_null(payload, "reason")
    }
}

impl Failure {
    /// A failure of the message with the payload `message`, which is kept as it is, valid or not.
    pub fn new(message: Payload, code: FailureCode, reason: &str) -> Self {
        let mut given = Payload::new();
        given.insert("message".to_owned(), Value::Object(message));
        given.insert("failure_code".to_owned(), fields::text_value(code.as_str()));
        given.insert("reason".to_owned(), reason.into());
        Failure { payload: filled::<Failure>(given) }
    }

    /// The payload of the message that failed.
    pub fn message(&self) -> &Payload {
        fields::get_object(&self.payload, "message")
    }

    /// Whether the failure may pass. The wire does not limit the codes; one that is not known counts as
    /// unspecified, and `get("failure_code")` shows it.
    pub fn failure_code(&self) -> FailureCode {
        match fields::get_text(&self.payload, "failure_code") {
            Some("permanent") => FailureCode::Permanent,
            Some("temporary") => FailureCode::Temporary,
            _ => FailureCode::Unspecified,
        }
    }

    /// Why it failed, for people; from Vumi's workers a traceback. Empty when null.
    pub fn reason(&self) -> &str {
        fields::get_text(&self.payload, "reason").unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fields::MESSAGE_DEPTH;
    use crate::{NewUserMessage, UserMessage};

    #[test]
    fn a_new_failure_is_what_readers_accept() {
        let message = UserMessage::new(NewUserMessage::default()).into_payload();
        for code in [FailureCode::Unspecified, FailureCode::Permanent, FailureCode::Temporary] {
            let failure = Failure::new(message.clone(), code, "it broke");
            let read = Failure::from_json(failure.to_json().as_bytes()).unwrap();
            assert_eq!(read, failure);
            assert_eq!((read.failure_code(), read.reason(), read.message()), (code, "it broke", &message));
        }
        let failure = Failure::new(message, FailureCode::Unspecified, "");
        assert_eq!(failure.get("failure_code"), Some(&Value::Null));
    }

    #[test]
    fn the_code_is_not_checked_but_its_presence_is() {
        let mut failure = Failure::new(Payload::new(), FailureCode::Temporary, "r");
        failure.set("failure_code", "odd").unwrap();
        assert_eq!(failure.failure_code(), FailureCode::Unspecified);
        for field in ["message", "failure_code", "reason"] {
            assert_eq!(failure.remove(field), Err(MessageError::MissingField { field }));
        }
        assert!(matches!(failure.set("message", "text"), Err(MessageError::InvalidField { field: "message", .. })));
        assert_eq!(failure.get("message"), Some(&json!({})));
    }

    #[test]
    fn the_deepest_message_still_fits_into_a_failure() {
        let nested = |levels| (1..levels).fold(json!([]), |value, _| json!([value]));
        let mut message = UserMessage::new(NewUserMessage::default());
        assert_eq!(message.set("x", nested(MESSAGE_DEPTH)), Err(MessageError::TooDeep { limit: MESSAGE_DEPTH }));
        message.set("x", nested(MESSAGE_DEPTH - 1)).unwrap();
        let failure = Failure::new(message.into_payload(), FailureCode::Temporary, "r");
        assert!(Failure::from_json(failure.to_json().as_bytes()).is_ok());
    }
}
