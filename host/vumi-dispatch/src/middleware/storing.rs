//! Keeps messages and events in the host's store, as they look where this middleware stands (specification:
//! middleware, section 5, Storing).
//!
//! ```yaml
//! middleware: [tags: tagging, archive: storing]
//! archive: {store_on_consume: false}
//! ```
//!
//! Transports keep records of their own of what passes them, under their names. The records made here stand under
//! `store_prefix` instead: neither is ever taken for the other, although they are about the same messages.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use vumi_core::component::Component;
use vumi_core::{Channel, Clock, Context, Direction, Flow, Hook, MessageRecord, Middleware, Result, Store};
use vumi_message::{CACHE_FIELD, Message, Payload, Timestamp, json};

use crate::registry::MiddlewareComponent;

/// Keeps messages and events in the store. A message whose record cannot be written goes no further.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StoringConfig {
    /// The name under which the records stand in the store, in place of a transport's name.
    pub store_prefix: String,
    /// Accepted from Vumi's configurations, without effect: records are kept in the host's store.
    pub redis_manager: Foreign,
    /// Accepted from Vumi's configurations, without effect: records are kept in the host's store.
    pub riak_manager: Foreign,
    /// Whether what the worker consumes is kept too, and not only what it publishes.
    pub store_on_consume: bool,
}

/// Settings of a server that is not used. Only whether they were given is remembered: they may hold a password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(with = "std::collections::BTreeMap<String, Value>")]
pub struct Foreign {
    given: bool,
}

impl<'de> Deserialize<'de> for Foreign {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let settings = Option::<std::collections::BTreeMap<String, IgnoredAny>>::deserialize(deserializer)?;
        Ok(Self { given: settings.is_some_and(|settings| !settings.is_empty()) })
    }
}

impl Serialize for Foreign {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        Payload::new().serialize(serializer)
    }
}

impl Default for StoringConfig {
    fn default() -> Self {
        Self {
            store_prefix: "message_store".to_owned(),
            redis_manager: Foreign::default(),
            riak_manager: Foreign::default(),
            store_on_consume: true,
        }
    }
}

impl Component for StoringConfig {
    const CLASS: &'static str = "storing";
    const ALIASES: &'static [&'static str] =
        &["vumi.middleware.StoringMiddleware", "vumi.middleware.message_storing.StoringMiddleware"];
}

impl MiddlewareComponent for StoringConfig {
    fn build(self, context: &Context) -> Result<Arc<dyn Middleware>> {
        if self.redis_manager.given || self.riak_manager.given {
            tracing::warn!(
                worker = context.name,
                "`riak_manager` and `redis_manager` of the storing middleware have no effect: messages are kept in \
                 the host's own store"
            );
        }
        Ok(Arc::new(Storing {
            store: Arc::clone(&context.store),
            clock: Arc::clone(&context.clock),
            prefix: self.store_prefix,
            on_consume: self.store_on_consume,
        }))
    }
}

struct Storing {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    prefix: String,
    on_consume: bool,
}

impl Storing {
    /// The record of a message; `None` for the kinds that are not kept.
    fn record(&self, channel: Channel, message: &Message) -> Option<MessageRecord> {
        let (direction, user) = match (channel, message) {
            (Channel::Inbound, Message::User(message)) => ("inbound", message.from_addr()),
            (Channel::Outbound, Message::User(message)) => ("outbound", message.to_addr()),
            (Channel::Event, Message::Event(_)) => ("event", None),
            _ => return None,
        };
        let mut payload = message.payload().clone();
        payload.shift_remove(CACHE_FIELD);
        if direction == "event" {
            date_as_text(&mut payload);
        }
        Some(MessageRecord {
            seq: 0,
            at: self.clock.now(),
            direction: direction.to_owned(),
            transport_name: self.prefix.clone(),
            user: user.map(str::to_owned),
            id: message.message_id()?.to_owned(),
            body: json::object_to_text(&payload),
        })
    }
}

#[async_trait]
impl Middleware for Storing {
    async fn handle(&self, hook: Hook, _: &str, message: Message) -> Result<Flow> {
        if (self.on_consume || hook.direction == Direction::Publish)
            && let Some(record) = self.record(hook.channel, &message)
        {
            // A message that comes again, or passes a second time, is there already.
            self.store.put_message(record).await?;
        }
        Ok(Flow::Continue(message))
    }
}

/// Some transports note the date of an event as seconds since the epoch; in the store it is text.
fn date_as_text(payload: &mut Payload) {
    let Some(Value::Object(metadata)) = payload.get_mut("transport_metadata") else { return };
    let Some(date) = metadata.get_mut("date") else { return };
    if let Some(seconds) = date.as_f64() {
        // Beyond what a date can hold, the nearest is taken.
        let at = Timestamp::from_micros((seconds * 1e6).round() as i64);
        *date = Value::from(match at.micros().rem_euclid(1_000_000) {
            0 => at.iso_seconds(),
            micros => format!("{}.{micros:06}", at.iso_seconds()),
        });
    }
}

#[cfg(test)]
mod tests;
