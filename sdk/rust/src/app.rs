//! What an application does, and how it becomes a component.

use std::marker::PhantomData;

use crate::bindings::vumi::app::types;
use crate::{Event, Message, Result};

/// An application.
pub trait App {
    /// A user wrote, began or ended a session. An error is recorded for the app's owner; the message is not tried
    /// again.
    ///
    /// # Errors
    /// Whatever should be recorded.
    fn on_message(message: &Message) -> Result<()>;

    /// Something happened to a message that the app sent. Does nothing unless overridden.
    ///
    /// # Errors
    /// Whatever should be recorded.
    fn on_event(event: &Event) -> Result<()> {
        let _ = event;
        Ok(())
    }
}

/// Joins an [`App`] to the contract; used by [`app!`](crate::app!).
#[doc(hidden)]
pub struct Handlers<A>(PhantomData<A>);

impl<A: App> Handlers<A> {
    #[doc(hidden)]
    pub fn on_message(message: types::Message) -> core::result::Result<(), String> {
        A::on_message(&Message::new(message)).map_err(|error| error.to_string())
    }

    #[doc(hidden)]
    pub fn on_event(event: types::Event) -> core::result::Result<(), String> {
        A::on_event(&Event::new(event)).map_err(|error| error.to_string())
    }
}

/// Makes a component of a type that implements [`App`](crate::App).
#[macro_export]
macro_rules! app {
    ($app:ty) => {
        #[doc(hidden)]
        struct __VumiApp;

        impl $crate::bindings::exports::vumi::app::handler::Guest for __VumiApp {
            fn on_message(message: $crate::bindings::vumi::app::types::Message) -> ::core::result::Result<(), ::std::string::String> {
                $crate::Handlers::<$app>::on_message(message)
            }

            fn on_event(event: $crate::bindings::vumi::app::types::Event) -> ::core::result::Result<(), ::std::string::String> {
                $crate::Handlers::<$app>::on_event(event)
            }
        }

        $crate::bindings::export!(__VumiApp with_types_in $crate::bindings);
    };
}
