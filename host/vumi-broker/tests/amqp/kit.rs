//! What these tests share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lapin::options::{BasicGetOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties};
use vumi_broker::{AmqpBroker, AmqpOptions};
use vumi_core::{Admission, Broker, Confirm, Consumer, Delivery};
use vumi_test_servers::RabbitMq;

/// The largest time that anything takes that must happen: a RabbitMQ that is started takes some seconds.
const SOON: Duration = Duration::from_secs(90);

pub(crate) const Q: &str = "sms_1.inbound";

pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(SOON, future).await.expect("this does not take so long")
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < SOON, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Asserts that a future stays pending for a while.
pub(crate) async fn not_yet<F: Future + Unpin>(future: &mut F) {
    let awhile = tokio::time::timeout(Duration::from_millis(100), future).await;
    assert!(awhile.is_err(), "this must wait");
}

/// Does something that blocks.
pub(crate) async fn blocking<T: Send + 'static>(what: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(what).await.expect("ends well")
}

/// A vhost of one's own on the shared server.
pub(crate) async fn vhost() -> String {
    blocking(|| vumi_test_servers::shared_rabbitmq().vhost("amqp")).await
}

/// A server of one's own.
pub(crate) struct Server(Option<RabbitMq>);

impl Server {
    pub(crate) async fn start() -> Self {
        Self(Some(blocking(RabbitMq::start).await))
    }

    /// Does something with it that blocks.
    pub(crate) async fn with<T: Send + 'static>(
        &mut self,
        what: impl FnOnce(&mut RabbitMq) -> T + Send + 'static,
    ) -> T {
        let mut server = self.0.take().expect("is there");
        let (server, done) = blocking(move || {
            let done = what(&mut server);
            (server, done)
        })
        .await;
        self.0 = Some(server);
        done
    }

    pub(crate) fn url(&self) -> String {
        self.0.as_ref().expect("is there").url("%2f")
    }
}

pub(crate) async fn connected(broker: &AmqpBroker) {
    until("connected", async || broker.is_connected()).await;
}

pub(crate) async fn open(url: &str) -> Arc<AmqpBroker> {
    open_with(&AmqpOptions::new(url)).await
}

pub(crate) async fn open_with(options: &AmqpOptions) -> Arc<AmqpBroker> {
    let broker = AmqpBroker::open(options).expect("opens");
    connected(&broker).await;
    broker
}

/// Hands a body over, and leaves it at that.
pub(crate) async fn hand_over(broker: &AmqpBroker, queue: &str, body: impl Into<Bytes>) -> Confirm {
    // Whatever happens to the server meanwhile.
    let wait = Admission::Edge(SOON);
    soon(broker.publish(queue, body.into(), wait)).await.expect("handed over")
}

pub(crate) async fn publish(broker: &AmqpBroker, queue: &str, body: impl Into<Bytes>) {
    soon(hand_over(broker, queue, body).await).await.expect("confirmed");
}

pub(crate) async fn publish_numbers(broker: &AmqpBroker, queue: &str, numbers: std::ops::Range<u32>) {
    let mut confirms = Vec::new();
    for number in numbers {
        confirms.push(hand_over(broker, queue, number.to_string()).await);
    }
    for confirm in confirms {
        soon(confirm).await.expect("confirmed");
    }
}

pub(crate) async fn consume(broker: &AmqpBroker, queue: &str, prefetch: u16) -> Box<dyn Consumer> {
    soon(broker.consume(queue, prefetch)).await.expect("open")
}

pub(crate) async fn next(consumer: &mut Box<dyn Consumer>) -> Delivery {
    soon(consumer.next()).await.expect("open")
}

pub(crate) async fn take(consumer: &mut Box<dyn Consumer>, count: usize) -> Vec<Delivery> {
    let mut taken = Vec::new();
    for _ in 0..count {
        taken.push(next(consumer).await);
    }
    taken
}

pub(crate) async fn nothing(consumer: &mut Box<dyn Consumer>) {
    not_yet(&mut consumer.next()).await;
}

pub(crate) async fn ack(mut delivery: Delivery) {
    soon(delivery.ack()).await.expect("settles").await.expect("confirmed");
}

pub(crate) fn text(delivery: &Delivery) -> &str {
    std::str::from_utf8(&delivery.body).expect("text")
}

/// Bodies and attempts.
pub(crate) fn told(deliveries: &[Delivery]) -> Vec<(&str, u32)> {
    deliveries.iter().map(|delivery| (text(delivery), delivery.attempts)).collect()
}

/// Ready, unacked, dead, consumers.
pub(crate) async fn counts(broker: &AmqpBroker, queue: &str) -> (u64, u64, u64, u64) {
    let all = soon(broker.queues()).await.expect("lists");
    let info = all.into_iter().find(|info| info.name == queue).expect("exists");
    (info.ready, info.unacked, info.dead, info.consumers)
}

/// Another program on the same server, as Vumi's own workers would be.
pub(crate) struct Other {
    connection: Connection,
    pub(crate) channel: Channel,
}

impl Other {
    pub(crate) async fn on(url: &str) -> Self {
        let connection = soon(Connection::connect(url, ConnectionProperties::default())).await.expect("connects");
        let channel = connection.create_channel().await.expect("a channel");
        Self { connection, channel }
    }

    /// Another channel: a refusal ends the one that it came on.
    pub(crate) async fn renew(&mut self) {
        self.channel = self.connection.create_channel().await.expect("a channel");
    }

    /// Messages that are ready and consumers; none if there is no such queue.
    pub(crate) async fn look(&mut self, queue: &str) -> Option<(u32, u32)> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        match self.channel.queue_declare(queue.into(), passive, FieldTable::default()).await {
            Ok(queue) => Some((queue.message_count(), queue.consumer_count())),
            Err(_) => {
                self.renew().await;
                None
            }
        }
    }

    /// Takes a message off a queue.
    pub(crate) async fn get(&self, queue: &str) -> Option<lapin::message::Delivery> {
        let got = self.channel.basic_get(queue.into(), BasicGetOptions { no_ack: true }).await.expect("looks");
        got.map(|message| message.delivery)
    }
}
