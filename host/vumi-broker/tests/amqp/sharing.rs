//! Several hosts on one queue.

use std::time::Duration;

use vumi_broker::{AmqpOptions, QueueType};
use vumi_core::Broker;

use super::kit::*;

/// RabbitMQ gives the queue to one host; when that goes, to the other, which goes on in the same order.
async fn order_is_kept_over_a_failover(queue_type: QueueType, orderly: bool) {
    let url = vhost().await;
    let options = AmqpOptions { single_active_consumer: true, queue_type, ..AmqpOptions::new(url) };
    let (a, b) = (open_with(&options).await, open_with(&options).await);
    let mut of_a = consume(&a, Q, 10).await;
    let mut of_b = consume(&b, Q, 10).await;
    publish_numbers(&a, Q, 0..100).await;
    for number in 0..40 {
        let delivery = next(&mut of_a).await;
        assert_eq!(text(&delivery), number.to_string());
        ack(delivery).await;
    }
    nothing(&mut of_b).await;
    let _held = take(&mut of_a, 3).await;
    if orderly {
        a.close().await;
    } else {
        drop(a);
    }
    for number in 40..100 {
        let delivery = next(&mut of_b).await;
        assert_eq!(text(&delivery), number.to_string());
        assert_eq!(delivery.attempts, if number < 50 { 2 } else { 1 }, "{number}: what had been delivered ahead");
        ack(delivery).await;
    }
    assert_eq!(counts(&b, Q).await, (0, 0, 0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_active_consumer_keeps_the_order_over_an_orderly_end() {
    order_is_kept_over_a_failover(QueueType::Classic, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_active_consumer_keeps_the_order_over_a_sudden_end() {
    order_is_kept_over_a_failover(QueueType::Classic, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_active_consumer_of_a_quorum_queue_keeps_the_order() {
    order_is_kept_over_a_failover(QueueType::Quorum, true).await;
}

/// Check 9: what is not acknowledged is delivered again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_host_leaves_behind_goes_to_another() {
    let url = vhost().await;
    for queue_type in [QueueType::Classic, QueueType::Quorum] {
        let queue = format!("{queue_type:?}.inbound").to_lowercase();
        let options = AmqpOptions { queue_type, ..AmqpOptions::new(url.as_str()) };
        let (a, b) = (open_with(&options).await, open_with(&options).await);
        publish_numbers(&a, &queue, 0..4).await;
        let mut of_a = consume(&a, &queue, 0).await;
        let mut held = take(&mut of_a, 4).await;
        ack(held.remove(0)).await;
        let mut of_b = consume(&b, &queue, 0).await;
        nothing(&mut of_b).await;
        // A worker that stops gives back what it has.
        held.remove(0).release();
        drop(of_a);
        assert_eq!(told(&[next(&mut of_b).await]), [("1", 2)]);
        // What it still has is good.
        ack(held.remove(0)).await;
        // Handed back after its consumer has gone, with a delay.
        held.remove(0).retry(Duration::from_millis(100));
        let third = next(&mut of_b).await;
        assert_eq!(text(&third), "1", "dropped above, so it came back there");
        ack(third).await;
        let last = next(&mut of_b).await;
        assert_eq!(text(&last), "3");
        // Quorum queues count; of a classic queue's message is only known that it was delivered before.
        assert_eq!(last.attempts, 2);
        ack(last).await;
        assert_eq!(counts(&b, &queue).await, (0, 0, 0, 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_are_known_again_when_a_message_comes_back_to_the_same_host() {
    let url = vhost().await;
    let broker = open(&url).await;
    publish_numbers(&broker, Q, 0..2).await;
    let mut consumer = consume(&broker, Q, 1).await;
    for _ in 0..3 {
        drop(next(&mut consumer).await);
    }
    drop(consumer);
    let mut consumer = consume(&broker, Q, 1).await;
    let delivery = next(&mut consumer).await;
    assert_eq!(told(std::slice::from_ref(&delivery)), [("0", 4)]);
    delivery.release();
    drop(consumer);
    let mut consumer = consume(&broker, Q, 2).await;
    assert_eq!(told(&take(&mut consumer, 2).await), [("0", 4), ("1", 1)], "a release does not count");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_hosts_share_the_work_and_nothing_is_lost() {
    let url = vhost().await;
    let (a, b) = (open(&url).await, open(&url).await);
    let mut of_a = consume(&a, Q, 5).await;
    let mut of_b = consume(&b, Q, 5).await;
    let publisher = open(&url).await;
    publish_numbers(&publisher, Q, 0..200).await;
    let mut seen = Vec::new();
    let mut of_each = [0, 0];
    while seen.len() < 200 {
        let (host, delivery) = tokio::select! {
            delivery = next(&mut of_a) => (0, delivery),
            delivery = next(&mut of_b) => (1, delivery),
        };
        of_each[host] += 1;
        seen.push(text(&delivery).parse::<u32>().expect("a number"));
        ack(delivery).await;
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..200).collect::<Vec<_>>());
    assert!(of_each.iter().all(|count| *count > 20), "{of_each:?}");
    assert_eq!(counts(&a, Q).await, (0, 0, 0, 2));
}
