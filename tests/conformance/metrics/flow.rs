//! The workers together on the embedded broker: from a counter to a line in Carbon.

use std::sync::Arc;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use vumi_core::{Clock, names};
use vumi_worker::WorkerConfig;
use vumi_worker::metrics::{Count, MetricManager};

use super::kit::{Running, SetClock, build, context, emptied, put, queue, reasons, take};
use crate::telnet::rig::soon;

const START: i64 = 1_500_000_000;

fn aggregator(bucket: u32, size: u32) -> String {
    format!("class: metric_aggregator\nbucket: {bucket}\nbucket_size: {size}\nlag: 0")
}

#[tokio::test]
async fn from_a_counter_to_a_line_in_carbon() {
    let clock = SetClock::at(START);
    let context = context(&clock);
    let broker = Arc::clone(&context.broker);
    let carbon = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = carbon.local_addr().unwrap().port();
    let mut workers = Vec::new();
    for yaml in [
        "class: vumi.blinkenlights.metrics_workers.MetricTimeBucket\nbuckets: \"2\"\nbucket_size: 1".to_owned(),
        aggregator(0, 1),
        aggregator(1, 1),
        format!("class: graphite_metrics_collector\ngraphite_host: 127.0.0.1\ngraphite_port: {port}"),
    ] {
        workers.push(Running::start(&yaml, &context).await);
    }
    let manager = MetricManager::new("app.", Arc::clone(&clock) as Arc<dyn Clock>);
    let count = Count::new("c");
    manager.register(&count).unwrap();
    manager.attach(Arc::clone(&broker));
    count.inc();
    count.inc();
    manager.fire("x", "max", 3.0);
    manager.fire("x", "max", -1.5);
    manager.publish().await.unwrap();
    for name in [names::METRICS, "bucket.0", "bucket.1"] {
        emptied(&*broker, name).await;
    }
    // Both stretches of time are over; each aggregator looks once a second.
    clock.set(START + 10);
    let (stream, _) = soon("a connection to Carbon", carbon.accept()).await.unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        seen.push(soon("a line", lines.next_line()).await.unwrap().unwrap());
    }
    seen.sort();
    assert_eq!(seen, [format!("app.c.sum 2.000000 {START}"), format!("app.x.max 3.000000 {START}")]);
    for worker in workers {
        worker.stop().await;
    }
    for name in [names::METRICS, "bucket.0", "bucket.1", names::METRIC_AGGREGATES] {
        assert_eq!(queue(&*broker, name).await, (0, 0), "{name}");
    }
}

#[tokio::test]
async fn an_orderly_stop_publishes_open_buckets() {
    let clock = SetClock::at(START);
    let context = context(&clock);
    let broker = Arc::clone(&context.broker);
    let worker = Running::start(&aggregator(7, 3600), &context).await;
    let body = format!(r#"{{"datapoints": [["m", ["sum", "max"], [[{START}, 2], [{START}, 3.5]]]]}}"#);
    put(&*broker, "bucket.7", body).await;
    emptied(&*broker, "bucket.7").await;
    worker.stop().await;
    let mut consumer = broker.consume(names::METRIC_AGGREGATES, 0).await.unwrap();
    let at = START - START % 3600;
    assert_eq!(take(&mut *consumer).await, json!({"datapoints": [["m.max", [], [[at, 3.5]]]]}));
    assert_eq!(take(&mut *consumer).await, json!({"datapoints": [["m.sum", [], [[at, 5.5]]]]}));
}

#[tokio::test]
async fn messages_that_make_no_sense_do_not_stop_a_worker() {
    let clock = SetClock::at(START);
    let context = context(&clock);
    let broker = Arc::clone(&context.broker);
    let workers = [
        Running::start("class: metric_time_bucket\nbuckets: 1\nbucket_size: 3600", &context).await,
        Running::start(&aggregator(0, 3600), &context).await,
    ];
    for bad in ["junk", r#"{"datapoints": [["m", ["sum"]]]}"#] {
        put(&*broker, names::METRICS, bad).await;
        put(&*broker, "bucket.0", bad).await;
    }
    put(&*broker, names::METRICS, format!(r#"{{"datapoints": [["m", ["median"], [[{START}, 1]]]]}}"#)).await;
    put(&*broker, names::METRICS, format!(r#"{{"datapoints": [["m", ["sum"], [[{START}, 1]]]]}}"#)).await;
    for name in [names::METRICS, "bucket.0"] {
        emptied(&*broker, name).await;
    }
    for worker in workers {
        worker.stop().await;
    }
    let mut consumer = broker.consume(names::METRIC_AGGREGATES, 0).await.unwrap();
    let at = START - START % 3600;
    assert_eq!(take(&mut *consumer).await, json!({"datapoints": [["m.sum", [], [[at, 1]]]]}));
    let told = reasons(&*broker, names::METRICS).await;
    assert!(told.len() == 2 && told.iter().all(|reason| reason.starts_with("this is no metric message: ")), "{told:?}");
    let told = reasons(&*broker, "bucket.0").await;
    let unknown = "unknown aggregator `median`; known are avg, last, max, min, sum";
    assert!(told.len() == 3 && told.contains(&unknown.to_owned()), "{told:?}");
}

#[tokio::test]
async fn the_random_generator_publishes_its_metrics() {
    let clock = SetClock::at(START);
    let context = context(&clock);
    let mut consumer = context.broker.consume(names::METRICS, 0).await.unwrap();
    let yaml = "class: random_metrics_generator\nmanager_period: 0.05\ngenerator_period: 0.001";
    let worker = Running::start(yaml, &context).await;
    let (mut count, mut values) = (0, Vec::new());
    // Until each metric has had a value.
    while count == 0 || values.len() < 2 {
        let message = take(&mut *consumer).await;
        let points = message["datapoints"].as_array().unwrap();
        let names: Vec<&str> = points.iter().map(|point| point[0].as_str().unwrap()).collect();
        assert_eq!(names, ["vumi.random.count", "vumi.random.value", "vumi.random.timer"]);
        count += points[0][2].as_array().unwrap().len();
        values.extend(points[1][2].as_array().unwrap().iter().map(|value| value[1].as_f64().unwrap()));
    }
    assert!(values.iter().all(|value| (1.0..3.0).contains(value)), "{values:?}");
    worker.stop().await;
}

#[tokio::test]
async fn every_vumi_class_path_is_known_and_mistakes_are_named() {
    let module = "vumi.blinkenlights.metrics_workers";
    for (class, path) in [
        ("metric_time_bucket", format!("{module}.MetricTimeBucket")),
        ("metric_aggregator", format!("{module}.MetricAggregator")),
        ("graphite_metrics_collector", format!("{module}.GraphiteMetricsCollector")),
        ("udp_metrics_collector", format!("{module}.UDPMetricsCollector")),
        ("random_metrics_generator", format!("{module}.RandomMetricsGenerator")),
        ("heartbeat_monitor", "vumi.blinkenlights.heartbeat.monitor.HeartBeatMonitor".to_owned()),
        ("heartbeat_monitor", "vumi.blinkenlights.heartbeat.HeartBeatMonitor".to_owned()),
    ] {
        let kind = WorkerConfig::KINDS.iter().find(|kind| kind.is_called(&path));
        assert_eq!(kind.map(|kind| kind.class), Some(class), "{path}");
    }
    let context = context(&SetClock::at(START));
    for (yaml, error) in [
        ("class: metric_time_bucket\nbucket_size: 5", "missing field `buckets`"),
        ("class: metric_time_bucket\nbuckets: 0\nbucket_size: 5", "`buckets` must be at least 1"),
        ("class: metric_aggregator\nbucket: 0\nbucket_size: 0", "`bucket_size` must be at least 1"),
        ("class: metric_aggregator\nbucket: 0\nbucket_size: 5\nlag: -1", "-1 is no number of seconds"),
        ("class: udp_metrics_collector\nmetrics_host: h", "missing field `metrics_port`"),
        (
            "class: udp_metrics_collector\nmetrics_host: h\nmetrics_port: 1\nformat_string: \"%(name)s\"",
            "`format_string` names `name`; known are timestamp, metric_name, value",
        ),
        (
            "class: udp_metrics_collector\nmetrics_host: h\nmetrics_port: 1\ntimestamp_format: \"%\"",
            "`timestamp_format` ends with a `%`",
        ),
        ("class: graphite_metrics_collector\ngraphite_port: 1", "only with `graphite_host`"),
        ("class: graphite_metrics_collector", "cannot be reached through the embedded broker"),
        ("class: random_metrics_generator\nmanager_period: 0", "`manager_period` must be at least 0.001 seconds"),
    ] {
        let found = build(yaml, &context).err().unwrap_or_else(|| panic!("{yaml} was built"));
        assert!(found.contains(error), "{yaml}: {found}");
    }
}
