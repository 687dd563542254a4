//! Middleware that are guests: the world `middleware`.

use std::sync::Arc;

use async_trait::async_trait;
use vumi_bindings::middleware::MiddlewarePre;
use vumi_bindings::middleware::exports::vumi::app::hooks::{self, EventFlow, MessageFlow};
use vumi_core::{Channel, Direction, Flow, GuestConfig, Hook, Middleware, Result};
use vumi_message::{Event, Message, UserMessage};
use wasmtime::Store;

use super::{Part, PartSurroundings, change, reason};
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
    /// Compiles the component, or takes it from the cache. Compiling takes the calling thread, for up to seconds.
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
        let (part, pre) = Part::load(sandbox, cache, name, config, around)?;
        Ok(Self { part, pre })
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
        match message {
            Message::User(message) => {
                let message = Arc::new(message);
                let call =
                    OnMessage { pre, connector, direction, channel: hook.channel, message: Arc::clone(&message) };
                self.part.on_message(hook.channel, message, call).await
            }
            Message::Event(event) => {
                let call = OnEvent { pre, connector, direction, event: event.clone() };
                self.part.on_event(&event, call).await
            }
            Message::Status(_) | Message::Failure(_) => Ok(Flow::Continue(message)),
        }
    }
}

/// Looks at one message.
struct OnMessage {
    pre: MiddlewarePre<Guest>,
    connector: String,
    direction: hooks::Direction,
    channel: Channel,
    message: Arc<UserMessage>,
}

impl Entry for OnMessage {
    type Answer = Flow;

    async fn enter(self, store: &mut Store<Guest>) -> wasmtime::Result<Result<Flow, String>> {
        let instance = self.pre.instantiate_async(&mut *store).await.map_err(beginning)?;
        let (channel, before) = (convert::channel(self.channel), convert::message(&self.message));
        let hooks = instance.vumi_app_hooks();
        let answer = hooks.call_on_message(store, &self.connector, self.direction, channel, &before).await?;
        Ok(answer.and_then(|flow| {
            let message = match flow {
                MessageFlow::Pass => UserMessage::clone(&self.message),
                MessageFlow::Change(after) => change::message(&self.message, &before, after)?,
                MessageFlow::Stop(text) => return Ok(Flow::Stop(reason(&text))),
            };
            Ok(Flow::Continue(Message::User(message)))
        }))
    }
}

/// Looks at one event.
struct OnEvent {
    pre: MiddlewarePre<Guest>,
    connector: String,
    direction: hooks::Direction,
    event: Event,
}

impl Entry for OnEvent {
    type Answer = Flow;

    async fn enter(self, store: &mut Store<Guest>) -> wasmtime::Result<Result<Flow, String>> {
        let instance = self.pre.instantiate_async(&mut *store).await.map_err(beginning)?;
        let before = convert::event(&self.event);
        let hooks = instance.vumi_app_hooks();
        let answer = hooks.call_on_event(store, &self.connector, self.direction, &before).await?;
        Ok(answer.and_then(|flow| {
            let event = match flow {
                EventFlow::Pass => self.event,
                EventFlow::Change(after) => change::event(&self.event, &before, after)?,
                EventFlow::Stop(text) => return Ok(Flow::Stop(reason(&text))),
            };
            Ok(Flow::Continue(Message::Event(event)))
        }))
    }
}
