//! The example `blocklist`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use vumi_core::{
    Channel, Direction, Flow, Input, KvStore, LogLevel, Outcome, Placed, QueueOutbox, Stack, Store, SystemClock,
};
use vumi_message::{Event, Failure, FailureCode, Message, Status, StatusLevel, UserMessage};
use vumi_sandbox::{App, EngineOptions, MetricSink, Sandbox, Surroundings};
use vumi_store::MemoryBounds;
use vumi_tests::guests;

use super::{Place, flow, passed, says, user};
use crate::sandbox::kit::{Datapoints, cache, message};

const CONSUME: Direction = Direction::Consume;
const PUBLISH: Direction = Direction::Publish;

fn options() -> Value {
    json!({"config": {"blocked": "+1 +27820000002"}})
}

#[tokio::test]
async fn the_blocked_are_stopped_both_ways_and_counted() {
    let place = Place::new();
    let part = place.middleware("blocklist", options());
    let stopped = Flow::Stop("this user is blocked".into());
    assert_eq!(flow(&part, PUBLISH, Channel::Inbound, says("hello")).await, stopped);
    let answer = user(json!({"from_addr": "8007", "to_addr": "+1"}));
    assert_eq!(flow(&part, CONSUME, Channel::Outbound, answer.clone()).await, stopped);
    // Only the user counts, not the other end.
    passed(flow(&part, CONSUME, Channel::Inbound, answer).await);
    passed(flow(&part, CONSUME, Channel::Outbound, says("hello")).await);
    passed(flow(&part, CONSUME, Channel::Inbound, user(json!({"from_addr": "+27"}))).await);
    passed(flow(&part, CONSUME, Channel::Inbound, user(json!({"from_addr": null}))).await);
    let names: Vec<_> = place.datapoints.take().into_iter().map(|point| (point.name, point.value)).collect();
    assert_eq!(
        names,
        [("sms.part.stores.default.blocked".to_owned(), 1.0), ("sms.part.stores.default.blocked".to_owned(), 1.0)]
    );
    let lines = super::eventually("the lines are stored", || async {
        let lines = place.store.logs(Some("sms.part"), 10).await.unwrap();
        (lines.len() >= 2).then_some(lines)
    })
    .await;
    assert!(
        lines.iter().all(|line| line.text == "stopped a message of +1" && line.level == LogLevel::Info),
        "{lines:?}"
    );
}

/// What the guest cannot see, and what it sees and leaves alone, is afterwards as it was: digit for digit.
#[tokio::test]
async fn a_note_changes_nothing_else() {
    let part = Place::new().middleware("blocklist", options());
    let body = r#"{"transport_name": "t1", "in_reply_to": null, "group": null, "unknown": {"b": [1.50, null, -0.0], "a": 123456789012345678901234567890}, "from_addr": "+27820000009", "message_id": "m1", "content": "\u00e9\ud83d\ude00\u0000", "to_addr": null, "timestamp": "2016-03-01 08:30:00.250000", "transport_metadata": null, "message_version": "20110921", "transport_type": "sms", "helper_metadata": {"tag": {"tag": ["pool", "name"]}, "big": 123456789012345678901234567890, "exact": 0.10, "text": "a \"blocklist\" of }"}, "routing_metadata": {"go": 1e+400}, "session_event": "new", "message_type": "user_message", "provider": "x"}"#;
    let noted = body.replace(r#"of }"}"#, r#"of }", "blocklist": "checked"}"#);
    assert_ne!(body, noted);
    let message = UserMessage::from_json(body.as_bytes()).unwrap();
    assert_eq!(message.to_json(), with_filled(body));
    let after = passed(flow(&part, CONSUME, Channel::Inbound, message).await);
    assert_eq!(after.to_json(), with_filled(&noted));
    // Seen twice, as in a dispatcher, it is noted once.
    let again = passed(flow(&part, PUBLISH, Channel::Inbound, after).await);
    assert_eq!(again.to_json(), with_filled(&noted));
}

/// As the message is written after reading: with the fields that older workers leave out.
fn with_filled(body: &str) -> String {
    UserMessage::from_json(body.as_bytes()).unwrap().to_json()
}

#[tokio::test]
async fn events_pass_and_other_kinds_are_not_seen() {
    let place = Place::new();
    let part = place.middleware("blocklist", options());
    let event = Message::Event(Event::nack("m1", "no"));
    assert_eq!(flow(&part, PUBLISH, Channel::Event, event.clone()).await, Flow::Continue(event));
    let status = Message::Status(Status::new("request", StatusLevel::Ok, "fine", "all is well"));
    assert_eq!(flow(&part, PUBLISH, Channel::Status, status.clone()).await, Flow::Continue(status));
    let failure = Failure::new(says("x").into_payload(), FailureCode::Temporary, "why");
    let failure = Message::Failure(failure);
    assert_eq!(flow(&part, PUBLISH, Channel::Failure, failure.clone()).await, Flow::Continue(failure));
    passed(flow(&part, CONSUME, Channel::Inbound, user(json!({"from_addr": "+9"}))).await);
    let runs = place.runs(2).await;
    assert_eq!(runs.len(), 2, "the event and the message: {runs:?}");
    assert!(runs.iter().all(|run| run.outcome == Outcome::Ok && run.app == "sms.part"));
}

/// A run keeps its place while middleware looks at what it sends. If the two shared places, this would wait for ever.
#[tokio::test]
async fn what_an_app_sends_passes_middleware_while_all_places_are_taken() {
    let sandbox = Sandbox::new(&EngineOptions { instances: 1, ..EngineOptions::default() }).unwrap();
    let place = Place::new();
    let config = super::config("blocklist", options());
    let part =
        vumi_sandbox::GuestMiddleware::new(&sandbox, &cache(), "echo.part", &config, place.around.clone()).unwrap();
    let stack = Stack::new(vec![Placed { middleware: Arc::new(part), consume_priority: 0, publish_priority: 0 }]);
    let broker = vumi_broker::EmbeddedBroker::in_memory(vumi_broker::BrokerOptions::default());
    let kv: Arc<dyn KvStore> = vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock));
    let around = Surroundings {
        kv,
        store: Arc::clone(&place.store) as Arc<dyn Store>,
        feed: place.around.feed.clone(),
        outbox: Arc::new(QueueOutbox::new(broker, "echo", stack)),
        metrics: Arc::new(Datapoints::default()) as Arc<dyn MetricSink>,
        io: tokio::runtime::Handle::current(),
        recordings: None,
    };
    let component = sandbox.load(&cache(), &guests::guest("probe")).unwrap();
    let app = App::new(&sandbox, "echo", &crate::sandbox::kit::config(), &component, around).unwrap();
    let input = Input::Message(Arc::new(message("many-replies 3")));
    let finished = tokio::time::timeout(Duration::from_secs(20), app.run(&input)).await.expect("it does not wait");
    assert_eq!((finished.run.outcome, finished.run.sent), (Outcome::Ok, 3), "{:?}", finished.run.error);
}
