//! The Dmark transport in the place of Vumi's; the test is the gateway before it and the application behind it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::thread::JoinHandle;

use serde_json::Value;
use vumi_test_servers::Redis;
use vumi_tests::golden::form;
use vumi_tests::http::{self, Answer};

use super::capture::{Publish, file};
use super::compare::Made;
use super::stage::{Stage, in_both_orders};

const CLASS: &str = "vumi.transports.dmark.DmarkUssdTransport";

/// Two steps of a dialogue and a request that is refused. The gateway gets what it got, the states are published that
/// were, and the session stands in Redis as it stood.
#[test]
fn dmark_transport_says_what_vumis_said() {
    in_both_orders("dmark-status", |mut stage: Stage| {
        let redis = Redis::start();
        let yaml = format!(
            "transport_name: dmark\nweb_path: /dmark\nweb_port: 0\npublish_status: true\n\
             redis_manager: {{host: 127.0.0.1, port: {}}}\n",
            redis.port()
        );
        let host = stage.worker(CLASS, &yaml);
        let at = host.listening("dmark");
        let mut asked = stage.capture.client().into_iter();
        let mut open: Option<Asking> = None;
        for step in stage.capture.publishes.clone() {
            let begins = step.kind() == "inbound" || step.payload()["component"] == "request";
            if begins && open.is_none() {
                open = Some(Asking::begin(at, asked.next().unwrap()));
            }
            if step.kind() == "outbound" {
                stage.publish(&step);
                open.take().unwrap().answered();
            } else {
                expect(&mut stage, &step);
            }
        }
        open.take().unwrap().answered();
        assert!(asked.next().is_none(), "every request was made");
        assert_eq!(stage.compare.count, 7);
        sessions_are_kept(&stage, &redis);
        stage.end(host);
    });
}

/// Different on purpose: how long the answer took.
#[track_caller]
fn expect(stage: &mut Stage, step: &Publish) {
    let here = stage.peer.next(&step.routing_key);
    let took = here.payload()["details"]["response_time"].clone();
    if let Some(seconds) = took.as_f64() {
        assert!(seconds > 0.0 && seconds < 1.0, "this was in time: {seconds} s");
        stage.compare.known("response_time", took);
    }
    stage.compare.alike(step, &here, Made::ByHost);
}

/// A request of the gateway, and what it was answered.
struct Asking {
    expected: Value,
    answer: JoinHandle<Answer>,
}

impl Asking {
    fn begin(at: SocketAddr, asked: Value) -> Self {
        let query = asked["query"].as_object().unwrap().iter();
        let query = form::encode(query.map(|(name, value)| (name.as_str(), value.as_str().unwrap())));
        let answer = std::thread::spawn(move || http::get(at, &format!("/dmark?{query}")));
        Self { expected: asked, answer }
    }

    fn answered(self) {
        let answer = self.answer.join().expect("the gateway got an answer");
        assert_eq!(answer.status, self.expected["status"], "{}", answer.text());
        let body: Value = serde_json::from_str(self.expected["body"].as_str().unwrap()).unwrap();
        assert_eq!(answer.json(), body);
    }
}

/// What Vumi kept is there, but for when the session was made.
fn sessions_are_kept(stage: &Stage, redis: &Redis) {
    let recorded = file(&stage.capture.name, "redis.json");
    let mut connection =
        redis::Client::open(redis.url(0)).and_then(|client| client.get_connection()).expect("Redis answers");
    for (key, record) in recorded.as_object().unwrap() {
        let mut here: HashMap<String, String> =
            redis::cmd("HGETALL").arg(key).query(&mut connection).expect("Redis answers");
        let mut vumi: HashMap<String, String> = serde_json::from_value(record["value"].clone()).unwrap();
        let created = here.remove("created_at").unwrap_or_else(|| panic!("{key} has no `created_at`: {here:?}"));
        let digits = |text: &str| text.split('.').map(str::len).collect::<Vec<_>>();
        assert_eq!(digits(&created).first(), digits(&vumi.remove("created_at").unwrap()).first());
        assert_eq!(stage.compare.recent(created.parse().expect("a number"), &created), None);
        assert_eq!(here, vumi, "{key}");
        let ttl: i64 = redis::cmd("TTL").arg(key).query(&mut connection).expect("Redis answers");
        let most = record["ttl"].as_i64().unwrap() + 1;
        assert!((most - 60..=most).contains(&ttl), "{key} has a time to live of {ttl} s");
    }
}
