//! The short way to a reply: for whoever has its id and time at hand, and nothing else to add.
//!
//! Every run of an app takes it. [`UserMessage::reply`] lays the caller's fields over defaults and checks the result;
//! here all fields come from a valid message or from types, so that nothing is left to check. A template that holds all
//! keys in their order is copied, which hashes none of them, and its values are filled in one after the other. Both ways
//! give the same bytes on the wire.

use std::sync::LazyLock;

use serde_json::Value;

use super::{SessionEvent, UserFields, UserMessage};
use crate::fields::{MESSAGE_VERSION, text_value};
use crate::{Kind, Payload, Timestamp, new_id};

/// What tells a new message from all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Its id; an empty one is replaced by a new random one.
    pub message_id: String,
    /// When it was made.
    pub timestamp: Timestamp,
}

/// The fields of a reply in the order in which [`UserMessage::reply`] puts them on the wire.
const FIELDS: [&str; 18] = [
    "message_type",
    "message_version",
    "timestamp",
    "helper_metadata",
    "routing_metadata",
    "transport_metadata",
    "content",
    "in_reply_to",
    "session_event",
    "group",
    "provider",
    "to_addr_type",
    "from_addr_type",
    "to_addr",
    "from_addr",
    "transport_name",
    "transport_type",
    "message_id",
];

static TEMPLATE: LazyLock<Payload> =
    LazyLock::new(|| FIELDS.iter().map(|field| ((*field).to_owned(), Value::Null)).collect());

impl UserMessage {
    /// The same message as [`UserMessage::reply`] with the stamp's id and time as its only extras, and far cheaper.
    pub fn reply_stamped(&self, content: Option<String>, continue_session: bool, stamp: Stamp) -> UserMessage {
        let original = self.fields();
        answer(&original, original.from_addr, content, continue_session, stamp)
    }

    /// The same message as [`UserMessage::reply_group`] with the stamp's id and time as its only extras.
    pub fn reply_group_stamped(&self, content: Option<String>, continue_session: bool, stamp: Stamp) -> UserMessage {
        let original = self.fields();
        let from_group = original.group.is_some_and(Value::is_string);
        let to_addr = if from_group { None } else { original.from_addr };
        answer(&original, to_addr, content, continue_session, stamp)
    }
}

fn answer(
    original: &UserFields<'_>,
    to_addr: Option<&Value>,
    content: Option<String>,
    continue_session: bool,
    stamp: Stamp,
) -> UserMessage {
    let copied = |field: Option<&Value>| field.cloned().unwrap_or_default();
    let routing = Payload::from_iter([("endpoint_name".to_owned(), original.endpoint().into())]);
    let session_event = (!continue_session).then_some(SessionEvent::Close.as_str());
    let message_id = Some(stamp.message_id).filter(|id| !id.is_empty()).unwrap_or_else(new_id);
    let values: [Value; FIELDS.len()] = [
        Kind::UserMessage.as_str().into(),
        MESSAGE_VERSION.into(),
        stamp.timestamp.to_string().into(),
        original.helper_metadata.cloned().unwrap_or_else(|| Value::Object(Payload::new())),
        Value::Object(routing),
        copied(original.transport_metadata),
        content.into(),
        copied(original.message_id),
        text_value(session_event),
        copied(original.group),
        copied(original.provider),
        Value::Null,
        Value::Null,
        copied(to_addr),
        copied(original.to_addr),
        copied(original.transport_name),
        copied(original.transport_type),
        message_id.into(),
    ];
    let mut payload = TEMPLATE.clone();
    payload.values_mut().zip(values).for_each(|(place, value)| *place = value);
    UserMessage { payload }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::NewUserMessage;

    fn originals() -> Vec<UserMessage> {
        let plain = UserMessage::new(NewUserMessage {
            to_addr: Some("8007".into()),
            from_addr: Some("+2771".into()),
            from_addr_type: Some("msisdn".into()),
            transport_name: Some("t1".into()),
            transport_type: Some("ussd".into()),
            content: Some("hi".into()),
            provider: Some("mtn".into()),
            session_event: Some(SessionEvent::New),
            ..NewUserMessage::default()
        });
        let changed = |field: &str, value: Value| {
            let mut message = plain.clone();
            message.set(field, value).unwrap();
            message
        };
        let mut bare = plain.clone();
        bare.remove("helper_metadata").unwrap();
        bare.remove("routing_metadata").unwrap();
        vec![
            UserMessage::new(NewUserMessage::default()),
            changed("helper_metadata", json!({"a": [1, {"b": null}], "n": 1.50})),
            changed("helper_metadata", Value::Null),
            changed("transport_metadata", json!({"t": "\u{e9}\""})),
            changed("transport_metadata", Value::Null),
            changed("routing_metadata", json!({"endpoint_name": "ussd", "hops": [1]})),
            changed("routing_metadata", json!({"endpoint_name": null})),
            changed("group", json!("#dev")),
            changed("from_addr", Value::Null),
            changed("x_custom", json!(5)),
            bare,
            plain,
        ]
    }

    #[test]
    fn both_ways_give_the_same_bytes() {
        let timestamp = Timestamp::from_micros(1_400_000_000_000_001);
        let extras = Payload::from_iter([
            ("message_id".to_owned(), json!("r1")),
            ("timestamp".to_owned(), json!(timestamp.to_string())),
        ]);
        for original in originals() {
            for content in [None, Some(""), Some("Your name?")] {
                for go_on in [true, false] {
                    let stamp = || Stamp { message_id: "r1".to_owned(), timestamp };
                    let long = original.reply(content, go_on, extras.clone()).unwrap();
                    let short = original.reply_stamped(content.map(str::to_owned), go_on, stamp());
                    assert_eq!(short.to_json(), long.to_json());
                    assert_eq!(UserMessage::from_json(short.to_json().as_bytes()).as_ref(), Ok(&short));
                    let long = original.reply_group(content, go_on, extras.clone()).unwrap();
                    let short = original.reply_group_stamped(content.map(str::to_owned), go_on, stamp());
                    assert_eq!(short.to_json(), long.to_json());
                }
            }
        }
    }

    #[test]
    fn an_empty_id_is_replaced() {
        let stamp = Stamp { message_id: String::new(), timestamp: Timestamp::from_secs(0) };
        let original = UserMessage::new(NewUserMessage::default());
        assert_eq!(original.reply_stamped(None, true, stamp).message_id().len(), 32);
    }

    /// Fields come and go on their way through middleware: a reply made here finds and keeps them like any other.
    #[test]
    fn fields_are_found_set_and_removed() {
        let stamp = Stamp { message_id: "r1".to_owned(), timestamp: Timestamp::from_secs(0) };
        let mut reply = originals().remove(0).reply_stamped(Some("hi".into()), true, stamp);
        for field in FIELDS {
            assert!(reply.get(field).is_some(), "{field}");
        }
        reply.set("content", "ho").unwrap();
        reply.put_helper_metadata("a", 1);
        reply.set("x_custom", 5).unwrap();
        assert_eq!(reply.content(), Some("ho"));
        assert_eq!(reply.remove("x_custom"), Ok(Some(json!(5))));
        assert_eq!(reply.get("helper_metadata"), Some(&json!({"a": 1})));
    }
}
