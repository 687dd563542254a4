//! What an app that is measured by itself is given where a host would keep records: takers that keep nothing.

use async_trait::async_trait;
use vumi_core::{LogLine, MessageQuery, MessageRecord, Result, Run, Store};
use vumi_sandbox::{Datapoint, MetricSink};

/// Drops what apps measure.
pub struct NoMetrics;

impl MetricSink for NoMetrics {
    fn fire(&self, _: Datapoint) {}
}

/// Keeps nothing.
pub struct NoStore;

#[async_trait]
impl Store for NoStore {
    async fn put_message(&self, _: MessageRecord) -> Result<bool> {
        Ok(true)
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
