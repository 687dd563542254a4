//! What stands in for the world around a shadow: everything it says is heard and goes nowhere.

use async_trait::async_trait;
use std::sync::Arc;
use vumi_core::{Confirm, LogLine, MessageQuery, MessageRecord, Outbox, Result, Run, Store};
use vumi_message::UserMessage;

use super::witness;
use crate::resources::{Datapoint, MetricSink};

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

/// Takes every number and counts none.
pub(super) struct NoMetrics;

impl MetricSink for NoMetrics {
    fn fire(&self, _: Datapoint) {}
}

/// Takes every record and keeps none.
pub(super) struct NoStore;

#[async_trait]
impl Store for NoStore {
    async fn put_message(&self, _: MessageRecord) -> Result<bool> {
        Ok(false)
    }

    async fn messages(&self, _: MessageQuery) -> Result<Vec<MessageRecord>> {
        Ok(Vec::new())
    }

    fn put_run(&self, _: Run) {}

    async fn runs(&self, _: Option<&str>, _: usize) -> Result<Vec<Run>> {
        Ok(Vec::new())
    }

    fn put_log(&self, _: LogLine) {}

    async fn logs(&self, _: Option<&str>, _: usize) -> Result<Vec<LogLine>> {
        Ok(Vec::new())
    }

    async fn close(&self) {}
}
