//! Vumi's own failure worker as it was recorded (tests/fixtures/vumi-wire/failure-worker-retry): the same failures come
//! in, the same retries must go out, and the same must stand in the store.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::{again, publish};
use crate::backends::{Running, on_each_backend, until};

fn recorded(file: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vumi-wire/failure-worker-retry");
    vumi_message::json::parse(&std::fs::read(folder.join(file)).unwrap()).unwrap()
}

fn body(file: &str) -> String {
    recorded(file)["body_text"].as_str().unwrap().to_owned()
}

/// A text without the random part of its keys.
fn without_id(key: &str) -> String {
    match key.rsplit_once('.') {
        Some((head, id)) if id.len() == 32 => format!("{head}.ID"),
        _ => key.to_owned(),
    }
}

/// The hash in a recorded text: `field`, line break, value, and so on; the value of `reason` has several lines.
fn hash(text: &str) -> BTreeMap<String, String> {
    let text = text.strip_prefix("reason\n").unwrap();
    let (reason, text) = text.split_once("\nmessage\n").unwrap();
    let (message, delay) = text.split_once("\nretry_delay\n").unwrap();
    let fields = [("reason", reason), ("message", message), ("retry_delay", delay)];
    fields.into_iter().map(|(field, value)| (field.to_owned(), value.to_owned())).collect()
}

on_each_backend! {
    async fn the_same_comes_out_and_the_same_is_kept(keys: Keys) {
        let context = keys.context();
        let config = "
class: failure
transport_name: sms
retry_routing_key: '%(transport_name)s.outbound'
failures_routing_key: '%(transport_name)s.failures'
retry_granularity: 1
retry_delivery_period: 0.01
redis_manager: {key_prefix: peer}
";
        let mut outbound = context.broker.consume("sms.outbound", 0).await.unwrap();
        let _worker = Running::start(config, &context).await;
        let kept = async |count| keys.set("peer:failures:sms:failure_keys").await.len() == count;

        // 2026-11-20 18:02:25.63, and 27.17: when the recorded failures arrived.
        keys.clock.set(1_795_197_745.63);
        publish(&*context.broker, "sms.failures", body("01-sms.failures.json")).await;
        until("the first failure is kept", async || kept(1).await).await;
        keys.clock.set(1_795_197_747.17);
        assert_eq!(Value::Object(again(&mut outbound).await), recorded("02-sms.outbound.json")["payload"]);
        publish(&*context.broker, "sms.failures", body("03-sms.failures.json")).await;
        until("the second failure is kept", async || kept(2).await).await;
        let buckets = async || keys.collections().len("peer:failures:sms:retry_timestamps").await.unwrap();
        until("the second alone is to be retried", async || keys.all().await.len() == 5 && buckets().await == 1).await;

        let Value::Object(expected) = recorded("redis.json") else { panic!() };
        let names = |keys: Vec<String>| keys.iter().map(|key| without_id(key)).collect::<Vec<_>>();
        let mut recorded_keys: Vec<String> = expected.keys().cloned().collect();
        recorded_keys.sort();
        assert_eq!(names(keys.all().await), names(recorded_keys));

        for key in keys.all().await {
            let (_, expected) = expected.iter().find(|(name, _)| without_id(name) == without_id(&key)).unwrap();
            let value = &expected["value"];
            let list = || value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned());
            match expected["type"].as_str().unwrap() {
                "hash" => {
                    let (mut found, mut expected) =
                        (keys.collections().hash(&key).await.unwrap(), hash(value.as_str().unwrap()));
                    // The order of the fields of an object is Python's own business.
                    let message = |hash: &mut BTreeMap<String, String>| {
                        vumi_message::json::parse(hash.remove("message").unwrap().as_bytes()).unwrap()
                    };
                    assert_eq!(message(&mut found), message(&mut expected), "{key}");
                    assert_eq!(found, expected, "{key}");
                }
                "set" => assert_eq!(names(keys.set(&key).await), names(list().collect()), "{key}"),
                "zset" => {
                    let found = keys.collections().sorted(&key, vumi_core::Scores::default(), 10).await.unwrap();
                    let flat: Vec<String> =
                        found.into_iter().flat_map(|(member, score)| [member, score.to_string()]).collect();
                    assert_eq!(flat, list().collect::<Vec<_>>(), "{key}");
                }
                other => panic!("{key}: a {other} is not expected"),
            }
            assert_eq!(keys.collections().ttl(&key).await.unwrap(), None, "{key}");
        }
    }
}
