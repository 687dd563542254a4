//! What a handler may touch: the way to the broker, the open requests, sessions and keys, the network's HTTP server.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use vumi_core::{Clock, Keyspace, KvStore, Link, RedisManager, Result, Sent, Sessions};
use vumi_message::{EdgeDetector, Event, NewUserMessage, Status, Timestamp, UserMessage, new_id};

use super::client::Client;
use super::correlate::LONGEST;
use super::outcome::{accepted, missing};
use super::pending::{Closed, Pending};
use super::reply::{Refusal, Reply, shown};
use super::request::Request;

/// How long an id of the network is known, so that a message that the network sends again is not published again.
const SEEN: Duration = Duration::from_secs(24 * 3600);

/// How long one copy of a message may take to be published before another one may try.
const TAKING: Duration = Duration::from_secs(60);

/// Where a transport keeps its keys.
#[derive(Clone, Debug, Default)]
pub struct Keeps {
    /// `redis_manager`
    pub manager: RedisManager,
    /// What every key begins with, without the separator; may be empty.
    pub prefix: String,
    /// Seconds that a session lasts; `None` is forever.
    pub session_length: Option<u64>,
}

impl Keeps {
    /// Sessions below a prefix.
    pub fn sessions(manager: &RedisManager, prefix: String, seconds: u64) -> Self {
        Self { manager: manager.clone(), prefix, session_length: Some(seconds) }
    }

    /// Keys below a prefix.
    pub fn keys(manager: &RedisManager, prefix: impl Into<String>) -> Self {
        Self { manager: manager.clone(), prefix: prefix.into(), session_length: None }
    }

    /// Keys that Vumi kept without a prefix: only `key_prefix` stands before them. In the system's `kv`, which
    /// everything shares, the transport's name stands there where no `key_prefix` is given.
    pub fn bare(manager: &RedisManager, name: &str) -> Self {
        let shared = manager.key_prefix.as_deref().unwrap_or_default().is_empty() && !manager.names_a_server();
        Self::keys(manager, if shared { name } else { "" })
    }
}

/// What became of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The client's connection has it; with the id that Vumi gave it, `<client host>:<client port>:<new id>`.
    Written(String),
    /// The client has left, now or before (of those, the latest are remembered).
    Gone,
    /// No request with this id is open.
    NotPending,
}

/// How fast an answer was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// In time.
    Good,
    /// After `response_time_degraded`.
    Slow,
    /// After `response_time_down`.
    VerySlow,
    /// The request's time was over.
    TimedOut,
}

/// A request that was answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Done {
    /// Seconds from the request to its answer.
    pub seconds: f64,
    /// The answer's status code.
    pub status: u16,
    /// How fast it was.
    pub speed: Speed,
    /// The limit in seconds that it exceeded; 0 where it was in time.
    pub limit: f64,
}

/// Limits for [`Speed`], in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) slow: f64,
    pub(super) very_slow: f64,
    pub(super) timeout: f64,
}

pub(super) type FinishedHook = Box<dyn Fn(&Done) -> Option<Status> + Send + Sync>;

pub(super) struct Parts {
    pub(super) link: Arc<dyn Link>,
    pub(super) pending: Pending,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) keys: Keyspace,
    pub(super) sessions: Sessions,
    pub(super) client: Arc<Client>,
    pub(super) pace: Pace,
    pub(super) finished: FinishedHook,
    pub(super) edge: Mutex<EdgeDetector>,
}

/// See the module's text. Clones share everything.
#[derive(Clone)]
pub struct HttpLink(pub(super) Arc<Parts>);

impl HttpLink {
    /// The transport's name.
    pub fn name(&self) -> &str {
        self.0.link.name()
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Publishes the message that a request became. Its transport's name is filled in, and unless it has an id it
    /// gets that of the request. Once this returns, the broker has it safe.
    ///
    /// # Errors
    /// 503 when the host is busy.
    pub async fn publish(&self, request: &Request, message: NewUserMessage) -> Result<(), Refusal> {
        let message_id = message.message_id.or_else(|| Some(request.id.clone()));
        self.publish_for(request, UserMessage::new(NewUserMessage { message_id, ..message })).await
    }

    /// [`HttpLink::publish`] for a message that is made already.
    ///
    /// # Errors
    /// As [`HttpLink::publish`].
    pub async fn publish_for(&self, request: &Request, message: UserMessage) -> Result<(), Refusal> {
        self.0.pending.goes_to(&request.id, message.to_addr());
        self.publish_message(message).await
    }

    /// Publishes a message that no held request belongs to.
    ///
    /// # Errors
    /// 503 when the host is busy.
    pub async fn publish_message(&self, mut message: UserMessage) -> Result<(), Refusal> {
        let named = message.set("transport_name", self.name());
        named.map_err(|error| Refusal::bad(format!("The message is not valid: {error}")))?;
        Ok(self.0.link.inbound(message).await?)
    }

    /// [`HttpLink::publish`] for networks that give a message an id and send it again until it is accepted: false
    /// when this id was published before, within a day.
    ///
    /// # Errors
    /// 503 when the host is busy, kv is away, or the same message is being published at this moment; 400 when the id is
    /// too long to be one.
    pub async fn publish_once(&self, id: &str, request: &Request, message: NewUserMessage) -> Result<bool, Refusal> {
        let message_id = message.message_id.or_else(|| Some(request.id.clone()));
        let message = UserMessage::new(NewUserMessage { message_id, ..message });
        self.0.pending.goes_to(&request.id, message.to_addr());
        self.publish_message_once(id, message).await
    }

    /// [`HttpLink::publish_once`] for a message that no held request belongs to.
    ///
    /// # Errors
    /// As [`HttpLink::publish_once`].
    pub async fn publish_message_once(&self, id: &str, message: UserMessage) -> Result<bool, Refusal> {
        if id.len() > LONGEST {
            return Err(Refusal::bad(format!("The message's id has more than {LONGEST} bytes")));
        }
        let (kv, key) = (self.0.link.kv(), format!("seen:{}:{id}", self.name()));
        if !kv.set_if_absent(&key, "taking", Some(TAKING)).await? {
            if kv.get(&key).await?.as_deref() == Some("taken") {
                tracing::info!(
                    transport = self.name(),
                    id,
                    "the network sent a message again; it is not published again"
                );
                return Ok(false);
            }
            let reply = Reply::status(503).header("retry-after", "5");
            return Err(Refusal::new(reply, "another copy of the message is being published"));
        }
        if let Err(refusal) = self.publish_message(message).await {
            // Whoever sends it again is not to wait. If this fails too, they wait a minute.
            let _ = kv.delete(&key).await;
            return Err(refusal);
        }
        if let Err(error) = kv.set(&key, "taken", Some(SEEN)).await {
            tracing::warn!(transport = self.name(), "an id was not remembered: {}", error.report());
        }
        Ok(true)
    }

    /// Publishes an event, e.g. a delivery report.
    ///
    /// # Errors
    /// When the broker does not take it.
    pub async fn event(&self, event: Event) -> Result<()> {
        self.0.link.event(event).await
    }

    /// Publishes a state of the transport, if it is news (specification "common", C8).
    pub async fn status(&self, status: Status) {
        let news = self.0.edge.lock().is_news(&status);
        if news {
            self.0.link.status(status).await;
        }
    }

    /// The sessions of [`Keeps`].
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// The keys of [`Keeps`].
    pub fn keys(&self) -> &Keyspace {
        &self.0.keys
    }

    /// The system's key-value store.
    pub(super) fn kv(&self) -> &Arc<dyn KvStore> {
        self.0.link.kv()
    }

    /// Requests to the network's server.
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// Whether a request is open.
    pub fn is_pending(&self, request_id: &str) -> bool {
        self.0.pending.holds(request_id)
    }

    /// Keeps bytes with an open request, for its answer: what of the request the answer repeats.
    pub fn note(&self, request: &Request, note: Bytes) {
        self.0.pending.note(&request.id, note);
    }

    /// What was kept with a request, while it is open.
    pub fn noted(&self, request_id: &str) -> Option<Bytes> {
        self.0.pending.noted(request_id)
    }

    /// Answers an open request. Resolves when the connection has the answer.
    pub async fn finish(&self, request_id: &str, reply: Reply) -> Finish {
        match self.0.pending.close(request_id) {
            Some(closed) => self.hand(closed, reply, false).await,
            None if self.0.pending.left(request_id) => Finish::Gone,
            None => Finish::NotPending,
        }
    }

    /// Ends a request whose time is over.
    pub(super) async fn time_out(&self, request_id: &str, reply: Reply) {
        if let Some(closed) = self.0.pending.close(request_id) {
            let to_addr = shown(closed.to_addr.as_deref().unwrap_or("Unknown"));
            tracing::warn!(transport = self.name(), request_id, "Timing out {to_addr}");
            self.hand(closed, reply, true).await;
        }
    }

    async fn hand(&self, closed: Closed, reply: Reply, timed_out: bool) -> Finish {
        let done = self.0.pace.judge(closed.after, reply.status, timed_out);
        let remote = format!("{}:{}:{}", closed.peer.ip().to_canonical(), closed.peer.port(), new_id());
        let written = closed.hand(reply).await;
        if let Some(status) = (self.0.finished)(&done) {
            self.status(status).await;
        }
        if written { Finish::Written(remote) } else { Finish::Gone }
    }

    /// The base handler of the HTTP RPC family (specification "httprpc"): the content is the answer. Acknowledged
    /// also when the request is not open any more, as in Vumi.
    ///
    /// # Errors
    /// None.
    pub async fn answer(&self, message: &UserMessage) -> Result<Sent> {
        self.answer_with(message, |content| Reply::ok(content.to_owned())).await
    }

    /// [`HttpLink::answer`] with a reply that is made of the content.
    ///
    /// # Errors
    /// None.
    pub async fn answer_with(&self, message: &UserMessage, reply: impl FnOnce(&str) -> Reply) -> Result<Sent> {
        if let Some(missing) = missing(message, &["in_reply_to", "content"]) {
            return Ok(missing);
        }
        let reply = reply(message.content().unwrap_or_default());
        let finish = self.finish(message.in_reply_to().unwrap_or_default(), reply).await;
        if !matches!(finish, Finish::Written(_)) {
            let message_id = message.message_id();
            tracing::info!(transport = self.name(), message_id, "the user's request is not open any more: {finish:?}");
        }
        Ok(accepted(message))
    }
}

impl std::fmt::Debug for HttpLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("HttpLink").field(&self.name()).finish()
    }
}

impl Pace {
    fn judge(self, after: Duration, status: u16, timed_out: bool) -> Done {
        let seconds = after.as_secs_f64();
        let (speed, limit) = if timed_out {
            (Speed::TimedOut, self.timeout)
        } else if seconds > self.very_slow {
            (Speed::VerySlow, self.very_slow)
        } else if seconds > self.slow {
            (Speed::Slow, self.slow)
        } else {
            (Speed::Good, 0.0)
        };
        Done { seconds, status, speed, limit }
    }
}
