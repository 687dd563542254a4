//! Checks 1 to 12: what managers, time buckets, aggregators and collectors make of values.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use vumi_core::{Broker, Clock, names};
use vumi_worker::metrics::{
    Aggregators, Count, Datapoint, Metric, MetricManager, MetricMessage, Number, Tally, UdpFormat, bucket_of,
    carbon_value, spread,
};

use super::kit::{OuterBroker, SetClock, put, queue, take};

fn manager(prefix: &str, clock: &Arc<SetClock>) -> MetricManager {
    MetricManager::new(prefix, Arc::clone(clock) as Arc<dyn Clock>)
}

fn polled(manager: &MetricManager) -> Value {
    serde_json::from_slice(&manager.poll().body()).unwrap()
}

/// The body of a recorded message.
fn recorded(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vumi-wire/heartbeat-and-metrics").join(file);
    let record: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    record["body_text"].as_str().unwrap().to_owned()
}

#[test]
fn check_01_a_count_in_one_interval_and_the_next() {
    let clock = SetClock::at(1_500_000_000);
    let manager = manager("a.", &clock);
    let count = Count::new("c");
    manager.register(&count).unwrap();
    count.inc();
    clock.set(1_500_000_003);
    count.inc();
    let values = json!([[1_500_000_000, 1.0], [1_500_000_003, 1.0]]);
    assert_eq!(polled(&manager), json!({"datapoints": [["a.c", ["sum"], values]]}));
    assert_eq!(polled(&manager), json!({"datapoints": [["a.c", ["sum"], []]]}));
}

#[tokio::test]
async fn messages_are_written_byte_for_byte_as_vumi_wrote_them() {
    let clock = SetClock::at(1_795_197_668);
    let manager = manager("peer.", &clock);
    let (count, value, timer) = (Count::new("a.count"), Metric::new("a.value"), Metric::new("a.timer"));
    let all = Metric::aggregated("all", &["sum", "min", "max", "last", "avg"]);
    manager.register(&count).unwrap();
    for metric in [&value, &timer, &all] {
        manager.register(metric).unwrap();
    }
    count.inc();
    count.inc();
    value.set(1.5);
    timer.set(2.145_767_211_914_062_5e-6);
    all.set(3);
    manager.oneshot(&Metric::aggregated("one.shot", &["sum"]), 7);
    let broker = OuterBroker::new();
    let mut consumer = broker.consume(names::METRICS, 0).await.unwrap();
    manager.attach(Arc::clone(&broker) as Arc<dyn Broker>);
    for file in ["01-vumi.metrics.json", "02-vumi.metrics.json"] {
        manager.publish().await.unwrap();
        let mut delivery = consumer.next().await.unwrap();
        assert_eq!(std::str::from_utf8(&delivery.body).unwrap(), recorded(file), "{file}");
        delivery.ack().await.unwrap();
    }
}

#[tokio::test]
async fn check_02_names_and_managers_are_kept_apart() {
    let clock = SetClock::at(0);
    let (one, two) = (manager("a.", &clock), manager("b.", &clock));
    let metric = Metric::new("m");
    one.register(&metric).unwrap();
    assert_eq!(one.register(&Count::new("m")).unwrap_err().to_string(), "there is a metric `a.m` already");
    let error = two.register(&metric).unwrap_err().to_string();
    assert_eq!(error, "the metric `m` belongs to a manager already: it cannot have two");
    let error = two.publish().await.unwrap_err().to_string();
    assert_eq!(error, "this metric manager has no publisher: run it, or attach a broker");
}

fn over(name: &str, values: &[f64]) -> f64 {
    let values: Vec<Number> = values.iter().map(|value| Number::Float(*value)).collect();
    Aggregators::default().get(name).unwrap()(&values).as_f64()
}

#[test]
fn check_03_aggregators() {
    for (name, value) in [("sum", 6.0), ("avg", 2.0), ("min", 1.0), ("max", 4.0), ("last", 1.0)] {
        assert_eq!(over(name, &[1.0, 4.0, 1.0]), value, "{name}");
        assert_eq!(over(name, &[]), 0.0, "{name}");
    }
}

fn point(name: &str, aggregators: &[&str], values: &[(f64, f64)]) -> Datapoint {
    Datapoint {
        name: name.to_owned(),
        aggregators: aggregators.iter().map(|name| (*name).to_owned()).collect(),
        values: values.iter().map(|(at, value)| ((*at).into(), (*value).into())).collect(),
    }
}

/// Aggregates as JSON.
fn aggregates(points: Vec<Datapoint>) -> Vec<Value> {
    let bodies = points.into_iter().map(|point| MetricMessage::from(point).body());
    bodies.map(|body| serde_json::from_slice::<Value>(&body).unwrap()["datapoints"][0].clone()).collect()
}

#[test]
fn check_04_last_is_the_last_in_time() {
    let mut tally = Tally::new(10, 0.0, 0.0, Aggregators::default());
    tally.add(vec![point("m", &["last"], &[(5.0, 9.0), (3.0, 1.0)])]).unwrap();
    assert_eq!(aggregates(tally.flush().aggregates), [json!(["m.last", [], [[0, 9.0]]])]);
}

#[test]
fn check_05_buckets() {
    let bucket = |name: &str, size, buckets, at: f64| {
        let parts = spread(point(name, &["sum"], &[(at, 1.0)]), size, buckets);
        names::metric_bucket(parts[0].0)
    };
    assert_eq!(bucket("myapp.w1.sent", 5, 4, 1_500_000_000.0), "bucket.2");
    assert_eq!(bucket("myapp.w1.sent", 5, 4, 1_500_000_004.9), "bucket.2");
    assert_eq!(bucket("myapp.w1.sent", 5, 4, 1_500_000_005.0), "bucket.1");
    assert_eq!(bucket("myapp.w1.latency", 10, 3, 1_500_000_000.0), "bucket.2");
    assert_eq!(bucket("a", 5, 2, 0.0), "bucket.0");
    assert!((0..1_000).all(|stretch| bucket_of("myapp.w1.sent", stretch, 1) == 0));
}

#[test]
fn check_06_a_datapoint_is_divided_by_time() {
    let whole = point("m", &["sum"], &[(1_500_000_004.0, 1.0), (1_500_000_005.0, 2.0), (1_500_000_004.5, 3.0)]);
    let parts: Vec<Datapoint> = spread(whole, 5, 4).into_iter().map(|(_, part)| part).collect();
    let first = point("m", &["sum"], &[(1_500_000_004.0, 1.0), (1_500_000_004.5, 3.0)]);
    assert_eq!(parts, [first, point("m", &["sum"], &[(1_500_000_005.0, 2.0)])]);
    assert_eq!(spread(point("m", &["sum"], &[]), 5, 4), []);
}

/// An aggregator of size 5 that was started at time 0 and has two values.
fn tally(lag: f64) -> Tally {
    let mut tally = Tally::new(5, lag, 0.0, Aggregators::default());
    tally.add(vec![point("m", &["avg"], &[(100.0, 1.0), (102.0, 2.0)])]).unwrap();
    tally
}

#[test]
fn check_07_a_bucket_is_closed_after_the_lag() {
    let mut tally = tally(5.0);
    assert_eq!(tally.check(109.0).aggregates, []);
    assert_eq!(aggregates(tally.check(110.0).aggregates), [json!(["m.avg", [], [[100, 1.5]]])]);
    assert_eq!(tally.check(115.0).aggregates, []);
}

#[test]
fn check_08_with_another_lag() {
    let mut tally = tally(1.0);
    assert_eq!(tally.check(105.0).aggregates, []);
    assert_eq!(aggregates(tally.check(106.0).aggregates), [json!(["m.avg", [], [[100, 1.5]]])]);
}

#[test]
fn check_09_what_comes_too_late_is_thrown_away() {
    let mut tally = tally(5.0);
    tally.check(110.0);
    tally.add(vec![point("m", &["avg"], &[(101.0, 7.0)])]).unwrap();
    let closed = tally.check(115.0);
    assert_eq!(closed.aggregates, []);
    assert_eq!(closed.thrown, ["Throwing way old metric data: m [avg] [[101.0, 7.0]]"]);
}

#[test]
fn check_10_the_same_datapoint_twice_counts_twice() {
    let mut tally = Tally::new(5, 5.0, 0.0, Aggregators::default());
    for _ in 0..2 {
        tally.add(vec![point("m", &["sum"], &[(100.0, 3.0)])]).unwrap();
    }
    assert_eq!(aggregates(tally.check(110.0).aggregates), [json!(["m.sum", [], [[100, 6.0]]])]);
}

// The key of check 11 is in `collectors`.
#[test]
fn check_11_a_value_for_carbon() {
    assert_eq!(carbon_value(1234.into(), 1.5.into()), "1.500000 1234");
    assert_eq!(carbon_value(1234.9.into(), 7.into()), "7.000000 1234");
}

#[test]
fn check_12_a_datagram() {
    let format = UdpFormat::new("%(timestamp)s %(metric_name)s %(value)s\n", "%Y-%m-%d %H:%M:%S%z").unwrap();
    assert_eq!(format.render("m", 1234.into(), 2.5.into()).unwrap(), "1970-01-01 00:20:34 m 2.5\n");
}

#[tokio::test]
async fn messages_wait_while_the_broker_is_away() {
    let clock = SetClock::at(0);
    let manager = manager("", &clock);
    let broker = OuterBroker::new();
    let mut consumer = broker.consume(names::METRICS, 0).await.unwrap();
    manager.attach(Arc::clone(&broker) as Arc<dyn Broker>);
    broker.away.store(true, Ordering::SeqCst);
    for n in 0..105 {
        manager.fire("m", "sum", n);
        assert!(manager.publish().await.unwrap_err().is_temporary());
    }
    assert_eq!(manager.dropped(), 5);
    broker.away.store(false, Ordering::SeqCst);
    manager.publish().await.unwrap();
    for n in 5..105 {
        assert_eq!(take(&mut *consumer).await, json!({"datapoints": [["m", ["sum"], [[0, n]]]]}));
    }
    assert_eq!(queue(&*broker, names::METRICS).await, (0, 0));
}

#[tokio::test]
async fn where_nobody_ever_listened_nothing_piles_up() {
    let clock = SetClock::at(0);
    let manager = manager("", &clock);
    let broker = vumi_tests::context::context().broker;
    manager.attach(Arc::clone(&broker));
    manager.fire("m", "sum", 1);
    manager.publish().await.unwrap();
    assert_eq!(broker.queues().await.unwrap(), []);
    put(&*broker, names::METRICS, "{}").await;
    manager.fire("m", "sum", 1);
    manager.publish().await.unwrap();
    assert_eq!(queue(&*broker, names::METRICS).await, (2, 0));
}
