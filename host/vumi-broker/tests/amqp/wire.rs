//! Names, declarations and properties, seen by another client (specification: routing names, sections 1 and 2).

use bytes::Bytes;
use lapin::options::{
    BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, ExchangeKind};
use vumi_broker::{AmqpOptions, QueueType};
use vumi_core::{Broker, names};

use super::kit::*;

fn durable_exchange() -> ExchangeDeclareOptions {
    ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() }
}

/// What Vumi puts on every message.
fn vumis() -> BasicProperties {
    BasicProperties::default().with_delivery_mode(2)
}

/// Checks 1 and 2: the queues of a transport and an application, and all others of Vumi.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_queue_has_vumis_exchange_and_declaration() {
    let url = vhost().await;
    let broker = open(&url).await;
    let mut other = Other::on(&url).await;
    for (queue, exchange) in [
        ("sms_1.inbound", "vumi"),
        ("sms_1.outbound", "vumi"),
        ("sms_1.event", "vumi"),
        ("sms_1.failures", "vumi"),
        ("sms_1.status.status", "vumi"),
        ("vumi.metrics", "vumi.metrics"),
        ("bucket.3", "vumi.metrics.buckets"),
        ("vumi.metrics.aggregates", "vumi.metrics.aggregates"),
        ("heartbeat.inbound", "vumi.health"),
    ] {
        assert_eq!(names::exchange(queue), exchange);
        let mut consumer = consume(&broker, queue, 20).await;
        // A declaration that fits passes; any other is refused, so these are exactly its properties.
        let fits =
            |kind, options| other.channel.exchange_declare(exchange.into(), kind, options, FieldTable::default());
        fits(ExchangeKind::Direct, durable_exchange()).await.expect("direct, durable");
        fits(ExchangeKind::Topic, durable_exchange()).await.expect_err("not a topic exchange");
        other.renew().await;
        let transient = ExchangeDeclareOptions::default();
        let refused =
            other.channel.exchange_declare(exchange.into(), ExchangeKind::Direct, transient, FieldTable::default());
        refused.await.expect_err("not transient");
        other.renew().await;
        let declared = other.channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), FieldTable::default());
        declared.await.expect("durable, without arguments");
        let mut arguments = FieldTable::default();
        arguments.insert("x-max-length".into(), AMQPValue::LongInt(7));
        let declared = other.channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments);
        declared.await.expect_err("with arguments");
        other.renew().await;

        // Both ways: Vumi's message reaches us, ours has Vumi's properties.
        let options = BasicPublishOptions::default();
        other.channel.basic_publish(exchange.into(), queue.into(), options, b"{}", vumis()).await.expect("published");
        let delivery = next(&mut consumer).await;
        assert_eq!(told(std::slice::from_ref(&delivery)), [("{}", 1)]);
        ack(delivery).await;
        drop(consumer);
        until("no consumer", async || counts(&broker, queue).await.3 == 0).await;
        publish(&broker, queue, "{\"é\": 1}").await;
        let message = other.get(queue).await.expect("is there");
        assert_eq!((message.exchange.as_str(), message.routing_key.as_str()), (exchange, queue));
        assert_eq!(message.properties, vumis(), "delivery mode 2 and nothing else");
        assert_eq!(message.data, "{\"é\": 1}".as_bytes());
        assert!(!message.redelivered);
    }
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_must_wait_for_its_consumer_does_and_what_only_tells_does_not() {
    let url = vhost().await;
    let broker = open(&url).await;
    let mut other = Other::on(&url).await;
    for queue in ["a.inbound", "a.outbound", "a.event", "a.failures"] {
        assert_eq!(other.look(queue).await, None);
        publish(&broker, queue, "x").await;
        assert_eq!(other.look(queue).await, Some((1, 0)), "{queue}: nobody consumes it yet");
    }
    for queue in ["a.status.status", "vumi.metrics", "bucket.1", "vumi.metrics.aggregates", "heartbeat.inbound"] {
        publish(&broker, queue, "x").await;
        assert_eq!(other.look(queue).await, None, "{queue}: made by its consumer, as in Vumi");
    }
    let names: Vec<_> = broker.queues().await.expect("lists").into_iter().map(|info| info.name).collect();
    assert_eq!(names, ["a.event", "a.failures", "a.inbound", "a.outbound"]);
    // Once there is a consumer, everything arrives from the first message on.
    let mut consumer = consume(&broker, "heartbeat.inbound", 0).await;
    publish(&broker, "heartbeat.inbound", "beat").await;
    assert_eq!(told(&[next(&mut consumer).await]), [("beat", 1)]);
}

/// Check 4: prefetch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_prefetch_is_rabbitmqs() {
    let url = vhost().await;
    let broker = open(&url).await;
    let mut other = Other::on(&url).await;
    publish_numbers(&broker, Q, 0..60).await;
    for (prefetch, left) in [(10, 50), (20, 40), (0, 0)] {
        let mut consumer = consume(&broker, Q, prefetch).await;
        let _held = next(&mut consumer).await;
        until("delivered ahead", async || other.look(Q).await == Some((left, 1))).await;
        drop(consumer);
        until("given back", async || other.look(Q).await == Some((59, 0))).await;
        // The one that is held goes back at the end of this round.
        drop(_held);
        until("given back", async || other.look(Q).await == Some((60, 0))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn announcements_go_to_a_topic_exchange_and_nobody_need_listen() {
    let url = vhost().await;
    let broker = open(&url).await;
    let announce = || broker.announce(names::GRAPHITE, "vumi.Metric.count", Bytes::from_static(b"1 2"));
    soon(announce()).await.expect("handed over").await.expect("confirmed, though it is gone");
    let other = Other::on(&url).await;
    let (exchange, carbon) = (names::GRAPHITE, "carbon");
    let declared =
        other.channel.exchange_declare(exchange.into(), ExchangeKind::Topic, durable_exchange(), FieldTable::default());
    declared.await.expect("a durable topic exchange");
    let declared = other.channel.queue_declare(carbon.into(), QueueDeclareOptions::default(), FieldTable::default());
    declared.await.expect("declared");
    let bound = other.channel.queue_bind(
        carbon.into(),
        exchange.into(),
        "#".into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    bound.await.expect("bound");
    soon(announce()).await.expect("handed over").await.expect("confirmed");
    let message = other.get(carbon).await.expect("is there");
    assert_eq!((message.routing_key.as_str(), message.data.as_slice()), ("vumi.Metric.count", b"1 2".as_slice()));
    assert_eq!(message.properties, vumis());
    let long = "x".repeat(256);
    assert!(!broker.announce(&long, "k", Bytes::new()).await.expect_err("too long").is_temporary());
    assert!(!broker.announce("e", &long, Bytes::new()).await.expect_err("too long").is_temporary());
    assert!(broker.is_shared());
}

tokio::task_local! {
    static TRACE: String;
}

struct OfTask;

impl vumi_core::trace::Propagator for OfTask {
    fn current(&self) -> Option<String> {
        TRACE.try_with(Clone::clone).ok()
    }

    fn adopt(&self, _: &tracing::Span, _: &str) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_goes_along_as_a_header() {
    vumi_core::trace::install(Box::new(OfTask));
    let url = vhost().await;
    let broker = open(&url).await;
    let mut consumer = consume(&broker, Q, 0).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    TRACE.scope(trace.to_owned(), publish(&broker, Q, "traced")).await;
    publish(&broker, Q, "plain").await;
    let mut taken = take(&mut consumer, 2).await;
    assert_eq!((taken[0].trace.as_deref(), taken[1].trace.as_deref()), (Some(trace), None));
    // What comes of a message carries the trace of the work.
    let reply = vumi_core::Outgoing { queue: "sms_1.outbound".to_owned(), body: Bytes::from_static(b"r") };
    let done = TRACE.scope(trace.to_owned(), taken[0].done(vec![reply])).await;
    done.expect("settles").await.expect("confirmed");
    let message = Other::on(&url).await.get("sms_1.outbound").await.expect("is there");
    let headers = message.properties.headers().clone().expect("headers");
    let told: Vec<_> = headers.into_iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    assert_eq!(told, [("traceparent".to_owned(), AMQPValue::LongString(trace.into()))]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_of_vumi_shares_the_queue() {
    let url = vhost().await;
    // As Vumi's worker starts: it declares, sets its prefetch and consumes.
    let other = Other::on(&url).await;
    let vumi = "vumi";
    let declared =
        other.channel.exchange_declare(vumi.into(), ExchangeKind::Direct, durable_exchange(), FieldTable::default());
    declared.await.expect("declared");
    let declared = other.channel.queue_declare(Q.into(), QueueDeclareOptions::durable(), FieldTable::default());
    declared.await.expect("declared");
    let bound =
        other.channel.queue_bind(Q.into(), vumi.into(), Q.into(), QueueBindOptions::default(), FieldTable::default());
    bound.await.expect("bound");
    other.channel.basic_qos(1, BasicQosOptions { global: false }).await.expect("set");
    other.channel.confirm_select(ConfirmSelectOptions::default()).await.expect("set");
    let broker = open(&url).await;
    broker.declare(Q).await.expect("the same declaration");
    publish(&broker, Q, "for anyone").await;
    assert_eq!(other.get(Q).await.expect("is there").data, b"for anyone");
    broker.close().await;
    assert!(!broker.is_connected());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_deployments_may_have_quorum_queues_and_single_active_consumers() {
    let url = vhost().await;
    let options =
        AmqpOptions { queue_type: QueueType::Quorum, single_active_consumer: true, ..AmqpOptions::new(url.as_str()) };
    let broker = open_with(&options).await;
    let mut consumer = consume(&broker, Q, 10).await;
    publish_numbers(&broker, Q, 0..3).await;
    let mut held = take(&mut consumer, 3).await;
    held.remove(1).reject("why").await.expect("settles").await.expect("confirmed");
    ack(held.remove(0)).await;
    held.remove(0).retry(std::time::Duration::ZERO);
    assert_eq!(told(&[next(&mut consumer).await]), [("2", 2)]);
    let mut other = Other::on(&url).await;
    for queue in [Q, "sms_1.inbound.dead"] {
        let declared = other.channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), FieldTable::default());
        let error = declared.await.expect_err("has arguments").to_string();
        assert!(error.contains("x-queue-type") || error.contains("x-single-active-consumer"), "{error}");
        other.renew().await;
    }
    // Looking at dead letters delivers them; they survive it however often.
    for _ in 0..30 {
        assert_eq!(broker.dead_letters(Q, 10).await.expect("lists").len(), 1);
    }
}
