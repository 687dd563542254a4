//! The other parties of a conversation: a plain AMQP client that does what Vumi's workers do, and knows nothing of the
//! host.

use std::sync::mpsc;

use lapin::message::DeliveryResult;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, BasicQosOptions,
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use vumi_tests::until;

use super::capture::{Declaration, Publish};

/// Vumi's prefetch.
const PREFETCH: u16 = 20;

/// One connection. Everything here waits until it is done.
pub(crate) struct Peer {
    runtime: Runtime,
    connection: Connection,
    channel: Channel,
}

impl Peer {
    pub(crate) fn connect(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let connected = runtime.block_on(Connection::connect(url, ConnectionProperties::default()));
        let connection = connected.expect("RabbitMQ can be reached");
        let channel = runtime.block_on(connection.create_channel()).expect("a channel");
        Self { runtime, connection, channel }
    }

    /// Declares what was declared, with the same arguments.
    ///
    /// # Panics
    /// When RabbitMQ refuses, above all with PRECONDITION_FAILED because it is there with other arguments.
    #[track_caller]
    pub(crate) fn declare(&self, declarations: &[Declaration]) {
        let channel = self.runtime.block_on(self.connection.create_channel()).expect("a channel");
        for Declaration { method, args } in declarations {
            let declared = self.runtime.block_on(declare(&channel, method, args));
            declared.unwrap_or_else(|error| panic!("{method} {args} was refused: {error}"));
        }
    }

    /// Publishes a message as it is, with its captured body, or another.
    pub(crate) fn publish(&self, message: &Publish, body: &str) {
        // All that Vumi ever sends.
        assert_eq!(message.properties, json!({"delivery_mode": 2}), "{}", message.step);
        let properties = BasicProperties::default().with_delivery_mode(2);
        let (exchange, key) = (message.exchange.as_str().into(), message.routing_key.as_str().into());
        let options = BasicPublishOptions::default();
        let sent = self.channel.basic_publish(exchange, key, options, body.as_bytes(), properties);
        self.runtime.block_on(sent).expect("a message can be published");
    }

    /// The next message of a queue, acknowledged; waits for it.
    #[track_caller]
    pub(crate) fn next(&self, queue: &str) -> Publish {
        until(&format!("a message comes on {queue}"), || self.take(queue))
    }

    /// The next message of a queue if there is one now, acknowledged.
    pub(crate) fn take(&self, queue: &str) -> Option<Publish> {
        let got = self.runtime.block_on(self.channel.basic_get(queue.into(), BasicGetOptions::default()));
        let delivery = got.unwrap_or_else(|error| panic!("{queue}: {error}"))?.delivery;
        self.runtime.block_on(delivery.ack(BasicAckOptions::default())).expect("a message can be acknowledged");
        Some(seen(queue, &delivery))
    }

    /// Messages that are ready, and consumers; `None` if there is no such queue. Declares nothing.
    pub(crate) fn look(&self, queue: &str) -> Option<(u32, u32)> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let found =
            self.ask(async |channel| channel.queue_declare(queue.into(), passive, FieldTable::default()).await)?;
        Some((found.message_count(), found.consumer_count()))
    }

    /// Whether there is such an exchange. Declares nothing.
    pub(crate) fn has_exchange(&self, name: &str) -> bool {
        let passive = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
        let (kind, none) = (ExchangeKind::Direct, FieldTable::default());
        self.ask(async |channel| channel.exchange_declare(name.into(), kind, passive, none).await).is_some()
    }

    /// Asks on a channel of its own, as a refusal ends the channel.
    fn ask<T>(&self, question: impl AsyncFnOnce(&Channel) -> lapin::Result<T>) -> Option<T> {
        self.runtime.block_on(async {
            let channel = self.connection.create_channel().await.expect("a channel");
            let answer = question(&channel).await.ok();
            if answer.is_some() {
                channel.close(200, "".into()).await.expect("a channel can be closed");
            }
            answer
        })
    }

    /// Consumes a queue as Vumi's consumers do: a channel of its own, prefetch 20, acknowledged by hand, no arguments.
    pub(crate) fn consume(&self, queue: &str) -> mpsc::Receiver<Publish> {
        let (sender, receiver) = mpsc::channel();
        self.runtime.block_on(async {
            let channel = self.connection.create_channel().await.expect("a channel");
            channel.basic_qos(PREFETCH, BasicQosOptions::default()).await.expect("a prefetch can be set");
            let (tag, options) = ("".into(), BasicConsumeOptions::default());
            let consuming = channel.basic_consume(queue.into(), tag, options, FieldTable::default()).await;
            let name = queue.to_owned();
            consuming.expect("the queue can be consumed").set_delegate(move |delivery: DeliveryResult| {
                let (sender, name) = (sender.clone(), name.clone());
                async move {
                    let Ok(Some(delivery)) = delivery else { return };
                    let _ = sender.send(seen(&name, &delivery));
                    let _ = delivery.ack(BasicAckOptions::default()).await;
                }
            });
        });
        receiver
    }
}

async fn declare(channel: &Channel, method: &str, args: &Value) -> lapin::Result<()> {
    let text = |key: &str| args[key].as_str().unwrap_or_default();
    let flag = |key: &str| args.get(key).and_then(Value::as_u64).unwrap_or(0) != 0;
    assert!(args.get("arguments").is_none_or(|all| *all == json!({})), "Vumi never declared with arguments: {args}");
    match method {
        "exchange.declare" => {
            let kind = ExchangeKind::Custom(text("type").to_owned());
            let options = ExchangeDeclareOptions {
                passive: flag("passive"),
                durable: flag("durable"),
                auto_delete: flag("auto_delete"),
                internal: flag("internal"),
                nowait: flag("nowait"),
            };
            channel.exchange_declare(text("exchange").into(), kind, options, FieldTable::default()).await
        }
        "queue.declare" => {
            let options = QueueDeclareOptions {
                passive: flag("passive"),
                durable: flag("durable"),
                exclusive: flag("exclusive"),
                auto_delete: flag("auto_delete"),
                nowait: flag("nowait"),
            };
            channel.queue_declare(text("queue").into(), options, FieldTable::default()).await.map(drop)
        }
        "queue.bind" => {
            let (queue, exchange, key) = (text("queue").into(), text("exchange").into(), text("routing_key").into());
            channel.queue_bind(queue, exchange, key, QueueBindOptions::default(), FieldTable::default()).await
        }
        other => panic!("{other} declares nothing"),
    }
}

fn seen(queue: &str, delivery: &lapin::message::Delivery) -> Publish {
    Publish {
        step: format!("the queue {queue}"),
        by: 0,
        exchange: delivery.exchange.to_string(),
        routing_key: delivery.routing_key.to_string(),
        properties: present(&delivery.properties),
        body: String::from_utf8_lossy(&delivery.data).into_owned(),
    }
}

/// The properties that a message has, by name.
fn present(properties: &BasicProperties) -> Value {
    let mut all = Map::new();
    let texts = [
        ("content_type", properties.content_type()),
        ("content_encoding", properties.content_encoding()),
        ("correlation_id", properties.correlation_id()),
        ("reply_to", properties.reply_to()),
        ("expiration", properties.expiration()),
        ("message_id", properties.message_id()),
        ("type", properties.kind()),
        ("user_id", properties.user_id()),
        ("app_id", properties.app_id()),
        ("cluster_id", properties.cluster_id()),
    ];
    all.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text.as_ref()?.as_str())))));
    let numbers = [
        ("delivery_mode", properties.delivery_mode().map(u64::from)),
        ("priority", properties.priority().map(u64::from)),
        ("timestamp", *properties.timestamp()),
    ];
    all.extend(numbers.into_iter().filter_map(|(name, number)| Some((name.to_owned(), json!(number?)))));
    all.extend(properties.headers().as_ref().map(|headers| ("headers".to_owned(), json!(format!("{headers:?}")))));
    Value::Object(all)
}
