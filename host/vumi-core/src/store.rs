//! The store keeps facts for people: the messages that passed, the runs of apps, their log lines.
//!
//! It is append-only; the delivery of messages never depends on reading it, with one exception: the phone
//! simulator, whose phones *are* its records, so [`Store::put_message`] is idempotent on the message's id and
//! answers after the record is safe.

use async_trait::async_trait;
use serde::Serialize;
use vumi_message::Timestamp;

use crate::error::Result;
use crate::run::{LogLine, Run};

/// One message that passed a transport.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MessageRecord {
    /// Position in the store, rising; 0 before it is stored.
    pub seq: u64,
    /// When it passed.
    pub at: Timestamp,
    /// `inbound`, `outbound`, `event` or `status`, as seen from the transport.
    pub direction: String,
    /// The transport that it passed.
    pub transport_name: String,
    /// The user's address, where the message has one.
    pub user: Option<String>,
    /// The message's own id (`message_id` or `event_id`).
    pub id: String,
    /// The message as its JSON text.
    pub body: String,
}

/// Which messages to read: newest first.
#[derive(Clone, Debug, Default)]
pub struct MessageQuery {
    /// Only of this transport.
    pub transport_name: Option<String>,
    /// Only of this user.
    pub user: Option<String>,
    /// Only before this position.
    pub before: Option<u64>,
    /// At most so many; 0 means 100.
    pub limit: usize,
}

/// The store.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Stores a message, unless one with the same transport, direction and id is there: then false.
    async fn put_message(&self, record: MessageRecord) -> Result<bool>;

    /// Messages, newest first.
    async fn messages(&self, query: MessageQuery) -> Result<Vec<MessageRecord>>;

    /// Stores a run of an app. A full buffer drops the record and counts it; a run is never held up by it.
    fn put_run(&self, run: Run);

    /// Runs of an app (of all apps when `None`), newest first.
    async fn runs(&self, app: Option<&str>, limit: usize) -> Result<Vec<Run>>;

    /// Stores a log line of an app, as [`Store::put_run`] does.
    fn put_log(&self, line: LogLine);

    /// Log lines of an app (of all apps when `None`), newest first.
    async fn logs(&self, app: Option<&str>, limit: usize) -> Result<Vec<LogLine>>;

    /// Stops: everything taken is written.
    async fn close(&self);
}
