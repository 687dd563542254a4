//! The surroundings of a run that nobody is to hear of: nothing. What a replay is given comes from its tape.

use std::time::Duration;

use async_trait::async_trait;
use vumi_core::{
    Confirm, Error, KeyQuota, KvEntry, KvStore, LogLine, MessageQuery, MessageRecord, Outbox, Quota, Result, Run, Store,
};
use vumi_message::UserMessage;

use crate::resources::{Datapoint, MetricSink};

/// See the module's text.
pub(crate) struct Nothing;

fn nothing<T>() -> Result<T> {
    Err(Error::permanent("a replay reaches nothing outside its recording"))
}

#[async_trait]
impl KvStore for Nothing {
    async fn get(&self, _: &str) -> Result<Option<String>> {
        nothing()
    }

    async fn set(&self, _: &str, _: &str, _: Option<Duration>) -> Result<()> {
        nothing()
    }

    async fn set_if_absent(&self, _: &str, _: &str, _: Option<Duration>) -> Result<bool> {
        nothing()
    }

    async fn delete(&self, _: &str) -> Result<bool> {
        nothing()
    }

    async fn incr(&self, _: &str, _: i64) -> Result<i64> {
        nothing()
    }

    async fn ttl(&self, _: &str) -> Result<Option<Duration>> {
        nothing()
    }

    async fn set_within(&self, _: &str, _: &str, _: Option<Duration>, _: KeyQuota<'_>) -> Result<Quota<()>> {
        nothing()
    }

    async fn incr_within(&self, _: &str, _: i64, _: KeyQuota<'_>) -> Result<Quota<i64>> {
        nothing()
    }

    async fn delete_within(&self, _: &str, _: &str) -> Result<bool> {
        nothing()
    }

    async fn list(&self, _: &str, _: usize) -> Result<Vec<KvEntry>> {
        nothing()
    }

    async fn close(&self) {}
}

#[async_trait]
impl Store for Nothing {
    async fn put_message(&self, _: MessageRecord) -> Result<bool> {
        nothing()
    }

    async fn messages(&self, _: MessageQuery) -> Result<Vec<MessageRecord>> {
        nothing()
    }

    fn put_run(&self, _: Run) {}

    async fn runs(&self, _: Option<&str>, _: usize) -> Result<Vec<Run>> {
        nothing()
    }

    fn put_log(&self, _: LogLine) {}

    async fn logs(&self, _: Option<&str>, _: usize) -> Result<Vec<LogLine>> {
        nothing()
    }

    async fn close(&self) {}
}

#[async_trait]
impl Outbox for Nothing {
    async fn send(&self, _: UserMessage) -> Result<Option<Confirm>> {
        nothing()
    }
}

impl MetricSink for Nothing {
    fn fire(&self, _: Datapoint) {}
}
