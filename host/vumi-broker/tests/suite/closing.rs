//! The end of a broker.

use std::time::Duration;

use bytes::Bytes;
use vumi_broker::BrokerOptions;
use vumi_core::Admission;

use super::kit::*;

pub(crate) async fn closing_ends_consumers_and_refuses_what_comes_later<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    publish_numbers(&*bench.broker, 0..3).await;
    let mut busy = consume(&*bench.broker, 1).await;
    let _held = next(&mut busy).await;
    let mut idle = bench.broker.consume("empty.inbound", 1).await.expect("open");
    let (mut waits_for_capacity, mut waits_for_messages) = (busy.next(), idle.next());
    not_yet(&mut waits_for_capacity).await;
    not_yet(&mut waits_for_messages).await;
    soon(bench.broker.close()).await;
    assert!(soon(waits_for_capacity).await.is_none());
    assert!(soon(waits_for_messages).await.is_none());
    assert!(soon(busy.next()).await.is_none(), "although there are messages");

    let refused = bench.broker.publish(Q, Bytes::from("x"), Admission::Inside).await.expect_err("closed");
    assert!(refused.is_temporary() && refused.to_string() == "the broker is closed", "{refused}");
    assert!(bench.broker.publish("new.inbound", Bytes::from("x"), Admission::Inside).await.is_err());
    assert!(bench.broker.declare("new.inbound").await.is_err());
    assert!(bench.broker.revive(Q, 1).await.is_err());
    assert!(bench.broker.bury(Q, 1).await.is_err());
    if let Ok(mut consumer) = bench.broker.consume(Q, 1).await {
        assert!(soon(consumer.next()).await.is_none());
    }
    soon(bench.broker.room(Q)).await;
    soon(bench.broker.close()).await;
}

pub(crate) async fn a_delivery_may_outlive_its_broker<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    publish_numbers(&*bench.broker, 0..5).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    let mut held = take(&mut consumer, 5).await;
    soon(bench.broker.close()).await;
    let error = soon(held.remove(0).ack()).await.expect_err("not settled, so it must not be said");
    assert!(error.is_temporary());
    assert!(soon(held.remove(0).reject("why")).await.is_err());
    held.remove(0).retry(Duration::ZERO);
    held.remove(0).retry(Duration::from_secs(1));
    drop(bench);
    drop(held);
    drop(consumer);
}

pub(crate) async fn a_dropped_broker_is_closed<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    let mut waiting = consumer.next();
    not_yet(&mut waiting).await;
    drop(bench);
    assert!(soon(waiting).await.is_none());
}
