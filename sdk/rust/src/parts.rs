//! Routers and middleware: guests that work as a part of a dispatcher or of another worker.
//!
//! They see the fields of messages and events as the contract has them ([`MessageFields`], [`EventFields`]), and say
//! what becomes of each. Like apps they get a fresh instance for every call; what must last goes into
//! [`kv`](crate::kv). They send nothing themselves.

use std::marker::PhantomData;

use crate::Result;

pub use crate::bindings::vumi::app::types::{Channel, Event as EventFields, Message as MessageFields};
pub use crate::middleware_bindings::exports::vumi::app::hooks::{Direction, EventFlow, MessageFlow};
pub use crate::router_bindings::exports::vumi::app::routing::{EventRoute, MessageRoute, MessageTarget};

impl MessageTarget {
    /// The message as it is, to this connector.
    pub fn to(connector: impl Into<String>) -> Self {
        Self { connector: connector.into(), channel: None, message: None }
    }

    /// Sends the message changed like this.
    #[must_use]
    pub fn with(mut self, message: MessageFields) -> Self {
        self.message = Some(message);
        self
    }
}

impl MessageRoute {
    /// The message as it is, to one connector.
    pub fn one(connector: impl Into<String>) -> Self {
        Self::To(vec![MessageTarget::to(connector)])
    }
}

/// Decides where a dispatcher sends messages; given to [`router!`](crate::router!).
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

/// Sees messages on their way into and out of a worker; given to [`middleware!`](crate::middleware!).
pub trait Middleware {
    /// A message passes a connector of the worker.
    ///
    /// # Errors
    /// Whatever should be recorded; it counts as an error of the worker's handler.
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

/// Joins a [`Router`] or [`Middleware`] to the contract; used by the macros.
#[doc(hidden)]
pub struct Part<P>(PhantomData<P>);

#[doc(hidden)]
impl<R: Router> Part<R> {
    pub fn route_message(
        connector: &str,
        channel: Channel,
        message: &MessageFields,
    ) -> core::result::Result<MessageRoute, String> {
        R::route_message(connector, channel, message).map_err(|error| error.to_string())
    }

    pub fn route_event(connector: &str, event: &EventFields) -> core::result::Result<EventRoute, String> {
        R::route_event(connector, event).map_err(|error| error.to_string())
    }
}

#[doc(hidden)]
impl<M: Middleware> Part<M> {
    pub fn on_message(
        connector: &str,
        direction: Direction,
        channel: Channel,
        message: &MessageFields,
    ) -> core::result::Result<MessageFlow, String> {
        M::on_message(connector, direction, channel, message).map_err(|error| error.to_string())
    }

    pub fn on_event(
        connector: &str,
        direction: Direction,
        event: &EventFields,
    ) -> core::result::Result<EventFlow, String> {
        M::on_event(connector, direction, event).map_err(|error| error.to_string())
    }
}

/// Makes a component of a type that implements [`Router`](crate::parts::Router).
#[macro_export]
macro_rules! router {
    ($router:ty) => {
        #[doc(hidden)]
        struct __VumiRouter;

        impl $crate::router_bindings::exports::vumi::app::routing::Guest for __VumiRouter {
            fn route_message(
                connector: ::std::string::String,
                channel: $crate::parts::Channel,
                message: $crate::parts::MessageFields,
            ) -> ::core::result::Result<$crate::parts::MessageRoute, ::std::string::String> {
                $crate::parts::Part::<$router>::route_message(&connector, channel, &message)
            }

            fn route_event(
                connector: ::std::string::String,
                event: $crate::parts::EventFields,
            ) -> ::core::result::Result<$crate::parts::EventRoute, ::std::string::String> {
                $crate::parts::Part::<$router>::route_event(&connector, &event)
            }
        }

        $crate::router_bindings::export!(__VumiRouter with_types_in $crate::router_bindings);
    };
}

/// Makes a component of a type that implements [`Middleware`](crate::parts::Middleware).
#[macro_export]
macro_rules! middleware {
    ($middleware:ty) => {
        #[doc(hidden)]
        struct __VumiMiddleware;

        impl $crate::middleware_bindings::exports::vumi::app::hooks::Guest for __VumiMiddleware {
            fn on_message(
                connector: ::std::string::String,
                direction: $crate::parts::Direction,
                channel: $crate::parts::Channel,
                message: $crate::parts::MessageFields,
            ) -> ::core::result::Result<$crate::parts::MessageFlow, ::std::string::String> {
                $crate::parts::Part::<$middleware>::on_message(&connector, direction, channel, &message)
            }

            fn on_event(
                connector: ::std::string::String,
                direction: $crate::parts::Direction,
                event: $crate::parts::EventFields,
            ) -> ::core::result::Result<$crate::parts::EventFlow, ::std::string::String> {
                $crate::parts::Part::<$middleware>::on_event(&connector, direction, &event)
            }
        }

        $crate::middleware_bindings::export!(__VumiMiddleware with_types_in $crate::middleware_bindings);
    };
}
