//! The one seam between this crate and the system: what the admin server may ask for and order.
//!
//! The binary implements [`Control`] over its workers; tests implement it in memory. Every method answers from what
//! the implementation already holds or can ask for within seconds: the server gives up on a request after
//! 30 seconds, on an upload after five minutes, and then drops the method's future, which must be safe at every await.

use std::time::Duration;

use async_trait::async_trait;

use crate::access_store::AccessStore;
use crate::deployments::Deployments;
use crate::hub::EventHub;
use crate::model::{
    AppInfo, DeadLetter, DispatcherInfo, Health, KvListing, LogLine, MessageView, Page, PhoneInfo, PhoneSend,
    PhoneThread, QueueInfo, RunView, SystemInfo, TransportInfo, WorkerInfo,
};

/// Why an order or a question could not be answered. The texts go to the caller of the API as they are, so each is
/// one clear sentence without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// There is no such thing (HTTP 404). The text says what was looked for, e.g. `there is no app named "x"`.
    #[error("{0}")]
    NotFound(String),
    /// The order makes no sense (HTTP 400). The text says why and what would.
    #[error("{0}")]
    Invalid(String),
    /// The order does not fit how things are now, e.g. they have changed since the caller looked (HTTP 409). The text
    /// says how things are.
    #[error("{0}")]
    Conflict(String),
    /// A queue is full; nothing was accepted (HTTP 503 with `Retry-After`).
    #[error("the queue is full, nothing was accepted; try again in {} s", retry_after.as_secs().max(1))]
    Full {
        /// When a new attempt makes sense; the server rounds it up to whole seconds, at least one.
        retry_after: Duration,
    },
    /// Something that is needed is away, e.g. the broker (HTTP 503). The text says what.
    #[error("{0}")]
    Unavailable(String),
}

/// Which part of a list that goes on is wanted, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageQuery {
    /// At most so many entries, 1 to 1000.
    pub limit: usize,
    /// Only entries whose `seq` is smaller.
    pub before: Option<u64>,
}

/// Which messages are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageQuery {
    /// Only messages of this transport.
    pub transport_name: Option<String>,
    /// Only messages from and to this user's address.
    pub user: Option<String>,
    /// How many, and older than what.
    pub page: PageQuery,
}

/// Everything that the admin server knows about the system and may do to it.
#[async_trait]
pub trait Control: Send + Sync + 'static {
    /// The deployed apps.
    fn deployments(&self) -> &dyn Deployments;

    /// Tokens and the audit log.
    fn access(&self) -> &dyn AccessStore;

    /// Whether the host may be sent traffic. Called by probes every few seconds: answers from memory.
    fn health(&self) -> Health;

    /// The stream of everything that happens.
    fn events(&self) -> &EventHub;

    /// All metrics in Prometheus' text format, version 0.0.4.
    async fn metrics_text(&self) -> String;

    /// Facts about the running host.
    async fn system(&self) -> Result<SystemInfo, ControlError>;

    /// All apps, sorted by name.
    async fn apps(&self) -> Result<Vec<AppInfo>, ControlError>;

    /// One app.
    async fn app(&self, name: &str) -> Result<AppInfo, ControlError>;

    /// The newest runs of an app.
    async fn runs(&self, app: &str, page: PageQuery) -> Result<Page<RunView>, ControlError>;

    /// The newest log lines of an app.
    async fn logs(&self, app: &str, page: PageQuery) -> Result<Page<LogLine>, ControlError>;

    /// The first `limit` (1 to 1000) keys of an app that begin with `prefix`, sorted.
    async fn kv(&self, app: &str, prefix: &str, limit: usize) -> Result<KvListing, ControlError>;

    /// All transports, sorted by name.
    async fn transports(&self) -> Result<Vec<TransportInfo>, ControlError>;

    /// All dispatchers, sorted by name.
    async fn dispatchers(&self) -> Result<Vec<DispatcherInfo>, ControlError>;

    /// All workers that stand beside the conversation.
    async fn workers(&self) -> Result<Vec<WorkerInfo>, ControlError>;

    /// All queues, sorted by name.
    async fn queues(&self) -> Result<Vec<QueueInfo>, ControlError>;

    /// The oldest `limit` (1 to 1000) dead letters of a queue.
    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, ControlError>;

    /// Sends a dead letter again: it goes back to its queue and, once the broker has confirmed that, leaves the dead
    /// letters.
    async fn requeue_dead_letter(&self, queue: &str, id: &str) -> Result<(), ControlError>;

    /// Drops a dead letter for good.
    async fn drop_dead_letter(&self, queue: &str, id: &str) -> Result<(), ControlError>;

    /// The newest messages.
    async fn messages(&self, query: MessageQuery) -> Result<Page<MessageView>, ControlError>;

    /// The simulated phones that have a thread, the most recently used first.
    async fn phones(&self) -> Result<Vec<PhoneInfo>, ControlError>;

    /// A simulated phone's thread. A phone that never sent or got anything has an empty one.
    async fn phone(&self, addr: &str) -> Result<PhoneThread, ControlError>;

    /// Sends a message from a simulated phone and answers with its id once the broker has confirmed it. The server
    /// has checked that `send` is complete: an action with USSD and none with SMS, content where it is needed.
    async fn send_from_phone(&self, addr: &str, send: PhoneSend) -> Result<String, ControlError>;
}
