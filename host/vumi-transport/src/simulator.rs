//! The phone simulator's transport: no network, but a page in the browser with phones on it.
//!
//! What a phone sends comes in through a [`SimulatorHandle`], which the admin API holds. What a phone gets is its
//! record in the store: it is written once for each message, before the message is acknowledged ([`Once::Store`]), so
//! a simulated phone shows each message exactly once, however often the host goes down in between.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::RwLock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vumi_core::component::Component;
use vumi_core::{Error, Link, Result, Sent, Transport};
use vumi_message::{NewUserMessage, SessionEvent, UserMessage};

use crate::base::Once;
use crate::registry::{Built, Listening, TransportComponent, TransportPlace};

/// Simulated phones on the page of the admin server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SimulatorConfig {
    /// The USSD code that a new phone offers to dial.
    pub ussd_code: String,
    /// The number that a new phone offers to write SMS to.
    pub sms_number: String,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self { ussd_code: "*120*8007#".to_owned(), sms_number: "8007".to_owned() }
    }
}

impl Component for SimulatorConfig {
    const CLASS: &'static str = "simulator";
    const ALIASES: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "class: simulator\nussd_code: \"*120*8007#\"\nsms_number: \"8007\"\n";
}

impl TransportComponent for SimulatorConfig {
    fn check(&self, _: &str) -> Result<Vec<Listening>> {
        Ok(Vec::new())
    }

    fn build(self, _: TransportPlace<'_>) -> Result<Built> {
        Ok(Simulator::built())
    }
}

/// What a phone sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneMessage {
    /// The phone's number.
    pub from_addr: String,
    /// The code that was dialled or the number that was written to.
    pub to_addr: String,
    /// `ussd`, `sms`, …
    pub transport_type: String,
    /// The text.
    pub content: Option<String>,
    /// The step of a USSD session; the page knows how far the session is.
    pub session_event: Option<SessionEvent>,
}

/// The transport. It must run in a worker with [`Once::Store`], whose record of a message is what the phone shows.
pub struct Simulator {
    link: Arc<RwLock<Option<Arc<dyn Link>>>>,
}

/// The way in for phones; clones are the same one.
#[derive(Clone)]
pub struct SimulatorHandle {
    link: Arc<RwLock<Option<Arc<dyn Link>>>>,
}

impl Simulator {
    /// A simulator as a worker takes it.
    pub fn built() -> Built {
        let (transport, simulator) = Self::new();
        Built { transport, once: Once::Store, simulator: Some(simulator) }
    }

    /// A simulator and the way into it.
    pub fn new() -> (Arc<Self>, SimulatorHandle) {
        let link = Arc::new(RwLock::new(None));
        (Arc::new(Self { link: Arc::clone(&link) }), SimulatorHandle { link })
    }
}

impl SimulatorHandle {
    /// Sends a message from a phone. Returns its id once the broker has confirmed it.
    ///
    /// # Errors
    /// A temporary one when the simulator does not run, and when its queue is full.
    pub async fn inject(&self, message: PhoneMessage) -> Result<String> {
        let link = self.link.read().clone().ok_or_else(|| Error::temporary("the phone simulator is not running"))?;
        let message = UserMessage::new(NewUserMessage {
            from_addr: Some(message.from_addr),
            to_addr: Some(message.to_addr),
            transport_name: Some(link.name().to_owned()),
            transport_type: Some(message.transport_type),
            content: message.content,
            session_event: message.session_event,
            ..NewUserMessage::default()
        });
        let id = message.message_id().to_owned();
        link.inbound(message).await?;
        Ok(id)
    }
}

#[async_trait]
impl Transport for Simulator {
    async fn run(self: Arc<Self>, link: Arc<dyn Link>) -> Result<()> {
        *self.link.write() = Some(Arc::clone(&link));
        link.ready("this process");
        link.shutdown().cancelled().await;
        *self.link.write() = None;
        Ok(())
    }

    async fn send(&self, message: &UserMessage) -> Result<Sent> {
        Ok(Sent::Accepted(message.message_id().to_owned()))
    }
}
