//! A message of any kind, for code that handles all four alike: brokers, the queue of dead messages, exports.

use crate::envelope::kind_of;
use crate::names::names;
use crate::{Event, Failure, MessageError, Payload, Status, Timestamp, UserMessage, json};

names! {
    /// The four kinds of message; the words are those of the field `message_type` (messages.md §1).
    Kind, "message type", {
        /// What a person sent or is to get.
        UserMessage => "user_message",
        /// What became of an outbound message.
        Event => "event",
        /// How a part of a transport is doing.
        Status => "status_event",
        /// An outbound message that a transport could not handle.
        Failure => "failure_message",
    }
}

/// A message of one of the four kinds.
#[derive(Clone, Debug)]
pub enum Message {
    /// What a person sent or is to get.
    User(UserMessage),
    /// What became of an outbound message.
    Event(Event),
    /// How a part of a transport is doing.
    Status(Status),
    /// An outbound message that a transport could not handle.
    Failure(Failure),
}

/// Runs the same expression on whichever message it is.
macro_rules! each {
    ($message:expr, $inner:ident => $result:expr) => {
        match $message {
            Message::User($inner) => $result,
            Message::Event($inner) => $result,
            Message::Status($inner) => $result,
            Message::Failure($inner) => $result,
        }
    };
}

impl Message {
    /// Reads a message from JSON text; its `message_type` says which kind it is.
    ///
    /// # Errors
    /// Any [`MessageError`] but `NotOverridable` and `WrongKind`.
    pub fn from_json(text: &[u8]) -> Result<Self, MessageError> {
        Self::from_payload(json::parse_object(text)?)
    }

    /// Like [`Message::from_json`] for an object that is already parsed.
    ///
    /// # Errors
    /// `MissingField` or `InvalidField`.
    pub fn from_payload(payload: Payload) -> Result<Self, MessageError> {
        Ok(match kind_of(&payload)? {
            Kind::UserMessage => Message::User(UserMessage::from_payload(payload)?),
            Kind::Event => Message::Event(Event::from_payload(payload)?),
            Kind::Status => Message::Status(Status::from_payload(payload)?),
            Kind::Failure => Message::Failure(Failure::from_payload(payload)?),
        })
    }

    /// The message as JSON text, as Vumi writes it.
    pub fn to_json(&self) -> String {
        json::object_to_text(self.payload())
    }

    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Message::User(_) => Kind::UserMessage,
            Message::Event(_) => Kind::Event,
            Message::Status(_) => Kind::Status,
            Message::Failure(_) => Kind::Failure,
        }
    }

    /// All fields.
    pub fn payload(&self) -> &Payload {
        each!(self, message => message.payload())
    }

    /// All fields, giving up the message.
    pub fn into_payload(self) -> Payload {
        each!(self, message => message.into_payload())
    }

    /// The message's own id: `message_id` of a user message, `event_id` of an event; statuses and failures have
    /// none.
    pub fn message_id(&self) -> Option<&str> {
        match self {
            Message::User(message) => Some(message.message_id()),
            Message::Event(event) => Some(event.event_id()),
            Message::Status(_) | Message::Failure(_) => None,
        }
    }

    /// When the message was made.
    pub fn timestamp(&self) -> Timestamp {
        each!(self, message => message.timestamp())
    }

    /// The endpoint by which the message is routed; `default` when it names none.
    pub fn endpoint(&self) -> &str {
        each!(self, message => message.endpoint())
    }

    /// Sets the endpoint; `None` stores `default`.
    pub fn set_endpoint(&mut self, endpoint: Option<&str>) {
        each!(self, message => message.set_endpoint(endpoint));
    }
}

/// Two messages are equal when their payloads are (messages.md §2); the kind follows from the payload.
impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.payload() == other.payload()
    }
}

impl From<UserMessage> for Message {
    fn from(message: UserMessage) -> Self {
        Message::User(message)
    }
}

impl From<Event> for Message {
    fn from(event: Event) -> Self {
        Message::Event(event)
    }
}

impl From<Status> for Message {
    fn from(status: Status) -> Self {
        Message::Status(status)
    }
}

impl From<Failure> for Message {
    fn from(failure: Failure) -> Self {
        Message::Failure(failure)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{DeliveryStatus, FailureCode, NewUserMessage, StatusLevel};

    fn all() -> [Message; 4] {
        [
            UserMessage::new(NewUserMessage::default()).into(),
            Event::delivery_report(None, DeliveryStatus::Failed).into(),
            Status::new("c", StatusLevel::Ok, "t", "m").into(),
            Failure::new(Payload::new(), FailureCode::Temporary, "r").into(),
        ]
    }

    #[test]
    fn the_message_type_chooses_the_kind() {
        for (message, kind) in all().into_iter().zip(Kind::ALL) {
            assert_eq!(message.kind(), *kind);
            let read = Message::from_json(message.to_json().as_bytes()).unwrap();
            assert_eq!((read.kind(), &read), (*kind, &message));
            assert_eq!(read.timestamp(), message.timestamp());
            assert_eq!(read.payload().get("message_type"), Some(&json!(kind.as_str())));
            assert_eq!(&read.clone().into_payload(), message.payload());
        }
    }

    #[test]
    fn only_user_messages_and_events_have_ids() {
        let [user, event, status, failure] = all();
        assert_eq!(user.message_id(), user.payload().get("message_id").and_then(|id| id.as_str()));
        assert_eq!(event.message_id(), event.payload().get("event_id").and_then(|id| id.as_str()));
        assert!(user.message_id().is_some() && event.message_id().is_some());
        assert_eq!((status.message_id(), failure.message_id()), (None, None));
    }

    #[test]
    fn every_kind_has_an_endpoint() {
        for mut message in all() {
            assert_eq!(message.endpoint(), "default");
            message.set_endpoint(Some("sms"));
            assert_eq!(message.endpoint(), "sms");
        }
    }

    #[test]
    fn a_payload_without_known_type_is_no_message() {
        assert_eq!(Message::from_json(b"{}"), Err(MessageError::MissingField { field: "message_type" }));
        let error = Message::from_json(br#"{"message_type": "memo"}"#).unwrap_err();
        assert!(matches!(error, MessageError::InvalidField { field: "message_type", .. }));
        assert_eq!(Message::from_json(b"5"), Err(MessageError::NotAnObject));
    }
}
