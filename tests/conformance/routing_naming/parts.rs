//! What the workers of these tests are made of: a network, an app that obeys its messages, middleware.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};
use vumi_core::{Error, Flow, Hook, Link, Middleware, Placed, Result, Sent, Stack, Transport};
use vumi_message::{Event, Message, NewUserMessage, Payload, UserMessage};
use vumi_worker::app::base::{Handler, Sending};

/// A network that is away until `open`. It takes every message but those that say `fail`; those that say `hold` wait
/// for a permit of the gate.
pub(super) struct Network {
    open: watch::Sender<bool>,
    link: Mutex<Option<Arc<dyn Link>>>,
    pub(super) sent: Mutex<Vec<String>>,
    pub(super) gate: Semaphore,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            open: watch::Sender::new(false),
            link: Mutex::default(),
            sent: Mutex::default(),
            gate: Semaphore::new(0),
        }
    }
}

impl Network {
    /// Lets it be there.
    pub(super) fn open(&self) {
        self.open.send_replace(true);
    }

    /// The transport's way to its queues, once it is ready.
    pub(super) fn link(&self) -> Option<Arc<dyn Link>> {
        self.link.lock().clone()
    }

    /// The contents of what was sent, in order.
    pub(super) fn sent(&self) -> Vec<String> {
        self.sent.lock().clone()
    }
}

#[async_trait]
impl Transport for Network {
    async fn run(self: Arc<Self>, link: Arc<dyn Link>) -> Result<()> {
        let mut open = self.open.subscribe();
        tokio::select! {
            _ = open.wait_for(|open| *open) => {}
            () = link.shutdown().cancelled() => return Ok(()),
        }
        link.ready("nowhere");
        *self.link.lock() = Some(Arc::clone(&link));
        link.shutdown().cancelled().await;
        Ok(())
    }

    async fn send(&self, message: &UserMessage) -> Result<Sent> {
        let content = message.content().unwrap_or_default().to_owned();
        self.sent.lock().push(content.clone());
        match content.as_str() {
            "fail" => return Err(Error::permanent("the network refuses")),
            "hold" => self.gate.acquire().await.unwrap().forget(),
            _ => {}
        }
        Ok(Sent::Accepted("n1".to_owned()))
    }
}

/// What an app was told to do, and what holds it up.
pub(super) struct Orders {
    seen: Mutex<Vec<String>>,
    /// Messages that say `hold` wait for a permit of it.
    pub(super) gate: Semaphore,
    /// Whether the host can do its part for messages that say `away`.
    pub(super) back: AtomicBool,
}

impl Default for Orders {
    fn default() -> Self {
        Self { seen: Mutex::default(), gate: Semaphore::new(0), back: AtomicBool::new(false) }
    }
}

impl Orders {
    /// The contents of its messages and the kinds of its events, in order, each time that one was handled.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().clone()
    }
}

/// An app that does what its messages say: `reply TEXT`, `send ENDPOINT`, `hold`, `fail`, `away`.
pub(super) struct Obeys(pub(super) Arc<Orders>);

#[async_trait]
impl Handler for Obeys {
    async fn on_user_message(&self, message: &UserMessage, sending: &Sending<'_>) -> Result<()> {
        let content = message.content().unwrap_or_default();
        self.0.seen.lock().push(content.to_owned());
        match content.split_once(' ').unwrap_or((content, "")) {
            ("reply", text) => sending.reply_to(message, Some(text), true, Payload::new()).await.map(drop),
            ("send", endpoint) => sending.send_to("+1", Some("sent"), Some(endpoint), Payload::new()).await.map(drop),
            ("hold", _) => {
                self.0.gate.acquire().await.unwrap().forget();
                Ok(())
            }
            ("fail", _) => Err(Error::permanent("the app cannot")),
            ("away", _) if !self.0.back.load(Ordering::SeqCst) => Err(Error::temporary("the store is away")),
            _ => Ok(()),
        }
    }

    async fn on_ack(&self, event: &Event, _: &Sending<'_>) -> Result<()> {
        self.0.seen.lock().push(format!("ack {}", event.user_message_id().unwrap_or_default()));
        Ok(())
    }
}

/// A message from one user, or to it.
pub(super) fn message(content: &str) -> UserMessage {
    UserMessage::new(NewUserMessage {
        to_addr: Some("+27".to_owned()),
        from_addr: Some("+27".to_owned()),
        transport_name: Some("sms_1".to_owned()),
        transport_type: Some("sms".to_owned()),
        content: Some(content.to_owned()),
        ..NewUserMessage::default()
    })
}

/// The same at an endpoint.
pub(super) fn at_endpoint(content: &str, endpoint: &str) -> UserMessage {
    let mut message = message(content);
    message.set_endpoint(Some(endpoint));
    message
}

/// A stack of one middleware.
pub(super) fn only(middleware: impl Fn(Hook, Message) -> Flow + Send + Sync + 'static) -> Stack {
    struct Does<F>(F);

    #[async_trait]
    impl<F: Fn(Hook, Message) -> Flow + Send + Sync + 'static> Middleware for Does<F> {
        async fn handle(&self, hook: Hook, _: &str, message: Message) -> Result<Flow> {
            Ok((self.0)(hook, message))
        }
    }

    let placed = Placed { middleware: Arc::new(Does(middleware)), consume_priority: 0, publish_priority: 0 };
    Stack::new(vec![placed])
}
