//! A RabbitMQ that takes no messages because its memory runs low, and the bound of what is not confirmed.

use std::time::Duration;

use bytes::Bytes;
use vumi_broker::AmqpOptions;
use vumi_core::{Admission, Broker, Outgoing};

use super::kit::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_rabbitmq_takes_nothing_publishers_wait_and_consumers_go_on() {
    let mut server = Server::start().await;
    let broker = open(&server.url()).await;
    publish_numbers(&broker, Q, 0..50).await;
    let mut consumer = consume(&broker, Q, 5).await;
    assert!(broker.has_room(Q));
    server.with(|server| server.memory_alarm(true)).await;
    // RabbitMQ says so to who publishes.
    let mut first = hand_over(&broker, "sms_1.outbound", "first").await;
    until("blocked", async || !broker.has_room(Q)).await;
    not_yet(&mut first).await;
    let short = Admission::Edge(Duration::from_millis(100));
    let error = broker.publish(Q, Bytes::from_static(b"x"), short).await.expect_err("blocked");
    assert!(error.is_temporary(), "{error}");
    let sentence = error.to_string();
    assert!(sentence.contains("takes no messages now (") && sentence.contains("free memory or disk"), "{sentence}");
    let mut room = broker.room(Q);
    not_yet(&mut room).await;

    // Acknowledgements pass: only they bring relief.
    for number in 0..40 {
        let delivery = next(&mut consumer).await;
        assert_eq!(text(&delivery), number.to_string());
        ack(delivery).await;
    }
    // What has to publish first fails, and is still there.
    let mut delivery = next(&mut consumer).await;
    let reply = Outgoing { queue: "sms_1.outbound".to_owned(), body: Bytes::from_static(b"reply") };
    let error = soon(delivery.done(vec![reply.clone()])).await.expect_err("blocked");
    assert!(error.to_string().contains("takes no messages now"), "{error}");
    let error = soon(delivery.reject("why")).await.map(drop).expect_err("blocked");
    assert!(error.is_temporary(), "{error}");

    server.with(|server| server.memory_alarm(false)).await;
    soon(first).await.expect("confirmed at last");
    soon(room).await;
    assert!(broker.has_room(Q));
    soon(delivery.done(vec![reply])).await.expect("settles").await.expect("confirmed");
    let mut outbound = consume(&broker, "sms_1.outbound", 0).await;
    assert_eq!(told(&take(&mut outbound, 2).await), [("first", 1), ("reply", 1)]);
    assert_eq!(counts(&broker, Q).await, (9, 0, 0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_confirmed_is_bounded_and_survives_a_restart_while_blocked() {
    let mut server = Server::start().await;
    let options = AmqpOptions { max_unconfirmed: 3, ..AmqpOptions::new(server.url()) };
    let broker = open_with(&options).await;
    broker.declare(Q).await.expect("open");
    server.with(|server| server.pause()).await;
    let mut confirms = Vec::new();
    for number in 0..3 {
        assert!(broker.has_room(Q));
        confirms.push(hand_over(&broker, Q, number.to_string()).await);
    }
    assert!(!broker.has_room(Q));
    let mut room = broker.room(Q);
    not_yet(&mut room).await;
    let short = Admission::Edge(Duration::from_millis(50));
    let error = broker.publish(Q, Bytes::from_static(b"x"), short).await.expect_err("too many");
    assert!(error.is_temporary() && error.to_string().contains("is too slow"), "{error}");
    let mut fourth = Box::pin(hand_over(&broker, Q, "3"));
    not_yet(&mut fourth).await;
    for confirm in &mut confirms {
        not_yet(confirm).await;
    }
    server
        .with(|server| {
            server.resume();
            server.restart();
        })
        .await;
    for confirm in confirms {
        soon(confirm).await.expect("confirmed");
    }
    soon(room).await;
    soon(soon(fourth).await).await.expect("confirmed");
    let mut consumer = consume(&broker, Q, 0).await;
    let mut seen: Vec<String> = Vec::new();
    while seen.last().is_none_or(|last| last != "3") {
        let delivery = next(&mut consumer).await;
        seen.push(text(&delivery).to_owned());
        ack(delivery).await;
    }
    // Twice perhaps, as it is not known what RabbitMQ had taken in; but in order.
    let mut once = seen.clone();
    once.dedup();
    once.truncate(4);
    assert!(seen.starts_with(&["0".to_owned()]), "{seen:?}");
    let mut firsts: Vec<&String> = Vec::new();
    for body in &seen {
        if !firsts.contains(&body) {
            firsts.push(body);
        }
    }
    assert_eq!(firsts, ["0", "1", "2", "3"]);
}
