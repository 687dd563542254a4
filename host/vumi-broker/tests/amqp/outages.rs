//! RabbitMQ goes away in the middle of the work, in good order and suddenly.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use vumi_broker::{AmqpBroker, AmqpOptions};
use vumi_core::{Admission, Broker, Outgoing};
use vumi_test_servers::RabbitMq;

use super::kit::*;

const OUT: &str = "sms_1.outbound";
const MANY: u32 = 3_000;

/// Publishes numbers, retrying what fails as a transport would, until all are confirmed.
async fn publisher(broker: Arc<AmqpBroker>) {
    let mut confirms = Vec::new();
    for number in 0..MANY {
        // A few under way at a time, so that this takes as long as the server is away.
        if confirms.len() >= 20 {
            for confirm in std::mem::take(&mut confirms) {
                let confirm: vumi_core::Confirm = confirm;
                confirm.await.expect("confirmed, however long it takes");
            }
        }
        let wait = Admission::Edge(Duration::from_secs(90));
        confirms.push(broker.publish(Q, Bytes::from(number.to_string()), wait).await.expect("in time"));
    }
    for confirm in confirms {
        confirm.await.expect("confirmed");
    }
}

/// Answers each number with itself, one after the other. What it was handed, in that order.
async fn worker(broker: Arc<AmqpBroker>, seen: Arc<Mutex<Vec<u32>>>) {
    let mut consumer = broker.consume(Q, 20).await.expect("open");
    while let Some(mut delivery) = consumer.next().await {
        seen.lock().push(text(&delivery).parse().expect("a number"));
        let reply = Outgoing { queue: OUT.to_owned(), body: delivery.body.clone() };
        loop {
            match delivery.done(vec![reply.clone()]).await {
                Ok(confirm) => {
                    confirm.await.expect("confirmed, however long it takes");
                    break;
                }
                // RabbitMQ is away for longer than something from inside waits.
                Err(error) if error.is_temporary() => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Each number once, in the order in which it came first.
fn firsts(all: &[u32]) -> Vec<u32> {
    let mut known = BTreeSet::new();
    all.iter().copied().filter(|number| known.insert(*number)).collect()
}

/// `twice`: how many may be handled twice.
async fn nothing_is_lost(outages: usize, twice: usize, outage: fn(&mut RabbitMq)) {
    let mut server = Server::start().await;
    let broker = open(&server.url()).await;
    let seen: Arc<Mutex<Vec<u32>>> = Arc::default();
    let publishing = tokio::spawn(publisher(Arc::clone(&broker)));
    let working = tokio::spawn(worker(Arc::clone(&broker), Arc::clone(&seen)));
    for round in 1..=outages {
        let share = MANY as usize * round / (outages + 1);
        until("in the middle of it", async || seen.lock().len() >= share).await;
        server.with(outage).await;
    }
    soon(publishing).await.expect("ends well");
    until("all done", async || firsts(&seen.lock()).len() == MANY as usize).await;
    let seen = seen.lock().clone();
    assert_eq!(firsts(&seen), (0..MANY).collect::<Vec<_>>(), "nothing is lost and the order is kept");
    let again = seen.len() - MANY as usize;
    assert!(again <= twice, "{again} were handled twice");
    until("all acknowledged", async || {
        broker.queues().await.is_ok_and(|all| all.iter().all(|info| info.name != Q || info.ready + info.unacked == 0))
    })
    .await;
    let mut consumer = consume(&broker, OUT, 0).await;
    let mut replies = Vec::new();
    while firsts(&replies).len() < MANY as usize {
        let delivery = next(&mut consumer).await;
        replies.push(text(&delivery).parse::<u32>().expect("a number"));
        ack(delivery).await;
    }
    assert_eq!(firsts(&replies), (0..MANY).collect::<Vec<_>>());
    broker.close().await;
    soon(working).await.expect("ends well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_rabbitmq_is_restarted() {
    // What was delivered and not acknowledged.
    nothing_is_lost(1, 40, |server| server.restart()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_rabbitmq_is_killed() {
    // RabbitMQ writes acknowledgements to disk when it finds the time; a power cut brings back what was acknowledged
    // long before.
    nothing_is_lost(2, usize::MAX, |server| {
        server.kill();
        server.start_again();
    })
    .await;
}

/// What workers have in their hands while the connection is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_outlive_the_connection() {
    let mut server = Server::start().await;
    let broker = open(&server.url()).await;
    publish_numbers(&broker, Q, 0..8).await;
    let mut consumer = consume(&broker, Q, 0).await;
    let mut held = take(&mut consumer, 6).await;
    server.with(|server| server.kill()).await;
    until("lost", async || !broker.is_connected()).await;
    // 0: its acknowledgement cannot be sent, but its work is done.
    ack(held.remove(0)).await;
    // 1: given back with a delay, 2: given back, 3: released; 4 and 5 are still being worked on.
    held.remove(0).retry(Duration::from_millis(200));
    drop(held.remove(0));
    held.remove(0).release();
    nothing(&mut consumer).await;
    server.with(|server| server.start_again()).await;
    connected(&broker).await;
    // The copies of 4 and 5 are not handed out while the first ones are being worked on.
    let mut seen = Vec::new();
    for _ in 0..5 {
        let delivery = next(&mut consumer).await;
        seen.push((text(&delivery).to_owned(), delivery.attempts));
        ack(delivery).await;
    }
    nothing(&mut consumer).await;
    seen.sort();
    let told: Vec<_> = seen.iter().map(|(body, attempts)| (body.as_str(), *attempts)).collect();
    assert_eq!(told, [("1", 2), ("2", 2), ("3", 1), ("6", 1), ("7", 1)]);
    // What was begun before the outage settles the copy.
    let reply = Outgoing { queue: OUT.to_owned(), body: Bytes::from_static(b"4") };
    soon(held.remove(0).done(vec![reply])).await.expect("settles").await.expect("confirmed");
    drop(held.remove(0));
    let again = next(&mut consumer).await;
    assert_eq!(told_of(&again), ("5", 2));
    ack(again).await;
    nothing(&mut consumer).await;
    assert_eq!(counts(&broker, Q).await, (0, 0, 0, 1));
    // RabbitMQ agrees: nothing comes to another host.
    drop(consumer);
    let other = open(&server.url()).await;
    nothing(&mut consume(&other, Q, 0).await).await;
}

fn told_of(delivery: &vumi_core::Delivery) -> (&str, u32) {
    (text(delivery), delivery.attempts)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_is_noticed() {
    let mut server = Server::start().await;
    let broker = open_with(&AmqpOptions { heartbeat_s: 1, ..AmqpOptions::new(server.url()) }).await;
    let mut consumer = consume(&broker, Q, 0).await;
    server.with(|server| server.pause()).await;
    until("noticed", async || !broker.is_connected()).await;
    server.with(|server| server.resume()).await;
    connected(&broker).await;
    publish(&broker, Q, "x").await;
    assert_eq!(told(&[next(&mut consumer).await]), [("x", 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_under_way_when_the_broker_is_closed_is_waited_for() {
    let url = vhost().await;
    let broker = open(&url).await;
    publish_numbers(&broker, Q, 0..1).await;
    let mut consumer = consume(&broker, Q, 0).await;
    let mut delivery = next(&mut consumer).await;
    let replies = (0..200).map(|number| Outgoing { queue: OUT.to_owned(), body: Bytes::from(number.to_string()) });
    let done = soon(delivery.done(replies.collect())).await.expect("settles");
    let published = hand_over(&broker, OUT, "last").await;
    soon(broker.close()).await;
    done.await.expect("confirmed before the end");
    published.await.expect("confirmed before the end");
    let mut other = Other::on(&url).await;
    assert_eq!(other.look(OUT).await, Some((201, 0)));
    assert_eq!(other.look(Q).await, Some((0, 0)));
    let error = broker.publish(Q, Bytes::new(), Admission::Inside).await.expect_err("closed");
    assert_eq!(error.to_string(), "the broker is closed");
}
