//! What several middleware need.

use serde_json::{Value, json};
use vumi_core::{Channel, Error, Flow, Hook, Result};
use vumi_message::{Message, MessageError, UserMessage};

/// Which way a user message goes, seen from its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From the user.
    In,
    /// To the user.
    Out,
}

impl Way {
    /// The way of the user messages at a hook; `None` where there are none.
    pub(super) fn at(hook: Hook) -> Option<Self> {
        match hook.channel {
            Channel::Inbound => Some(Self::In),
            Channel::Outbound => Some(Self::Out),
            Channel::Event | Channel::Failure | Channel::Status => None,
        }
    }

    /// The address of the person at the other end, where the message has one.
    pub(super) fn user(self, message: &UserMessage) -> Option<&str> {
        match self {
            Self::In => message.from_addr(),
            Self::Out => message.to_addr(),
        }
    }
}

/// Changes a user message; everything else passes.
pub(super) fn on_user_message(
    hook: Hook,
    message: Message,
    change: impl FnOnce(Way, UserMessage) -> Result<UserMessage>,
) -> Result<Flow> {
    match (Way::at(hook), message) {
        (Some(way), Message::User(message)) => change(way, message).map(|message| Flow::Continue(message.into())),
        (_, other) => Ok(Flow::Continue(other)),
    }
}

/// The error for a message that a middleware's change made an invalid one.
pub(super) fn invalid(error: MessageError) -> Error {
    Error::permanent("the middleware's configuration makes this message an invalid one").because(error)
}

/// Pool and name of a message's tag (specification: middleware, section 5, Tagging).
pub(super) fn tag(message: &UserMessage) -> Option<(&str, &str)> {
    match message.helper_metadata().get("tag")?.get("tag")?.as_array()?.as_slice() {
        [Value::String(pool), Value::String(name)] => Some((pool, name)),
        _ => None,
    }
}

/// Gives a message a tag, in place of any other.
pub(super) fn set_tag(message: &mut UserMessage, pool: &str, name: &str) {
    let mut noted = message.helper_metadata().get("tag").and_then(Value::as_object).cloned().unwrap_or_default();
    noted.insert("tag".to_owned(), json!([pool, name]));
    message.put_helper_metadata("tag", Value::Object(noted));
}

#[cfg(test)]
mod tests {
    use vumi_message::NewUserMessage;

    use super::*;

    #[test]
    fn a_tag_replaces_another_and_leaves_what_stands_beside_it() {
        let mut message = UserMessage::new(NewUserMessage::default());
        assert_eq!(tag(&message), None);
        message.set("helper_metadata", json!({"tag": {"tag": ["a", "b"], "more": 1}, "other": 2})).unwrap();
        assert_eq!(tag(&message), Some(("a", "b")));
        set_tag(&mut message, "p", "n");
        assert_eq!(tag(&message), Some(("p", "n")));
        assert_eq!(message.get("helper_metadata"), Some(&json!({"tag": {"tag": ["p", "n"], "more": 1}, "other": 2})));
    }

    #[test]
    fn what_is_no_tag_counts_as_none() {
        let mut message = UserMessage::new(NewUserMessage::default());
        for value in [json!(null), json!("p"), json!({"tag": null}), json!({"tag": ["p"]}), json!({"tag": ["p", 5]})] {
            message.set("helper_metadata", json!({"tag": value})).unwrap();
            assert_eq!(tag(&message), None, "{value}");
        }
        message.set("helper_metadata", json!({"tag": "x"})).unwrap();
        set_tag(&mut message, "p", "n");
        assert_eq!(message.get("helper_metadata"), Some(&json!({"tag": {"tag": ["p", "n"]}})));
    }
}
