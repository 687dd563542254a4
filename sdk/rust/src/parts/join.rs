//! From the traits to the contract: what the macros `router!` and `middleware!` put into a component.

use std::marker::PhantomData;

use super::{
    Channel, Direction, EventFields, EventFlow, EventRoute, MessageFields, MessageFlow, MessageRoute, Middleware,
    Router,
};

/// Joins a [`Router`] or [`Middleware`] to the contract; used by the macros.
#[doc(hidden)]
pub struct Part<P>(PhantomData<P>);

#[doc(hidden)]
impl<R: Router> Part<R> {
    pub fn route_message(connector: &str, channel: Channel, message: &MessageFields) -> Result<MessageRoute, String> {
        R::route_message(connector, channel, message).map_err(|error| error.to_string())
    }

    pub fn route_event(connector: &str, event: &EventFields) -> Result<EventRoute, String> {
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
    ) -> Result<MessageFlow, String> {
        M::on_message(connector, direction, channel, message).map_err(|error| error.to_string())
    }

    pub fn on_event(connector: &str, direction: Direction, event: &EventFields) -> Result<EventFlow, String> {
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
