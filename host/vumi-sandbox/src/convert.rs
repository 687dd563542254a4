//! Messages and events, from the host's types to the contract's.

use serde_json::Value;
use vumi_bindings::app::vumi::app::types;
use vumi_core::Channel;
use vumi_message::{DeliveryStatus, Event, EventType, SessionEvent, UserMessage};

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn object(value: Option<&Value>) -> String {
    match value {
        Some(value @ Value::Object(map)) if !map.is_empty() => value.to_string(),
        _ => "{}".to_owned(),
    }
}

fn session_event(event: &str) -> Option<types::SessionEvent> {
    event.parse().ok().map(|event| match event {
        SessionEvent::New => types::SessionEvent::New,
        SessionEvent::Resume => types::SessionEvent::Resume,
        SessionEvent::Close => types::SessionEvent::Close,
    })
}

/// A user message as the guest sees it.
pub(crate) fn message(message: &UserMessage) -> types::Message {
    let fields = message.fields();
    let text = |value: Option<&Value>| owned(value.and_then(Value::as_str));
    types::Message {
        message_id: text(fields.message_id).unwrap_or_default(),
        timestamp: message.timestamp().micros(),
        to_addr: text(fields.to_addr),
        from_addr: text(fields.from_addr),
        to_addr_type: text(fields.to_addr_type),
        from_addr_type: text(fields.from_addr_type),
        content: text(fields.content),
        session_event: fields.session_event.and_then(Value::as_str).and_then(session_event),
        in_reply_to: text(fields.in_reply_to),
        transport_name: text(fields.transport_name),
        transport_type: text(fields.transport_type),
        group: text(fields.group),
        provider: text(fields.provider),
        endpoint: fields.endpoint().to_owned(),
        transport_metadata: object(fields.transport_metadata),
        helper_metadata: object(fields.helper_metadata),
    }
}

/// An event as the guest sees it.
pub(crate) fn event(event: &Event) -> types::Event {
    let kind = match event.event_type() {
        EventType::Ack => types::EventKind::Ack(event.sent_message_id().unwrap_or_default().to_owned()),
        EventType::Nack => types::EventKind::Nack(event.nack_reason().unwrap_or_default().to_owned()),
        EventType::DeliveryReport => types::EventKind::DeliveryReport(match event.delivery_status() {
            Some(DeliveryStatus::Delivered) => types::DeliveryStatus::Delivered,
            Some(DeliveryStatus::Failed) => types::DeliveryStatus::Failed,
            Some(DeliveryStatus::Pending) | None => types::DeliveryStatus::Pending,
        }),
    };
    types::Event {
        event_id: event.event_id().to_owned(),
        user_message_id: owned(event.user_message_id()),
        timestamp: event.timestamp().micros(),
        kind,
        transport_name: event.get("transport_name").and_then(Value::as_str).map(str::to_owned),
        endpoint: event.endpoint().to_owned(),
        transport_metadata: object(event.get("transport_metadata")),
        helper_metadata: object(event.get("helper_metadata")),
    }
}

/// Which way a message goes. Messages of users go in or out; nothing else is asked for.
pub(crate) fn channel(channel: Channel) -> types::Channel {
    if channel == Channel::Outbound { types::Channel::Outbound } else { types::Channel::Inbound }
}

/// The way back.
pub(crate) fn channel_back(channel: types::Channel) -> Channel {
    match channel {
        types::Channel::Inbound => Channel::Inbound,
        types::Channel::Outbound => Channel::Outbound,
    }
}
