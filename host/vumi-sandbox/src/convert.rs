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

/// A user message as the guest sees it.
pub(crate) fn message(message: &UserMessage) -> types::Message {
    types::Message {
        message_id: message.message_id().to_owned(),
        timestamp: message.timestamp().micros(),
        to_addr: owned(message.to_addr()),
        from_addr: owned(message.from_addr()),
        to_addr_type: owned(message.to_addr_type()),
        from_addr_type: owned(message.from_addr_type()),
        content: owned(message.content()),
        session_event: message.session_event().map(|event| match event {
            SessionEvent::New => types::SessionEvent::New,
            SessionEvent::Resume => types::SessionEvent::Resume,
            SessionEvent::Close => types::SessionEvent::Close,
        }),
        in_reply_to: owned(message.in_reply_to()),
        transport_name: owned(message.transport_name()),
        transport_type: owned(message.transport_type()),
        group: owned(message.group()),
        provider: owned(message.provider()),
        endpoint: message.endpoint().to_owned(),
        transport_metadata: object(message.get("transport_metadata")),
        helper_metadata: object(message.get("helper_metadata")),
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
