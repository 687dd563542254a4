//! Failures: those that our transport reports, and our failure worker in the place of Vumi's.

use std::time::{Duration, Instant};

use serde_json::json;
use vumi_test_servers::Redis;
use vumi_tests::PATIENCE;
use vumi_tests::guests::guest;

use super::capture::{Publish, file};
use super::compare::Made;
use super::failure_records::{Records, kept, record, recorded, sorted};
use super::stage::{Stage, in_both_orders};

const CLASS: &str = "vumi.transports.failures.FailureWorker";

/// The worker's file. It looks for retries every five seconds, less often than the recorded one, so that there is time
/// to see what it keeps before the second retry, due after three, is sent as well.
fn worker(redis: &Redis) -> String {
    format!(
        "transport_name: sms
retry_routing_key: '%(transport_name)s.outbound'
failures_routing_key: '%(transport_name)s.failures'
retry_granularity: 1
retry_delivery_period: 5
redis_manager: {{ host: 127.0.0.1, port: {}, db: 0, key_prefix: peer }}
",
        redis.port()
    )
}

/// Waits until Redis holds this, and nothing else.
#[track_caller]
fn holds(redis: &Redis, expected: &Records) {
    let end = Instant::now() + PATIENCE;
    loop {
        let found = kept(redis);
        if found == *expected {
            return;
        }
        assert!(Instant::now() < end, "Redis holds {found:#?}\nVumi's held {expected:#?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A message fails, is sent again, and fails again.
#[test]
fn failure_worker_retries_as_vumis_did() {
    in_both_orders("failure-worker-retry", |mut stage: Stage| {
        let redis = Redis::start();
        let host = stage.worker(CLASS, &worker(&redis));
        for number in [1, 3] {
            let failure = stage.capture.step(number).clone();
            stage.peer.publish(&failure, &failure.body);
            if number == 1 {
                stage.expect(&stage.capture.step(2).clone(), Made::Elsewhere);
            }
        }
        holds(&redis, &recorded(&file("failure-worker-retry", "redis.json")));
        stage.end(host);
    });
}

/// Of the three kinds of failure only the temporary one is tried again; all are kept.
#[test]
fn failure_worker_keeps_every_kind_of_failure() {
    in_both_orders("failures-and-events", |mut stage: Stage| {
        let redis = Redis::start();
        let host = stage.worker(CLASS, &worker(&redis));
        let (mut expected, mut keys) = (Records::new(), Vec::new());
        let steps = stage.capture.publishes.clone();
        for failure in steps.iter().filter(|step| step.kind() == "failures") {
            let payload = failure.payload();
            let is_temporary = payload["failure_code"] == "temporary";
            let mut message = payload["message"].clone();
            if is_temporary {
                message["retry_metadata"] = json!({"retries": 1, "delay": 1});
            }
            let delay = if is_temporary { "1" } else { "0" };
            let value = json!({"message": message, "reason": payload["reason"], "retry_delay": delay});
            let key = format!("failure.{}.<id>", &failure.text("timestamp").unwrap()[..19].replace(' ', "T"));
            expected.push(record(&format!("peer:failures:sms:{key}"), "hash", -1, &value));
            keys.push(key);
            stage.peer.publish(failure, &failure.body);
            if is_temporary {
                let outbound = Publish { routing_key: "sms.outbound".into(), ..failure.with_payload(&message) };
                stage.expect(&outbound, Made::Elsewhere);
            }
        }
        assert_eq!((keys.len(), stage.compare.count), (3, 1));
        keys.sort();
        expected.push(record("peer:failures:sms:failure_keys", "set", -1, &json!(keys)));
        holds(&redis, &sorted(expected));
        stage.end(host);
    });
}

/// Our transport cannot handle a message, for good: middleware fails over it. What it reports is what Vumi's transport
/// reported when it raised PermanentFailure, but for the text of the message, which tells this middleware what to do.
#[test]
fn transport_reports_a_failure_as_vumis_did() {
    in_both_orders("failures-and-events", |mut stage: Stage| {
        let yaml = format!(
            "transport_name: sms\ntelnet_port: 0\nmiddleware: [{{bad: wasm}}]\nbad: {{component: \"{}\"}}\n",
            guest("bad-router").display()
        );
        let host = stage.worker("vumi.transports.telnet.TelnetServerTransport", &yaml);
        let failure =
            stage.capture.publishes.iter().find(|step| step.text("failure_code").as_deref() == Some("permanent"));
        let failure = failure.expect("a permanent failure").clone();
        let mut payload = failure.payload();
        payload["message"]["content"] = json!("fail no such subscriber");
        let outbound =
            Publish { step: "sent to sms.outbound".into(), routing_key: "sms.outbound".into(), ..failure.clone() };
        stage.publish(&outbound.with_payload(&payload["message"]));
        stage.expect(&failure.with_payload(&payload), Made::ByHost);
        stage.end(host);
    });
}
