//! The way from an application to its outbound queue.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use vumi_message::{Message, UserMessage};

use crate::broker::{Admission, Broker, Confirm};
use crate::error::Result;
use crate::middleware::{Channel, Direction, Flow, Hook, Stack};
use crate::names;

/// Takes what an application sends.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// Hands one message on. `None` when middleware dropped it on purpose.
    async fn send(&self, message: UserMessage) -> Result<Option<Confirm>>;
}

/// An outbox that is a queue, behind the publish middleware.
pub struct QueueOutbox {
    broker: Arc<dyn Broker>,
    connector: String,
    queue: String,
    stack: Stack,
}

impl QueueOutbox {
    /// For a connector.
    pub fn new(broker: Arc<dyn Broker>, connector: &str, stack: Stack) -> Self {
        Self { broker, connector: connector.to_owned(), queue: names::outbound(connector), stack }
    }
}

#[async_trait]
impl Outbox for QueueOutbox {
    async fn send(&self, message: UserMessage) -> Result<Option<Confirm>> {
        let hook = Hook { direction: Direction::Publish, channel: Channel::Outbound };
        let body = if self.stack.is_empty() {
            message.to_json()
        } else {
            match self.stack.pass(hook, &self.connector, Message::User(message)).await? {
                Flow::Continue(message) => message.to_json(),
                Flow::Stop(reason) => {
                    tracing::debug!(connector = self.connector, "middleware dropped a message: {reason}");
                    return Ok(None);
                }
            }
        };
        self.broker.publish(&self.queue, Bytes::from(body), Admission::Inside).await.map(Some)
    }
}
