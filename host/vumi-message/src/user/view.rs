//! All fields of a user message at once, for code that needs most of them.
//!
//! Each look-up of a field by name hashes the name. Going through the message once instead takes a third of the time,
//! and every run of an app does so twice.

use serde_json::Value;

use super::UserMessage;
use crate::envelope;

/// The fields that the specification knows; `None` for one that is absent.
#[derive(Clone, Copy, Debug, Default)]
#[expect(missing_docs, reason = "each is the field of its name")]
pub struct UserFields<'a> {
    pub message_id: Option<&'a Value>,
    pub to_addr: Option<&'a Value>,
    pub from_addr: Option<&'a Value>,
    pub to_addr_type: Option<&'a Value>,
    pub from_addr_type: Option<&'a Value>,
    pub content: Option<&'a Value>,
    pub session_event: Option<&'a Value>,
    pub in_reply_to: Option<&'a Value>,
    pub transport_name: Option<&'a Value>,
    pub transport_type: Option<&'a Value>,
    pub group: Option<&'a Value>,
    pub provider: Option<&'a Value>,
    pub transport_metadata: Option<&'a Value>,
    pub helper_metadata: Option<&'a Value>,
    pub routing_metadata: Option<&'a Value>,
}

impl UserMessage {
    /// See the type.
    pub fn fields(&self) -> UserFields<'_> {
        let mut fields = UserFields::default();
        for (name, value) in &self.payload {
            let place = match name.as_str() {
                "message_id" => &mut fields.message_id,
                "to_addr" => &mut fields.to_addr,
                "from_addr" => &mut fields.from_addr,
                "to_addr_type" => &mut fields.to_addr_type,
                "from_addr_type" => &mut fields.from_addr_type,
                "content" => &mut fields.content,
                "session_event" => &mut fields.session_event,
                "in_reply_to" => &mut fields.in_reply_to,
                "transport_name" => &mut fields.transport_name,
                "transport_type" => &mut fields.transport_type,
                "group" => &mut fields.group,
                "provider" => &mut fields.provider,
                "transport_metadata" => &mut fields.transport_metadata,
                "helper_metadata" => &mut fields.helper_metadata,
                "routing_metadata" => &mut fields.routing_metadata,
                _ => continue,
            };
            *place = Some(value);
        }
        fields
    }
}

impl<'a> UserFields<'a> {
    /// The endpoint, as [`UserMessage::endpoint`] gives it.
    pub fn endpoint(&self) -> &'a str {
        envelope::endpoint_in(self.routing_metadata)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::NewUserMessage;

    #[test]
    fn each_field_is_found_under_its_name() {
        let mut message =
            UserMessage::new(NewUserMessage { endpoint: Some("sms".into()), ..NewUserMessage::default() });
        for (n, field) in ["to_addr", "from_addr", "to_addr_type", "from_addr_type", "content", "in_reply_to"]
            .into_iter()
            .chain(["message_id", "transport_name", "transport_type", "group", "provider"])
            .enumerate()
        {
            message.set(field, format!("{field} {n}")).unwrap();
        }
        message.set("session_event", "new").unwrap();
        message.set("x_custom", json!({"content": 1})).unwrap();
        let fields = message.fields();
        for (name, value) in [
            ("message_id", fields.message_id),
            ("to_addr", fields.to_addr),
            ("from_addr", fields.from_addr),
            ("to_addr_type", fields.to_addr_type),
            ("from_addr_type", fields.from_addr_type),
            ("content", fields.content),
            ("session_event", fields.session_event),
            ("in_reply_to", fields.in_reply_to),
            ("transport_name", fields.transport_name),
            ("transport_type", fields.transport_type),
            ("group", fields.group),
            ("provider", fields.provider),
            ("transport_metadata", fields.transport_metadata),
            ("helper_metadata", fields.helper_metadata),
            ("routing_metadata", fields.routing_metadata),
        ] {
            assert!(value.is_some() && value == message.get(name), "{name}");
        }
        assert_eq!(fields.endpoint(), "sms");
        message.remove("routing_metadata").unwrap();
        assert_eq!((message.fields().routing_metadata, message.fields().endpoint()), (None, "default"));
    }
}
