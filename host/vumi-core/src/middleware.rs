//! Middleware changes or stops messages on their way into and out of a worker (specification: middleware).
//!
//! On consume a message passes the stack in configuration order, on publish in reversed order, each stably sorted
//! by its priority: with equal priorities the first configured is outermost.

use std::sync::Arc;

use async_trait::async_trait;
use vumi_message::{Event, Failure, Message, Status, UserMessage};

use crate::error::Result;
use crate::names;

/// Which way a message goes, seen from the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the broker to the worker's handler.
    Consume,
    /// From the worker to the broker.
    Publish,
}

/// Which kind of queue it goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Messages from users.
    Inbound,
    /// Messages to users.
    Outbound,
    /// Acks, nacks, delivery reports.
    Event,
    /// Messages that a transport could not handle.
    Failure,
    /// States of a transport.
    Status,
}

impl Channel {
    /// The queue of this kind at a connector.
    pub fn queue(self, connector: &str) -> String {
        match self {
            Self::Inbound => names::inbound(connector),
            Self::Outbound => names::outbound(connector),
            Self::Event => names::event(connector),
            Self::Failure => names::failures(connector),
            Self::Status => names::status(connector),
        }
    }

    /// Reads a body as the kind of message that this kind of queue carries.
    ///
    /// # Errors
    /// What is wrong with it, in one sentence: the reason with which it goes to the dead letters.
    pub fn parse(self, body: &[u8]) -> Result<Message, String> {
        let parsed = match self {
            Self::Inbound | Self::Outbound => UserMessage::from_json(body).map(Message::User),
            Self::Event => Event::from_json(body).map(Message::Event),
            Self::Failure => Failure::from_json(body).map(Message::Failure),
            Self::Status => Status::from_json(body).map(Message::Status),
        };
        parsed.map_err(|error| format!("invalid message: {error}"))
    }
}

/// Where a message stands when middleware sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Which way.
    pub direction: Direction,
    /// Which kind of queue.
    pub channel: Channel,
}

/// What middleware decided.
#[derive(Clone, Debug, PartialEq)]
pub enum Flow {
    /// Goes on, changed or not.
    Continue(Message),
    /// Goes no further; an outbound message stopped on its way to a transport becomes a nack with this reason.
    Stop(String),
}

/// One middleware.
#[async_trait]
pub trait Middleware: Send + Sync + 'static {
    /// Sees one message at one hook of one connector.
    async fn handle(&self, hook: Hook, connector: &str, message: Message) -> Result<Flow>;
}

/// A middleware in its place.
#[derive(Clone)]
pub struct Placed {
    /// The middleware.
    pub middleware: Arc<dyn Middleware>,
    /// Sorts the consume direction, ascending.
    pub consume_priority: i64,
    /// Sorts the publish direction, ascending.
    pub publish_priority: i64,
}

/// The middleware of one worker, in order.
#[derive(Clone, Default)]
pub struct Stack {
    consume: Vec<Arc<dyn Middleware>>,
    publish: Vec<Arc<dyn Middleware>>,
}

impl Stack {
    /// Orders middleware given in configuration order.
    pub fn new(configured: Vec<Placed>) -> Self {
        let mut consume = configured.clone();
        consume.sort_by_key(|placed| placed.consume_priority);
        let mut publish = configured;
        publish.reverse();
        publish.sort_by_key(|placed| placed.publish_priority);
        let strip = |list: Vec<Placed>| list.into_iter().map(|placed| placed.middleware).collect();
        Self { consume: strip(consume), publish: strip(publish) }
    }

    /// Sends a message through the stack.
    ///
    /// # Errors
    /// The first error of a middleware; the rest of the stack does not see the message.
    pub async fn pass(&self, hook: Hook, connector: &str, mut message: Message) -> Result<Flow> {
        let list = match hook.direction {
            Direction::Consume => &self.consume,
            Direction::Publish => &self.publish,
        };
        for middleware in list {
            match middleware.handle(hook, connector, message).await? {
                Flow::Continue(changed) => message = changed,
                stop @ Flow::Stop(_) => return Ok(stop),
            }
        }
        Ok(Flow::Continue(message))
    }

    /// True when there is no middleware.
    pub fn is_empty(&self) -> bool {
        self.consume.is_empty()
    }
}
