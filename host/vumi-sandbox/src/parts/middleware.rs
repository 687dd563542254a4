//! Middleware that are guests: the world `middleware`.

use std::sync::Arc;

use async_trait::async_trait;
use vumi_bindings::app::vumi::app::types;
use vumi_bindings::middleware::MiddlewarePre;
use vumi_bindings::middleware::exports::vumi::app::hooks::{self, EventFlow, MessageFlow};
use vumi_core::{Direction, Error, Flow, GuestConfig, Hook, Middleware, Result};
use vumi_message::Message;
use wasmtime::Store;

use super::{Part, PartSurroundings, change, path};
use crate::cache::ComponentCache;
use crate::convert;
use crate::engine::Sandbox;
use crate::run::{Entry, beginning};
use crate::state::Guest;

/// A middleware of the user's own. Failures and statuses pass it.
pub struct GuestMiddleware {
    part: Part,
    pre: MiddlewarePre<Guest>,
}

impl GuestMiddleware {
    /// Compiles the component, or takes it from the cache.
    ///
    /// # Errors
    /// When it cannot be loaded, has another world, or the configuration makes no sense.
    pub fn new(
        sandbox: &Arc<Sandbox>,
        cache: &ComponentCache,
        name: &str,
        config: &GuestConfig,
        around: PartSurroundings,
    ) -> Result<Self> {
        let pre = sandbox
            .load_world(cache, path(config), MiddlewarePre::new)
            .map_err(|error| Error::permanent(error.to_string()))?;
        Ok(Self { part: Part::new(sandbox, name, config, around)?, pre })
    }
}

struct OnMessage {
    pre: MiddlewarePre<Guest>,
    connector: String,
    direction: hooks::Direction,
    channel: types::Channel,
    message: types::Message,
}

impl Entry for OnMessage {
    type Answer = MessageFlow;

    async fn enter(self, store: &mut Store<Guest>) -> wasmtime::Result<Result<MessageFlow, String>> {
        let instance = self.pre.instantiate_async(&mut *store).await.map_err(beginning)?;
        let hooks = instance.vumi_app_hooks();
        hooks.call_on_message(store, &self.connector, self.direction, self.channel, &self.message).await
    }
}

struct OnEvent {
    pre: MiddlewarePre<Guest>,
    connector: String,
    direction: hooks::Direction,
    event: types::Event,
}

impl Entry for OnEvent {
    type Answer = EventFlow;

    async fn enter(self, store: &mut Store<Guest>) -> wasmtime::Result<Result<EventFlow, String>> {
        let instance = self.pre.instantiate_async(&mut *store).await.map_err(beginning)?;
        instance.vumi_app_hooks().call_on_event(store, &self.connector, self.direction, &self.event).await
    }
}

#[async_trait]
impl Middleware for GuestMiddleware {
    async fn handle(&self, hook: Hook, connector: &str, message: Message) -> Result<Flow> {
        let (pre, connector) = (self.pre.clone(), connector.to_owned());
        let direction = match hook.direction {
            Direction::Consume => hooks::Direction::Consume,
            Direction::Publish => hooks::Direction::Publish,
        };
        match &message {
            Message::User(original) => {
                let channel = convert::channel(hook.channel);
                let call = OnMessage { pre, connector, direction, channel, message: convert::message(original) };
                Ok(match self.part.call(&message, call).await? {
                    MessageFlow::Pass => Flow::Continue(message),
                    MessageFlow::Change(changed) => Flow::Continue(Message::User(change::message(original, changed)?)),
                    MessageFlow::Stop(reason) => Flow::Stop(reason),
                })
            }
            Message::Event(original) => {
                let call = OnEvent { pre, connector, direction, event: convert::event(original) };
                Ok(match self.part.call(&message, call).await? {
                    EventFlow::Pass => Flow::Continue(message),
                    EventFlow::Change(changed) => Flow::Continue(Message::Event(change::event(original, &changed)?)),
                    EventFlow::Stop(reason) => Flow::Stop(reason),
                })
            }
            Message::Status(_) | Message::Failure(_) => Ok(Flow::Continue(message)),
        }
    }
}
