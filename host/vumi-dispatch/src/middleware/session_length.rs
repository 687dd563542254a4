//! Notes in each message when its session began and ended (specification: middleware, section 5, Session length).
//!
//! ```yaml
//! middleware: [lengths: session_length]
//! lengths: {redis_manager: {key_prefix: sessions}, timeout: 600}
//! ```
//!
//! The start of a session is kept under `<namespace>:<address>:session_created`, as Vumi kept it, until the session
//! closes or the time is over.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use vumi_core::component::Component;
use vumi_core::{Clock, Context, Error, Flow, Hook, KvStore, Middleware, RedisManager, Result};
use vumi_message::{Message, Payload, SessionEvent, UserMessage};

use super::parts::{Way, tag};
use crate::registry::MiddlewareComponent;

const START: &str = "session_start";
const END: &str = "session_end";

/// What keeps the sessions of one user with different services apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NamespaceType {
    /// The message's `transport_name`.
    #[default]
    TransportName,
    /// The message's tag. The tagging middleware must come first.
    Tag,
}

/// Notes the start of a session, and at its close the end, in the `helper_metadata` of its messages, in seconds since
/// the epoch: `session_start` and `session_end`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SessionLengthConfig {
    /// Where the starts of open sessions are kept; the system's own store unless given.
    pub redis_manager: RedisManager,
    /// How long the start of a session is kept, in seconds.
    #[schemars(range(min = 1))]
    pub timeout: u32,
    /// What keeps the sessions of one user with different services apart.
    pub namespace_type: NamespaceType,
    /// The key in `helper_metadata` under which both times stand.
    pub field_name: String,
}

impl Default for SessionLengthConfig {
    fn default() -> Self {
        Self {
            redis_manager: RedisManager::default(),
            timeout: 600,
            namespace_type: NamespaceType::default(),
            field_name: "session".to_owned(),
        }
    }
}

impl Component for SessionLengthConfig {
    const CLASS: &'static str = "session_length";
    const ALIASES: &'static [&'static str] =
        &["vumi.middleware.SessionLengthMiddleware", "vumi.middleware.session_length.SessionLengthMiddleware"];
}

impl MiddlewareComponent for SessionLengthConfig {
    fn check(&self, (): ()) -> Result<()> {
        if self.timeout == 0 {
            return Err(Error::permanent("timeout must be at least 1 second"));
        }
        Ok(())
    }

    fn build(self, context: &Context) -> Result<Arc<dyn Middleware>> {
        self.check(())?;
        Ok(Arc::new(SessionLength {
            kv: context.keyspaces.open(&self.redis_manager)?.kv,
            clock: Arc::clone(&context.clock),
            timeout: Duration::from_secs(u64::from(self.timeout)),
            namespace_type: self.namespace_type,
            field_name: self.field_name,
        }))
    }
}

struct SessionLength {
    kv: Arc<dyn KvStore>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    namespace_type: NamespaceType,
    field_name: String,
}

impl SessionLength {
    /// The key of a message's session, or why it has none.
    fn key(&self, way: Way, message: &UserMessage) -> Result<String, &'static str> {
        let namespace = match self.namespace_type {
            NamespaceType::TransportName => message.transport_name().map(str::to_owned),
            NamespaceType::Tag => tag(message).map(|(pool, name)| format!("{pool}:{name}")),
        };
        let namespace = namespace.ok_or("Session length redis namespace cannot be None, skipping message")?;
        let address = way.user(message).ok_or("Session length key address cannot be None, skipping message")?;
        Ok(format!("{namespace}:{address}:session_created"))
    }

    /// Adds to the times that a message carries what is known.
    async fn note(&self, key: &str, event: Option<SessionEvent>, times: &mut Payload) -> Result<()> {
        let now = Value::from(self.clock.now().micros() as f64 / 1e6);
        if event == Some(SessionEvent::Close) && !times.contains_key(END) {
            times.insert(END.to_owned(), now.clone());
        }
        if times.contains_key(START) {
            return Ok(());
        }
        if event == Some(SessionEvent::New) {
            self.kv.set(key, &now.to_string(), Some(self.timeout)).await?;
            times.insert(START.to_owned(), now);
        } else if let Some(start) = self.started(key).await? {
            times.insert(START.to_owned(), start.into());
            if event == Some(SessionEvent::Close) {
                self.kv.delete(key).await?;
            }
        }
        Ok(())
    }

    async fn started(&self, key: &str) -> Result<Option<Number>> {
        let Some(text) = self.kv.get(key).await? else { return Ok(None) };
        let start = text.trim().parse().ok().and_then(Number::from_f64);
        if start.is_none() {
            tracing::warn!(key, "the start of this session is no number and does not count");
        }
        Ok(start)
    }
}

#[async_trait]
impl Middleware for SessionLength {
    async fn handle(&self, hook: Hook, connector: &str, message: Message) -> Result<Flow> {
        let (way, mut message) = match (Way::at(hook), message) {
            (Some(way), Message::User(message)) => (way, message),
            (_, other) => return Ok(Flow::Continue(other)),
        };
        let key = match self.key(way, &message) {
            Ok(key) => key,
            Err(text) => {
                tracing::error!(connector, message_id = message.message_id(), "{text}");
                return Ok(Flow::Continue(message.into()));
            }
        };
        let noted = message.helper_metadata().get(&self.field_name).and_then(Value::as_object);
        let mut times = noted.cloned().unwrap_or_default();
        let before = times.len();
        self.note(&key, message.session_event(), &mut times).await?;
        if times.len() > before {
            message.put_helper_metadata(&self.field_name, Value::Object(times));
        }
        Ok(Flow::Continue(message.into()))
    }
}

#[cfg(test)]
mod tests;
