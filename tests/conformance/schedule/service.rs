//! The worker `scheduler` (specification: schedule, "As a service").

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::{Admission, Broker, Consumer};
use vumi_message::{NewUserMessage, Payload, UserMessage};

use crate::backends::{Keys, Running, on_each_backend, soon, try_worker, until};

const CONFIG: &str = "{class: scheduler, transport_name: later, target: sms, delivery_period: 0.01}";
const STRICT: &str = "{class: scheduler, transport_name: later, target: sms, delivery_period: 0.01, max_age: 60}";

fn message(id: &str, helper: Value) -> UserMessage {
    let Value::Object(helper_metadata) = helper else { panic!("{helper} is no map") };
    let message_id = Some(id.to_owned());
    UserMessage::new(NewUserMessage { message_id, helper_metadata, content: Some("é".into()), ..Default::default() })
}

struct Rig {
    keys: Keys,
    broker: Arc<dyn Broker>,
    sent: Box<dyn Consumer>,
    events: Box<dyn Consumer>,
    _worker: Running,
}

impl Rig {
    async fn start(keys: Keys, config: &str) -> Self {
        let broker: Arc<dyn Broker> = EmbeddedBroker::in_memory(BrokerOptions::default());
        keys.clock.set(1_400_000_000.0);
        let sent = broker.consume("sms.outbound", 0).await.unwrap();
        let events = broker.consume("later.event", 0).await.unwrap();
        let worker = Running::start(config, &keys.context_with(broker.clone())).await;
        Self { keys, broker, sent, events, _worker: worker }
    }

    async fn take(&self, message: &UserMessage) {
        let body = Bytes::from(message.to_json());
        self.broker.publish("later.outbound", body, Admission::Inside).await.unwrap().await.unwrap();
    }

    async fn pending(&self, count: usize) {
        until("messages wait", async || self.keys.set("scheduler#scheduled_keys").await.len() == count).await;
    }

    async fn sent(&mut self) -> Payload {
        next(&mut self.sent).await
    }

    async fn event(&mut self) -> Payload {
        next(&mut self.events).await
    }
}

async fn next(consumer: &mut Box<dyn Consumer>) -> Payload {
    let mut delivery = soon("a message", consumer.next()).await.unwrap();
    delivery.ack().await.unwrap().await.unwrap();
    vumi_message::json::parse_object(&delivery.body).unwrap()
}

on_each_backend! {
    async fn messages_leave_unchanged_but_for_the_schedule(keys: Keys) {
        let mut rig = Rig::start(keys, CONFIG).await;
        let schedule = json!({"schedule": {"deliver_at": "2014-05-13 16:54:21"}, "tag": {"x": [1.50]}});
        rig.take(&message("at", schedule)).await;
        rig.take(&message("delay", json!({"schedule": {"delay": 10.5}}))).await;
        rig.pending(2).await;

        rig.keys.clock.forward(15);
        let delayed = rig.sent().await;
        assert_eq!((&delayed["message_id"], &delayed["helper_metadata"]), (&json!("delay"), &json!({})));
        rig.pending(1).await;
        rig.keys.clock.forward(50);
        let mut expected = message("at", json!({"tag": {"x": [1.50]}})).into_payload();
        let sent = rig.sent().await;
        expected.insert("timestamp".into(), sent["timestamp"].clone());
        assert_eq!(sent, expected);
        until("nothing is left", async || rig.keys.all().await.is_empty()).await;
    }

    async fn one_that_was_due_before_goes_in_the_next_bucket(keys: Keys) {
        let mut rig = Rig::start(keys, STRICT).await;
        rig.take(&message("past", json!({"schedule": {"deliver_at": "2001-01-01T00:00:00Z"}}))).await;
        rig.pending(1).await;
        rig.keys.clock.forward(5);
        assert_eq!(rig.sent().await["message_id"], "past");
    }

    async fn one_without_a_schedule_goes_on_at_once(keys: Keys) {
        let mut rig = Rig::start(keys, CONFIG).await;
        let plain = message("plain", json!({"other": 1}));
        rig.take(&plain).await;
        assert_eq!(&rig.sent().await, plain.payload());
    }

    async fn malformed_schedules_are_answered_with_a_nack(keys: Keys) {
        let mut rig = Rig::start(keys, CONFIG).await;
        for (schedule, why) in [
            (json!("tomorrow"), "it is no object"),
            (json!({}), "it must have one key"),
            (json!({"delay": 1, "deliver_at": "2014-05-13 16:54:21"}), "it must have one key"),
            (json!({"when": 1}), "`when` is none of its keys"),
            (json!({"delay": -1}), "`delay` must be a number of seconds from 0"),
            (json!({"delay": "5"}), "`delay` must be a number of seconds from 0"),
            (json!({"delay": 1e300}), "`delay` must be a number of seconds from 0"),
            (json!({"deliver_at": "noon"}), "'noon' is not a date"),
            (json!({"deliver_at": 1_400_000_000}), "`deliver_at` is no text"),
            (json!(null), "it is no object"),
        ] {
            rig.take(&message("bad", json!({"schedule": schedule}))).await;
            let event = rig.event().await;
            assert_eq!((&event["event_type"], &event["user_message_id"]), (&json!("nack"), &json!("bad")));
            let reason = event["nack_reason"].as_str().unwrap();
            assert!(reason.starts_with("helper_metadata.schedule: ") && reason.contains(why), "{schedule}: {reason}");
        }
        assert_eq!(rig.keys.all().await, Vec::<String>::new());
    }

    async fn what_is_no_message_goes_to_the_dead_letters(keys: Keys) {
        let mut rig = Rig::start(keys, CONFIG).await;
        rig.broker.publish("later.outbound", Bytes::from_static(b"{"), Admission::Inside).await.unwrap().await.unwrap();
        rig.take(&message("good", json!({}))).await;
        assert_eq!(rig.sent().await["message_id"], "good");
        let dead = rig.broker.dead_letters("later.outbound", 5).await.unwrap();
        assert_eq!(dead.len(), 1);
        assert!(dead[0].reason.starts_with("invalid message: "), "{}", dead[0].reason);
    }

    async fn one_that_is_dropped_is_answered_with_a_nack(keys: Keys) {
        let mut rig = Rig::start(keys, STRICT).await;
        rig.take(&message("old", json!({"schedule": {"delay": 5}}))).await;
        rig.pending(1).await;
        rig.keys.clock.forward(3600);
        let event = rig.event().await;
        assert_eq!((&event["event_type"], &event["user_message_id"]), (&json!("nack"), &json!("old")));
        assert!(event["nack_reason"].as_str().unwrap().contains("longer ago than max_age"), "{event:?}");
    }
}

#[tokio::test]
async fn mistakes_in_the_configuration_are_named() {
    let context = Keys::in_memory().context();
    for (yaml, why) in [
        ("{class: scheduler}", "target"),
        ("{class: scheduler, transport_name: a, target: a}", "the scheduler's own connector"),
        ("{class: scheduler, target: test}", "the scheduler's own connector"),
        ("{class: scheduler, target: A}", "lower case"),
        ("{class: scheduler, target: a, granularity: 0}", "`granularity` is 0"),
        ("{class: scheduler, target: a, delivery_period: -1}", "`delivery_period` is -1"),
    ] {
        let error = try_worker(yaml, &context).err().unwrap();
        assert!(error.contains(why), "{yaml}: {error}");
    }
}
