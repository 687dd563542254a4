//! messages.md, its numbered checks in order; and those of the checks of common.md that concern messages and
//! telephone numbers.

mod recorded;

use serde_json::{Value, json};
use vumi_message::address::{OperatorMap, cleanup_msisdn, normalize_msisdn};
use vumi_message::retry::{RetryMetadata, RetryPolicy, next_retry_delay, retry_bucket};
use vumi_message::{
    DeliveryStatus, EdgeDetector, Event, MessageError, NewUserMessage, Payload, SessionEvent, Status, StatusLevel,
    UserMessage, json as vumi_json,
};

// ---------------------------------------------------------------------------------------------------- helpers

/// The message of check 1.
fn plain() -> UserMessage {
    UserMessage::new(NewUserMessage {
        to_addr: Some("+100".into()),
        from_addr: Some("+200".into()),
        transport_name: Some("t1".into()),
        transport_type: Some("sms".into()),
        ..NewUserMessage::default()
    })
}

/// The original of check 7.
fn original() -> UserMessage {
    UserMessage::new(NewUserMessage {
        to_addr: Some("8007".into()),
        from_addr: Some("+2771".into()),
        message_id: Some("m1".into()),
        provider: Some("N1".into()),
        transport_name: Some("t1".into()),
        transport_type: Some("ussd".into()),
        transport_metadata: object(json!({"session_id": "s1"})),
        endpoint: Some("ussd".into()),
        ..NewUserMessage::default()
    })
}

fn object(value: Value) -> Payload {
    match value {
        Value::Object(payload) => payload,
        other => panic!("{other} is not an object"),
    }
}

/// The message's payload with one field changed.
fn with(payload: &Payload, field: &str, value: Value) -> Payload {
    let mut payload = payload.clone();
    payload.insert(field.to_owned(), value);
    payload
}

/// The message's payload without one field.
fn without(payload: &Payload, field: &str) -> Payload {
    let mut payload = payload.clone();
    assert!(payload.shift_remove(field).is_some(), "there was no {field}");
    payload
}

fn is_invalid<T>(result: Result<T, MessageError>, name: &str) -> bool {
    matches!(result, Err(MessageError::InvalidField { field, .. }) if field == name)
}

fn missing<T>(field: &'static str) -> Result<T, MessageError> {
    Err(MessageError::MissingField { field })
}

// ------------------------------------------------------------------------------------------ messages.md, Checks

#[test]
fn check_01_new_user_message_has_defaults() {
    let message = plain();
    for field in ["content", "group", "provider", "in_reply_to", "session_event"] {
        assert_eq!(message.get(field), Some(&Value::Null), "{field}");
    }
    assert_eq!(message.get("helper_metadata"), Some(&json!({})));
    assert_eq!(message.get("transport_metadata"), Some(&json!({})));
    assert_eq!(message.get("message_version"), Some(&json!("20110921")));
    assert_eq!(message.get("message_type"), Some(&json!("user_message")));
    let id = message.message_id();
    assert!(id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{id}");
    let fields = json!({"to_addr": "+100", "from_addr": "+200", "transport_name": "t1", "transport_type": "sms"});
    let same = UserMessage::from_fields(object(fields)).unwrap();
    let unlike = ["message_id", "timestamp"];
    for (field, value) in message.payload() {
        assert!(unlike.contains(&field.as_str()) || same.get(field) == Some(value), "{field}");
    }
    assert_eq!(same.payload().len(), message.payload().len());
}

#[test]
fn check_02_parsing_without_content_names_it() {
    let payload = without(plain().payload(), "content");
    assert_eq!(UserMessage::from_json(vumi_json::object_to_text(&payload).as_bytes()), missing("content"));
}

#[test]
fn check_03_group_and_provider_may_be_absent() {
    let payload = without(&without(plain().payload(), "group"), "provider");
    let message = UserMessage::from_payload(payload).unwrap();
    assert_eq!((message.get("group"), message.get("provider")), (Some(&Value::Null), Some(&Value::Null)));
    assert_eq!((message.group(), message.provider()), (None, None));
}

#[test]
fn check_04_wrong_version_and_session_event_are_invalid() {
    let message = plain();
    let version = UserMessage::from_payload(with(message.payload(), "message_version", json!("20120101")));
    assert!(is_invalid(version.clone(), "message_version"));
    assert!(version.unwrap_err().to_string().contains("20110921"));
    assert!(is_invalid(
        UserMessage::from_payload(with(message.payload(), "session_event", json!("paused"))),
        "session_event"
    ));
    assert_eq!(UserMessage::from_payload(without(message.payload(), "message_version")), missing("message_version"));
}

#[test]
fn check_05_timestamp_without_fraction_is_read_and_written_with_it() {
    let payload = with(plain().payload(), "timestamp", json!("2016-03-01 08:30:00"));
    let message = UserMessage::from_payload(payload).unwrap();
    assert_eq!(message.timestamp().micros(), 1_456_821_000_000_000);
    assert!(message.to_json().contains(r#""timestamp": "2016-03-01 08:30:00.000000""#));
}

#[test]
fn check_06_only_the_timestamp_is_a_date() {
    let mut payload = with(plain().payload(), "content", json!("2016-03-01 08:30:00"));
    payload.insert("helper_metadata".to_owned(), json!({"a": "2016-03-01 08:30:00.5"}));
    let text = vumi_json::object_to_text(&payload);
    assert_eq!(UserMessage::from_json(text.as_bytes()).unwrap().to_json(), text);
}

#[test]
fn check_07_reply_copies_routing_fields() {
    let reply = original().reply(Some("hi"), true, Payload::new()).unwrap();
    assert_eq!(reply.content(), Some("hi"));
    assert_eq!(reply.to_addr(), Some("+2771"));
    assert_eq!(reply.from_addr(), Some("8007"));
    assert_eq!(reply.in_reply_to(), Some("m1"));
    assert_eq!(reply.provider(), Some("N1"));
    assert_eq!(reply.session_event(), None);
    assert_eq!(reply.endpoint(), "ussd");
    assert_eq!(reply.transport_name(), Some("t1"));
    assert_eq!(reply.transport_type(), Some("ussd"));
    assert_eq!(reply.transport_metadata(), original().transport_metadata());
}

#[test]
fn check_08_reply_may_end_the_session() {
    let closing = original().reply(Some("hi"), false, Payload::new()).unwrap();
    assert_eq!(closing.session_event(), Some(SessionEvent::Close));
    assert_eq!(closing.get("session_event"), Some(&json!("close")));
    let kept = original().reply(Some("hi"), false, object(json!({"session_event": null}))).unwrap();
    assert_eq!(kept.get("session_event"), Some(&Value::Null));
}

#[test]
fn check_09_reply_fields_may_not_be_overridden() {
    for field in [
        "to_addr",
        "from_addr",
        "group",
        "in_reply_to",
        "provider",
        "transport_name",
        "transport_type",
        "transport_metadata",
    ] {
        let extras = Payload::from_iter([(field.to_owned(), json!("x"))]);
        let error = original().reply(Some("hi"), true, extras).unwrap_err();
        assert_eq!(error, MessageError::NotOverridable { field });
        assert!(error.to_string().contains(field));
    }
}

#[test]
fn check_10_reply_takes_helper_metadata_whole() {
    let mut original = original();
    original.put_helper_metadata("b", 2);
    let given = original.reply(None, true, object(json!({"helper_metadata": {"a": 1}}))).unwrap();
    assert_eq!(given.get("helper_metadata"), Some(&json!({"a": 1})));
    let copied = original.reply(None, true, Payload::new()).unwrap();
    assert_eq!(copied.get("helper_metadata"), Some(&json!({"b": 2})));
}

#[test]
fn check_11_reply_goes_to_the_sender_and_group_reply_to_the_group() {
    let from_group = UserMessage::new(NewUserMessage {
        from_addr: Some("joe".into()),
        group: Some("#dev".into()),
        ..NewUserMessage::default()
    });
    let reply = from_group.reply(None, true, Payload::new()).unwrap();
    assert_eq!((reply.to_addr(), reply.from_addr(), reply.group()), (Some("joe"), None, Some("#dev")));
    let group_reply = from_group.reply_group(None, true, Payload::new()).unwrap();
    assert_eq!((group_reply.to_addr(), group_reply.from_addr(), group_reply.group()), (None, None, Some("#dev")));
    let extras = object(json!({"message_id": "r1", "timestamp": "2016-03-01 08:30:00"}));
    assert_eq!(original().reply_group(Some("x"), false, extras.clone()), original().reply(Some("x"), false, extras));
}

#[test]
fn check_12_send_leaves_the_way_open() {
    let message = UserMessage::send("+300", Some("yo"), Payload::new()).unwrap();
    assert_eq!((message.to_addr(), message.content()), (Some("+300"), Some("yo")));
    for field in ["from_addr", "transport_name", "transport_type", "in_reply_to", "session_event"] {
        assert_eq!(message.get(field), Some(&Value::Null), "{field}");
    }
}

#[test]
fn check_13_endpoint_is_default_when_null() {
    let mut message =
        UserMessage::from_payload(with(plain().payload(), "routing_metadata", json!({"endpoint_name": null}))).unwrap();
    assert_eq!(message.endpoint(), "default");
    assert_eq!(plain().endpoint(), "default");
    message.set_endpoint(None);
    assert_eq!(message.get("routing_metadata"), Some(&json!({"endpoint_name": "default"})));
}

#[test]
fn check_14_ack_and_nack_need_their_fields() {
    let ack = Event::ack("m1", "s1").into_payload();
    assert_eq!(Event::from_payload(without(&ack, "sent_message_id")), missing("sent_message_id"));
    assert!(is_invalid(Event::from_payload(with(&ack, "sent_message_id", Value::Null)), "sent_message_id"));
    let nack = Event::nack("m1", "").into_payload();
    assert_eq!(Event::from_payload(nack.clone()).unwrap().nack_reason(), Some(""));
    assert_eq!(Event::from_payload(without(&nack, "nack_reason")), missing("nack_reason"));
}

#[test]
fn check_15_delivery_report_needs_a_known_status() {
    let report = Event::delivery_report("m1", DeliveryStatus::Failed);
    assert_eq!(report.status_text(), "delivery_report.failed");
    let payload = report.into_payload();
    assert!(is_invalid(Event::from_payload(with(&payload, "delivery_status", json!("lost"))), "delivery_status"));
    assert_eq!(Event::from_payload(without(&payload, "delivery_status")), missing("delivery_status"));
}

#[test]
fn check_16_status_needs_a_known_level_and_a_message() {
    let status = Status::new("c1", StatusLevel::Ok, "up", "All well").into_payload();
    assert!(is_invalid(Status::from_payload(with(&status, "status", json!("meh"))), "status"));
    assert_eq!(Status::from_payload(without(&status, "message")), missing("message"));
}

#[test]
fn check_17_edge_detector_passes_changes_of_status() {
    let mut edge = EdgeDetector::new();
    let mut news = |level, message| edge.is_news(&Status::new("c1", level, "up", message));
    assert!(news(StatusLevel::Ok, "a"));
    assert!(!news(StatusLevel::Ok, "a different message alone is a repeat"));
    assert!(news(StatusLevel::Down, "a"));
    assert!(news(StatusLevel::Ok, "a"));
}

#[test]
fn check_18_unknown_fields_survive() {
    let text = vumi_json::object_to_text(&with(plain().payload(), "x_custom", json!([1, 2])));
    assert_eq!(UserMessage::from_json(text.as_bytes()).unwrap().to_json(), text);
}

#[test]
fn check_19_retry_buckets() {
    assert_eq!(retry_bucket(1_400_000_003, 1, 5).iso_seconds(), "2014-05-13T16:53:25");
    assert_eq!(retry_bucket(1_400_000_003, 3, 5).iso_seconds(), "2014-05-13T16:53:30");
    assert_eq!(retry_bucket(1_400_000_000, 0, 5).iso_seconds(), "2014-05-13T16:53:25");
}

#[test]
fn check_20_retry_delays() {
    let mut metadata = RetryMetadata::default();
    let delays: Vec<u64> = (0..10)
        .map(|_| {
            metadata = metadata.next(&RetryPolicy::default());
            metadata.delay
        })
        .collect();
    assert_eq!(delays, [1, 3, 9, 27, 81, 243, 729, 2187, 3600, 3600]);
    assert_eq!(metadata.retries, 10);
}

// -------------------------------------------------------------------------- common.md, Checks on messages and C5

#[test]
fn common_check_1_normalize_msisdn() {
    for (raw, country_code, expected) in [
        ("0215551234", "27", "+27215551234"),
        ("00491701234567", "27", "+491701234567"),
        ("12345", "27", "12345"),
        ("*45678", "27", "45678"),
        ("+27 (21) 555-1234", "", "+27215551234"),
        ("49170123456", "27", "49170123456"),
        ("49170123456", "", "+49170123456"),
    ] {
        assert_eq!(normalize_msisdn(raw, country_code), expected, "{raw:?} {country_code:?}");
    }
    assert_eq!(cleanup_msisdn("+0821234567", "27"), "27821234567");
}

#[test]
fn common_check_2_operator_map() {
    let map: OperatorMap = serde_json::from_value(json!({"417": {"417912": "VODA"}})).unwrap();
    assert_eq!(map.operator_name("41791200000"), "VODA");
    assert_eq!(map.operator_name("41755500000"), "UNKNOWN");
}

#[test]
fn common_check_3_event_fields() {
    let nack = Event::nack("m1", "no").into_payload();
    assert!(is_invalid(Event::from_payload(with(&nack, "nack_reason", Value::Null)), "nack_reason"));
    let report = Event::delivery_report("m1", DeliveryStatus::Pending).into_payload();
    assert!(is_invalid(Event::from_payload(with(&report, "delivery_status", json!("sent"))), "delivery_status"));
}

#[test]
fn common_check_4_session_event() {
    let payload = with(plain().payload(), "session_event", json!("start"));
    assert!(is_invalid(UserMessage::from_payload(payload), "session_event"));
}

#[test]
fn common_check_5_failure_buckets() {
    assert_eq!(retry_bucket(0, 0, 5).iso_seconds(), "1970-01-01T00:00:05");
    assert_eq!(retry_bucket(5, 0, 5).iso_seconds(), "1970-01-01T00:00:10");
    assert_eq!(retry_bucket(9, 2, 5).iso_seconds(), "1970-01-01T00:00:15");
}

#[test]
fn common_check_6_retry_delays_never_exceed_the_maximum() {
    let policy = RetryPolicy { initial_delay: 1, delay_factor: 3, max_delay: 3600 };
    assert_eq!(policy, RetryPolicy::default());
    assert_eq!([0, 1, 3, 9].map(|previous| next_retry_delay(previous, &policy)), [1, 3, 9, 27]);
    for previous in [1200, 1201, 3600, 3601, u64::MAX] {
        assert_eq!(next_retry_delay(previous, &policy), 3600);
    }
}

#[test]
fn common_check_7_edge_detector_by_type() {
    let mut edge = EdgeDetector::new();
    let mut news = |level, type_: &str| edge.is_news(&Status::new("c", level, type_, "m"));
    assert!(news(StatusLevel::Ok, "a"));
    assert!(!news(StatusLevel::Ok, "a"));
    assert!(news(StatusLevel::Ok, "b"));
    assert!(news(StatusLevel::Down, "a"));
    assert!(news(StatusLevel::Ok, "a"));
}
