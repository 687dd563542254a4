//! User messages: what a person sent (inbound) or is to get (outbound).

mod reply;
mod stamped;
mod view;

use serde_json::Value;

pub use stamped::Stamp;
pub use view::UserFields;

use crate::envelope::{Schema, filled, message_kind};
use crate::names::names;
use crate::{Kind, MessageError, Payload, Timestamp, fields, new_id};

names! {
    /// Where in a session (a USSD-like conversation) a message stands (messages.md §3). A transport sends any of
    /// the three; an application only `Close`.
    SessionEvent, "session event", {
        /// The first message of a session.
        New => "new",
        /// A further message of a session.
        Resume => "resume",
        /// From a transport: the session has ended. From an application: end it after this message.
        Close => "close",
    }
}

message_kind! {
    /// A user message (messages.md §3, common.md C1). Whether it is inbound or outbound follows from the queue
    /// it travels on, not from its fields.
    UserMessage
}

/// The fields of a new user message; see [`UserMessage::new`]. What is left out gets the default of
/// messages.md §3.
#[derive(Clone, Debug, Default)]
pub struct NewUserMessage {
    /// Whom the message is for; `None` for a message to a group and for an unsolicited send.
    pub to_addr: Option<String>,
    /// Whom the message is from.
    pub from_addr: Option<String>,
    /// The configured name of the transport.
    pub transport_name: Option<String>,
    /// What kind of network it is, e.g. `sms`; see [`UserMessage::known_transport_types`].
    pub transport_type: Option<String>,
    /// The text itself.
    pub content: Option<String>,
    /// Where in a session the message stands; `None` outside of sessions.
    pub session_event: Option<SessionEvent>,
    /// Id of the message that this one answers.
    pub in_reply_to: Option<String>,
    /// The id; by default, or when empty, a new random one.
    pub message_id: Option<String>,
    /// When the message was made; by default now.
    pub timestamp: Option<Timestamp>,
    /// The network operator.
    pub provider: Option<String>,
    /// The chat room, e.g. an IRC channel.
    pub group: Option<String>,
    /// Notes of the transport to itself; copied to replies.
    pub transport_metadata: Payload,
    /// Notes of middleware and applications; copied to replies.
    pub helper_metadata: Payload,
    /// What kind of address `to_addr` is; see [`UserMessage::known_address_types`].
    pub to_addr_type: Option<String>,
    /// What kind of address `from_addr` is.
    pub from_addr_type: Option<String>,
    /// The endpoint; `None` leaves `routing_metadata` empty, which reads as `default`.
    pub endpoint: Option<String>,
}

impl Schema for UserMessage {
    const KIND: Kind = Kind::UserMessage;

    fn defaults(payload: &mut Payload, given: &Payload) {
        if !given.contains_key("message_id") {
            payload.insert("message_id".to_owned(), new_id().into());
        }
        payload.insert("transport_metadata".to_owned(), Value::Object(Payload::new()));
        for field in ["content", "in_reply_to", "session_event", "group", "provider", "to_addr_type", "from_addr_type"]
        {
            payload.insert(field.to_owned(), Value::Null);
        }
    }

    fn check(payload: &Payload) -> Result<(), MessageError> {
        fields::id(payload, "message_id")?;
        for field in
            ["to_addr", "from_addr", "transport_name", "transport_type", "content", "in_reply_to", "group", "provider"]
        {
            fields::text_or_null(payload, field)?;
        }
        for field in ["to_addr_type", "from_addr_type"] {
            fields::optional_text(payload, field)?;
        }
        fields::require(payload, "transport_metadata")?;
        fields::optional_object(payload, "transport_metadata")?;
        match fields::require(payload, "session_event")? {
            Value::Null => Ok(()),
            Value::String(event) if event.parse::<SessionEvent>().is_ok() => Ok(()),
            other => fields::invalid(
                "session_event",
                format!("it must be null, \"new\", \"resume\" or \"close\", not {}", fields::describe(other)),
            ),
        }
    }
}

impl UserMessage {
    /// Builds a user message (messages.md §3, "new" mode).
    pub fn new(new: NewUserMessage) -> Self {
        let mut given = Payload::new();
        let mut put = |field: &str, value: Option<String>| given.insert(field.to_owned(), value.into());
        if let Some(id) = new.message_id.filter(|id| !id.is_empty()) {
            put("message_id", Some(id));
        }
        if let Some(timestamp) = new.timestamp {
            put("timestamp", Some(timestamp.to_string()));
        }
        put("to_addr", new.to_addr);
        put("from_addr", new.from_addr);
        put("transport_name", new.transport_name);
        put("transport_type", new.transport_type);
        put("content", new.content);
        put("session_event", new.session_event.map(|event| event.as_str().to_owned()));
        put("in_reply_to", new.in_reply_to);
        put("provider", new.provider);
        put("group", new.group);
        put("to_addr_type", new.to_addr_type);
        put("from_addr_type", new.from_addr_type);
        given.insert("transport_metadata".to_owned(), Value::Object(new.transport_metadata));
        given.insert("helper_metadata".to_owned(), Value::Object(new.helper_metadata));
        let mut message = UserMessage { payload: filled::<UserMessage>(given) };
        if let Some(endpoint) = new.endpoint {
            message.set_endpoint(Some(&endpoint));
        }
        message
    }

    /// The transport types that Vumi knows. Others are allowed.
    pub const fn known_transport_types() -> &'static [&'static str] {
        &["http_api", "irc", "telnet", "twitter", "sms", "ussd", "xmpp", "mxit", "wechat"]
    }

    /// The address types that Vumi knows. Others are allowed.
    pub const fn known_address_types() -> &'static [&'static str] {
        &["irc_nickname", "twitter_handle", "msisdn", "gtalk_id", "jabber_id", "mxit_id", "wechat_id"]
    }

    /// The id; never empty.
    pub fn message_id(&self) -> &str {
        self.text("message_id").unwrap_or_default()
    }

    /// Whom the message is for.
    pub fn to_addr(&self) -> Option<&str> {
        self.text("to_addr")
    }

    /// Whom the message is from.
    pub fn from_addr(&self) -> Option<&str> {
        self.text("from_addr")
    }

    /// The person at the other end of an inbound message: its `from_addr`.
    pub fn user(&self) -> Option<&str> {
        self.from_addr()
    }

    /// The text itself.
    pub fn content(&self) -> Option<&str> {
        self.text("content")
    }

    /// Where in a session the message stands; `None` outside of sessions.
    pub fn session_event(&self) -> Option<SessionEvent> {
        self.text("session_event").and_then(|event| event.parse().ok())
    }

    /// Id of the message that this one answers.
    pub fn in_reply_to(&self) -> Option<&str> {
        self.text("in_reply_to")
    }

    /// The configured name of the transport.
    pub fn transport_name(&self) -> Option<&str> {
        self.text("transport_name")
    }

    /// What kind of network it is, e.g. `sms`.
    pub fn transport_type(&self) -> Option<&str> {
        self.text("transport_type")
    }

    /// The network operator.
    pub fn provider(&self) -> Option<&str> {
        self.text("provider")
    }

    /// The chat room.
    pub fn group(&self) -> Option<&str> {
        self.text("group")
    }

    /// Notes of the transport to itself; empty when null.
    pub fn transport_metadata(&self) -> &Payload {
        fields::get_object(&self.payload, "transport_metadata")
    }

    /// What kind of address `to_addr` is.
    pub fn to_addr_type(&self) -> Option<&str> {
        self.text("to_addr_type")
    }

    /// What kind of address `from_addr` is.
    pub fn from_addr_type(&self) -> Option<&str> {
        self.text("from_addr_type")
    }

    fn text(&self, field: &str) -> Option<&str> {
        fields::get_text(&self.payload, field)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn payload() -> Payload {
        let new = NewUserMessage { to_addr: Some("8007".into()), ..NewUserMessage::default() };
        UserMessage::new(new).into_payload()
    }

    fn refused(field: &'static str, value: Value) -> String {
        let mut payload = payload();
        payload.insert(field.to_owned(), value);
        let error = UserMessage::from_payload(payload).unwrap_err();
        assert!(matches!(error, MessageError::InvalidField { field: named, .. } if named == field), "{error}");
        error.to_string()
    }

    #[test]
    fn everything_given_is_there() {
        let timestamp = Timestamp::from_secs(1_400_000_000);
        let text = |text: &str| Some(text.to_owned());
        let object = |key: &str| Payload::from_iter([(key.to_owned(), json!(1))]);
        let message = UserMessage::new(NewUserMessage {
            to_addr: text("to"),
            from_addr: text("from"),
            transport_name: text("tn"),
            transport_type: text("tt"),
            content: text("c"),
            session_event: Some(SessionEvent::Resume),
            in_reply_to: text("irt"),
            message_id: text("id"),
            timestamp: Some(timestamp),
            provider: text("p"),
            group: text("g"),
            transport_metadata: object("t"),
            helper_metadata: object("h"),
            to_addr_type: text("tat"),
            from_addr_type: text("fat"),
            endpoint: text("e"),
        });
        let message = UserMessage::from_json(message.to_json().as_bytes()).unwrap();
        assert_eq!(message.to_addr(), Some("to"));
        assert_eq!(message.from_addr(), Some("from"));
        assert_eq!(message.user(), Some("from"));
        assert_eq!(message.transport_name(), Some("tn"));
        assert_eq!(message.transport_type(), Some("tt"));
        assert_eq!(message.content(), Some("c"));
        assert_eq!(message.session_event(), Some(SessionEvent::Resume));
        assert_eq!(message.in_reply_to(), Some("irt"));
        assert_eq!(message.message_id(), "id");
        assert_eq!(message.timestamp(), timestamp);
        assert_eq!(message.provider(), Some("p"));
        assert_eq!(message.group(), Some("g"));
        assert_eq!(message.transport_metadata(), &object("t"));
        assert_eq!(message.helper_metadata(), &object("h"));
        assert_eq!(message.to_addr_type(), Some("tat"));
        assert_eq!(message.from_addr_type(), Some("fat"));
        assert_eq!(message.endpoint(), "e");
    }

    #[test]
    fn a_given_id_is_kept_but_an_empty_one_is_not() {
        let with = |id: &str| {
            let new = NewUserMessage { message_id: Some(id.to_owned()), ..NewUserMessage::default() };
            UserMessage::new(new).message_id().to_owned()
        };
        assert_eq!(with("any text!"), "any text!");
        assert_eq!(with("").len(), 32);
    }

    #[test]
    fn fields_of_a_wrong_type_are_refused_in_one_sentence() {
        assert_eq!(
            refused("content", json!({"a": 1})),
            "the field 'content' is invalid: it must be text or null, not an object"
        );
        assert_eq!(refused("message_id", json!("")), "the field 'message_id' is invalid: it must not be empty");
        assert_eq!(refused("message_id", json!(null)), "the field 'message_id' is invalid: it must be text, not null");
        assert_eq!(
            refused("helper_metadata", json!([])),
            "the field 'helper_metadata' is invalid: it must be an object, not a list"
        );
        assert_eq!(
            refused("routing_metadata", json!({"endpoint_name": 5})),
            "the field 'routing_metadata' is invalid: its endpoint_name must be text or null, not a number"
        );
        assert_eq!(
            refused("session_event", json!("paused")),
            "the field 'session_event' is invalid: it must be null, \"new\", \"resume\" or \"close\", not \"paused\""
        );
        assert_eq!(
            refused("message_version", json!("20120101")),
            "the field 'message_version' is invalid: it must be \"20110921\", the only version there is, not \"20120101\""
        );
        assert_eq!(
            refused("timestamp", json!("yesterday")),
            "the field 'timestamp' is invalid: it must look like 2016-03-01 08:30:00.000000 (UTC), not \"yesterday\""
        );
        assert_eq!(
            refused("message_type", json!("memo")),
            "the field 'message_type' is invalid: 'memo' is not a message type: it must be one of \
             user_message, event, status_event, failure_message"
        );
        for field in [
            "to_addr",
            "from_addr",
            "transport_name",
            "transport_type",
            "in_reply_to",
            "group",
            "provider",
            "to_addr_type",
            "from_addr_type",
        ] {
            refused(field, json!(5));
        }
        for field in ["transport_metadata", "routing_metadata"] {
            refused(field, json!("text"));
        }
        refused("message_type", json!(null));
        refused("timestamp", json!(null));
        refused("session_event", json!(true));
    }

    #[test]
    fn every_required_field_is_missed() {
        for field in [
            "message_version",
            "message_type",
            "timestamp",
            "message_id",
            "to_addr",
            "from_addr",
            "transport_name",
            "transport_type",
            "content",
            "in_reply_to",
            "session_event",
            "transport_metadata",
        ] {
            let mut payload = payload();
            payload.remove(field);
            let error = UserMessage::from_payload(payload).unwrap_err();
            assert_eq!(error, MessageError::MissingField { field });
            assert_eq!(error.to_string(), format!("the field '{field}' is missing"));
        }
    }

    #[test]
    fn a_new_message_needs_addresses_and_transport() {
        for field in ["to_addr", "from_addr", "transport_name", "transport_type"] {
            let mut fields: Payload = ["to_addr", "from_addr", "transport_name", "transport_type"]
                .map(|name| (name.to_owned(), Value::Null))
                .into_iter()
                .collect();
            fields.remove(field);
            assert_eq!(UserMessage::from_fields(fields), Err(MessageError::MissingField { field }));
        }
    }

    #[test]
    fn a_null_object_reads_as_an_empty_one_and_survives() {
        let mut payload = payload();
        for field in ["helper_metadata", "routing_metadata", "transport_metadata"] {
            payload.insert(field.to_owned(), Value::Null);
        }
        let message = UserMessage::from_payload(payload.clone()).unwrap();
        assert!(message.helper_metadata().is_empty());
        assert!(message.routing_metadata().is_empty());
        assert!(message.transport_metadata().is_empty());
        assert_eq!(message.payload(), &payload);
    }

    #[test]
    fn another_kind_is_refused() {
        let error = UserMessage::from_payload(crate::Event::ack("m1", "s1").into_payload()).unwrap_err();
        assert_eq!(error.to_string(), "the message is of type 'event' where 'user_message' is expected");
    }
}
