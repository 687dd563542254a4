//! What every application of the host shares (specification: applications, sections 3 to 7).
//!
//! An application implements [`Handler`], whose methods do nothing by default, and is wrapped into a [`NativeApp`],
//! which finds the right method for each input, gives it the means to answer ([`Sending`]) and judges its errors. What
//! an application sends of its own accord, without an input, goes through its [`Sender`].

mod endpoints;
mod sender;
mod sending;

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use vumi_core::{Application, Error, Handled, Input, Result};
use vumi_message::{Event, EventType, SessionEvent, UserMessage};

pub use endpoints::Endpoints;
pub use sender::{Posted, Sender, check_send_to};
pub use sending::Sending;

/// What an application does with its inputs.
///
/// An error that is temporary says that the host could not do its part (the broker or the key-value store is away):
/// the input comes again later. Any other error is the application's own: it is logged with the input's id and
/// counted, and the input is done with.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// A message within a session, or outside of sessions.
    async fn on_user_message(&self, message: &UserMessage, sending: &Sending<'_>) -> Result<()> {
        let _ = (message, sending);
        Ok(())
    }

    /// The first message of a session; by default the same as any other.
    async fn on_new_session(&self, message: &UserMessage, sending: &Sending<'_>) -> Result<()> {
        self.on_user_message(message, sending).await
    }

    /// A session has ended: nobody is there to read a reply.
    async fn on_close_session(&self, message: &UserMessage, sending: &Sending<'_>) -> Result<()> {
        let _ = (message, sending);
        Ok(())
    }

    /// The network has taken a message.
    async fn on_ack(&self, event: &Event, sending: &Sending<'_>) -> Result<()> {
        let _ = (event, sending);
        Ok(())
    }

    /// A message could not be sent.
    async fn on_nack(&self, event: &Event, sending: &Sending<'_>) -> Result<()> {
        let _ = (event, sending);
        Ok(())
    }

    /// News of a message that the network has taken.
    async fn on_delivery_report(&self, event: &Event, sending: &Sending<'_>) -> Result<()> {
        let _ = (event, sending);
        Ok(())
    }

    /// Works beside the handling of inputs until `shutdown` ends, e.g. as a server. See [`Application::serve`].
    async fn serve(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        shutdown.cancelled().await;
        Ok(())
    }
}

/// A [`Handler`] as an application of the host.
pub struct NativeApp<H> {
    handler: Arc<H>,
    sender: Arc<Sender>,
}

impl<H: Handler> NativeApp<H> {
    /// Wraps a handler. Its name, and the way that its messages go, are those of `sender`.
    pub fn new(handler: H, sender: Arc<Sender>) -> Self {
        Self { handler: Arc::new(handler), sender }
    }

    async fn dispatch(&self, input: &Input, sending: &Sending<'_>) -> Result<()> {
        let handler = &self.handler;
        match input {
            Input::Message(message) => match message.session_event() {
                Some(SessionEvent::New) => handler.on_new_session(message, sending).await,
                Some(SessionEvent::Close) => handler.on_close_session(message, sending).await,
                Some(SessionEvent::Resume) | None => handler.on_user_message(message, sending).await,
            },
            // An event of another type is no valid message and never comes here.
            Input::Event(event) => match event.event_type() {
                EventType::Ack => handler.on_ack(event, sending).await,
                EventType::Nack => handler.on_nack(event, sending).await,
                EventType::DeliveryReport => handler.on_delivery_report(event, sending).await,
            },
        }
    }

    /// Tells of an error that is the application's own.
    fn report(&self, id: &str, error: &Error) {
        let app = self.sender.app();
        tracing::error!(app, message_id = id, "the app could not handle a message: {}", error.report());
        metrics::counter!("vumi_app_errors_total", "app" => app.to_owned()).increment(1);
    }
}

#[async_trait]
impl<H: Handler> Application for NativeApp<H> {
    fn name(&self) -> &str {
        self.sender.app()
    }

    async fn handle(&self, input: &Input) -> Handled {
        let id = match input {
            Input::Message(message) => message.message_id(),
            Input::Event(event) => event.event_id(),
        };
        let sending = Sending::new(&self.sender, id);
        let answer = self.dispatch(input, &sending).await;
        let (confirms, lost) = sending.finish();
        let again = match answer {
            _ if lost.is_some() => lost,
            Err(error) if error.is_temporary() => Some(error.report()),
            Err(error) => {
                self.report(id, &error);
                None
            }
            Ok(()) => None,
        };
        Handled { confirms, again }
    }

    async fn serve(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        Arc::clone(&self.handler).serve(shutdown).await
    }
}
