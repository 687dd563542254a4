//! Events: what became of an outbound message.
//!
//! A transport publishes an *ack* when its network has taken the message, a *nack* when it could not be sent,
//! and *delivery reports* as the network tells how far it has got.

use serde_json::Value;

use crate::envelope::{Schema, filled, message_kind};
use crate::fields::{self, text_value};
use crate::names::names;
use crate::{Kind, MessageError, Payload, new_id};

names! {
    /// The three types of event (messages.md §5).
    EventType, "event type", {
        /// The network has taken the message.
        Ack => "ack",
        /// The message could not be sent.
        Nack => "nack",
        /// News from the network about a message that it has taken.
        DeliveryReport => "delivery_report",
    }
}

names! {
    /// What a delivery report says (messages.md §5).
    DeliveryStatus, "delivery status", {
        /// Not yet delivered.
        Pending => "pending",
        /// Will not be delivered.
        Failed => "failed",
        /// Delivered.
        Delivered => "delivered",
    }
}

message_kind! {
    /// An event (messages.md §5, common.md C1).
    Event
}

impl Schema for Event {
    const KIND: Kind = Kind::Event;

    fn defaults(payload: &mut Payload, given: &Payload) {
        if !given.contains_key("event_id") {
            payload.insert("event_id".to_owned(), new_id().into());
        }
    }

    fn check(payload: &Payload) -> Result<(), MessageError> {
        fields::text_or_null(payload, "user_message_id")?;
        fields::id(payload, "event_id")?;
        let event_type = fields::text(payload, "event_type")?
            .parse()
            .or_else(|error: crate::UnknownName| fields::invalid("event_type", error.to_string()))?;
        match event_type {
            EventType::Ack => fields::text_or_number(payload, "sent_message_id"),
            EventType::Nack => fields::text_or_number(payload, "nack_reason"),
            EventType::DeliveryReport => fields::text(payload, "delivery_status")?
                .parse::<DeliveryStatus>()
                .map(drop)
                .or_else(|error| fields::invalid("delivery_status", error.to_string())),
        }?;
        fields::optional_text(payload, "transport_name")?;
        fields::optional_object(payload, "transport_metadata")
    }
}

impl Event {
    /// An ack: the network has taken the message `user_message_id` and calls it `sent_message_id`.
    pub fn ack<'a>(user_message_id: impl Into<Option<&'a str>>, sent_message_id: &str) -> Self {
        Self::of(user_message_id.into(), EventType::Ack, "sent_message_id", sent_message_id)
    }

    /// A nack: the message `user_message_id` could not be sent.
    pub fn nack<'a>(user_message_id: impl Into<Option<&'a str>>, reason: &str) -> Self {
        Self::of(user_message_id.into(), EventType::Nack, "nack_reason", reason)
    }

    /// A delivery report for the message `user_message_id`, which is `None` when the transport no longer knows
    /// which message the network means.
    pub fn delivery_report<'a>(user_message_id: impl Into<Option<&'a str>>, status: DeliveryStatus) -> Self {
        Self::of(user_message_id.into(), EventType::DeliveryReport, "delivery_status", status.as_str())
    }

    fn of(user_message_id: Option<&str>, event_type: EventType, field: &str, value: &str) -> Self {
        let mut given = Payload::new();
        given.insert("user_message_id".to_owned(), text_value(user_message_id));
        given.insert("event_type".to_owned(), event_type.as_str().into());
        given.insert(field.to_owned(), value.into());
        Event { payload: filled::<Event>(given) }
    }

    /// Adds what transports add to the events that they publish.
    #[must_use]
    pub fn with_transport(mut self, transport_name: &str, transport_metadata: Payload) -> Self {
        self.payload.insert("transport_name".to_owned(), transport_name.into());
        self.payload.insert("transport_metadata".to_owned(), Value::Object(transport_metadata));
        self
    }

    /// The event's own id; never empty.
    pub fn event_id(&self) -> &str {
        self.text("event_id").unwrap_or_default()
    }

    /// Id of the outbound message that the event is about; `None` when the transport does not know it.
    pub fn user_message_id(&self) -> Option<&str> {
        self.text("user_message_id")
    }

    /// What happened.
    pub fn event_type(&self) -> EventType {
        // Checked when the event was made.
        self.text("event_type").and_then(|text| text.parse().ok()).unwrap_or(EventType::Ack)
    }

    /// The id that the network gave to the message. Acks always have it, nacks sometimes. A network's number is
    /// given as its digits.
    pub fn sent_message_id(&self) -> Option<&str> {
        fields::get_text_or_number(&self.payload, "sent_message_id")
    }

    /// Why the message could not be sent. Nacks always have it.
    pub fn nack_reason(&self) -> Option<&str> {
        fields::get_text_or_number(&self.payload, "nack_reason")
    }

    /// What a delivery report says; `None` for acks and nacks.
    pub fn delivery_status(&self) -> Option<DeliveryStatus> {
        match self.event_type() {
            EventType::DeliveryReport => self.text("delivery_status").and_then(|text| text.parse().ok()),
            EventType::Ack | EventType::Nack => None,
        }
    }

    /// The event in one word: `ack`, `nack`, or `delivery_report.<delivery status>` (messages.md §5).
    pub fn status_text(&self) -> String {
        match self.delivery_status() {
            Some(status) => format!("{}.{status}", EventType::DeliveryReport),
            None => self.event_type().to_string(),
        }
    }

    /// The configured name of the transport that published the event.
    pub fn transport_name(&self) -> Option<&str> {
        self.text("transport_name")
    }

    /// Notes of the transport to itself; empty when absent or null.
    pub fn transport_metadata(&self) -> &Payload {
        fields::get_object(&self.payload, "transport_metadata")
    }

    fn text(&self, field: &str) -> Option<&str> {
        fields::get_text(&self.payload, field)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn constructors_make_what_readers_accept() {
        let metadata = Payload::from_iter([("a".to_owned(), json!(1))]);
        for event in [
            Event::ack("m1", "s1"),
            Event::nack("m1", ""),
            Event::delivery_report("m1", DeliveryStatus::Pending),
            Event::delivery_report(None, DeliveryStatus::Delivered),
            Event::ack("m1", "s1").with_transport("t1", metadata.clone()),
        ] {
            assert_eq!(Event::from_json(event.to_json().as_bytes()).as_ref(), Ok(&event));
        }
        let event = Event::ack("m1", "s1").with_transport("t1", metadata.clone());
        assert_eq!(event.user_message_id(), Some("m1"));
        assert_eq!(event.sent_message_id(), Some("s1"));
        assert_eq!(event.event_type(), EventType::Ack);
        assert_eq!(event.event_id().len(), 32);
        assert_eq!(event.transport_name(), Some("t1"));
        assert_eq!(event.transport_metadata(), &metadata);
        assert_eq!(event.delivery_status(), None);
        assert_eq!(Event::delivery_report(None, DeliveryStatus::Failed).user_message_id(), None);
        assert_eq!(Event::nack("m1", "no").nack_reason(), Some("no"));
    }

    #[test]
    fn the_status_text_names_the_event() {
        assert_eq!(Event::ack("m1", "s1").status_text(), "ack");
        assert_eq!(Event::nack("m1", "no").status_text(), "nack");
        assert_eq!(Event::delivery_report("m1", DeliveryStatus::Failed).status_text(), "delivery_report.failed");
    }

    #[test]
    fn a_networks_number_is_an_id_too() {
        let mut event = Event::ack("m1", "s1");
        event.set("sent_message_id", json!(123_456)).unwrap();
        assert_eq!(event.sent_message_id(), Some("123456"));
        assert!(event.set("sent_message_id", json!({})).is_err());
    }

    #[test]
    fn bad_events_are_refused() {
        let refused = |field: &str, value: Value| {
            let mut payload = Event::ack("m1", "s1").into_payload();
            payload.insert(field.to_owned(), value);
            Event::from_payload(payload).unwrap_err()
        };
        let invalid = |error: &MessageError, name: &str| matches!(error, MessageError::InvalidField { field, .. } if *field == name);
        assert!(invalid(&refused("event_type", json!("seen")), "event_type"));
        assert!(invalid(&refused("event_id", json!("")), "event_id"));
        assert!(invalid(&refused("user_message_id", json!(5)), "user_message_id"));
        assert!(invalid(&refused("transport_metadata", json!(5)), "transport_metadata"));
        assert!(invalid(&refused("transport_name", json!(5)), "transport_name"));
        assert_eq!(refused("event_type", json!("nack")), MessageError::MissingField { field: "nack_reason" });
        for field in ["user_message_id", "event_id", "event_type"] {
            let mut payload = Event::ack("m1", "s1").into_payload();
            payload.remove(field);
            assert_eq!(Event::from_payload(payload), Err(MessageError::MissingField { field }));
        }
    }

    #[test]
    fn an_ack_may_carry_a_delivery_status_of_no_meaning() {
        let mut event = Event::ack("m1", "s1");
        event.set("delivery_status", "failed").unwrap();
        assert_eq!(event.delivery_status(), None);
        assert_eq!(event.status_text(), "ack");
    }
}
