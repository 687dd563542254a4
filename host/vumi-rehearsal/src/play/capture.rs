//! Where the app's messages, log lines and metrics go in a test: into lists.

use async_trait::async_trait;
use parking_lot::Mutex;
use vumi_core::{Confirm, LogLine, MessageQuery, MessageRecord, Outbox, Result, Run, Store};
use vumi_message::UserMessage;
use vumi_sandbox::{Datapoint, MetricSink};

/// Most log lines that are kept of one step; the limit `log_bytes` holds anyway.
const MOST_LINES: usize = 10_000;

/// What an app did in one step.
#[derive(Default)]
pub(super) struct Deeds {
    pub(super) sent: Vec<UserMessage>,
    pub(super) log: Vec<LogLine>,
    pub(super) metrics: Vec<Datapoint>,
}

/// See the module's text.
#[derive(Default)]
pub(super) struct Capture(Mutex<Deeds>);

impl Capture {
    /// What was done since this was asked last.
    pub(super) fn take(&self) -> Deeds {
        std::mem::take(&mut *self.0.lock())
    }
}

#[async_trait]
impl Outbox for Capture {
    async fn send(&self, message: UserMessage) -> Result<Option<Confirm>> {
        self.0.lock().sent.push(message);
        Ok(None)
    }
}

impl MetricSink for Capture {
    fn fire(&self, datapoint: Datapoint) {
        self.0.lock().metrics.push(datapoint);
    }
}

#[async_trait]
impl Store for Capture {
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

    fn put_log(&self, line: LogLine) {
        let log = &mut self.0.lock().log;
        if log.len() < MOST_LINES {
            log.push(line);
        }
    }

    async fn logs(&self, _: Option<&str>, _: usize) -> Result<Vec<LogLine>> {
        Ok(Vec::new())
    }

    async fn close(&self) {}
}
