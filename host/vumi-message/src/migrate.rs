//! Older forms of messages, brought to the present one before they are checked.
//!
//! There is one wire version, so nothing is translated. But Vumi added four fields over time without changing
//! the version; messages of older workers lack them, and they are filled in here (messages.md §2, §3, §8). A
//! later wire version would get its translation in this file.

use serde_json::Value;

use crate::{Kind, Payload};

/// Fills in the fields that older workers do not send. Fields that are there are left alone.
pub(crate) fn fill_absent(kind: Kind, payload: &mut Payload) {
    for field in ["helper_metadata", "routing_metadata"] {
        payload.entry(field).or_insert_with(|| Value::Object(Payload::new()));
    }
    if kind == Kind::UserMessage {
        for field in ["group", "provider"] {
            payload.entry(field).or_insert(Value::Null);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn absent_fields_are_filled_and_present_ones_left() {
        let mut payload =
            Payload::from_iter([("helper_metadata".to_owned(), json!({"a": 1})), ("group".to_owned(), json!("#dev"))]);
        fill_absent(Kind::UserMessage, &mut payload);
        let expected = json!({"helper_metadata": {"a": 1}, "group": "#dev", "routing_metadata": {}, "provider": null});
        assert_eq!(Value::Object(payload), expected);
    }

    #[test]
    fn only_user_messages_have_group_and_provider() {
        let mut payload = Payload::new();
        fill_absent(Kind::Event, &mut payload);
        assert_eq!(Value::Object(payload), json!({"helper_metadata": {}, "routing_metadata": {}}));
    }
}
