//! The failure worker: what it keeps and when it sends again (specification: messages, section 7 and checks 19 and 20;
//! transports, common, section C3 and checks 5 and 6). The arithmetic of delays and buckets by itself is checked with
//! the messages.

mod broker;
mod recorded;

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::{Admission, Broker, Consumer};
use vumi_message::{Failure, FailureCode, NewUserMessage, Payload, UserMessage};

use crate::backends::{Keys, Running, on_each_backend, soon, try_worker, until};
use broker::StuckBroker;

const CONFIG: &str = "
class: vumi.transports.failures.FailureWorker
transport_name: sms
retry_routing_key: '%(transport_name)s.outbound'
failures_routing_key: '%(transport_name)s.failures'
";

/// Looks for due retries all the time: the clock is what the test sets.
fn eager() -> String {
    format!("{CONFIG}\nretry_delivery_period: 0.01\n")
}

fn message(id: &str) -> Payload {
    let new = NewUserMessage { message_id: Some(id.to_owned()), to_addr: Some("+1".into()), ..Default::default() };
    UserMessage::new(new).into_payload()
}

async fn publish(broker: &dyn Broker, queue: &str, body: String) {
    broker.publish(queue, Bytes::from(body), Admission::Inside).await.unwrap().await.unwrap();
}

async fn fail(broker: &dyn Broker, message: Payload, code: FailureCode) {
    publish(broker, "sms.failures", Failure::new(message, code, "it broke\nbecause").to_json()).await;
}

/// The next message that is sent again, acknowledged.
async fn again(outbound: &mut Box<dyn Consumer>) -> Payload {
    let mut delivery = soon("a retry", outbound.next()).await.unwrap();
    delivery.ack().await.unwrap().await.unwrap();
    vumi_message::json::parse_object(&delivery.body).unwrap()
}

/// The stored failures' keys; waits until there are so many.
async fn stored(keys: &Keys, count: usize) -> Vec<String> {
    until("failures are kept", async || keys.set("failures:sms:failure_keys").await.len() >= count).await;
    let found = keys.set("failures:sms:failure_keys").await;
    assert_eq!(found.len(), count);
    found
}

async fn retry_keys(keys: &Keys) -> Vec<String> {
    keys.all().await.into_iter().filter(|key| key.starts_with("failures:sms:retry_")).collect()
}

on_each_backend! {
    async fn check_19_retry_buckets(keys: Keys) {
        let context = keys.context();
        let broker = &*context.broker;
        keys.clock.set(1_400_000_003.0);
        let _worker = Running::start(&format!("{CONFIG}\nretry_delivery_period: 0\n"), &context).await;

        fail(broker, message("a"), FailureCode::Temporary).await;
        let [a] = &stored(&keys, 1).await[..] else { panic!() };
        assert_eq!(keys.set("failures:sms:retry_keys.2014-05-13T16:53:25").await, [a.as_str()]);

        let mut waited = message("b");
        waited.insert("retry_metadata".into(), json!({"retries": 1, "delay": 1}));
        fail(broker, waited, FailureCode::Temporary).await;
        stored(&keys, 2).await;
        let later = keys.set("failures:sms:retry_keys.2014-05-13T16:53:30").await;
        assert_eq!(later.len(), 1);
        let score = keys.collections().score("failures:sms:retry_timestamps", "2014-05-13T16:53:30").await.unwrap();
        assert_eq!(score, Some(1_400_000_010.0));
    }

    async fn check_20_delays_grow_to_the_cap(keys: Keys) {
        let context = keys.context();
        let mut outbound = context.broker.consume("sms.outbound", 0).await.unwrap();
        let _worker = Running::start(&eager(), &context).await;
        let mut failed = message("a");
        for (retries, delay) in [1, 3, 9, 27, 81, 243, 729, 2187, 3600, 3600].into_iter().enumerate() {
            let before = stored(&keys, retries).await;
            fail(&*context.broker, failed.clone(), FailureCode::Temporary).await;
            let key = stored(&keys, retries + 1).await.into_iter().find(|key| !before.contains(key)).unwrap();
            let hash = keys.collections().hash(&format!("failures:sms:{key}")).await.unwrap();
            assert_eq!(hash["retry_delay"], delay.to_string());

            // Never before the delay has passed, and at most one granularity later.
            keys.clock.forward(delay - 1);
            tokio::task::yield_now().await;
            keys.clock.forward(1 + 5);
            let retried = again(&mut outbound).await;
            assert_eq!(retried["retry_metadata"], json!({"retries": retries + 1, "delay": delay}));
            // The stored JSON is what is sent, and it stays.
            assert_eq!(hash["message"], vumi_message::json::object_to_text(&retried));
            assert_eq!(keys.collections().hash(&format!("failures:sms:{key}")).await.unwrap(), hash);
            failed = retried;
        }
        until("nothing is left to retry", async || retry_keys(&keys).await.is_empty()).await;
    }

    async fn a_retry_is_not_sent_before_its_bucket(keys: Keys) {
        let context = keys.context();
        keys.clock.set(1_400_000_003.0);
        let worker = Running::start(&eager(), &context).await;
        fail(&*context.broker, message("a"), FailureCode::Temporary).await;
        stored(&keys, 1).await;
        keys.clock.set(1_400_000_004.999);
        worker.stop().await;
        assert_eq!(keys.set("failures:sms:retry_keys.2014-05-13T16:53:25").await.len(), 1);
        keys.clock.set(1_400_000_005.0);
        let _worker = Running::start(&eager(), &context).await;
        let mut outbound = context.broker.consume("sms.outbound", 0).await.unwrap();
        assert_eq!(again(&mut outbound).await["message_id"], "a");
    }

    async fn other_codes_are_kept_and_not_retried(keys: Keys) {
        let context = keys.context();
        let _worker = Running::start(&eager(), &context).await;
        fail(&*context.broker, message("a"), FailureCode::Permanent).await;
        fail(&*context.broker, message("b"), FailureCode::Unspecified).await;
        for key in stored(&keys, 2).await {
            let hash = keys.collections().hash(&format!("failures:sms:{key}")).await.unwrap();
            assert_eq!((hash["retry_delay"].as_str(), hash["reason"].as_str()), ("0", "it broke\nbecause"));
            assert!(!hash["message"].contains("retry_metadata"));
        }
        assert_eq!(retry_keys(&keys).await, Vec::<String>::new());
    }

    async fn without_a_period_nothing_is_sent(keys: Keys) {
        let context = keys.context();
        let worker = Running::start(&format!("{CONFIG}\nretry_delivery_period: 0\n"), &context).await;
        fail(&*context.broker, message("a"), FailureCode::Temporary).await;
        stored(&keys, 1).await;
        keys.clock.forward(10_000);
        worker.stop().await;
        assert_eq!(retry_keys(&keys).await.len(), 2);
        let outbound = context.broker.queues().await.unwrap().into_iter().find(|queue| queue.name == "sms.outbound");
        assert_eq!(outbound.unwrap().ready, 0);
    }

    async fn a_bad_payload_goes_to_the_dead_letters_and_the_queue_goes_on(keys: Keys) {
        let context = keys.context();
        let broker = &*context.broker;
        let _worker = Running::start(&eager(), &context).await;
        let nonsense = ["no json".to_owned(), "[]".into(), UserMessage::new(NewUserMessage::default()).to_json()];
        for body in &nonsense {
            publish(broker, "sms.failures", body.clone()).await;
        }
        fail(broker, message("good"), FailureCode::Permanent).await;
        stored(&keys, 1).await;
        let dead = broker.dead_letters("sms.failures", 10).await.unwrap();
        assert_eq!(dead.iter().map(|letter| letter.body.clone()).collect::<Vec<_>>(), nonsense.map(Bytes::from));
        assert!(dead.iter().all(|letter| letter.reason.starts_with("invalid message: ")), "{dead:?}");
        until("the queue is empty", async || {
            let queues = broker.queues().await.unwrap();
            queues.iter().any(|queue| queue.name == "sms.failures" && queue.ready + queue.unacked == 0)
        })
        .await;
    }

    async fn a_failure_that_comes_twice_is_kept_and_sent_once(keys: Keys) {
        let context = keys.context();
        let broker = &*context.broker;
        let mut outbound = broker.consume("sms.outbound", 0).await.unwrap();
        let _worker = Running::start(&eager(), &context).await;
        let failure = Failure::new(message("a"), FailureCode::Temporary, "r").to_json();
        publish(broker, "sms.failures", failure.clone()).await;
        stored(&keys, 1).await;
        keys.clock.forward(10);
        assert_eq!(again(&mut outbound).await["message_id"], "a");
        until("it is done", async || retry_keys(&keys).await.is_empty()).await;
        // As after a crash between keeping and acknowledging it.
        publish(broker, "sms.failures", failure).await;
        fail(broker, message("b"), FailureCode::Permanent).await;
        stored(&keys, 2).await;
        assert_eq!(retry_keys(&keys).await, Vec::<String>::new());
    }

    async fn what_is_in_the_payload_does_not_matter(keys: Keys) {
        let context = keys.context();
        let _worker = Running::start(&eager(), &context).await;
        let mut outbound = context.broker.consume("sms.outbound", 0).await.unwrap();
        let odd = json!({"retry_metadata": "none", "deep": [[[{}]]], "number": 1.50, "text": "é\u{0}"});
        let Value::Object(odd) = odd else { panic!() };
        fail(&*context.broker, odd.clone(), FailureCode::Temporary).await;
        stored(&keys, 1).await;
        keys.clock.forward(10);
        let mut expected = odd;
        expected.insert("retry_metadata".into(), json!({"retries": 1, "delay": 1}));
        assert_eq!(again(&mut outbound).await, expected);
    }

    async fn workers_share_the_retries(keys: Keys) {
        let context = keys.context();
        let mut outbound = context.broker.consume("sms.outbound", 0).await.unwrap();
        let mut workers = Vec::new();
        for _ in 0..3 {
            workers.push(Running::start(&eager(), &context).await);
        }
        for n in 0..50 {
            fail(&*context.broker, message(&format!("m{n}")), FailureCode::Temporary).await;
        }
        stored(&keys, 50).await;
        keys.clock.forward(10);
        let mut ids = std::collections::BTreeSet::new();
        for _ in 0..50 {
            ids.insert(again(&mut outbound).await["message_id"].to_string());
        }
        assert_eq!(ids.len(), 50, "each was sent once");
        until("nothing is left to retry", async || retry_keys(&keys).await.is_empty()).await;
        for worker in workers {
            worker.stop().await;
        }
        let queues = context.broker.queues().await.unwrap();
        let left = queues.into_iter().find(|queue| queue.name == "sms.outbound").unwrap();
        assert_eq!((left.ready, left.unacked), (0, 0));
    }

    async fn a_crash_while_a_retry_is_on_its_way_loses_nothing(keys: Keys) {
        let stuck = Arc::new(StuckBroker::new(EmbeddedBroker::in_memory(BrokerOptions::default()), "sms.outbound"));
        let context = keys.context_with(stuck.clone());
        let worker = Running::start(&eager(), &context).await;
        fail(&*context.broker, message("a"), FailureCode::Temporary).await;
        stored(&keys, 1).await;
        keys.clock.forward(10);
        until("the retry is on its way", async || stuck.is_waiting()).await;
        worker.kill().await;

        stuck.release();
        let _worker = Running::start(&eager(), &context).await;
        let mut outbound = context.broker.consume("sms.outbound", 0).await.unwrap();
        // The one that crashed may be slow and not dead: its time has to pass.
        keys.clock.forward(65);
        assert_eq!(again(&mut outbound).await["message_id"], "a");
        until("nothing is left to retry", async || retry_keys(&keys).await.is_empty()).await;
    }

    async fn a_broker_that_is_away_gets_the_retry_later(keys: Keys) {
        let stuck = Arc::new(StuckBroker::new(EmbeddedBroker::in_memory(BrokerOptions::default()), "sms.outbound"));
        let context = keys.context_with(stuck.clone());
        let _worker = Running::start(&eager(), &context).await;
        fail(&*context.broker, message("a"), FailureCode::Temporary).await;
        stored(&keys, 1).await;
        stuck.refuse(3);
        keys.clock.forward(10);
        let mut outbound = context.broker.consume("sms.outbound", 0).await.unwrap();
        assert_eq!(again(&mut outbound).await["message_id"], "a");
        assert_eq!(stuck.refused(), 3);
        until("nothing is left to retry", async || retry_keys(&keys).await.is_empty()).await;
    }
}

#[tokio::test]
async fn mistakes_in_the_configuration_are_named() {
    let context = Keys::in_memory().context();
    let error = |yaml: &str| try_worker(yaml, &context).err().unwrap();
    assert!(error("class: failure\ntransport_name: sms\n").contains("retry_routing_key"));
    let twice = CONFIG.replace("s.outbound", "s.failures");
    assert!(error(&twice).contains("both name `sms.failures`"), "{}", error(&twice));
    let unknown = CONFIG.replace("%(transport_name)s.outbound", "%(name)s.outbound");
    assert!(error(&unknown).contains("%(name)s names no key of this worker"), "{}", error(&unknown));
}
