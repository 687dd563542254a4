//! Somebody deletes queues and exchanges while they are in use.

use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};

use super::kit::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_is_deleted_is_declared_again_and_its_messages_arrive() {
    let url = vhost().await;
    let broker = open(&url).await;
    let other = Other::on(&url).await;
    publish(&broker, Q, "gone with the queue").await;
    other.channel.queue_delete(Q.into(), QueueDeleteOptions::default()).await.expect("deleted");
    // The publisher believes that the queue is there: each is returned and published again, in order.
    publish_numbers(&broker, Q, 0..300).await;
    let mut consumer = consume(&broker, Q, 0).await;
    for number in 0..300 {
        let delivery = next(&mut consumer).await;
        assert_eq!(told(std::slice::from_ref(&delivery)), [(number.to_string().as_str(), 1)]);
        ack(delivery).await;
    }
    // And under a consumer: it is started again.
    other.channel.queue_delete(Q.into(), QueueDeleteOptions::default()).await.expect("deleted");
    publish(&broker, Q, "after").await;
    let after = next(&mut consumer).await;
    assert_eq!(text(&after), "after");
    ack(after).await;
    nothing(&mut consumer).await;
    assert_eq!(counts(&broker, Q).await.3, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchange_that_is_deleted_is_declared_again_and_messages_arrive() {
    let url = vhost().await;
    let broker = open(&url).await;
    let other = Other::on(&url).await;
    let mut consumer = consume(&broker, Q, 0).await;
    other.channel.exchange_delete("vumi".into(), ExchangeDeleteOptions::default()).await.expect("deleted");
    publish_numbers(&broker, Q, 0..100).await;
    let mut seen = Vec::new();
    while seen.len() < 100 {
        let delivery = next(&mut consumer).await;
        let number: u32 = text(&delivery).parse().expect("a number");
        ack(delivery).await;
        // One that RabbitMQ had taken in when the channel ended comes twice.
        if !seen.contains(&number) {
            seen.push(number);
        }
    }
    assert_eq!(seen, (0..100).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_rabbitmq_refuses_does_not_stop_the_others() {
    let mut server = Server::start().await;
    // RabbitMQ closes the channel on which a larger one comes.
    server.with(|server| server.eval("application:set_env(rabbit, max_message_size, 1000)")).await;
    let broker = open(&server.url()).await;
    let large = hand_over(&broker, Q, vec![b'x'; 2_000]).await;
    publish(&broker, Q, "small").await;
    let error = soon(large).await.expect_err("refused, not for ever tried again");
    assert!(error.is_temporary(), "{error}");
    let mut consumer = consume(&broker, Q, 0).await;
    assert_eq!(text(&next(&mut consumer).await), "small");
}
