//! Full queues, and other bounds of the embedded broker.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinHandle;
use vumi_broker::BrokerOptions;
use vumi_core::{Admission, Broker, Outgoing, Result, Retry};

use super::kit::*;

const LONG: Admission = Admission::Edge(Duration::from_secs(1_000));

fn bounded(bound: u64, hard_factor: u64) -> BrokerOptions {
    BrokerOptions { bound, hard_factor, ..BrokerOptions::default() }
}

/// Publishes in a task of its own, and returns once that task is in the line (or through).
async fn in_background(broker: &Arc<dyn Broker>, body: &'static str) -> JoinHandle<Result<()>> {
    let broker = Arc::clone(broker);
    let mut publishing = Box::pin(async move { broker.publish(Q, Bytes::from(body), LONG).await?.await });
    // The first poll is what joins the line.
    let first = std::future::poll_fn(|context| Poll::Ready(publishing.as_mut().poll(context))).await;
    match first {
        Poll::Ready(answer) => tokio::spawn(async { answer }),
        Poll::Pending => tokio::spawn(publishing),
    }
}

pub(crate) async fn messages_from_the_edge_wait_for_room<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(bounded(2, 10)).await;
    for body in ["0", "1"] {
        let confirm = soon(bench.broker.publish(Q, Bytes::from(body), LONG)).await.expect("room");
        soon(confirm).await.expect("confirmed");
    }
    let mut waiting = in_background(&bench.broker, "2").await;
    let mut consumer = consume(&*bench.broker, 0).await;
    let first = next(&mut consumer).await;
    not_yet(&mut waiting).await;
    assert!(!bench.broker.has_room(Q), "what is handed out still counts");
    ack(first).await;
    soon(waiting).await.expect("ends").expect("published");
    assert_eq!(told(&take(&mut consumer, 2).await), [("1", 1), ("2", 1)]);
}

pub(crate) async fn who_waits_longest_is_let_in_first<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(bounded(1, 10)).await;
    publish(&*bench.broker, "first").await;
    let bodies = ["a", "b", "c", "d", "e", "f"];
    let mut waiting = Vec::new();
    for body in bodies {
        waiting.push(in_background(&bench.broker, body).await);
    }
    let mut consumer = consume(&*bench.broker, 0).await;
    ack(next(&mut consumer).await).await;
    for (body, publishing) in bodies.iter().zip(waiting) {
        let delivery = next(&mut consumer).await;
        assert_eq!(text(&delivery), *body);
        ack(delivery).await;
        soon(publishing).await.expect("ends").expect("published");
    }
    assert!(bench.broker.has_room(Q));
}

pub(crate) async fn an_edge_without_room_is_told_when_to_come_back<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(bounded(1, 10)).await;
    publish(&*bench.broker, "abc").await;
    for wait in [Duration::ZERO, Duration::from_millis(30)] {
        let begun = std::time::Instant::now();
        let refused = soon(bench.broker.publish(Q, Bytes::from("x"), Admission::Edge(wait))).await;
        let error = refused.expect_err("full");
        assert!(begun.elapsed() >= wait);
        assert!(matches!(error.retry(), Retry::After(_)));
        assert_eq!(error.to_string(), "queue `q.inbound` is full (it holds 1 messages, 3 bytes)");
    }
    let mut consumer = consume(&*bench.broker, 0).await;
    ack(next(&mut consumer).await).await;
    nothing(&mut consumer).await;
    let now = Admission::Edge(Duration::ZERO);
    soon(bench.broker.publish(Q, Bytes::from("x"), now)).await.expect("room").await.expect("confirmed");
}

pub(crate) async fn a_publisher_that_gives_up_has_published_nothing<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(bounded(1, 10)).await;
    publish(&*bench.broker, "0").await;
    let mut given_up = bench.broker.publish(Q, Bytes::from("never"), LONG);
    not_yet(&mut given_up).await;
    let waiting = in_background(&bench.broker, "1").await;
    drop(given_up);
    let mut consumer = consume(&*bench.broker, 0).await;
    ack(next(&mut consumer).await).await;
    soon(waiting).await.expect("ends").expect("published");
    assert_eq!(told(&[next(&mut consumer).await]), [("1", 1)]);
}

pub(crate) async fn messages_from_inside_pass_until_the_hard_bound<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(bounded(2, 2)).await;
    publish_numbers(&*bench.broker, 0..4).await;
    let refused = soon(bench.broker.publish(Q, Bytes::from("x"), Admission::Inside)).await;
    let error = refused.expect_err("full");
    assert!(error.is_temporary());
    assert!(
        error.to_string().starts_with("queue `q.inbound` is full to its hard bound (it holds 4 messages"),
        "{error}"
    );
    let mut consumer = consume(&*bench.broker, 0).await;
    ack(next(&mut consumer).await).await;
    publish(&*bench.broker, "4").await;
    assert_eq!(counts(&*bench.broker, Q).await, (4, 0, 0));
}

pub(crate) async fn room_is_told<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(bounded(2, 10)).await;
    assert!(bench.broker.has_room(Q), "no queue, no bound");
    soon(bench.broker.room(Q)).await;
    publish_numbers(&*bench.broker, 0..1).await;
    soon(bench.broker.room(Q)).await;
    publish_numbers(&*bench.broker, 1..3).await;
    assert!(!bench.broker.has_room(Q));
    let (mut one, mut two) = (bench.broker.room(Q), bench.broker.room(Q));
    not_yet(&mut one).await;
    not_yet(&mut two).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    ack(next(&mut consumer).await).await;
    not_yet(&mut one).await;
    assert!(!bench.broker.has_room(Q), "two are left, and two is the bound");
    let error = next(&mut consumer).await.reject("why").await;
    error.expect("settles").await.expect("confirmed");
    soon(one).await;
    soon(two).await;
    assert!(bench.broker.has_room(Q));
}

pub(crate) async fn those_who_wait_for_room_and_publishers_take_turns<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(bounded(1, 10)).await;
    publish(&*bench.broker, "0").await;
    let mut early = bench.broker.room(Q);
    not_yet(&mut early).await;
    let publisher = in_background(&bench.broker, "1").await;
    let mut late = bench.broker.room(Q);
    not_yet(&mut late).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    ack(next(&mut consumer).await).await;
    // The one place was offered to `early` and then taken by the publisher, before `late` had its turn.
    soon(early).await;
    soon(publisher).await.expect("ends").expect("published");
    not_yet(&mut late).await;
    ack(next(&mut consumer).await).await;
    soon(late).await;
}

pub(crate) async fn bytes_are_bounded_as_well<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions { bound_bytes: 100, hard_factor: 2, ..BrokerOptions::default() }).await;
    publish(&*bench.broker, vec![b'x'; 99]).await;
    assert!(bench.broker.has_room(Q));
    publish(&*bench.broker, vec![b'x'; 99]).await;
    assert!(!bench.broker.has_room(Q));
    publish(&*bench.broker, vec![b'x'; 2]).await;
    let refused = soon(bench.broker.publish(Q, Bytes::from("x"), Admission::Inside)).await;
    assert!(refused.expect_err("full").to_string().contains("3 messages, 200 bytes"));
    let mut consumer = consume(&*bench.broker, 0).await;
    let mut held = take(&mut consumer, 3).await;
    ack(held.remove(0)).await;
    assert!(!bench.broker.has_room(Q));
    ack(held.remove(1)).await;
    assert!(bench.broker.has_room(Q));
}

pub(crate) async fn done_without_room_changes_nothing<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions { bound: 2, hard_factor: 1, ..BrokerOptions::default() }).await;
    publish_numbers(&*bench.broker, 0..1).await;
    publish_to(&*bench.broker, "full.inbound", "x").await;
    publish_to(&*bench.broker, "full.inbound", "x").await;
    let mut consumer = consume(&*bench.broker, 1).await;
    let outgoing = |queue: &str, body| Outgoing { queue: queue.to_owned(), body: Bytes::from_static(body) };
    let full = vec![outgoing("other.inbound", b"a"), outgoing("other.inbound", b"b"), outgoing("full.inbound", b"c")];
    let error = soon(next(&mut consumer).await.done(full)).await.expect_err("no room");
    assert!(error.is_temporary() && error.to_string().contains("queue `full.inbound` is full"), "{error}");
    assert_eq!(counts(&*bench.broker, "other.inbound").await, (0, 0, 0));
    assert_eq!(told(&[next(&mut consumer).await]), [("0", 2)]);
    // No place was lost on the way: two still fit.
    publish_to(&*bench.broker, "other.inbound", "a").await;
    publish_to(&*bench.broker, "other.inbound", "b").await;
}

pub(crate) async fn a_dead_letter_needs_room_to_come_back<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions { bound: 2, hard_factor: 1, ..BrokerOptions::default() }).await;
    publish_numbers(&*bench.broker, 0..2).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    next(&mut consumer).await.reject("why").await.expect("settles").await.expect("confirmed");
    publish_numbers(&*bench.broker, 2..3).await;
    let letter = bench.broker.dead_letters(Q, 10).await.expect("lists").remove(0);
    let error = bench.broker.revive(Q, letter.id).await.expect_err("full");
    assert!(error.is_temporary(), "{error}");
    ack(next(&mut consumer).await).await;
    assert!(soon(bench.broker.revive(Q, letter.id)).await.expect("revives"));
    assert_eq!(told(&take(&mut consumer, 2).await), [("2", 1), ("0", 1)]);
}

pub(crate) async fn closing_sends_those_away_who_wait<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions { bound: 1, ..BrokerOptions::default() }).await;
    publish(&*bench.broker, "0").await;
    let mut publisher = bench.broker.publish(Q, Bytes::from("x"), LONG);
    let mut observer = bench.broker.room(Q);
    not_yet(&mut publisher).await;
    not_yet(&mut observer).await;
    soon(bench.broker.close()).await;
    assert_eq!(soon(publisher).await.expect_err("closed").to_string(), "the broker is closed");
    soon(observer).await;
}

pub(crate) async fn the_bound_is_told<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions { bound: 7, ..BrokerOptions::default() }).await;
    bench.broker.declare(Q).await.expect("open");
    assert_eq!(info(&*bench.broker, Q).await.bound, 7);
}

pub(crate) async fn the_oldest_dead_letters_go_first<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions { max_dead: 3, ..BrokerOptions::default() }).await;
    publish_numbers(&*bench.broker, 0..10).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    for _ in 0..10 {
        next(&mut consumer).await.reject("why").await.expect("settles").await.expect("confirmed");
    }
    let letters = bench.broker.dead_letters(Q, 10).await.expect("lists");
    assert_eq!(letters.iter().map(|dead| dead.body.as_ref()).collect::<Vec<_>>(), [b"7", b"8", b"9"]);
    assert_eq!(counts(&*bench.broker, Q).await, (0, 0, 3));
}

pub(crate) async fn queues_are_bounded<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions { max_queues: 2, ..BrokerOptions::default() }).await;
    bench.broker.declare("a").await.expect("fits");
    bench.broker.declare("b").await.expect("fits");
    let error = bench.broker.declare("c").await.expect_err("one too many");
    assert_eq!(error.to_string(), "queue `c` cannot be made: the broker holds its maximum of 2 queues");
    assert!(bench.broker.publish("c", Bytes::new(), Admission::Inside).await.is_err());
    publish_to(&*bench.broker, "a", "x").await;
}
