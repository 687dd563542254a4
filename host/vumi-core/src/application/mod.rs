//! Applications answer messages: guests in the sandbox, and those that are part of the host.
//!
//! An [`Application`] handles one message or event at a time. Everything around it (queues, order within a
//! conversation, middleware, acknowledgement, trying again) stands once, in [`AppWorker`].

mod outbox;
mod worker;

use std::sync::Arc;

use async_trait::async_trait;
use vumi_message::{Event, UserMessage};

use crate::broker::Confirm;

pub use outbox::{Outbox, QueueOutbox};
pub use worker::AppWorker;

/// What an application is given.
#[derive(Clone, Debug)]
pub enum Input {
    /// A message from a user.
    Message(Arc<UserMessage>),
    /// Something that happened to a message that the application sent.
    Event(Arc<Event>),
}

/// What is left to do after one input.
#[derive(Debug, Default)]
pub struct Handled {
    /// To be awaited before the input is acknowledged.
    pub confirms: Vec<Confirm>,
    /// The host could not do its part: the input is to be tried again, for this reason.
    pub again: Option<String>,
}

/// One application.
#[async_trait]
pub trait Application: Send + Sync + 'static {
    /// Its name.
    fn name(&self) -> &str;

    /// Whether it looks at events at all. Those of an application that does not are acknowledged as they come.
    fn takes_events(&self) -> bool {
        true
    }

    /// Handles one input. Never fails: an application's own mistake is logged, counted and recorded by itself, and
    /// the input is done with.
    async fn handle(&self, input: &Input) -> Handled;

    /// Works beside the handling of messages, where an application has something to do then (a server of its own),
    /// until `shutdown` ends. Called once its queues are consumed.
    ///
    /// # Errors
    /// What makes the supervisor start the application again.
    async fn serve(self: Arc<Self>, shutdown: tokio_util::sync::CancellationToken) -> crate::error::Result<()> {
        shutdown.cancelled().await;
        Ok(())
    }
}
