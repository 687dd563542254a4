//! What a transport published, queue by queue.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use vumi_core::{Admission, Broker, Consumer};

use super::rig::soon;

/// One queue and what came out of it.
pub(super) struct Mailbox {
    queue: String,
    broker: Arc<dyn Broker>,
    consumer: Box<dyn Consumer>,
    waiting: VecDeque<Value>,
}

impl Mailbox {
    pub(super) async fn open(broker: &Arc<dyn Broker>, queue: String) -> Self {
        let consumer = broker.consume(&queue, 0).await.unwrap();
        Self { queue, broker: Arc::clone(broker), consumer, waiting: VecDeque::new() }
    }

    /// The next message, when it comes.
    pub(super) async fn next(&mut self) -> Result<Value, String> {
        match self.waiting.pop_front() {
            Some(message) => Ok(message),
            None => soon(&format!("a message on {}", self.queue), self.take()).await,
        }
    }

    /// Everything that is in the queue now: what comes out of it before a marker that goes in now.
    pub(super) async fn rest(&mut self) -> Result<&VecDeque<Value>, String> {
        let marker = json!({"marker": vumi_message::new_id()});
        let body = Bytes::from(marker.to_string());
        self.broker.publish(&self.queue, body, Admission::Inside).await.unwrap().await.unwrap();
        loop {
            let message = soon("a marker", self.take()).await?;
            if message == marker {
                return Ok(&self.waiting);
            }
            self.waiting.push_back(message);
        }
    }

    async fn take(&mut self) -> Value {
        let mut delivery = self.consumer.next().await.unwrap();
        // As the host reads it: messages may be nested deeper than other readers take.
        let body = vumi_message::json::parse(&delivery.body).unwrap();
        delivery.ack().await.unwrap().await.unwrap();
        body
    }
}
