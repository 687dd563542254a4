//! Metrics: what the host measures comes as Vumi's workers published it, and its metrics workers take what Vumi's
//! workers published.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vumi_message::Timestamp;

use super::apps::app;
use super::capture::{Publish, consumed, declaration};
use super::compare::Made;
use super::dispatchers::plain_message;
use super::stage::{Order, Stage, in_both_orders};

const CAPTURE: &str = "heartbeat-and-metrics";
const METRICS: &str = "vumi.metrics";
const BUCKETS: &str = "vumi.metrics.buckets";
const AGGREGATES: &str = "vumi.metrics.aggregates";

fn datapoints(message: &Publish) -> Vec<Value> {
    message.payload()["datapoints"].as_array().unwrap_or_else(|| panic!("{}", message.body)).clone()
}

fn of_datapoints(points: &[Value]) -> Value {
    json!({ "datapoints": points })
}

/// Metrics without values, which Vumi published with an empty list every interval. The recorded worker had other names,
/// and one metric more.
#[test]
fn a_worker_publishes_its_metrics_as_vumis_did() {
    in_both_orders(CAPTURE, |mut stage| {
        stage.consumes = false;
        let class = "vumi.blinkenlights.metrics_workers.RandomMetricsGenerator";
        let host = stage.worker(class, "manager_period: 1.0\ngenerator_period: 1000.0\n");
        let idle = stage.capture.step(2).clone();
        let mut expected = datapoints(&idle);
        expected.retain(|point| point[0] != "peer.all");
        for point in &mut expected {
            point[0] = json!(point[0].as_str().unwrap().replace("peer.a.", "vumi.random."));
        }
        let idle = idle.with_payload(&of_datapoints(&expected));
        for _ in 0..2 {
            stage.expect(&idle, Made::ByHost);
        }
        host.signal_term();
        let (status, _, log) = host.wait();
        assert!(status.success(), "{log}");
        while let Some(more) = stage.peer.take(METRICS) {
            stage.compare.alike(&idle, &more, Made::ByHost);
        }
        println!("metrics without values: {} publishes compared", stage.compare.count);
    });
}

/// An app fires a metric once, as the recorded worker did. Deliberately unlike there, its name is that which Vumi's
/// sandbox gave it, `<prefix>.stores.default.<name>` (specification: sandbox, section 8), and the value, a float in the
/// app's interface, is written as one.
#[test]
fn an_app_fires_a_metric_as_a_worker_did() {
    let mut stage = Stage::open(CAPTURE, Order::VumiFirst);
    stage.also(consumed("vumi", "metrics_demo.inbound"));
    let host = stage.system(&app("peer", "probe", ", transport_name: metrics_demo"));
    stage.publish(&plain_message("metrics_demo.inbound", "metrics_demo", &[("content", json!("metric one.shot 7"))]));
    let vumi = stage.capture.step(1).clone();
    let here = stage.peer.next(METRICS);
    assert_eq!(stage.compare.envelope(&vumi, &here), Vec::<String>::new());
    let (vumi, here) = (datapoints(&vumi), datapoints(&here));
    assert_eq!(vumi[0].to_string(), r#"["peer.one.shot",["sum"],[[1795197668,7]]]"#);
    let time = here[0][2][0][0].as_i64().unwrap_or_else(|| panic!("whole seconds: {here:?}"));
    assert_eq!(stage.compare.recent(time as f64, "the time"), None);
    assert_eq!(here, [json!(["peer.stores.default.one.shot", ["sum"], [[time, 7.0]]])]);
    let (status, _, log) = host.terminate();
    assert!(status.success(), "{log}");
}

/// The bucket of each captured datapoint, of 4 of 5 seconds each: the MD5 hash of `<name>:359039533`, the captured time
/// being 1795197668, modulo 4.
const EXPECTED_BUCKETS: [(&str, u32); 5] =
    [("peer.one.shot", 1), ("peer.a.count", 2), ("peer.a.value", 1), ("peer.a.timer", 3), ("peer.all", 2)];

/// The captured messages, as they were, spread over buckets.
#[test]
fn time_bucket_worker_spreads_what_vumis_workers_publish() {
    in_both_orders(CAPTURE, |mut stage| {
        for number in 0..4 {
            stage.also(consumed(BUCKETS, &format!("bucket.{number}")));
        }
        let class = "vumi.blinkenlights.metrics_workers.MetricTimeBucket";
        let host = stage.worker(class, "buckets: 4\nbucket_size: 5\n");
        let steps = stage.capture.publishes.clone();
        for step in steps.iter().filter(|step| step.routing_key == METRICS) {
            stage.publish(step);
        }
        // One message for each datapoint with values, of which only the first captured message has any.
        for point in datapoints(&steps[0]) {
            let (_, bucket) = EXPECTED_BUCKETS.into_iter().find(|(name, _)| point[0] == *name).unwrap();
            let key = format!("bucket.{bucket}");
            let expected = Publish { exchange: BUCKETS.into(), routing_key: key, ..steps[0].clone() };
            stage.expect(&expected.with_payload(&of_datapoints(&[point])), Made::Elsewhere);
        }
        assert_eq!(stage.compare.count, 5);
        stage.drained(METRICS);
        stage.end(host);
    });
}

const METRICS_WORKERS: &str = "workers:
  buckets: vumi.blinkenlights.metrics_workers.MetricTimeBucket
  aggregator: vumi.blinkenlights.metrics_workers.MetricAggregator
  graphite: vumi.blinkenlights.metrics_workers.GraphiteMetricsCollector
defaults: {bucket_size: 2}
buckets: {buckets: 1}
aggregator: {bucket: 0, lag: 0}
";

/// What the captured values come to: name with aggregator, value, and how Carbon is told.
const EXPECTED_AGGREGATES: [(&str, f64, &str); 9] = [
    ("peer.a.count.sum", 2.0, "2.000000"),
    ("peer.a.timer.avg", 2.145_767_211_914_062_5e-6, "0.000002"),
    ("peer.a.value.avg", 1.5, "1.500000"),
    ("peer.all.avg", 3.0, "3.000000"),
    ("peer.all.last", 3.0, "3.000000"),
    ("peer.all.max", 3.0, "3.000000"),
    ("peer.all.min", 3.0, "3.000000"),
    ("peer.all.sum", 3.0, "3.000000"),
    ("peer.one.shot.sum", 7.0, "7.000000"),
];

/// The whole way from the captured message to Carbon. Its time is moved into the bucket that closes soon.
#[test]
fn metrics_reach_carbon() {
    let mut stage = Stage::open(CAPTURE, Order::VumiFirst);
    // Vumi's aggregator and collector, and Carbon's exchange, which is its own.
    stage.also(consumed(BUCKETS, "bucket.0"));
    stage.also(consumed(AGGREGATES, AGGREGATES));
    stage.also([declaration("exchange.declare", json!({"exchange": "graphite", "type": "topic", "durable": 1}))]);
    // Carbon, and somebody who looks at the aggregates on their way.
    for (queue, exchange, key) in [("carbon", "graphite", "#"), ("onlooker", AGGREGATES, AGGREGATES)] {
        stage.also([
            declaration("queue.declare", json!({"queue": queue, "auto_delete": 1})),
            declaration("queue.bind", json!({"queue": queue, "exchange": exchange, "routing_key": key})),
        ]);
    }
    let host = stage.worker("vumi.multiworker.MultiWorker", METRICS_WORKERS);

    let captured = stage.capture.step(1).clone();
    let time = (Timestamp::now().secs() + 6) / 2 * 2;
    stage.peer.publish(&captured, &captured.body.replace("1795197668", &time.to_string()));
    let (mut aggregates, mut told) = (BTreeMap::new(), BTreeMap::new());
    for _ in EXPECTED_AGGREGATES {
        let aggregate = stage.peer.next("onlooker");
        let place = Publish { exchange: AGGREGATES.into(), routing_key: AGGREGATES.into(), ..captured.clone() };
        assert_eq!(stage.compare.envelope(&place, &aggregate), Vec::<String>::new());
        let points = datapoints(&aggregate);
        let [point] = &points[..] else { panic!("one datapoint a message: {}", aggregate.body) };
        let (name, value) = (point[0].as_str().unwrap().to_owned(), point[2][0][1].as_f64().unwrap());
        assert_eq!(*point, json!([name, [], [[time, point[2][0][1]]]]));
        aggregates.insert(name, value);

        let line = stage.peer.next("carbon");
        let place = Publish { exchange: "graphite".into(), routing_key: line.routing_key.clone(), ..captured.clone() };
        assert_eq!(stage.compare.envelope(&place, &line), Vec::<String>::new());
        told.insert(line.routing_key, line.body);
    }
    for (name, value, text) in EXPECTED_AGGREGATES {
        assert_eq!(aggregates.remove(name), Some(value), "{name}");
        assert_eq!(told.remove(name), Some(format!("{text} {time}")), "{name}");
    }
    assert!(aggregates.is_empty() && told.is_empty(), "{aggregates:?} {told:?}");
    assert_eq!(stage.compare.count, 18);
    stage.end(host);
}
