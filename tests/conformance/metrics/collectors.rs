//! The collectors, each with the end of its own: Carbon's exchange, a UDP socket, Prometheus.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tokio::net::UdpSocket;
use vumi_core::{Broker, Clock, names};
use vumi_tests::context::context_with;

use super::kit::{OuterBroker, Running, SetClock, context, emptied, put, queue, reasons};
use crate::telnet::rig::soon;

fn aggregate(name: &str, at: f64, value: f64) -> String {
    format!(r#"{{"datapoints": [["{name}", [], [[{at}, {value}]]]]}}"#)
}

#[tokio::test]
async fn check_11_the_metric_name_is_the_key_at_carbon() {
    let clock = SetClock::at(0);
    let outer = OuterBroker::new();
    let context = context_with(Arc::clone(&outer) as Arc<dyn Broker>, clock as Arc<dyn Clock>);
    let worker = Running::start("class: vumi.blinkenlights.metrics_workers.GraphiteMetricsCollector", &context).await;
    outer.away.store(true, Ordering::SeqCst);
    put(&*outer.inner, names::METRIC_AGGREGATES, aggregate("A.b", 1234.0, 1.5)).await;
    put(&*outer.inner, names::METRIC_AGGREGATES, aggregate(&"x".repeat(256), 1234.0, 1.5)).await;
    put(&*outer.inner, names::METRIC_AGGREGATES, aggregate("c", 1235.0, 2.0)).await;
    assert_eq!(*outer.announced.lock(), []);
    outer.away.store(false, Ordering::SeqCst);
    emptied(&*outer.inner, names::METRIC_AGGREGATES).await;
    worker.stop().await;
    let announced = |key: &str, body: &'static str| ("graphite".to_owned(), key.to_owned(), Bytes::from(body));
    let expected = [announced("A.b", "1.500000 1234"), announced("c", "2.000000 1235")];
    assert_eq!(*outer.announced.lock(), expected);
    let told = reasons(&*outer.inner, names::METRIC_AGGREGATES).await;
    assert_eq!(told, ["a metric name of 256 bytes is too long for a routing key"]);
}

#[tokio::test]
async fn aggregates_wait_in_their_queue_for_carbon() {
    let context = context(&SetClock::at(0));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = closed.local_addr().unwrap();
    drop(closed);
    let yaml = format!("class: graphite_metrics_collector\ngraphite_host: 127.0.0.1\ngraphite_port: {}", at.port());
    let worker = Running::start(&yaml, &context).await;
    put(&*context.broker, names::METRIC_AGGREGATES, aggregate("m", 1.0, 1.0)).await;
    worker.stop().await;
    assert_eq!(queue(&*context.broker, names::METRIC_AGGREGATES).await, (1, 0));
}

#[tokio::test]
async fn check_12_a_datagram_for_each_value() {
    let context = context(&SetClock::at(0));
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let yaml = format!("class: udp_metrics_collector\nmetrics_host: 127.0.0.1\nmetrics_port: \"{port}\"");
    let worker = Running::start(&yaml, &context).await;
    put(&*context.broker, names::METRIC_AGGREGATES, "junk").await;
    put(&*context.broker, names::METRIC_AGGREGATES, aggregate("m", 1e30, 2.5)).await;
    put(&*context.broker, names::METRIC_AGGREGATES, aggregate("m", 1234.0, 2.5)).await;
    let mut buffer = [0; 100];
    let (length, _) = soon("a datagram", socket.recv_from(&mut buffer)).await.unwrap();
    assert_eq!(std::str::from_utf8(&buffer[..length]).unwrap(), "1970-01-01 00:20:34 m 2.5\n");
    emptied(&*context.broker, names::METRIC_AGGREGATES).await;
    worker.stop().await;
    let told = reasons(&*context.broker, names::METRIC_AGGREGATES).await;
    assert!(told.len() == 2 && told[1].ends_with("is no time that a calendar has"), "{told:?}");
}

#[tokio::test]
async fn prometheus_reads_the_latest_values() {
    let context = context(&SetClock::at(0));
    let worker = Running::start("class: prometheus_metrics_collector\nweb_port: 0", &context).await;
    for body in [aggregate("m.avg", 10.0, 2.5), aggregate("m.avg", 15.0, 3.5), "junk".to_owned()] {
        put(&*context.broker, names::METRIC_AGGREGATES, body).await;
    }
    emptied(&*context.broker, names::METRIC_AGGREGATES).await;
    let at = worker.at.clone().unwrap();
    assert!(at.starts_with("127.0.0.1:"), "{at}");
    let page = soon("the page", reqwest::get(format!("http://{at}/metrics"))).await.unwrap();
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    let page = page.text().await.unwrap();
    assert!(page.ends_with("# TYPE vumi_metric gauge\nvumi_metric{name=\"m.avg\"} 3.5 15000\n"), "{page}");
    worker.stop().await;
}
