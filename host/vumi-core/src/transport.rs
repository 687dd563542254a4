//! A transport speaks to one network and turns it into messages and back.
//!
//! An implementation knows its network only: [`Transport::run`] receives, [`Transport::send`] sends. All that
//! transports share (queues, middleware, failures, the record of what was sent, restart after errors) stands
//! once, around the trait.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use vumi_message::{Event, FailureCode, Status, UserMessage};

use crate::error::Result;
use crate::kv::KvStore;

/// What became of an outbound message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The network took it: an `ack` with the network's id (the message's own id where the network gives none).
    Accepted(String),
    /// Handed over; the transport publishes the event itself once the network has answered.
    Pending,
    /// The network refused it: a `nack` with this reason.
    Refused {
        /// `nack_reason`
        reason: String,
        /// Some networks' nacks carry an id as well.
        sent_message_id: Option<String>,
    },
    /// It could not be sent, as with an error, but the transport knows the code better: a failure message. Some
    /// networks' rules want a `nack` beside it.
    Failed {
        /// `failure_code`
        code: FailureCode,
        /// `reason`
        reason: String,
        /// The nack that goes out as well.
        nack: Option<Nack>,
    },
}

/// What a `nack` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nack {
    /// `nack_reason`
    pub reason: String,
    /// Some networks' nacks carry an id as well.
    pub sent_message_id: Option<String>,
}

/// What a transport may touch.
#[async_trait]
pub trait Link: Send + Sync + 'static {
    /// The transport's name.
    fn name(&self) -> &str;

    /// Publishes a message from a user; resolves when the broker has it safe, so that the network may be told
    /// "accepted". While the queue is full this waits, which slows the network; after a while it fails with a
    /// temporary error.
    async fn inbound(&self, message: UserMessage) -> Result<()>;

    /// Publishes an event for a message that was [`Sent::Pending`].
    async fn event(&self, event: Event) -> Result<()>;

    /// Reports a state of the transport. Never fails the caller: a state that cannot be published is logged.
    async fn status(&self, status: Status);

    /// Says that the transport is ready and where it listens or is connected to.
    fn ready(&self, at: &str);

    /// Ends when the transport must stop.
    fn shutdown(&self) -> &CancellationToken;

    /// For sessions and ids.
    fn kv(&self) -> &Arc<dyn KvStore>;
}

/// One transport.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Serves until `link.shutdown()` ends, then stops accepting, says goodbye and returns. An error makes the
    /// supervisor start it again, with backoff.
    async fn run(self: Arc<Self>, link: Arc<dyn Link>) -> Result<()>;

    /// Carries one message to the network. An error becomes a failure message: code `temporary` when
    /// [`crate::Error::is_temporary`], else `permanent`.
    async fn send(&self, message: &UserMessage) -> Result<Sent>;
}
