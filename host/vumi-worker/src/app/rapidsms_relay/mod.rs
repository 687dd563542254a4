//! A bridge to a RapidSMS server: messages from users are posted to it, and it posts messages to users here
//! (specification: rapidsms_relay).
//!
//! ```yaml
//! class: rapidsms_relay
//! rapidsms_url: http://127.0.0.1:8000/backend/vumi/
//! web_path: /send
//! web_port: 9280
//! vumi_username: rapidsms
//! vumi_password: ${RELAY_PASSWORD}
//! ```
//!
//! [`RapidSmsRelayConfig`] is the configuration. The relay itself is the [`Handler`] below, for the way to RapidSMS;
//! [`web`] is the server for the way back, [`request`] what may stand in its requests, [`deliver`] what becomes of
//! them.

mod config;
mod deliver;
mod request;
mod web;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use reqwest::header::HeaderValue;
use tokio_util::sync::CancellationToken;
use vumi_core::{Broker, Error, Feed, KvStore, Result};
use vumi_message::{Event, UserMessage};

pub use config::RapidSmsRelayConfig;

use super::base::{Endpoints, Handler, Sender, Sending};
use super::client::{Call, Client, HttpUrl};
use vumi_core::secret::Secret;

/// The relay at work.
struct Relay {
    app: String,
    sender: Arc<Sender>,
    rapidsms: RapidSms,
    /// Where inbound messages are remembered; `None` when there is nothing to reply to.
    originals: Option<Arc<dyn KvStore>>,
    /// For how long.
    remembered: Duration,
    door: Door,
    /// Endpoints to which RapidSMS may send.
    allowed: Endpoints,
    feed: Feed,
    broker: Arc<dyn Broker>,
    /// The name of the queue that the relay fills.
    outbound: String,
}

/// How RapidSMS is reached.
struct RapidSms {
    url: Option<HttpUrl>,
    method: Method,
    authorization: Option<HeaderValue>,
    client: Client,
}

/// Where the web server listens, and for whom.
struct Door {
    host: String,
    port: u16,
    /// Without slashes around it.
    path: String,
    /// `None` lets everybody in who does not say who he is.
    credentials: Option<(String, Secret)>,
}

impl Relay {
    fn key(id: &str) -> String {
        format!("messages:{id}")
    }

    /// Remembers a message, so that RapidSMS can reply to it.
    async fn remember(&self, message: &UserMessage) -> Result<()> {
        let Some(originals) = &self.originals else { return Ok(()) };
        originals.set(&Self::key(message.message_id()), &message.to_json(), Some(self.remembered)).await
    }

    async fn forward(&self, message: &UserMessage) -> Result<()> {
        self.remember(message).await?;
        let RapidSms { url, method, authorization, client } = &self.rapidsms;
        let Some(url) = url else {
            return Err(Error::permanent("the message goes nowhere: rapidsms_url is not configured"));
        };
        let call = Call { method, url, authorization: authorization.as_ref(), body: message.to_json() };
        let answer = client.send(call, |_, _| false).await?;
        let (app, message_id, code) = (&self.app, message.message_id(), answer.status.as_u16());
        tracing::info!(app, message_id, "{url} responded with {code}");
        Ok(())
    }
}

#[async_trait]
impl Handler for Relay {
    async fn on_user_message(&self, message: &UserMessage, _: &Sending<'_>) -> Result<()> {
        self.forward(message).await
    }

    async fn on_close_session(&self, message: &UserMessage, _: &Sending<'_>) -> Result<()> {
        self.forward(message).await
    }

    async fn on_ack(&self, event: &Event, _: &Sending<'_>) -> Result<()> {
        let (app, id) = (&self.app, event.user_message_id().unwrap_or_default());
        tracing::info!(app, "Acknowledgement received for message '{id}'");
        Ok(())
    }

    async fn on_delivery_report(&self, event: &Event, _: &Sending<'_>) -> Result<()> {
        let (app, id) = (&self.app, event.user_message_id().unwrap_or_default());
        let status = event.delivery_status().map(|status| status.to_string()).unwrap_or_default();
        tracing::info!(app, "Delivery report received for message '{id}', status '{status}'");
        Ok(())
    }

    async fn serve(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        web::serve(self, shutdown).await
    }
}
