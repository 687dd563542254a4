//! Routes by a table of bindings that changes while the host runs: for apps that are deployed to it.
//!
//! ```yaml
//! class: bindings
//! transport_names: [sms, ussd]
//! exposed_names: [sorry]
//! fallback: sorry            # whatever no binding fits
//! ```
//!
//! Of the bindings that fit a message the one that says most decides (`index`). Who has begun a conversation with an
//! app stays with it (`memory`): a session until its end, and without sessions, as by SMS, whoever sent an app's
//! keyword, until another keyword comes. Deployed apps need not stand in `exposed_names`; what does is an app of the
//! configuration file, which the table may give bindings too.

mod index;
mod memory;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vumi_core::bindings::conflicts;
use vumi_core::component::Component;
use vumi_core::{BindingsWatch, Channel, Error, RedisManager, Result, Route, Router};
use vumi_message::{Message, SessionEvent, UserMessage};

use crate::registry::{Place, RouterComponent};
use crate::routers::parts::transport_name;
use crate::shared::DispatcherShared;
use index::{Choice, Index};
use memory::{Conversation, Memory};

/// Messages go to the deployed app whose binding fits them best, outbound messages to the transport that they name,
/// and events to the app whose message they are about.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BindingsConfig {
    /// The exposed name that gets what no binding fits. Without one, such messages are dropped with an error in the
    /// log, and events of messages that nobody remembers without.
    pub fallback: Option<String>,
    /// How long a conversation stays with its app, in seconds: from the beginning of a session, or from the message
    /// with the app's keyword.
    #[schemars(range(min = 1))]
    pub session_expiry: u64,
    /// How long it is remembered which app sent a message, so that its events find back, in seconds.
    #[schemars(range(min = 1))]
    pub message_expiry: u64,
}

impl Default for BindingsConfig {
    fn default() -> Self {
        Self { fallback: None, session_expiry: 3_600, message_expiry: 86_400 }
    }
}

impl Component for BindingsConfig {
    const CLASS: &'static str = "bindings";
    const ALIASES: &'static [&'static str] = &[];
}

impl RouterComponent for BindingsConfig {
    fn check(&self, shared: &DispatcherShared) -> Result<()> {
        if shared.transport_names.is_empty() {
            return Err(Error::permanent("transport_names is empty: name the transports whose messages are routed"));
        }
        self.fallback.iter().try_for_each(|name| shared.exposed("fallback", name))?;
        for (key, seconds) in [("session_expiry", self.session_expiry), ("message_expiry", self.message_expiry)] {
            if seconds == 0 {
                return Err(Error::permanent(format!("{key} is 0: give at least one second")));
            }
        }
        Ok(())
    }

    fn build(self, place: Place<'_>) -> Result<Arc<dyn Router>> {
        self.check(place.shared)?;
        let dispatcher = place.context.name.clone();
        let kv = place.context.keyspaces.open(&RedisManager::default())?.kv;
        Ok(Arc::new(Bindings {
            memory: Memory::new(kv, &dispatcher, self.session_expiry, self.message_expiry),
            watch: place.context.bindings.clone(),
            index: Mutex::new(Arc::default()),
            transports: place.shared.transport_names.clone(),
            exposed: place.shared.exposed_names.clone(),
            fallback: self.fallback,
            dispatcher,
        }))
    }
}

struct Bindings {
    memory: Memory,
    watch: BindingsWatch,
    /// Of the table that was seen last.
    index: Mutex<Arc<Index>>,
    transports: Vec<String>,
    exposed: Vec<String>,
    fallback: Option<String>,
    dispatcher: String,
}

impl Bindings {
    /// The index of the table as it is now.
    fn index(&self) -> Arc<Index> {
        let mut index = self.index.lock();
        let table = Arc::clone(&self.watch.borrow());
        if !index.is_of(&table) {
            for app in table.apps.iter().filter(|app| self.transports.contains(&app.connector)) {
                tracing::error!(
                    dispatcher = self.dispatcher,
                    "nothing reaches the app `{}`: a transport has this name; give the app another one",
                    app.connector
                );
            }
            for conflict in conflicts(&table) {
                tracing::warn!(dispatcher = self.dispatcher, "{conflict}");
            }
            *index = Arc::new(Index::new(table, &self.transports));
        }
        Arc::clone(&index)
    }

    /// Which app gets a message of a user.
    async fn app(&self, transport: &str, message: &UserMessage) -> Result<Option<String>> {
        let index = self.index();
        let to_addr = message.to_addr();
        let chosen = index.choose(transport, to_addr, message.content());
        let Some(user) = message.from_addr() else { return Ok(self.or_fallback(&chosen)) };
        let conversation = Conversation { transport, to_addr, user };
        if let Some(event) = message.session_event() {
            return self.session(&index, &conversation, event, message.message_id(), &chosen).await;
        }
        match chosen {
            Choice::Keyword(app) => self.memory.talk(&conversation, app).await?,
            // Only where a keyword could have begun a conversation is there anything to look up.
            Choice::Address(_) | Choice::Nothing if index.has_keywords(transport, to_addr) => {
                let app = self.memory.talks_to(&conversation).await?;
                if let Some(app) = app.filter(|app| index.is_bound(app)) {
                    return Ok(Some(app));
                }
            }
            Choice::Address(_) | Choice::Nothing => {}
        }
        Ok(self.or_fallback(&chosen))
    }

    /// Which app gets a message of a session: the one that it began with, as long as that is there.
    async fn session(
        &self,
        index: &Index,
        conversation: &Conversation<'_>,
        event: SessionEvent,
        message_id: &str,
        chosen: &Choice<'_>,
    ) -> Result<Option<String>> {
        let chosen = self.or_fallback(chosen);
        if event == SessionEvent::New {
            match &chosen {
                Some(app) => self.memory.begin(conversation, app).await?,
                // Or what follows would go where the user's last session went.
                None => self.memory.forget(conversation).await?,
            }
            return Ok(chosen);
        }
        let there = |app: &String| index.is_bound(app) || Some(app) == self.fallback.as_ref();
        let app = match self.memory.session(conversation, message_id).await?.filter(there) {
            Some(app) => Some(app),
            None if event == SessionEvent::Close => return Ok(chosen),
            None => match &chosen {
                // The rest of the session stays with the app that got it first.
                Some(app) => self.memory.join(conversation, app, there).await?,
                None => None,
            },
        };
        if let (SessionEvent::Close, Some(app)) = (event, &app) {
            self.memory.end(conversation, app, message_id).await?;
        }
        Ok(app)
    }

    fn or_fallback(&self, chosen: &Choice<'_>) -> Option<String> {
        match chosen {
            Choice::Keyword(app) | Choice::Address(app) => Some((*app).to_owned()),
            Choice::Nothing => self.fallback.clone(),
        }
    }

    async fn inbound(&self, transport: &str, message: &UserMessage) -> Result<Route> {
        Ok(match self.app(transport, message).await? {
            Some(app) => Route::one(app, Channel::Inbound, Message::User(message.clone())),
            None => Route::Nowhere(format!(
                "no binding fits a message from {transport} to {}, and there is no fallback: bind an app to it, or name \
                 a fallback",
                message.to_addr().unwrap_or("nobody")
            )),
        })
    }

    async fn outbound(&self, app: &str, message: &Message) -> Result<Route> {
        let name = transport_name(message);
        let Some(transport) = self.transports.iter().find(|known| *known == name) else {
            return Ok(Route::Refused(format!(
                "the message's transport_name is `{name}`, which is none of this dispatcher's transports: {}",
                self.transports.join(", ")
            )));
        };
        if let Some(id) = message.message_id() {
            // Before the message is handed on: its ack must not come first.
            self.memory.sent(id, app).await?;
        }
        Ok(Route::one(transport, Channel::Outbound, message.clone()))
    }

    async fn event(&self, message: &Message) -> Result<Route> {
        let about = match message {
            Message::Event(event) => event.user_message_id(),
            Message::User(_) | Message::Status(_) | Message::Failure(_) => None,
        };
        let sender = match about {
            Some(id) => self.memory.sender(id).await?,
            None => None,
        };
        let about = about.unwrap_or("None");
        let app = match (sender, &self.fallback) {
            (Some(app), _) if self.exposed.contains(&app) || self.index().is_there(&app) => app,
            (Some(app), _) => {
                tracing::debug!(dispatcher = self.dispatcher, app, about, "the app that an event is for is gone");
                return Ok(Route::Discarded);
            }
            (None, Some(fallback)) => fallback.clone(),
            (None, None) => {
                tracing::debug!(
                    dispatcher = self.dispatcher,
                    about,
                    "nobody remembers who sent what an event is about"
                );
                return Ok(Route::Discarded);
            }
        };
        Ok(Route::one(app, Channel::Event, message.clone()))
    }
}

#[async_trait]
impl Router for Bindings {
    async fn route(&self, connector: &str, channel: Channel, message: &Message) -> Result<Route> {
        match (channel, message) {
            (Channel::Inbound, Message::User(message)) => self.inbound(connector, message).await,
            (Channel::Outbound, _) => self.outbound(connector, message).await,
            _ => self.event(message).await,
        }
    }

    fn bindings(&self) -> Option<&BindingsWatch> {
        Some(&self.watch)
    }
}
