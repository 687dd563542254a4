//! Storing: what is put into the store, and when.

use serde_json::json;
use vumi_core::{Error, LogLine, MessageQuery, Run};
use vumi_message::{DeliveryStatus, Event, Failure, FailureCode, Status, StatusLevel};

use super::*;
use crate::middleware::testing::{noted, refusal, user};
use crate::testing::{Logged, context};

fn publish(channel: Channel) -> Hook {
    Hook { direction: Direction::Publish, channel }
}

async fn records(store: &dyn Store) -> Vec<MessageRecord> {
    let mut records = store.messages(MessageQuery::default()).await.unwrap();
    records.reverse();
    records
}

#[tokio::test]
async fn messages_and_events_are_kept_as_they_are() {
    let context = context();
    let config: StoringConfig = serde_json::from_str(r#"{"store_prefix": "archive"}"#).unwrap();
    let middleware = config.build(&context).unwrap();
    let mut inbound = noted(user("+1", Some("8007")), json!({"tag": {"tag": ["p", "n"]}}));
    inbound.set(CACHE_FIELD, json!({"x": 1})).unwrap();
    let outbound = user("8007", Some("+2"));
    let event = Event::delivery_report(outbound.message_id(), DeliveryStatus::Failed);
    let passing: [(Channel, Message); 5] = [
        (Channel::Inbound, inbound.clone().into()),
        (Channel::Outbound, outbound.clone().into()),
        (Channel::Event, event.clone().into()),
        (Channel::Failure, Failure::new(Payload::new(), FailureCode::Temporary, "r").into()),
        (Channel::Status, Status::new("c", StatusLevel::Ok, "t", "m").into()),
    ];
    for (channel, message) in passing {
        // The second time it is there already.
        for direction in [Direction::Consume, Direction::Publish] {
            let flow = middleware.handle(Hook { direction, channel }, "t1", message.clone()).await.unwrap();
            assert_eq!(flow, Flow::Continue(message.clone()), "unchanged");
        }
    }
    let records = records(&*context.store).await;
    let kept: Vec<_> = records
        .iter()
        .map(|record| (record.transport_name.as_str(), record.direction.as_str(), record.user.as_deref(), &*record.id))
        .collect();
    assert_eq!(
        kept,
        [
            ("archive", "inbound", Some("+1"), inbound.message_id()),
            ("archive", "outbound", Some("+2"), outbound.message_id()),
            ("archive", "event", None, event.event_id()),
        ]
    );
    inbound.remove(CACHE_FIELD).unwrap();
    assert_eq!(records[0].body, inbound.to_json());
    assert_eq!(records[2].body, event.to_json());
}

#[tokio::test]
async fn what_is_consumed_may_be_left_out() {
    let context = context();
    let config: StoringConfig = serde_json::from_str(r#"{"store_on_consume": false}"#).unwrap();
    let middleware = config.build(&context).unwrap();
    let message = user("+1", None);
    let consume = Hook { direction: Direction::Consume, channel: Channel::Inbound };
    middleware.handle(consume, "t1", message.clone().into()).await.unwrap();
    assert_eq!(records(&*context.store).await, []);
    middleware.handle(publish(Channel::Inbound), "t1", message.into()).await.unwrap();
    assert_eq!(records(&*context.store).await[0].transport_name, "message_store");
}

#[tokio::test]
async fn the_date_of_an_event_becomes_text() {
    let context = context();
    let middleware = StoringConfig::default().build(&context).unwrap();
    for (date, stored) in [
        (json!(1_456_821_000), json!("2016-03-01T08:30:00")),
        (json!(1_456_821_000.25), json!("2016-03-01T08:30:00.250000")),
        (json!(-1e300), json!("0001-01-01T00:00:00")),
        (json!("2016-03-01 08:30:00"), json!("2016-03-01 08:30:00")),
        (json!(null), json!(null)),
    ] {
        let mut event = Event::ack("m1", "s1");
        event.set("transport_metadata", json!({"date": date, "n": 5})).unwrap();
        let id = event.event_id().to_owned();
        let flow = middleware.handle(publish(Channel::Event), "t1", event.clone().into()).await.unwrap();
        assert_eq!(flow, Flow::Continue(event.into()));
        let all = records(&*context.store).await;
        let record = all.iter().find(|record| record.id == id).unwrap();
        let body: Value = serde_json::from_str(&record.body).unwrap();
        assert_eq!(body["transport_metadata"], json!({"date": stored, "n": 5}));
    }
}

/// A store that is away.
struct Away;

#[async_trait]
impl Store for Away {
    async fn put_message(&self, _: MessageRecord) -> Result<bool> {
        Err(Error::temporary("away"))
    }

    async fn messages(&self, _: MessageQuery) -> Result<Vec<MessageRecord>> {
        Ok(Vec::new())
    }

    fn put_run(&self, _: Run) {}

    async fn runs(&self, _: Option<&str>, _: usize) -> Result<Vec<Run>> {
        Ok(Vec::new())
    }

    fn put_log(&self, _: LogLine) {}

    async fn logs(&self, _: Option<&str>, _: usize) -> Result<Vec<LogLine>> {
        Ok(Vec::new())
    }

    async fn close(&self) {}
}

#[tokio::test]
async fn an_error_of_the_store_stops_the_message() {
    let mut context = context();
    context.store = Arc::new(Away);
    let middleware = StoringConfig::default().build(&context).unwrap();
    let error = middleware.handle(publish(Channel::Inbound), "t1", user("+1", None).into()).await.unwrap_err();
    assert!(error.is_temporary());
}

#[test]
fn settings_of_other_stores_are_accepted_with_one_warning() {
    for (json, warnings) in [
        (r#"{"riak_manager": {"bucket_prefix": "b."}, "redis_manager": {"password": "secret"}}"#, 1),
        (r#"{"redis_manager": {}, "riak_manager": null}"#, 0),
        ("{}", 0),
    ] {
        let log = Logged::start();
        let config: StoringConfig = serde_json::from_str(json).unwrap();
        assert!(!format!("{config:?}").contains("secret"));
        config.build(&context()).unwrap();
        let lines = log.lines();
        let found = lines.iter().filter(|line| line.starts_with("WARN `riak_manager` and `redis_manager`")).count();
        assert_eq!((found, lines.len()), (warnings, warnings), "{json}: {lines:?}");
    }
    assert!(refusal::<StoringConfig>(r#"{"riak_manager": 5}"#).contains("map"));
}
