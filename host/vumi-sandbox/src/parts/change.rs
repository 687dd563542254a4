//! Laying what a guest changed over the original.

use serde_json::Value;
use vumi_bindings::app::vumi::app::types;
use vumi_core::{Error, Result};
use vumi_message::{Event, UserMessage};

use crate::convert;

/// The message with a guest's changes. Fields that the guest left as they were keep every detail that it cannot see.
pub(super) fn message(original: &UserMessage, after: types::Message) -> Result<UserMessage> {
    let before = convert::message(original);
    if after.message_id != before.message_id || after.timestamp != before.timestamp {
        return Err(Error::permanent("a guest changed the message-id or timestamp of a message, which it must not"));
    }
    let mut message = original.clone();
    let mut set = |field: &str, before: Option<&str>, after: Option<String>| -> Result<()> {
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
    for (field, before, after) in [
        ("transport_metadata", before.transport_metadata, after.transport_metadata),
        ("helper_metadata", before.helper_metadata, after.helper_metadata),
    ] {
        if before != after {
            message.set(field, object(field, &after)?).map_err(invalid)?;
        }
    }
    if before.endpoint != after.endpoint {
        message.set_endpoint(Some(&after.endpoint));
    }
    Ok(message)
}

/// The event with a guest's changes.
pub(super) fn event(original: &Event, after: &types::Event) -> Result<Event> {
    let before = convert::event(original);
    let mut event = original.clone();
    if before.endpoint != after.endpoint {
        event.set_endpoint(Some(&after.endpoint));
    }
    if before.transport_name != after.transport_name {
        let name = after.transport_name.clone().map_or(Value::Null, Value::String);
        event.set("transport_name", name).map_err(invalid)?;
    }
    for (field, before, after) in [
        ("transport_metadata", &before.transport_metadata, &after.transport_metadata),
        ("helper_metadata", &before.helper_metadata, &after.helper_metadata),
    ] {
        if before != after {
            event.set(field, object(field, after)?).map_err(invalid)?;
        }
    }
    Ok(event)
}

fn session(event: Option<types::SessionEvent>) -> Option<&'static str> {
    event.map(|event| match event {
        types::SessionEvent::New => "new",
        types::SessionEvent::Resume => "resume",
        types::SessionEvent::Close => "close",
    })
}

fn object(field: &str, text: &str) -> Result<Value> {
    match vumi_message::json::parse(text.as_bytes()) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(Error::permanent(format!("a guest set {field} to what is not the text of a JSON object"))),
    }
}

fn invalid(error: vumi_message::MessageError) -> Error {
    Error::permanent("a guest made a message that is not valid").because(error)
}
