//! Routers that are guests: the world `router`.

use std::sync::Arc;

use async_trait::async_trait;
use vumi_bindings::app::vumi::app::types;
use vumi_bindings::router::RouterPre;
use vumi_bindings::router::exports::vumi::app::routing::{EventRoute, MessageRoute, MessageTarget};
use vumi_core::{Channel, GuestConfig, Result, Route, Router, Target};
use vumi_message::{Event, Message, UserMessage};
use wasmtime::Store;

use super::{Part, PartSurroundings, change, reason};
use crate::cache::ComponentCache;
use crate::convert;
use crate::engine::Sandbox;
use crate::run::{Entry, beginning};
use crate::state::Guest;

/// Longest name of a connector, in bytes.
const MAX_NAME: usize = 200;

/// A router of the user's own.
pub struct GuestRouter {
    part: Part,
    pre: RouterPre<Guest>,
}

impl GuestRouter {
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
impl Router for GuestRouter {
    async fn route(&self, connector: &str, channel: Channel, message: &Message) -> Result<Route> {
        let (pre, connector, most) = (self.pre.clone(), connector.to_owned(), self.part.most_messages());
        match message {
            Message::User(message) => {
                let message = Arc::new(message.clone());
                let call = OfMessage { pre, connector, channel, message: Arc::clone(&message), most };
                self.part.on_message(channel, message, call).await
            }
            Message::Event(event) => {
                let call = OfEvent { pre, connector, event: event.clone(), most };
                self.part.on_event(event, call).await
            }
            // Dispatchers consume no other kinds.
            Message::Status(_) | Message::Failure(_) => Ok(Route::Discarded),
        }
    }
}

/// Decides on one message.
struct OfMessage {
    pre: RouterPre<Guest>,
    connector: String,
    channel: Channel,
    message: Arc<UserMessage>,
    /// Copies that there may be.
    most: u64,
}

impl Entry for OfMessage {
    type Answer = Route;

    async fn enter(self, store: &mut Store<Guest>) -> wasmtime::Result<Result<Route, String>> {
        let instance = self.pre.instantiate_async(&mut *store).await.map_err(beginning)?;
        let (channel, before) = (convert::channel(self.channel), convert::message(&self.message));
        let routing = instance.vumi_app_routing();
        let answer = routing.call_route_message(store, &self.connector, channel, &before).await?;
        Ok(answer.and_then(|route| self.judge(&before, route)))
    }
}

impl OfMessage {
    fn judge(&self, before: &types::Message, route: MessageRoute) -> Result<Route, String> {
        match route {
            MessageRoute::To(targets) => {
                within(targets.len(), self.most)?;
                let targets = targets.into_iter().map(|target| self.target(before, target));
                targets.collect::<Result<_, _>>().map(Route::To)
            }
            MessageRoute::Nowhere(text) => Ok(Route::Nowhere(reason(&text))),
            MessageRoute::Refused(text) => Ok(Route::Refused(reason(&text))),
            MessageRoute::Discarded => Ok(Route::Discarded),
        }
    }

    fn target(&self, before: &types::Message, target: MessageTarget) -> Result<Target, String> {
        let message = match target.message {
            Some(after) => change::message(&self.message, before, after)?,
            None => UserMessage::clone(&self.message),
        };
        let channel = target.channel.map_or(self.channel, convert::channel_back);
        Ok(Target { connector: name(target.connector)?, channel, message: Message::User(message) })
    }
}

/// Decides on one event.
struct OfEvent {
    pre: RouterPre<Guest>,
    connector: String,
    event: Event,
    /// Copies that there may be.
    most: u64,
}

impl Entry for OfEvent {
    type Answer = Route;

    async fn enter(self, store: &mut Store<Guest>) -> wasmtime::Result<Result<Route, String>> {
        let instance = self.pre.instantiate_async(&mut *store).await.map_err(beginning)?;
        let event = convert::event(&self.event);
        let answer = instance.vumi_app_routing().call_route_event(store, &self.connector, &event).await?;
        Ok(answer.and_then(|route| self.judge(route)))
    }
}

impl OfEvent {
    fn judge(&self, route: EventRoute) -> Result<Route, String> {
        match route {
            EventRoute::To(names) => {
                within(names.len(), self.most)?;
                let message = Message::Event(self.event.clone());
                let to = |connector| {
                    Ok(Target { connector: name(connector)?, channel: Channel::Event, message: message.clone() })
                };
                names.into_iter().map(to).collect::<Result<_, _>>().map(Route::To)
            }
            EventRoute::Nowhere(text) => Ok(Route::Nowhere(reason(&text))),
            EventRoute::Discarded => Ok(Route::Discarded),
        }
    }
}

/// Each copy is a message's size in memory, so there cannot be any number of them.
fn within(copies: usize, most: u64) -> Result<(), String> {
    if copies as u64 <= most {
        return Ok(());
    }
    Err(format!("it named {copies} targets for one message, the limit outbound_messages is {most}"))
}

/// Whether there is such a connector is the dispatcher's to judge; here only that the name can be shown in a log.
fn name(connector: String) -> Result<String, String> {
    if connector.len() <= MAX_NAME {
        return Ok(connector);
    }
    Err(format!("it named a connector of {} bytes, the longest names have {MAX_NAME}", connector.len()))
}
