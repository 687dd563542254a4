//! From a dialogue to an app: reads what was kept, takes the step, sends, keeps and counts.

use super::Dialogue;
use super::record::{Record, key};
use super::turn::{Store, turn};
use crate::log::{Level, log};
use crate::metrics::{Aggregator, fire};
use crate::{Message, Result, kv};

impl Dialogue {
    /// Answers a message. This is all that [`dialogue!`](macro@crate::dialogue) does with it; an app that does more calls
    /// it itself.
    ///
    /// ```no_run
    /// use vumi_sdk::dialogue::*;
    /// use vumi_sdk::prelude::*;
    ///
    /// fn clinic() -> Dialogue {
    ///     Dialogue::new("clinic").state(End::new("hello", "Hello."))
    /// }
    ///
    /// struct Clinic;
    ///
    /// impl App for Clinic {
    ///     fn on_message(message: &Message) -> Result<()> {
    ///         if message.group().is_some() {
    ///             return Ok(());
    ///         }
    ///         clinic().answer(message)
    ///     }
    /// }
    ///
    /// vumi_sdk::dialogue!(clinic, Clinic);
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// When kv or the sending fails. What fails within the dialogue goes to the log, and the user is told.
    pub fn answer(&self, message: &Message) -> Result<()> {
        let user = message.user();
        if user.is_empty() {
            crate::warning!("dialogue {}: a message without its sender's address is not answered", self.name);
            return Ok(());
        }
        let key = key(user);
        let outcome = turn(self, message, self.kept(&key)?);
        for (level, text) in &outcome.logs {
            log(*level, text);
        }
        // First, so that a message which is handled again because this failed finds the conversation where it was. What was
        // sent is not sent twice: the host gives it the same id.
        if let Some(screen) = outcome.reply {
            if screen.closes {
                message.reply_and_close(screen.text)?;
            } else {
                message.reply(screen.text)?;
            }
        }
        match outcome.store {
            Store::Keep => {}
            Store::Set(record) => kv::set_for(&key, &record, self.ttl)?,
            Store::Delete => {
                kv::delete(&key)?;
            }
        }
        for name in outcome.metrics {
            // What is counted is not worth failing for.
            if let Err(error) = fire(&name, 1.0, Aggregator::Sum) {
                crate::warning!("dialogue {}: '{name}' is not counted: {error}", self.name);
            }
        }
        Ok(())
    }

    fn kept(&self, key: &str) -> Result<Option<Record>> {
        match kv::get::<Record>(key) {
            Err(crate::Error::Json(reason)) => {
                log(
                    Level::Warning,
                    &format!("dialogue {}: what is kept under '{key}' is unreadable: {reason}", self.name),
                );
                // It is there: an end must remove it.
                Ok(Some(Record::default()))
            }
            other => other,
        }
    }
}

/// Makes a component of a function that gives a [`Dialogue`](crate::dialogue::Dialogue): its messages are the dialogue's,
/// and the host can draw it.
///
/// ```no_run
/// use vumi_sdk::dialogue::*;
///
/// fn hello() -> Dialogue {
///     Dialogue::new("hello")
///         .state(FreeText::new("name", "What is your name?").next("bye"))
///         .state(End::new("bye", "Hello, {name}."))
/// }
///
/// vumi_sdk::dialogue!(hello);
/// # fn main() {}
/// ```
///
/// With a type that implements [`App`](crate::App), `dialogue!(hello, Hello)`, that one gets messages and events, and
/// gives to the dialogue what it wants: see [`Dialogue::answer`](crate::dialogue::Dialogue::answer).
#[macro_export]
macro_rules! dialogue {
    ($dialogue:path) => {
        #[doc(hidden)]
        struct __VumiDialogueApp;

        impl $crate::App for __VumiDialogueApp {
            fn on_message(message: &$crate::Message) -> $crate::Result<()> {
                $dialogue().answer(message)
            }
        }

        $crate::dialogue!($dialogue, __VumiDialogueApp);
    };
    ($dialogue:path, $app:ty) => {
        $crate::app!($app);

        #[doc(hidden)]
        struct __VumiDialogue;

        impl $crate::dialogue_bindings::exports::vumi::app::dialogue::Guest for __VumiDialogue {
            fn graph() -> ::core::option::Option<::std::string::String> {
                ::core::option::Option::Some($dialogue().graph())
            }
        }

        $crate::dialogue_bindings::export!(__VumiDialogue with_types_in $crate::dialogue_bindings);
    };
}
