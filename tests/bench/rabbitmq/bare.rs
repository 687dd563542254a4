//! RabbitMQ without a host: one connection, one queue, a channel that publishes and one that consumes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tokio_stream::StreamExt;

const QUEUE: &str = "bare";

/// See the module's text.
pub struct Bare {
    _connection: Connection,
    publisher: Channel,
    consumed: Arc<AtomicU64>,
    callers: usize,
    body: Vec<u8>,
}

impl Bare {
    pub async fn open(url: &str, callers: usize) -> Self {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("RabbitMQ answers");
        let publisher = connection.create_channel().await.expect("a channel");
        publisher.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        publisher.queue_declare(QUEUE.into(), options, FieldTable::default()).await.expect("a queue");
        let channel = connection.create_channel().await.expect("a channel");
        channel.basic_qos(128, BasicQosOptions::default()).await.expect("a prefetch");
        let mut consumer = channel
            .basic_consume(QUEUE.into(), "bare".into(), BasicConsumeOptions::default(), FieldTable::default())
            .await
            .expect("a consumer");
        let consumed = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&consumed);
        tokio::spawn(async move {
            while let Some(Ok(delivery)) = consumer.next().await {
                delivery.ack(BasicAckOptions::default()).await.expect("an ack");
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        // As long as a user message of the host.
        Self { _connection: connection, publisher, consumed, callers, body: vec![b'x'; 450] }
    }

    /// Messages per second, until all are consumed.
    pub async fn phase(&self, phase: Duration) -> f64 {
        let (before, began) = (self.consumed.load(Ordering::Relaxed), Instant::now());
        let end = began + phase;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..self.callers {
            let (publisher, body) = (self.publisher.clone(), self.body.clone());
            tasks.spawn(async move {
                let mut count = 0_u64;
                while Instant::now() < end {
                    let properties = BasicProperties::default().with_delivery_mode(2);
                    let options = BasicPublishOptions::default();
                    let sent = publisher.basic_publish("".into(), QUEUE.into(), options, &body, properties).await;
                    sent.expect("published").await.expect("confirmed");
                    count += 1;
                }
                count
            });
        }
        let published: u64 = tasks.join_all().await.into_iter().sum();
        while self.consumed.load(Ordering::Relaxed) - before < published {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        published as f64 / began.elapsed().as_secs_f64()
    }
}
