//! What the tests of the contract share.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use vumi_broker::{AmqpBroker, AmqpOptions, BrokerOptions, Durability, EmbeddedBroker};
use vumi_core::{Admission, Broker, Consumer, Delivery, QueueInfo};

/// A broker under test.
pub(crate) struct Bench {
    pub(crate) broker: Arc<dyn Broker>,
    /// Kept until the end.
    _directory: Option<TempDir>,
}

pub(crate) async fn memory(options: BrokerOptions) -> Bench {
    Bench { broker: EmbeddedBroker::in_memory(options), _directory: None }
}

pub(crate) async fn durable(options: BrokerOptions) -> Bench {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("broker.sqlite");
    let broker = EmbeddedBroker::open(&path, Durability::Process, options).expect("opens");
    Bench { broker, _directory: Some(directory) }
}

/// On a vhost of its own. Most bounds are the embedded broker's; RabbitMQ has others.
pub(crate) async fn rabbitmq(options: BrokerOptions) -> Bench {
    let url = tokio::task::spawn_blocking(|| vumi_test_servers::shared_rabbitmq().vhost("contract"));
    let url = url.await.expect("a vhost");
    let broker = AmqpBroker::open(&AmqpOptions { max_body: options.max_body, ..AmqpOptions::new(url) }).expect("opens");
    soon(async {
        while !broker.is_connected() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
    Bench { broker, _directory: None }
}

/// The largest time that anything takes that must happen.
const SOON: Duration = Duration::from_secs(20);

/// How long something is watched that must not happen.
const AWHILE: Duration = Duration::from_millis(40);

pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(SOON, future).await.expect("this does not take so long")
}

/// Asserts that a future stays pending.
pub(crate) async fn not_yet<F: Future + Unpin>(future: &mut F) {
    assert!(tokio::time::timeout(AWHILE, future).await.is_err(), "this must wait");
}

/// The queue of most tests. Its name says that its messages are kept until a consumer comes, as those of all queues of
/// the embedded broker are.
pub(crate) const Q: &str = "q.inbound";

/// Publishes to the queue [`Q`] from inside and waits for the confirm.
pub(crate) async fn publish(broker: &dyn Broker, body: impl Into<Bytes>) {
    publish_to(broker, Q, body).await;
}

pub(crate) async fn publish_to(broker: &dyn Broker, queue: &str, body: impl Into<Bytes>) {
    let confirm = soon(broker.publish(queue, body.into(), Admission::Inside)).await.expect("has room");
    soon(confirm).await.expect("confirmed");
}

/// Publishes the numbers to the queue [`Q`].
pub(crate) async fn publish_numbers(broker: &dyn Broker, numbers: std::ops::Range<u32>) {
    let mut confirms = Vec::new();
    for number in numbers {
        let body = Bytes::from(number.to_string());
        confirms.push(soon(broker.publish(Q, body, Admission::Inside)).await.expect("has room"));
    }
    for confirm in confirms {
        soon(confirm).await.expect("confirmed");
    }
}

pub(crate) async fn consume(broker: &dyn Broker, prefetch: u16) -> Box<dyn Consumer> {
    broker.consume(Q, prefetch).await.expect("open")
}

pub(crate) async fn next(consumer: &mut Box<dyn Consumer>) -> Delivery {
    soon(consumer.next()).await.expect("open")
}

/// A consumer that waits in a task of its own, so that it looks for a message only when it is woken.
pub(crate) async fn waiting(mut consumer: Box<dyn Consumer>) -> JoinHandle<(Box<dyn Consumer>, Option<Delivery>)> {
    let mut asking = Box::pin(async move {
        let delivery = consumer.next().await;
        (consumer, delivery)
    });
    // Joins the line here and now, so that the order of calls is the order in the line.
    let first = std::future::poll_fn(|context| Poll::Ready(asking.as_mut().poll(context))).await;
    assert!(first.is_pending(), "there is nothing yet");
    let mut task = tokio::spawn(asking);
    not_yet(&mut task).await;
    task
}

/// What such a consumer got at last.
pub(crate) async fn woken(task: JoinHandle<(Box<dyn Consumer>, Option<Delivery>)>) -> (Box<dyn Consumer>, Delivery) {
    let (consumer, delivery) = soon(task).await.expect("ends well");
    (consumer, delivery.expect("open"))
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

pub(crate) async fn info(broker: &dyn Broker, queue: &str) -> QueueInfo {
    let all = broker.queues().await.expect("lists");
    all.into_iter().find(|info| info.name == queue).expect("exists")
}

/// Ready, unacked, dead.
pub(crate) async fn counts(broker: &dyn Broker, queue: &str) -> (u64, u64, u64) {
    let info = info(broker, queue).await;
    (info.ready, info.unacked, info.dead)
}
