//! Messages and events as the objects that new scripts see: every field of the contract in camel case, null where it is
//! absent.

use rquickjs::{Ctx, Object, Result};

use crate::bindings::vumi::app::types::{DeliveryStatus, Event, EventKind, Message, SessionEvent};

/// A message.
pub(crate) fn message<'js>(ctx: &Ctx<'js>, message: Message) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    object.set("messageId", message.message_id)?;
    object.set("timestamp", message.timestamp as f64)?;
    let set = |name: &str, value: Option<String>| optional(ctx, &object, name, value);
    set("toAddr", message.to_addr)?;
    set("fromAddr", message.from_addr)?;
    set("toAddrType", message.to_addr_type)?;
    set("fromAddrType", message.from_addr_type)?;
    set("content", message.content)?;
    let session = message.session_event.map(|event| match event {
        SessionEvent::New => "new",
        SessionEvent::Resume => "resume",
        SessionEvent::Close => "close",
    });
    set("sessionEvent", session.map(str::to_owned))?;
    set("inReplyTo", message.in_reply_to)?;
    set("transportName", message.transport_name)?;
    set("transportType", message.transport_type)?;
    set("group", message.group)?;
    set("provider", message.provider)?;
    object.set("endpoint", message.endpoint)?;
    object.set("transportMetadata", message.transport_metadata)?;
    object.set("helperMetadata", message.helper_metadata)?;
    Ok(object)
}

/// An event: `kind` is `ack`, `nack` or `delivery-report`, and one of `sentMessageId`, `reason` and `deliveryStatus`
/// goes with it.
pub(crate) fn event<'js>(ctx: &Ctx<'js>, event: Event) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    object.set("eventId", event.event_id)?;
    let set = |name: &str, value: Option<String>| optional(ctx, &object, name, value);
    set("userMessageId", event.user_message_id)?;
    object.set("timestamp", event.timestamp as f64)?;
    let (kind, sent, reason, status) = match event.kind {
        EventKind::Ack(id) => ("ack", Some(id), None, None),
        EventKind::Nack(reason) => ("nack", None, Some(reason), None),
        EventKind::DeliveryReport(status) => ("delivery-report", None, None, Some(status)),
    };
    object.set("kind", kind)?;
    set("sentMessageId", sent)?;
    set("reason", reason)?;
    let status = status.map(|status| match status {
        DeliveryStatus::Pending => "pending",
        DeliveryStatus::Failed => "failed",
        DeliveryStatus::Delivered => "delivered",
    });
    set("deliveryStatus", status.map(str::to_owned))?;
    set("transportName", event.transport_name)?;
    object.set("endpoint", event.endpoint)?;
    object.set("transportMetadata", event.transport_metadata)?;
    object.set("helperMetadata", event.helper_metadata)?;
    Ok(object)
}

fn optional<'js>(ctx: &Ctx<'js>, object: &Object<'js>, name: &str, value: Option<String>) -> Result<()> {
    match value {
        Some(text) => object.set(name, text),
        None => object.set(name, rquickjs::Value::new_null(ctx.clone())),
    }
}
