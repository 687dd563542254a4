//! The outboxes of a trial: what the live version sends is overheard, what the shadow sends is heard and goes nowhere.

use async_trait::async_trait;
use std::sync::Arc;
use vumi_core::{Confirm, Outbox, Result};
use vumi_message::UserMessage;

use super::witness;

/// The live version's outbox, overheard.
pub(super) struct Listening(pub(super) Arc<dyn Outbox>);

#[async_trait]
impl Outbox for Listening {
    async fn send(&self, message: UserMessage) -> Result<Option<Confirm>> {
        witness::sends(&message);
        self.0.send(message).await
    }
}

/// Takes every message and sends none.
pub(super) struct NoOutbox;

#[async_trait]
impl Outbox for NoOutbox {
    async fn send(&self, message: UserMessage) -> Result<Option<Confirm>> {
        witness::sends(&message);
        Ok(None)
    }
}
