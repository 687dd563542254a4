//! Properties that must hold for every message, whatever is in it.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "in tests a failure may be loud")]

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Number, Value};
use vumi_message::{Message, MessageError, NewUserMessage, Payload, Timestamp, UserMessage, derived_id, json};

/// Any text: control characters, characters beyond the basic plane, quotes, texts that look like something else.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        vec(any::<char>(), 0..12).prop_map(String::from_iter),
        "[ -~]{0,12}",
        Just("2016-03-01 08:30:00".to_owned()),
        Just("$serde_json::private::Number".to_owned()),
        Just("$serde_json::private::RawValue".to_owned()),
    ]
}

/// Any number, in the form in which Python writes it, of any size.
fn any_number() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        "-?[1-9][0-9]{0,40}(\\.[0-9]{1,30})?(e[+-][0-9]{1,4})?"
    ]
    .prop_map(|text| Value::Number(text.parse::<Number>().expect("a number")))
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any_number(),
        any_text().prop_map(Value::String)
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::Array),
            btree_map(any_text(), inner, 0..6).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Fields that no specification knows.
fn extras() -> impl Strategy<Value = Payload> {
    btree_map("x_[a-z]{1,8}", any_json(), 0..6).prop_map(|entries| entries.into_iter().collect())
}

/// JSON and near misses of it.
fn nearly_json() -> impl Strategy<Value = String> {
    prop_oneof![
        r#"[\[\]{}:, "0-9eE.+\-\\untrbf]{0,16}"#,
        (any_json(), any::<prop::sample::Index>(), any::<char>()).prop_map(|(value, index, character)| {
            let mut characters: Vec<char> = json::to_text(&value).chars().collect();
            let at = index.index(characters.len());
            characters[at] = character;
            String::from_iter(characters)
        }),
    ]
}

proptest! {
    #[test]
    fn written_text_reads_back_as_the_same_value(value in any_json()) {
        let text = json::to_text(&value);
        prop_assert!(text.is_ascii());
        let read = json::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(&read, &value);
        prop_assert_eq!(json::to_text(&read), text);
    }

    /// serde_json is the judge of what is JSON; only its private markers mean something else to it.
    #[test]
    fn exactly_what_serde_json_takes_is_taken(text in nearly_json()) {
        prop_assume!(!text.contains("$serde_json"));
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => prop_assert_eq!(json::parse(text.as_bytes()), Ok(value)),
            Err(_) => {
                let refused = matches!(json::parse(text.as_bytes()), Err(MessageError::NotJson { .. }));
                prop_assert!(refused);
            }
        }
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in vec(any::<u8>(), 0..64)) {
        if let Ok(message) = Message::from_json(&bytes) {
            prop_assert_eq!(Message::from_json(message.to_json().as_bytes()), Ok(message));
        }
    }

    #[test]
    fn a_message_with_any_extra_fields_survives(extras in extras(), content in proptest::option::of(any_text())) {
        let mut payload = UserMessage::new(NewUserMessage { content, ..NewUserMessage::default() }).into_payload();
        payload.extend(extras.clone());
        let message = UserMessage::from_payload(payload.clone()).unwrap();
        prop_assert_eq!(message.payload(), &payload);
        let text = message.to_json();
        let read = UserMessage::from_json(text.as_bytes()).unwrap();
        prop_assert_eq!(&read, &message);
        prop_assert_eq!(read.to_json(), text);
        prop_assert_eq!(Message::from_json(read.to_json().as_bytes()), Ok(Message::User(message)));
        for (field, value) in &extras {
            prop_assert_eq!(read.get(field), Some(value));
        }
    }

    /// Whatever stands in a known field, the message is either refused or survives as it is.
    #[test]
    fn a_known_field_with_any_value_is_refused_or_kept(field in prop::sample::select(vec![
        "content", "to_addr", "session_event", "message_id", "helper_metadata", "routing_metadata",
        "transport_metadata", "group", "message_type", "message_version", "timestamp",
    ]), value in any_json()) {
        let mut payload = UserMessage::new(NewUserMessage::default()).into_payload();
        payload.insert(field.to_owned(), value.clone());
        match UserMessage::from_payload(payload) {
            Ok(message) => {
                let read = UserMessage::from_json(message.to_json().as_bytes()).unwrap();
                prop_assert_eq!(&read, &message);
                if field != "timestamp" {
                    prop_assert_eq!(read.get(field), Some(&value));
                }
            }
            Err(MessageError::InvalidField { field: named, .. }) => prop_assert_eq!(named, field),
            Err(MessageError::WrongKind { .. }) => prop_assert_eq!(field, "message_type"),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn a_reply_is_always_a_valid_answer(to in proptest::option::of(any_text()), from in proptest::option::of(any_text()),
                                        group in proptest::option::of(any_text()), extras in extras(), go_on in any::<bool>()) {
        let original = UserMessage::new(NewUserMessage { to_addr: to.clone(), from_addr: from.clone(), group, ..NewUserMessage::default() });
        let reply = original.reply(None, go_on, extras).unwrap();
        prop_assert_eq!(&UserMessage::from_json(reply.to_json().as_bytes()).unwrap(), &reply);
        prop_assert_eq!(reply.to_addr(), from.as_deref());
        prop_assert_eq!(reply.from_addr(), to.as_deref());
        prop_assert_eq!(reply.in_reply_to(), Some(original.message_id()));
        prop_assert_eq!(reply.session_event().is_none(), go_on);
    }

    #[test]
    fn timestamps_survive_and_keep_their_order(one in any::<i64>(), two in any::<i64>()) {
        let (one, two) = (Timestamp::from_micros(one), Timestamp::from_micros(two));
        prop_assert_eq!(one.to_string().parse(), Ok(one));
        prop_assert_eq!(one.cmp(&two), one.to_string().cmp(&two.to_string()));
    }

    #[test]
    fn derived_ids_differ_when_anything_differs(one in (any_text(), any_text(), 0..3_u64), two in (any_text(), any_text(), 0..3_u64)) {
        let id = |(inbound, app, n): &(String, String, u64)| derived_id(inbound, app, *n);
        prop_assert_eq!(id(&one) == id(&two), one == two);
    }
}
