//! What becomes of an outbound message, in the short forms that the specifications use (specification "common", C11).

use vumi_core::{Error, Nack, Result, Sent};
use vumi_message::{FailureCode, UserMessage};

use super::client::Answered;

/// `ack(own)`: accepted under the message's own id.
pub fn accepted(message: &UserMessage) -> Sent {
    Sent::Accepted(message.message_id().to_owned())
}

/// `ack(id)`: accepted under the network's id.
pub fn accepted_as(id: impl Into<String>) -> Sent {
    Sent::Accepted(id.into())
}

/// `nack(reason)` +sid.
pub fn refused(message: &UserMessage, reason: impl Into<String>) -> Sent {
    Sent::Refused { reason: reason.into(), sent_message_id: Some(message.message_id().to_owned()) }
}

/// `nack(reason)` without an id.
pub fn refused_bare(reason: impl Into<String>) -> Sent {
    Sent::Refused { reason: reason.into(), sent_message_id: None }
}

/// A failure message with this code, and no nack. `Unspecified` is "fails (unspecified)".
pub fn failed(code: FailureCode, reason: impl Into<String>) -> Sent {
    Sent::Failed { code, reason: reason.into(), nack: None }
}

/// A failure message with this code, and a nack with the same reason, +sid if `own` is a message.
pub fn failed_and_refused(code: FailureCode, reason: impl Into<String>, own: Option<&UserMessage>) -> Sent {
    let reason = reason.into();
    let sent_message_id = own.map(|message| message.message_id().to_owned());
    let nack = Some(Nack { reason: reason.clone(), sent_message_id });
    Sent::Failed { code, reason, nack }
}

/// What becomes of a message that a network did not take: to be tried again where it may go well later, else a nack with
/// the network's own words, `why`, if it gave any.
///
/// # Errors
/// A temporary one.
pub fn not_taken(network: &str, answered: &Answered, why: Option<String>) -> Result<Sent> {
    let said = why.unwrap_or_else(|| answered.one_line());
    if answered.is_temporary() {
        return Err(Error::temporary(format!("{network} answered with status {}: {said}", answered.status)));
    }
    Ok(refused_bare(format!("{said} (status {})", answered.status)))
}

/// The missing-fields check: the refusal, if one of the fields is null, empty or absent.
pub fn missing(message: &UserMessage, fields: &[&str]) -> Option<Sent> {
    let empty = |field: &&&str| match message.payload().get(**field) {
        None | Some(serde_json::Value::Null) => true,
        Some(value) => value.as_str().is_some_and(str::is_empty),
    };
    let missing: Vec<&str> = fields.iter().filter(empty).copied().collect();
    (!missing.is_empty()).then(|| refused(message, format!("Missing fields: {}", missing.join(", "))))
}

/// A field of text that cannot be done without. Without it the message fails (unspecified).
///
/// # Errors
/// That failure.
pub fn needed<'a>(message: &'a UserMessage, field: &str) -> Result<&'a str, Sent> {
    let missing = || failed(FailureCode::Unspecified, format!("the message cannot be sent: its {field} is null"));
    message.payload().get(field).and_then(serde_json::Value::as_str).ok_or_else(missing)
}
