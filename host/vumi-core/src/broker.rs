//! The broker carries messages between workers.
//!
//! A queue is a name and a bounded line of bodies. Publishing is two steps: [`Broker::publish`] hands a body
//! over (waiting while the queue is full, see [`Admission`]) and gives a [`Confirm`], which resolves once the
//! body is as safe as this broker makes it: at once in memory, after an fsync on disk, after the publisher
//! confirm with RabbitMQ. A consumer gets [`Delivery`]s and settles each exactly once. What is not settled when
//! a consumer goes away comes back to the queue.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::oneshot;

use crate::error::{Error, Result};

/// Who publishes, and so what happens at a full queue.
///
/// Backpressure belongs to the edge. If a reply waited for room behind a queue that only drains when replies
/// drain, the system would stand still; so a queue has two bounds. Messages from outside wait at the first, which
/// slows their source; messages that result from work already taken may use the room up to the second, and
/// workers take no new work while the queue they publish to is beyond the first ([`Broker::has_room`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// From a network: waits for room, for at most this time, then fails with a temporary error.
    Edge(Duration),
    /// A consequence of a message that is already inside: fails only at the hard bound.
    Inside,
}

/// A body for a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Queue name, equal to the routing key.
    pub queue: String,
    /// The payload, JSON in UTF-8.
    pub body: Bytes,
}

/// Resolves when a published body is safe.
#[derive(Debug)]
pub struct Confirm(ConfirmState);

#[derive(Debug)]
enum ConfirmState {
    Ready,
    Waiting(oneshot::Receiver<Result<()>>),
}

impl Confirm {
    /// A confirm that is already given.
    pub fn ready() -> Self {
        Self(ConfirmState::Ready)
    }

    /// A confirm that comes through a channel; a sender that is dropped counts as a temporary failure.
    pub fn waiting(receiver: oneshot::Receiver<Result<()>>) -> Self {
        Self(ConfirmState::Waiting(receiver))
    }
}

impl Future for Confirm {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            ConfirmState::Ready => Poll::Ready(Ok(())),
            ConfirmState::Waiting(receiver) => Pin::new(receiver).poll(cx).map(|sent| {
                sent.unwrap_or_else(|_| Err(Error::temporary("the broker stopped before it confirmed a message")))
            }),
        }
    }
}

/// What is known of one queue.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct QueueInfo {
    /// Queue name.
    pub name: String,
    /// Bodies waiting for a consumer, delayed ones included.
    pub ready: u64,
    /// Bodies handed to a consumer and not settled yet.
    pub unacked: u64,
    /// Dead letters of this queue.
    pub dead: u64,
    /// The first bound (see [`Admission`]), in messages.
    pub bound: u64,
    /// Consumers attached now.
    pub consumers: u64,
}

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DeadLetter {
    /// Number that names it within its queue.
    pub id: u64,
    /// The queue that it came from.
    pub queue: String,
    /// Why it was given up.
    pub reason: String,
    /// When, in microseconds since the epoch.
    pub at_micros: i64,
    /// How often it had been delivered.
    pub attempts: u32,
    /// The body as it was.
    #[serde(skip)]
    pub body: Bytes,
}

/// The broker.
#[async_trait]
pub trait Broker: Send + Sync + 'static {
    /// Makes the queue exist. Does nothing if it does.
    async fn declare(&self, queue: &str) -> Result<()>;

    /// Hands a body over. Order of calls on one queue is order in the queue.
    async fn publish(&self, queue: &str, body: Bytes, admission: Admission) -> Result<Confirm>;

    /// True while the queue is below its first bound; everything that a queue holds counts, also what is handed out.
    /// A broker that cannot tell says true.
    fn has_room(&self, queue: &str) -> bool;

    /// Resolves when [`Broker::has_room`] would say true, and when the broker is closed.
    async fn room(&self, queue: &str);

    /// Starts consuming; at most `prefetch` deliveries are unsettled at a time (0 = no bound).
    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Box<dyn Consumer>>;

    /// Publishes to a topic exchange that something outside binds to, as Graphite's Carbon does. Nobody may listen,
    /// and then the body is gone.
    ///
    /// # Errors
    /// Where there is no outside: a broker in this process.
    async fn announce(&self, exchange: &str, key: &str, body: Bytes) -> Result<Confirm> {
        let _ = (exchange, key, body);
        Err(Error::permanent("only an AMQP broker has exchanges that others bind to: set `broker` to amqp://…"))
    }

    /// True when other processes publish to and consume from the same queues.
    fn is_shared(&self) -> bool {
        false
    }

    /// True while the broker can be reached.
    fn is_connected(&self) -> bool {
        true
    }

    /// All queues, by name.
    async fn queues(&self) -> Result<Vec<QueueInfo>>;

    /// Dead letters of a queue, oldest first, at most `limit`.
    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>>;

    /// Puts a dead letter back at the end of its queue; its attempts start again. False when there is none of that number.
    async fn revive(&self, queue: &str, id: u64) -> Result<bool>;

    /// Drops a dead letter. False when there is none of that number.
    async fn bury(&self, queue: &str, id: u64) -> Result<bool>;

    /// Stops: what is confirmed is safe, what is not settled stays in its queue.
    async fn close(&self);
}

/// A running consumer. Dropping it returns what it had not handed on.
#[async_trait]
pub trait Consumer: Send {
    /// The next delivery; `None` when the broker is closed.
    async fn next(&mut self) -> Option<Delivery>;
}

/// How a delivery ended; implemented by each broker.
#[async_trait]
pub trait Settle: Send + Sync {
    /// Removes the delivery and publishes `outgoing`: both or nothing where the broker can do that (the
    /// embedded one), else the publishing first and confirmed. The confirm covers both; when it fails, nothing was
    /// done and the delivery is back in its queue. After [`Broker::close`] this is a temporary error.
    async fn done(&self, tag: u64, outgoing: Vec<Outgoing>) -> Result<Confirm>;
    /// Puts the delivery back, to be handed out again after `delay`.
    fn retry(&self, tag: u64, delay: Duration);
    /// Puts the delivery back as if it had never been handed out: it does not count as an attempt.
    fn release(&self, tag: u64);
    /// Moves the delivery to the dead letters of its queue, with a reason.
    async fn reject(&self, tag: u64, reason: &str) -> Result<Confirm>;
}

/// One message for a consumer. Dropped unsettled, it goes back to its queue.
pub struct Delivery {
    /// The payload.
    pub body: Bytes,
    /// How often it has been delivered, this time included: 1 at first.
    pub attempts: u32,
    /// The `traceparent` of the span in which it was published, if there was one (see [`crate::trace`]).
    pub trace: Option<String>,
    tag: u64,
    settle: Option<Arc<dyn Settle>>,
}

impl Delivery {
    /// Made by brokers.
    pub fn new(body: Bytes, attempts: u32, tag: u64, settle: Arc<dyn Settle>) -> Self {
        Self { body, attempts, trace: None, tag, settle: Some(settle) }
    }

    /// Adds the trace that it belongs to.
    #[must_use]
    pub fn traced(mut self, trace: Option<String>) -> Self {
        self.trace = trace;
        self
    }

    /// Settles as done.
    ///
    /// # Errors
    /// As [`Delivery::done`].
    pub async fn ack(&mut self) -> Result<Confirm> {
        self.done(Vec::new()).await
    }

    /// Settles as done and publishes what came of it (see [`Settle::done`]).
    ///
    /// # Errors
    /// When a body is not taken; the delivery is then still the caller's, to be retried or rejected.
    pub async fn done(&mut self, outgoing: Vec<Outgoing>) -> Result<Confirm> {
        let Some(settle) = &self.settle else { return Ok(Confirm::ready()) };
        let confirm = settle.done(self.tag, outgoing).await?;
        self.settle = None;
        Ok(confirm)
    }

    /// Gives it back, to be delivered again after `delay`.
    pub fn retry(mut self, delay: Duration) {
        if let Some(settle) = self.settle.take() {
            settle.retry(self.tag, delay);
        }
    }

    /// Gives it back because the worker stops: it does not count as an attempt.
    pub fn release(mut self) {
        if let Some(settle) = self.settle.take() {
            settle.release(self.tag);
        }
    }

    /// Gives it up: it goes to the dead letters with this reason.
    ///
    /// # Errors
    /// When it is not taken there; the delivery is then still the caller's.
    pub async fn reject(&mut self, reason: &str) -> Result<Confirm> {
        let Some(settle) = &self.settle else { return Ok(Confirm::ready()) };
        let confirm = settle.reject(self.tag, reason).await?;
        self.settle = None;
        Ok(confirm)
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(settle) = self.settle.take() {
            settle.retry(self.tag, Duration::ZERO);
        }
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").field("tag", &self.tag).field("attempts", &self.attempts).finish_non_exhaustive()
    }
}
