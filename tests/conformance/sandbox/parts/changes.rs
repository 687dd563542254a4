//! What a guest changes of a message or event, and what it cannot.

use serde_json::{Value, json};
use vumi_core::{Channel, Direction, Flow, Hook, Middleware, Route, Router};
use vumi_message::json::object_to_text;
use vumi_message::{Event, Payload, UserMessage};

use super::{Place, flow, passed, user};

const CONSUME: Hook = Hook { direction: Direction::Consume, channel: Channel::Inbound };

/// A message full of fields, unknown ones too, whose text asks for a change.
fn asks(change: &str) -> UserMessage {
    user(json!({
        "content": change, "to_addr_type": "msisdn", "from_addr_type": "msisdn", "session_event": "new", "group": "g",
        "in_reply_to": "m0", "provider": "p", "transport_metadata": {"t": 1.50}, "helper_metadata": {"h": [1, {}]},
        "routing_metadata": {"endpoint_name": "e", "hops": [1]}, "mine": {"a": null, "b": 1.5e300},
    }))
}

/// The text of the message with one field changed.
fn with(message: &Payload, field: &str, value: Value) -> String {
    let mut payload = message.clone();
    payload.insert(field.to_owned(), value);
    object_to_text(&payload)
}

#[tokio::test]
async fn every_field_can_be_changed_and_no_other_is() {
    let place = Place::new();
    let (router, part) = (place.router("bad-router", json!({})), place.middleware("bad-router", json!({})));
    let texts = [
        "to_addr",
        "from_addr",
        "to_addr_type",
        "from_addr_type",
        "content",
        "in_reply_to",
        "transport_name",
        "transport_type",
        "group",
        "provider",
    ];
    let mut changes: Vec<(String, &str, Value)> = Vec::new();
    for field in texts {
        let name = field.replace('_', "-");
        changes.push((format!("set {name} new ☃"), field, json!("new ☃")));
        changes.push((format!("set {name} -"), field, Value::Null));
    }
    changes.extend([
        ("set session-event close".into(), "session_event", json!("close")),
        ("set session-event -".into(), "session_event", Value::Null),
        ("set endpoint other".into(), "routing_metadata", json!({"endpoint_name": "other", "hops": [1]})),
        (
            "set transport-metadata {\"n\": 1.0, \"big\": 123456789012345678901234567890}".into(),
            "transport_metadata",
            serde_json::from_str("{\"n\": 1.0, \"big\": 123456789012345678901234567890}").unwrap(),
        ),
        ("set helper-metadata {}".into(), "helper_metadata", json!({})),
    ]);
    for (change, field, value) in changes {
        let message = asks(&change);
        let expected = with(message.payload(), field, value);
        let Route::To(targets) = router.route("t1", Channel::Inbound, &message.clone().into()).await.unwrap() else {
            panic!("{change}: it goes nowhere");
        };
        assert_eq!(targets[0].message.to_json(), expected, "{change}");
        let after = passed(part.handle(CONSUME, "t1", message.into()).await.unwrap());
        assert_eq!(after.to_json(), expected, "{change}");
    }
}

#[tokio::test]
async fn what_was_absent_stays_absent() {
    let part = Place::new().middleware("bad-router", json!({}));
    let mut message = asks("set provider -");
    for field in ["to_addr_type", "from_addr_type", "routing_metadata", "helper_metadata"] {
        message.remove(field).unwrap();
    }
    let expected = with(message.payload(), "provider", Value::Null);
    let after = passed(part.handle(CONSUME, "t1", message.into()).await.unwrap());
    assert_eq!(after.to_json(), expected);
}

#[tokio::test]
async fn ids_and_times_cannot_be_changed() {
    let place = Place::new();
    let (router, part) = (place.router("bad-router", json!({})), place.middleware("bad-router", json!({})));
    let deep = format!("set helper-metadata {{\"a\":{}{}}}", "[".repeat(133), "]".repeat(133));
    for (change, text) in [
        ("set message-id m9", "it changed the message-id of a message, which cannot be changed"),
        ("set timestamp 1", "it changed the timestamp of a message, which cannot be changed"),
        ("set helper-metadata [1]", "it set helper-metadata to what is not the text of a JSON object"),
        ("set transport-metadata {\"a\": NaN}", "it set transport-metadata to what is not the text of a JSON object"),
        (&deep, "it made a message that is not valid: "),
    ] {
        let error = router.route("t1", Channel::Inbound, &asks(change).into()).await.unwrap_err();
        assert!(!error.is_temporary(), "{change}");
        let report = error.report();
        assert!(report.starts_with(&format!("main.router stopped (handler-error): {text}")), "{change}: {report}");
        let error = part.handle(CONSUME, "t1", asks(change).into()).await.unwrap_err();
        assert!(!error.is_temporary(), "{change}");
        let report = error.report();
        assert!(report.starts_with(&format!("sms.part stopped (handler-error): {text}")), "{change}: {report}");
    }
}

/// An event that asks for a change.
fn event(change: &str) -> Event {
    let mut event = Event::ack(format!("set {change}").as_str(), "s1")
        .with_transport("t1", Payload::from_iter([("t".to_owned(), json!(1))]));
    event.set("mine", json!({"a": null})).unwrap();
    event
}

#[tokio::test]
async fn events_keep_what_they_say() {
    let part = Place::new().middleware("bad-router", json!({}));
    for (change, field, value) in [
        ("transport-name t2", "transport_name", json!("t2")),
        ("transport-name -", "transport_name", Value::Null),
        ("endpoint e2", "routing_metadata", json!({"endpoint_name": "e2"})),
        ("transport-metadata {\"x\": 1}", "transport_metadata", json!({"x": 1})),
        ("helper-metadata {\"x\": 1}", "helper_metadata", json!({"x": 1})),
    ] {
        let event = event(change);
        let expected = with(event.payload(), field, value);
        let after = passed(flow(&part, Direction::Publish, Channel::Event, event).await);
        assert_eq!(after.to_json(), expected, "{change}");
    }
    let hook = Hook { direction: Direction::Publish, channel: Channel::Event };
    for (change, what) in [
        ("event-id e9", "event-id"),
        ("user-message-id -", "user-message-id"),
        ("timestamp 1", "timestamp"),
        ("kind failed", "kind"),
    ] {
        let error = part.handle(hook, "t1", event(change).into()).await.unwrap_err();
        let text = format!("it changed the {what} of an event, which cannot be changed");
        assert!(error.report().ends_with(&text), "{}", error.report());
    }
    let stopped = part.handle(hook, "t1", Event::ack("stop here", "s1").into()).await.unwrap();
    assert_eq!(stopped, Flow::Stop("here".into()));
}
