//! Order, prefetch, settling, consumers.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use vumi_broker::BrokerOptions;
use vumi_core::{Admission, Outgoing, Retry};

use super::kit::*;

fn outgoing(queue: &str, body: &str) -> Outgoing {
    Outgoing { queue: queue.to_owned(), body: Bytes::from(body.to_owned()) }
}

pub(crate) async fn messages_come_in_the_order_of_publishing<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    // Before there is any consumer.
    publish_numbers(&*bench.broker, 0..100).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    publish_numbers(&*bench.broker, 100..200).await;
    for number in 0..200 {
        let delivery = next(&mut consumer).await;
        assert_eq!((text(&delivery), delivery.attempts), (number.to_string().as_str(), 1));
        ack(delivery).await;
    }
    nothing(&mut consumer).await;
}

pub(crate) async fn a_consumer_has_no_more_than_its_prefetch<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    publish_numbers(&*bench.broker, 0..5).await;
    let mut consumer = consume(&*bench.broker, 2).await;
    let mut held = take(&mut consumer, 2).await;
    nothing(&mut consumer).await;
    assert_eq!(counts(&*bench.broker, Q).await, (3, 2, 0));
    // Each way of settling makes room for the next one, and wakes the consumer that waits for it.
    let task = waiting(consumer).await;
    ack(held.remove(0)).await;
    let (consumer, third) = woken(task).await;
    let task = waiting(consumer).await;
    soon(held.remove(0).reject("why")).await.expect("settles").await.expect("confirmed");
    let (consumer, fourth) = woken(task).await;
    let task = waiting(consumer).await;
    third.retry(Duration::from_secs(1_000));
    let (mut consumer, fifth) = woken(task).await;
    assert_eq!(told(&[fourth, fifth]), [("3", 1), ("4", 1)]);
    let _held = take(&mut consumer, 2).await;
    nothing(&mut consumer).await;
}

pub(crate) async fn without_a_prefetch_a_consumer_may_have_all<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    publish_numbers(&*bench.broker, 0..100).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    let held = take(&mut consumer, 100).await;
    assert_eq!(counts(&*bench.broker, Q).await, (0, held.len() as u64, 0));
}

pub(crate) async fn what_is_acknowledged_does_not_come_again<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    publish_numbers(&*bench.broker, 0..3).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    for delivery in take(&mut consumer, 3).await {
        ack(delivery).await;
    }
    assert_eq!(counts(&*bench.broker, Q).await, (0, 0, 0));
    drop(consumer);
    nothing(&mut consume(&*bench.broker, 0).await).await;
}

pub(crate) async fn what_is_given_back_comes_first_in_the_old_order<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    publish_numbers(&*bench.broker, 0..5).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    let mut held = take(&mut consumer, 4).await;
    ack(held.remove(1)).await;
    // Now 0, 2 and 3 are out.
    for place in [1, 1, 0] {
        held.remove(place).retry(Duration::ZERO);
    }
    let again = take(&mut consumer, 4).await;
    assert_eq!(told(&again), [("0", 2), ("2", 2), ("3", 2), ("4", 1)]);
    again.into_iter().for_each(|delivery| delivery.retry(Duration::ZERO));
    assert_eq!(told(&[next(&mut consumer).await]), [("0", 3)]);
}

pub(crate) async fn a_delay_is_kept_and_others_pass_meanwhile<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    publish_numbers(&*bench.broker, 0..4).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    let mut held = take(&mut consumer, 2).await;
    let start = Instant::now();
    held.remove(1).retry(Duration::from_millis(500));
    held.remove(0).retry(Duration::from_millis(1_000));
    assert_eq!(counts(&*bench.broker, Q).await, (4, 0, 0));
    let passing = take(&mut consumer, 2).await;
    assert_eq!(told(&passing), [("2", 1), ("3", 1)]);
    let first = next(&mut consumer).await;
    assert!(start.elapsed() >= Duration::from_millis(500));
    let second = next(&mut consumer).await;
    assert!(start.elapsed() >= Duration::from_millis(1_000));
    assert_eq!(told(&[first, second]), [("1", 2), ("0", 2)]);
}

pub(crate) async fn a_delay_reaches_a_consumer_that_waits<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    publish(&*bench.broker, "a").await;
    let mut first = consume(&*bench.broker, 0).await;
    let held = next(&mut first).await;
    let mut task = waiting(consume(&*bench.broker, 0).await).await;
    held.retry(Duration::from_secs(1_000));
    not_yet(&mut task).await;
    publish(&*bench.broker, "b").await;
    let (consumer, held) = woken(task).await;
    assert_eq!(text(&held), "b");
    // An earlier time than the one that it waits for.
    let task = waiting(consumer).await;
    held.retry(Duration::from_millis(50));
    assert_eq!(told(&[woken(task).await.1]), [("b", 2)]);
}

pub(crate) async fn the_longest_delay_does_no_harm<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    publish(&*bench.broker, "a").await;
    let mut consumer = consume(&*bench.broker, 0).await;
    next(&mut consumer).await.retry(Duration::MAX);
    nothing(&mut consumer).await;
    assert_eq!(counts(&*bench.broker, Q).await, (1, 0, 0));
}

pub(crate) async fn a_dropped_delivery_comes_back<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    publish_numbers(&*bench.broker, 0..2).await;
    let mut consumer = consume(&*bench.broker, 1).await;
    drop(next(&mut consumer).await);
    assert_eq!(told(&[next(&mut consumer).await]), [("0", 2)]);
    // What was begun with it and given up at once leaves it with its holder.
    let mut delivery = next(&mut consumer).await;
    drop(delivery.ack());
    drop(delivery);
    assert_eq!(told(&[next(&mut consumer).await]), [("0", 4)]);
}

pub(crate) async fn consumers_take_turns<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    let a = waiting(consume(&*bench.broker, 0).await).await;
    let b = waiting(consume(&*bench.broker, 0).await).await;
    publish(&*bench.broker, "0").await;
    let (a, held) = woken(a).await;
    let a = waiting(a).await;
    publish(&*bench.broker, "1").await;
    let (b, second) = woken(b).await;
    assert_eq!(told(&[second]), [("1", 1)]);
    // That one was dropped and so came back, to the one that waits.
    let (a, second) = woken(a).await;
    assert_eq!(told(&[held, second]), [("0", 1), ("1", 2)]);
    assert_eq!(info(&*bench.broker, Q).await.consumers, 2);
    drop(a);
    assert_eq!(info(&*bench.broker, Q).await.consumers, 1);
    drop(b);
    assert_eq!(info(&*bench.broker, Q).await.consumers, 0);
}

pub(crate) async fn a_consumer_that_stops_waiting_loses_nothing<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    let mut a = consume(&*bench.broker, 0).await;
    let mut of_a = a.next();
    assert!(matches!(Pin::new(&mut of_a).poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
    let mut b = waiting(consume(&*bench.broker, 0).await).await;
    // Wakes the first in the line, `a`, whose task never comes.
    publish(&*bench.broker, "x").await;
    not_yet(&mut b).await;
    drop(of_a);
    assert_eq!(told(&[woken(b).await.1]), [("x", 1)]);
    // Asking again and again takes no second place in the line.
    ack(next(&mut a).await).await;
    for _ in 0..3 {
        nothing(&mut a).await;
    }
    let b = waiting(consume(&*bench.broker, 0).await).await;
    publish(&*bench.broker, "y").await;
    assert_eq!(told(&[woken(b).await.1]), [("y", 1)]);
}

pub(crate) async fn a_dropped_consumer_leaves_its_messages_to_others<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    publish_numbers(&*bench.broker, 0..4).await;
    let mut a = consume(&*bench.broker, 3).await;
    let mut held = take(&mut a, 2).await;
    drop(a);
    let mut b = consume(&*bench.broker, 1).await;
    let second = next(&mut b).await;
    assert_eq!(text(&second), "2");
    // What the first one handed on is still good.
    ack(held.remove(1)).await;
    drop(held);
    ack(second).await;
    let again = next(&mut b).await;
    assert_eq!((text(&again), again.attempts), ("0", 2));
    ack(again).await;
    assert_eq!(text(&next(&mut b).await), "3");
}

pub(crate) async fn done_publishes_what_came_of_it<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    publish(&*bench.broker, "question").await;
    let mut consumer = consume(&*bench.broker, 1).await;
    let came = vec![
        outgoing("replies.outbound", "1"),
        outgoing(Q, "again"),
        outgoing("replies.outbound", "2"),
        outgoing("x.event", "e"),
    ];
    let confirm = soon(next(&mut consumer).await.done(came)).await.expect("has room");
    soon(confirm).await.expect("confirmed");
    assert_eq!(told(&[next(&mut consumer).await]), [("again", 1)]);
    let mut replies = bench.broker.consume("replies.outbound", 0).await.expect("open");
    assert_eq!(told(&take(&mut replies, 2).await), [("1", 1), ("2", 1)]);
    let mut events = bench.broker.consume("x.event", 0).await.expect("open");
    assert_eq!(told(&[next(&mut events).await]), [("e", 1)]);
    assert_eq!(counts(&*bench.broker, Q).await, (1, 0, 0), "only `again`");
}

pub(crate) async fn done_that_fails_changes_nothing<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions { max_body: 10, ..BrokerOptions::default() }).await;
    publish_numbers(&*bench.broker, 0..1).await;
    bench.broker.declare("other.inbound").await.expect("open");
    let mut consumer = consume(&*bench.broker, 1).await;
    let large = vec![outgoing("other.inbound", "a"), outgoing("other.inbound", "01234567890")];
    let error = soon(next(&mut consumer).await.done(large)).await.expect_err("too large");
    assert_eq!(error.retry(), Retry::No);
    let nameless = vec![outgoing("other.inbound", "a"), outgoing("", "b")];
    let error = soon(next(&mut consumer).await.done(nameless)).await.expect_err("no name");
    assert_eq!(error.retry(), Retry::No);
    assert_eq!(counts(&*bench.broker, "other.inbound").await, (0, 0, 0));
    assert_eq!(told(&[next(&mut consumer).await]), [("0", 3)]);
}

pub(crate) async fn bad_bodies_and_names_are_refused_for_good<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions { max_body: 100, ..BrokerOptions::default() }).await;
    publish(&*bench.broker, vec![b'x'; 100]).await;
    publish(&*bench.broker, Bytes::new()).await;
    let large = bench.broker.publish(Q, Bytes::from(vec![b'x'; 101]), Admission::Inside).await;
    let error = large.expect_err("too large");
    assert_eq!(error.retry(), Retry::No);
    assert_eq!(error.to_string(), "a message of 101 bytes for queue `q.inbound` is larger than the limit of 100 bytes");
    assert_eq!(counts(&*bench.broker, Q).await, (2, 0, 0));
    for name in ["", "x".repeat(256).as_str()] {
        let error = bench.broker.declare(name).await.expect_err("no name");
        assert_eq!(error.retry(), Retry::No, "{error}");
        assert!(bench.broker.consume(name, 1).await.is_err());
    }
    bench.broker.declare(&"x".repeat(255)).await.expect("a name");
}

pub(crate) async fn numbers_of_queues_are_told<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    bench.broker.declare("b.inbound").await.expect("open");
    bench.broker.declare("b.inbound").await.expect("twice is once");
    bench.broker.declare("a.inbound").await.expect("open");
    publish_to(&*bench.broker, "a.inbound", "x").await;
    let all = bench.broker.queues().await.expect("lists");
    let told: Vec<_> = all.iter().map(|info| (info.name.as_str(), info.ready, info.consumers)).collect();
    assert_eq!(told, [("a.inbound", 1, 0), ("b.inbound", 0, 0)]);
}
