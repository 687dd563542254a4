//! Routers that are guests: the world `router`.

use std::sync::Arc;

use async_trait::async_trait;
use vumi_bindings::app::vumi::app::types;
use vumi_bindings::router::RouterPre;
use vumi_bindings::router::exports::vumi::app::routing::{EventRoute, MessageRoute};
use vumi_core::{Channel, Error, GuestConfig, Result, Route, Router, Target};
use vumi_message::Message;
use wasmtime::Store;

use super::{Part, PartSurroundings, change, path};
use crate::cache::ComponentCache;
use crate::convert;
use crate::engine::Sandbox;
use crate::run::{Entry, beginning};
use crate::state::Guest;

/// A router of the user's own.
pub struct GuestRouter {
    part: Part,
    pre: RouterPre<Guest>,
}

impl GuestRouter {
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
            .load_world(cache, path(config), RouterPre::new)
            .map_err(|error| Error::permanent(error.to_string()))?;
        Ok(Self { part: Part::new(sandbox, name, config, around)?, pre })
    }
}

struct OfMessage {
    pre: RouterPre<Guest>,
    connector: String,
    channel: types::Channel,
    message: types::Message,
}

impl Entry for OfMessage {
    type Answer = MessageRoute;

    async fn enter(self, store: &mut Store<Guest>) -> wasmtime::Result<Result<MessageRoute, String>> {
        let instance = self.pre.instantiate_async(&mut *store).await.map_err(beginning)?;
        instance.vumi_app_routing().call_route_message(store, &self.connector, self.channel, &self.message).await
    }
}

struct OfEvent {
    pre: RouterPre<Guest>,
    connector: String,
    event: types::Event,
}

impl Entry for OfEvent {
    type Answer = EventRoute;

    async fn enter(self, store: &mut Store<Guest>) -> wasmtime::Result<Result<EventRoute, String>> {
        let instance = self.pre.instantiate_async(&mut *store).await.map_err(beginning)?;
        instance.vumi_app_routing().call_route_event(store, &self.connector, &self.event).await
    }
}

#[async_trait]
impl Router for GuestRouter {
    async fn route(&self, connector: &str, channel: Channel, message: &Message) -> Result<Route> {
        let connector = connector.to_owned();
        match message {
            Message::User(original) => {
                let call = OfMessage {
                    pre: self.pre.clone(),
                    connector,
                    channel: convert::channel(channel),
                    message: convert::message(original),
                };
                match self.part.call(message, call).await? {
                    MessageRoute::To(targets) => {
                        let targets = targets.into_iter().map(|target| {
                            let message = match target.message {
                                Some(changed) => change::message(original, changed)?,
                                None => original.clone(),
                            };
                            let channel = target.channel.map_or(channel, convert::channel_back);
                            Ok(Target { connector: target.connector, channel, message: Message::User(message) })
                        });
                        targets.collect::<Result<Vec<_>>>().map(Route::To)
                    }
                    MessageRoute::Nowhere(reason) => Ok(Route::Nowhere(reason)),
                    MessageRoute::Refused(reason) => Ok(Route::Refused(reason)),
                    MessageRoute::Discarded => Ok(Route::Discarded),
                }
            }
            Message::Event(event) => {
                let call = OfEvent { pre: self.pre.clone(), connector, event: convert::event(event) };
                match self.part.call(message, call).await? {
                    EventRoute::To(names) => {
                        let to = |connector| Target { connector, channel, message: message.clone() };
                        Ok(Route::To(names.into_iter().map(to).collect()))
                    }
                    EventRoute::Nowhere(reason) => Ok(Route::Nowhere(reason)),
                    EventRoute::Discarded => Ok(Route::Discarded),
                }
            }
            // Dispatchers consume no other kinds.
            Message::Status(_) | Message::Failure(_) => Ok(Route::Discarded),
        }
    }
}
