//! Middleware changes or stops messages on their way into and out of a worker (specification: middleware).
//!
//! On consume a message passes the stack in configuration order, on publish in reversed order, each stably sorted
//! by its priority: with equal priorities the first configured is outermost.

use std::sync::Arc;

use async_trait::async_trait;
use vumi_message::{Event, Failure, Message, Status, UserMessage};

use crate::error::{Error, Result};
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

    /// Whether this kind of queue carries such a message.
    pub fn carries(self, message: &Message) -> bool {
        match self {
            Self::Inbound | Self::Outbound => matches!(message, Message::User(_)),
            Self::Event => matches!(message, Message::Event(_)),
            Self::Failure => matches!(message, Message::Failure(_)),
            Self::Status => matches!(message, Message::Status(_)),
        }
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
    /// Goes no further. On consume it is done with, and an outbound message is answered with a nack that has this
    /// reason; on publish it is dropped silently, and whoever published it is told that all is well.
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

    /// Sends a message through the stack. There is no hook for statuses that are consumed: they pass.
    ///
    /// # Errors
    /// The first error of a middleware; the rest of the stack does not see the message. Permanent when a middleware
    /// makes a message of another kind.
    pub async fn pass(&self, hook: Hook, connector: &str, mut message: Message) -> Result<Flow> {
        if hook == (Hook { direction: Direction::Consume, channel: Channel::Status }) {
            return Ok(Flow::Continue(message));
        }
        let list = match hook.direction {
            Direction::Consume => &self.consume,
            Direction::Publish => &self.publish,
        };
        for middleware in list {
            match middleware.handle(hook, connector, message).await? {
                Flow::Continue(changed) if hook.channel.carries(&changed) => message = changed,
                Flow::Continue(other) => {
                    let (kind, queue) = (other.kind(), hook.channel.queue(connector));
                    return Err(Error::permanent(format!(
                        "a middleware turned a message of {queue} into the kind `{kind}`"
                    )));
                }
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use vumi_message::{NewUserMessage, Payload, StatusLevel};

    use super::*;

    /// Writes down when it is asked, then does as it is told.
    struct Notes(&'static str, Arc<Mutex<Vec<&'static str>>>, Told);

    #[async_trait]
    impl Middleware for Notes {
        async fn handle(&self, _: Hook, _: &str, message: Message) -> Result<Flow> {
            self.1.lock().unwrap().push(self.0);
            self.2(message)
        }
    }

    type Told = fn(Message) -> Result<Flow>;

    fn stack(list: &[(&'static str, i64, i64, Told)]) -> (Stack, Arc<Mutex<Vec<&'static str>>>) {
        let asked = Arc::default();
        let placed = list.iter().map(|&(name, consume_priority, publish_priority, told)| Placed {
            middleware: Arc::new(Notes(name, Arc::clone(&asked), told)),
            consume_priority,
            publish_priority,
        });
        (Stack::new(placed.collect()), asked)
    }

    fn all() -> [(Channel, Message); 5] {
        [
            (Channel::Inbound, UserMessage::new(NewUserMessage::default()).into()),
            (Channel::Outbound, UserMessage::new(NewUserMessage::default()).into()),
            (Channel::Event, Event::ack("m1", "s1").into()),
            (Channel::Failure, Failure::new(Payload::new(), vumi_message::FailureCode::Temporary, "r").into()),
            (Channel::Status, Status::new("c", StatusLevel::Ok, "t", "m").into()),
        ]
    }

    fn on(message: Message) -> Result<Flow> {
        Ok(Flow::Continue(message))
    }

    #[tokio::test]
    async fn with_equal_priorities_the_first_is_outermost() {
        let (stack, asked) = stack(&[("m1", 0, 0, on), ("m2", 0, 0, on), ("late", 1, 0, on), ("first", 0, -1, on)]);
        for (direction, expected) in
            [(Direction::Consume, ["m1", "m2", "first", "late"]), (Direction::Publish, ["first", "late", "m2", "m1"])]
        {
            for (channel, message) in all() {
                let passed = stack.pass(Hook { direction, channel }, "c", message.clone()).await.unwrap();
                assert_eq!(passed, Flow::Continue(message));
                let expected = if direction == Direction::Consume && channel == Channel::Status {
                    Vec::new()
                } else {
                    expected.to_vec()
                };
                assert_eq!(std::mem::take(&mut *asked.lock().unwrap()), expected, "{direction:?} {channel:?}");
            }
        }
    }

    #[tokio::test]
    async fn who_stops_or_fails_is_the_last_to_see_the_message() {
        let cases: [(Told, &str); 3] = [
            (|_| Ok(Flow::Stop("dup".into())), "dup"),
            (|_| Err(Error::temporary("broken")), "broken"),
            (|_| on(Event::ack("m1", "s1").into()), "a middleware turned a message of c.inbound into the kind `event`"),
        ];
        for (told, text) in cases {
            let (stack, asked) = stack(&[("m1", 0, 0, on), ("m2", 0, 0, told), ("m3", 0, 0, on)]);
            let hook = Hook { direction: Direction::Consume, channel: Channel::Inbound };
            let [(_, message), ..] = all();
            match stack.pass(hook, "c", message).await {
                Ok(Flow::Stop(reason)) => assert_eq!(reason, text),
                Ok(flow) => panic!("{flow:?}"),
                Err(error) => {
                    assert_eq!(error.to_string(), text);
                    assert_eq!(error.is_temporary(), text == "broken");
                }
            }
            assert_eq!(*asked.lock().unwrap(), ["m1", "m2"]);
        }
    }

    #[test]
    fn each_queue_carries_its_own_kind() {
        for (channel, message) in all() {
            assert!(channel.carries(&message));
            assert_eq!(channel.parse(message.to_json().as_bytes()).unwrap(), message);
            for (other, _) in all() {
                let users = [Channel::Inbound, Channel::Outbound];
                let same = other == channel || (users.contains(&other) && users.contains(&channel));
                assert_eq!(other.carries(&message), same, "{other:?} {channel:?}");
            }
        }
    }
}
