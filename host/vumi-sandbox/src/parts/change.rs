//! Laying what a guest changed over the original.

use serde_json::Value;
use vumi_bindings::app::vumi::app::types;
use vumi_message::{Event, MessageError, UserMessage};

/// The message with a guest's changes; `before` is what the guest was given. Fields that it left as they were keep every
/// detail that it cannot see. The error is a sentence for the guest's owner.
pub(super) fn message(
    original: &UserMessage,
    before: &types::Message,
    after: types::Message,
) -> Result<UserMessage, String> {
    kept("message-id of a message", before.message_id == after.message_id)?;
    kept("timestamp of a message", before.timestamp == after.timestamp)?;
    let mut message = original.clone();
    let mut set = |field: &str, before: Option<&str>, after: Option<String>| {
        if before == after.as_deref() {
            return Ok(());
        }
        message.set(field, after.map_or(Value::Null, Value::String)).map_err(invalid)
    };
    set("to_addr", before.to_addr.as_deref(), after.to_addr)?;
    set("from_addr", before.from_addr.as_deref(), after.from_addr)?;
    set("to_addr_type", before.to_addr_type.as_deref(), after.to_addr_type)?;
    set("from_addr_type", before.from_addr_type.as_deref(), after.from_addr_type)?;
    set("content", before.content.as_deref(), after.content)?;
    set("session_event", session(before.session_event), session(after.session_event).map(str::to_owned))?;
    set("in_reply_to", before.in_reply_to.as_deref(), after.in_reply_to)?;
    set("transport_name", before.transport_name.as_deref(), after.transport_name)?;
    set("transport_type", before.transport_type.as_deref(), after.transport_type)?;
    set("group", before.group.as_deref(), after.group)?;
    set("provider", before.provider.as_deref(), after.provider)?;
    if before.transport_metadata != after.transport_metadata {
        let value = object("transport-metadata", &after.transport_metadata)?;
        message.set("transport_metadata", value).map_err(invalid)?;
    }
    if before.helper_metadata != after.helper_metadata {
        let value = object("helper-metadata", &after.helper_metadata)?;
        message.set("helper_metadata", value).map_err(invalid)?;
    }
    if before.endpoint != after.endpoint {
        message.set_endpoint(Some(&after.endpoint));
    }
    Ok(message)
}

/// The event with a guest's changes, as [`message`].
pub(super) fn event(original: &Event, before: &types::Event, after: types::Event) -> Result<Event, String> {
    kept("event-id of an event", before.event_id == after.event_id)?;
    kept("user-message-id of an event", before.user_message_id == after.user_message_id)?;
    kept("timestamp of an event", before.timestamp == after.timestamp)?;
    kept("kind of an event", same(&before.kind, &after.kind))?;
    let mut event = original.clone();
    if before.transport_name != after.transport_name {
        let name = after.transport_name.map_or(Value::Null, Value::String);
        event.set("transport_name", name).map_err(invalid)?;
    }
    if before.transport_metadata != after.transport_metadata {
        let value = object("transport-metadata", &after.transport_metadata)?;
        event.set("transport_metadata", value).map_err(invalid)?;
    }
    if before.helper_metadata != after.helper_metadata {
        let value = object("helper-metadata", &after.helper_metadata)?;
        event.set("helper_metadata", value).map_err(invalid)?;
    }
    if before.endpoint != after.endpoint {
        event.set_endpoint(Some(&after.endpoint));
    }
    Ok(event)
}

/// What a guest must leave as it is.
fn kept(what: &str, unchanged: bool) -> Result<(), String> {
    if unchanged { Ok(()) } else { Err(format!("it changed the {what}, which cannot be changed")) }
}

fn same(before: &types::EventKind, after: &types::EventKind) -> bool {
    use types::EventKind::{Ack, DeliveryReport, Nack};
    match (before, after) {
        (Ack(before), Ack(after)) | (Nack(before), Nack(after)) => before == after,
        (DeliveryReport(before), DeliveryReport(after)) => before == after,
        _ => false,
    }
}

fn session(event: Option<types::SessionEvent>) -> Option<&'static str> {
    event.map(|event| match event {
        types::SessionEvent::New => "new",
        types::SessionEvent::Resume => "resume",
        types::SessionEvent::Close => "close",
    })
}

fn object(field: &str, text: &str) -> Result<Value, String> {
    match vumi_message::json::parse(text.as_bytes()) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(format!("it set {field} to what is not the text of a JSON object")),
    }
}

fn invalid(error: MessageError) -> String {
    format!("it made a message that is not valid: {error}")
}
