//! Routers and middleware: guests that work as a part of a dispatcher or of another worker.
//!
//! They see the fields of messages and events as the contract has them ([`MessageFields`], [`EventFields`]), and say
//! what becomes of each. Like apps they get a fresh instance for every call; what must last goes into
//! [`kv`](crate::kv). They send nothing themselves: a component that calls [`Send`](crate::Send) is no router.
//!
//! ```no_run
//! use vumi_sdk::prelude::*;
//! use vumi_sdk::parts::{Channel, Direction, MessageFields, MessageFlow, MessageRoute, Middleware, Router};
//!
//! /// Everything that comes in goes to the app `shop`, everything that goes out to the transport that it names.
//! struct OneShop;
//!
//! impl Router for OneShop {
//!     fn route_message(_: &str, channel: Channel, message: &MessageFields) -> Result<MessageRoute> {
//!         Ok(match (channel, &message.transport_name) {
//!             (Channel::Inbound, _) => MessageRoute::one("shop"),
//!             (Channel::Outbound, Some(transport)) => MessageRoute::one(transport),
//!             (Channel::Outbound, None) => MessageRoute::Refused("it names no transport".into()),
//!         })
//!     }
//! }
//!
//! /// Notes on every message which worker saw it.
//! struct Stamp;
//!
//! impl Middleware for Stamp {
//!     fn on_message(connector: &str, _: Direction, _: Channel, message: &MessageFields) -> Result<MessageFlow> {
//!         let mut message = message.clone();
//!         message.note("seen_by", connector)?;
//!         Ok(MessageFlow::Change(message))
//!     }
//! }
//!
//! vumi_sdk::router!(OneShop);
//! vumi_sdk::middleware!(Stamp);
//! # fn main() {}
//! ```

mod join;
mod note;

use serde::Serialize;

use crate::Result;

pub use join::Part;

pub use crate::bindings::vumi::app::types::{Channel, Event as EventFields, Message as MessageFields};
pub use crate::middleware_bindings::exports::vumi::app::hooks::{Direction, EventFlow, MessageFlow};
pub use crate::router_bindings::exports::vumi::app::routing::{EventRoute, MessageRoute, MessageTarget};

impl MessageTarget {
    /// The message as it is, to this connector.
    pub fn to(connector: impl Into<String>) -> Self {
        Self { connector: connector.into(), channel: None, message: None }
    }

    /// Sends it on this way: a message that came in can go out again.
    #[must_use]
    pub fn through(mut self, channel: Channel) -> Self {
        self.channel = Some(channel);
        self
    }

    /// Sends the message changed like this. Its id and timestamp cannot be changed.
    #[must_use]
    pub fn with(mut self, message: MessageFields) -> Self {
        self.message = Some(message);
        self
    }
}

impl MessageFields {
    /// Notes a value under a key of the helper metadata, as middleware does. All other keys stay as they are, digit for
    /// digit.
    ///
    /// # Errors
    /// When serde cannot write the value as JSON.
    pub fn note<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<()> {
        self.helper_metadata = note::noted(&self.helper_metadata, key, &serde_json::to_string(value)?)?;
        Ok(())
    }
}

impl MessageRoute {
    /// The message as it is, to one connector.
    pub fn one(connector: impl Into<String>) -> Self {
        Self::To(vec![MessageTarget::to(connector)])
    }
}

/// Decides where a dispatcher sends messages; given to [`router!`](macro@crate::router).
pub trait Router {
    /// Decides on a message that came from a connector of the dispatcher.
    ///
    /// # Errors
    /// Whatever should be recorded; the message is kept among the dead letters.
    fn route_message(connector: &str, channel: Channel, message: &MessageFields) -> Result<MessageRoute>;

    /// Decides on an event that came from a transport. Discards it unless overridden.
    ///
    /// # Errors
    /// As [`Router::route_message`].
    fn route_event(connector: &str, event: &EventFields) -> Result<EventRoute> {
        let _ = (connector, event);
        Ok(EventRoute::Discarded)
    }
}

/// Sees messages on their way into and out of a worker; given to [`middleware!`](macro@crate::middleware).
pub trait Middleware {
    /// A message passes a connector of the worker.
    ///
    /// # Errors
    /// Whatever should be recorded; the message goes no further.
    fn on_message(
        connector: &str,
        direction: Direction,
        channel: Channel,
        message: &MessageFields,
    ) -> Result<MessageFlow>;

    /// An event passes a connector of the worker. Passes it on unless overridden.
    ///
    /// # Errors
    /// As [`Middleware::on_message`].
    fn on_event(connector: &str, direction: Direction, event: &EventFields) -> Result<EventFlow> {
        let _ = (connector, direction, event);
        Ok(EventFlow::Pass)
    }
}
