//! Forwards each message, and the events of what was sent, to an HTTP server; the server's answer may be the reply
//! (specification: http_relay).
//!
//! ```yaml
//! class: http_relay
//! url: https://example.org/messages
//! username: relay
//! password: ${RELAY_PASSWORD}
//! ```

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use vumi_core::component::Component;
use vumi_core::{Application, ByteSize, Error, Result};
use vumi_message::{Event, Payload, UserMessage};

use super::base::{Endpoints, Handler, NativeApp, Sender, Sending, check_send_to};
use super::client::{self, Answer, Call, Client, HttpUrl};
use crate::registry::AppComponent;
use crate::shared::{AppPlace, ApplicationShared};
use vumi_core::secret::Secret;

/// With this header an answer says that its body is the reply.
const REPLY_HEADER: &str = "x-vumi-httprelay-reply";

/// Posts messages and events to a web server as JSON. A 200 answer with the header `X-Vumi-HTTPRelay-Reply: true` and
/// a body replies with that body.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpRelayConfig {
    /// Where messages go. A redirect is followed for GET and HEAD only.
    pub url: HttpUrl,
    /// Where acks, nacks and delivery reports go; `url` unless given.
    #[serde(default)]
    pub event_url: Option<HttpUrl>,
    /// The method of all requests.
    #[serde(default = "post")]
    pub http_method: String,
    /// How the relay says who it is: only `basic` exists.
    #[serde(default = "basic")]
    pub auth_method: String,
    /// User name at the web server. Empty: the relay does not say who it is.
    #[serde(default)]
    pub username: String,
    /// Password at the web server.
    #[serde(default)]
    pub password: Secret,
    /// Time for one request, redirects and answer included, in seconds.
    #[serde(default = "thirty")]
    #[schemars(range(min = 1))]
    pub timeout: u64,
    /// Largest answer.
    #[serde(default = "data_limit")]
    pub data_limit: ByteSize,
    /// Messages that end a session are forwarded too. They are never replied to.
    #[serde(default)]
    pub relay_close: bool,
}

fn post() -> String {
    "POST".to_owned()
}

fn basic() -> String {
    "basic".to_owned()
}

fn thirty() -> u64 {
    30
}

fn data_limit() -> ByteSize {
    ByteSize::kib(128)
}

impl Component for HttpRelayConfig {
    const CLASS: &'static str = "http_relay";
    const ALIASES: &'static [&'static str] =
        &["vumi.application.HTTPRelayApplication", "vumi.application.http_relay.HTTPRelayApplication"];
}

impl AppComponent for HttpRelayConfig {
    fn check(&self, shared: &ApplicationShared) -> Result<()> {
        client::check_auth_method(&self.auth_method)?;
        client::method("http_method", &self.http_method)?;
        check_send_to(shared)
    }

    fn build(self, place: AppPlace) -> Result<Arc<dyn Application>> {
        self.check(&place.shared)?;
        let event_url = self.event_url.unwrap_or_else(|| self.url.clone());
        self.url.warn_if_odd(&place.name, "url");
        event_url.warn_if_odd(&place.name, "event_url");
        let named = !self.username.is_empty();
        let relay = HttpRelay {
            app: place.name.clone(),
            url: self.url,
            event_url,
            method: client::method("http_method", &self.http_method)?,
            authorization: named.then(|| client::basic(&self.username, self.password.expose())).transpose()?,
            client: Client::new(Duration::from_secs(self.timeout.max(1)), self.data_limit.as_usize()),
            relay_close: self.relay_close,
        };
        let sender = Arc::new(Sender::new(&place, Endpoints::default()));
        Ok(Arc::new(NativeApp::new(relay, sender)))
    }
}

struct HttpRelay {
    app: String,
    url: HttpUrl,
    event_url: HttpUrl,
    method: Method,
    authorization: Option<HeaderValue>,
    client: Client,
    relay_close: bool,
}

impl HttpRelay {
    async fn forward(
        &self,
        url: &HttpUrl,
        body: String,
        wanted: impl Fn(StatusCode, &HeaderMap) -> bool,
    ) -> Result<Answer> {
        let call = Call { method: &self.method, url, authorization: self.authorization.as_ref(), body };
        self.client.send(call, wanted).await
    }

    /// Forwards a message; the answer's body, if it is wanted.
    async fn ask(
        &self,
        message: &UserMessage,
        wanted: impl Fn(StatusCode, &HeaderMap) -> bool,
    ) -> Result<Option<Vec<u8>>> {
        let answer = self.forward(&self.url, message.to_json(), wanted).await?;
        if answer.status != StatusCode::OK {
            let (app, message_id, code) = (&self.app, message.message_id(), answer.status.as_u16());
            tracing::error!(app, message_id, "{} responded with {code}", self.url);
        }
        Ok(answer.body)
    }

    /// What the server answers to an event is its own affair.
    async fn tell(&self, event: &Event) -> Result<()> {
        self.forward(&self.event_url, event.to_json(), |_, _| false).await.map(drop)
    }
}

/// Whether an answer's body is the reply, if it is not blank (section 4).
fn is_reply(status: StatusCode, headers: &HeaderMap) -> bool {
    status == StatusCode::OK
        && headers.get(REPLY_HEADER).is_some_and(|first| first.as_bytes().eq_ignore_ascii_case(b"true"))
}

/// Without the white space around it, as Python sees white space in bytes.
fn stripped(body: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t'..=b'\r');
    let begin = body.iter().position(is_text).unwrap_or(body.len());
    let end = body.iter().rposition(is_text).map_or(begin, |last| last + 1);
    body.get(begin..end).unwrap_or_default()
}

#[async_trait]
impl Handler for HttpRelay {
    async fn on_user_message(&self, message: &UserMessage, sending: &Sending<'_>) -> Result<()> {
        let Some(body) = self.ask(message, is_reply).await? else { return Ok(()) };
        let content = str::from_utf8(stripped(&body))
            .map_err(|_| Error::permanent(format!("{}: the body of its answer is not UTF-8", self.url)))?;
        if content.is_empty() {
            return Ok(());
        }
        sending.reply_to(message, Some(content), true, Payload::new()).await.map(drop)
    }

    async fn on_close_session(&self, message: &UserMessage, _: &Sending<'_>) -> Result<()> {
        if !self.relay_close {
            return Ok(());
        }
        self.ask(message, |_, _| false).await.map(drop)
    }

    async fn on_ack(&self, event: &Event, _: &Sending<'_>) -> Result<()> {
        self.tell(event).await
    }

    async fn on_nack(&self, event: &Event, _: &Sending<'_>) -> Result<()> {
        self.tell(event).await
    }

    async fn on_delivery_report(&self, event: &Event, _: &Sending<'_>) -> Result<()> {
        self.tell(event).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_that_of_python() {
        for (body, text) in
            [(" thanks! \n", "thanks!"), ("\u{b}\u{c}a b\r\n", "a b"), (" \t", ""), ("", ""), ("a", "a")]
        {
            assert_eq!(stripped(body.as_bytes()), text.as_bytes(), "{body:?}");
        }
        assert_eq!(stripped("\u{a0}x".as_bytes()), "\u{a0}x".as_bytes());
    }
}
