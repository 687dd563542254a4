//! Answering a message, and sending one that answers nothing.
//!
//! A reply goes back the way its original came, so most of its fields are copied. The caller may add fields
//! (*extras*), but none that would send the reply elsewhere.

use serde_json::Value;

use super::{SessionEvent, UserMessage};
use crate::fields::text_value;
use crate::{MessageError, Payload};

/// The fields of a reply that follow from the original (messages.md §3 "Reply"), and the text, which is an
/// argument of its own.
const FIXED_IN_REPLY: &[&str] = &[
    "to_addr",
    "from_addr",
    "group",
    "in_reply_to",
    "provider",
    "transport_name",
    "transport_type",
    "transport_metadata",
    "content",
];

/// The fields of a send that follow from the call (messages.md §3 "Send").
const FIXED_IN_SEND: &[&str] = &["to_addr", "content", "in_reply_to"];

impl UserMessage {
    /// Builds a reply to this message (messages.md §3 "Reply"): to its sender, through the same transport and
    /// endpoint, with its `helper_metadata`. `continue_session` false ends the session after this reply.
    /// `extras` are further fields; an explicit `session_event` or `helper_metadata` there wins, and
    /// `message_id` there gives the reply's id.
    ///
    /// # Errors
    /// `NotOverridable` when `extras` has one of the eight fields that follow from the original, or `content`;
    /// `InvalidField` when an extra field is not valid.
    pub fn reply(
        &self,
        content: Option<&str>,
        continue_session: bool,
        extras: Payload,
    ) -> Result<UserMessage, MessageError> {
        refuse(FIXED_IN_REPLY, &extras)?;
        let session_event = (!continue_session).then_some(SessionEvent::Close.as_str());
        let mut fields = Payload::with_capacity(16);
        fields.insert("to_addr".to_owned(), text_value(self.from_addr()));
        fields.insert("from_addr".to_owned(), text_value(self.to_addr()));
        fields.insert("in_reply_to".to_owned(), self.message_id().into());
        fields.insert("content".to_owned(), text_value(content));
        fields.insert("session_event".to_owned(), text_value(session_event));
        for field in ["group", "provider", "transport_name", "transport_type", "transport_metadata", "helper_metadata"]
        {
            if let Some(value) = self.get(field) {
                fields.insert(field.to_owned(), value.clone());
            }
        }
        fields.extend(extras);
        let mut reply = UserMessage::from_fields(fields)?;
        reply.set_endpoint(Some(self.endpoint()));
        Ok(reply)
    }

    /// Like [`UserMessage::reply`], but to the whole group when the original came from one: `to_addr` is then
    /// null (messages.md §3 "Group reply").
    ///
    /// # Errors
    /// As for [`UserMessage::reply`].
    pub fn reply_group(
        &self,
        content: Option<&str>,
        continue_session: bool,
        extras: Payload,
    ) -> Result<UserMessage, MessageError> {
        let mut reply = self.reply(content, continue_session, extras)?;
        if self.group().is_some() {
            reply.set("to_addr", Value::Null)?;
        }
        Ok(reply)
    }

    /// Builds a message that answers nothing (messages.md §3 "Send"). Who sends it and through which transport
    /// is null unless `extras` says so; whoever routes it fills it in.
    ///
    /// # Errors
    /// `NotOverridable` when `extras` has `to_addr`, `content` or `in_reply_to`; `InvalidField` when an extra
    /// field is not valid.
    pub fn send(to_addr: &str, content: Option<&str>, extras: Payload) -> Result<UserMessage, MessageError> {
        refuse(FIXED_IN_SEND, &extras)?;
        let mut fields = Payload::with_capacity(16);
        fields.insert("to_addr".to_owned(), to_addr.into());
        fields.insert("content".to_owned(), text_value(content));
        for field in ["from_addr", "transport_name", "transport_type", "session_event", "in_reply_to"] {
            fields.insert(field.to_owned(), Value::Null);
        }
        fields.extend(extras);
        UserMessage::from_fields(fields)
    }
}

fn refuse(fixed: &[&'static str], extras: &Payload) -> Result<(), MessageError> {
    match fixed.iter().copied().find(|field| extras.contains_key(*field)) {
        Some(field) => Err(MessageError::NotOverridable { field }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{NewUserMessage, Timestamp};

    fn original() -> UserMessage {
        let mut message = UserMessage::new(NewUserMessage {
            to_addr: Some("8007".into()),
            from_addr: Some("+2771".into()),
            to_addr_type: Some("msisdn".into()),
            transport_name: Some("t1".into()),
            transport_type: Some("ussd".into()),
            timestamp: Some(Timestamp::from_secs(0)),
            ..NewUserMessage::default()
        });
        message.set("routing_metadata", json!({"endpoint_name": "ussd", "hops": [1]})).unwrap();
        message.set("x_custom", 1).unwrap();
        message
    }

    fn extras(field: &str, value: Value) -> Payload {
        Payload::from_iter([(field.to_owned(), value)])
    }

    #[test]
    fn fields_that_follow_from_the_original_may_not_be_given() {
        for field in FIXED_IN_REPLY {
            for value in [json!(null), json!("x")] {
                let extras = extras(field, value);
                assert_eq!(original().reply(None, true, extras.clone()), Err(MessageError::NotOverridable { field }));
                assert_eq!(original().reply_group(None, true, extras), Err(MessageError::NotOverridable { field }));
            }
        }
        for field in FIXED_IN_SEND {
            let extras = extras(field, json!(null));
            assert_eq!(UserMessage::send("x", None, extras), Err(MessageError::NotOverridable { field }));
        }
    }

    #[test]
    fn what_is_not_copied_is_fresh() {
        let reply = original().reply(None, true, Payload::new()).unwrap();
        assert_ne!(reply.message_id(), original().message_id());
        assert!(reply.timestamp() > Timestamp::from_secs(0));
        assert_eq!(reply.to_addr_type(), None);
        assert_eq!(reply.get("x_custom"), None);
        assert_eq!(reply.routing_metadata(), &extras("endpoint_name", json!("ussd")));
    }

    #[test]
    fn extras_give_id_and_further_fields() {
        let mut given = extras("message_id", json!("r1"));
        given.insert("x".to_owned(), json!([1]));
        let reply = original().reply(Some("hi"), true, given).unwrap();
        assert_eq!(reply.message_id(), "r1");
        assert_eq!(reply.get("x"), Some(&json!([1])));
        assert_eq!(reply.content(), Some("hi"));
    }

    #[test]
    fn the_endpoint_of_the_original_wins_over_the_extras() {
        let given = extras("routing_metadata", json!({"endpoint_name": "sms", "a": 1}));
        let reply = original().reply(None, true, given).unwrap();
        assert_eq!(Value::Object(reply.routing_metadata().clone()), json!({"endpoint_name": "ussd", "a": 1}));
    }

    #[test]
    fn bad_extras_are_refused() {
        let error = original().reply(None, true, extras("session_event", json!("paused"))).unwrap_err();
        assert!(matches!(error, MessageError::InvalidField { field: "session_event", .. }));
        let error = UserMessage::send("x", None, extras("message_version", json!("1"))).unwrap_err();
        assert!(matches!(error, MessageError::InvalidField { field: "message_version", .. }));
    }

    #[test]
    fn a_send_takes_extras() {
        let mut given = extras("from_addr", json!("8007"));
        given.insert("transport_type".to_owned(), json!("sms"));
        given.insert("session_event".to_owned(), json!("new"));
        let message = UserMessage::send("+300", None, given).unwrap();
        assert_eq!(message.from_addr(), Some("8007"));
        assert_eq!(message.transport_type(), Some("sms"));
        assert_eq!(message.session_event(), Some(SessionEvent::New));
        assert_eq!(message.endpoint(), "default");
    }
}
