//! A conversation of a hosted Vumi Go as a network (transport specification "vumi_bridge").
//!
//! Messages go out by PUT to Vumi Go's HTTP API. Its web hooks bring messages and events in, both as Vumi's own JSON.
//! Vumi Go has ids of its own, so events find their message by what is kept of them in kv.

use std::time::Duration;

use async_trait::async_trait;
use hyper::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use vumi_core::{RedisManager, Result, Secret, Sent};
use vumi_message::json::parse_object;
use vumi_message::{Event, EventType, FailureCode, MessageError, Status, StatusLevel, UserMessage};

use crate::base::endpoint::Listen;
use crate::base::values::{self, Positive};
use crate::http::outcome::{accepted_as, failed, refused_bare};
use crate::http::{
    Aggregator, Answer, Call, HttpLink, Keeps, OwnKeys, Refusal, Reply, Request, Site, ascii_json, find_soon,
};

/// Which of the site's paths is that of messages.
const MESSAGES: usize = 0;
/// The component that tells how messages to Vumi Go fare.
const SUBMITTED: &str = "submitted-to-vumi-go";
/// The component that tells how messages from Vumi Go fare.
const RECEIVED: &str = "received-from-vumi-go";
/// The component that tells whether Vumi Go can send.
const SENT: &str = "sent-by-vumi-go";
/// The component that tells how events from Vumi Go fare.
const EVENTS: &str = "vumi-go-event";

/// A conversation of Vumi Go, by its HTTP API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VumiBridge {
    /// The key of the account at Vumi Go.
    pub account_key: String,
    /// The key of the conversation.
    pub conversation_key: String,
    /// The token that the conversation's HTTP API accepts.
    #[schemars(with = "String")]
    pub access_token: Secret,
    /// The path that Vumi Go calls: it posts messages to `messages.json` and events to `events.json` below it.
    pub web_path: String,
    /// Where Vumi Go's HTTP API is.
    #[serde(default = "vumi_go")]
    pub base_url: String,
    /// Seconds for which Vumi Go's id of a message is known, so that its events find it; two days unless given.
    #[serde(default = "two_days", deserialize_with = "lifetime")]
    #[schemars(range(min = 1))]
    pub message_life_time: u64,
    /// Where the ids are kept; the system's `kv` unless given, and there below the transport's name unless
    /// `key_prefix` says otherwise.
    #[serde(default)]
    pub redis_manager: RedisManager,
    /// The port to listen on. With 0 the system chooses one.
    #[serde(default, deserialize_with = "values::whole")]
    pub web_port: u16,
    /// The path of the health page.
    #[serde(default = "health")]
    pub health_path: String,
    /// Without effect; Vumi accepted it.
    #[serde(default)]
    #[schemars(with = "Option<f64>")]
    pub max_reconnect_delay: Option<Value>,
    /// Without effect; Vumi accepted it.
    #[serde(default)]
    #[schemars(with = "Option<f64>")]
    pub max_retries: Option<Value>,
    /// Without effect; Vumi accepted it.
    #[serde(default)]
    #[schemars(with = "Option<f64>")]
    pub initial_delay: Option<Value>,
    /// Without effect; Vumi accepted it.
    #[serde(default)]
    #[schemars(with = "Option<f64>")]
    pub factor: Option<Value>,
    /// Without effect; Vumi accepted it.
    #[serde(default)]
    #[schemars(with = "Option<f64>")]
    pub jitter: Option<Value>,
}

#[async_trait]
impl Aggregator for VumiBridge {
    const CLASS: &'static str = "vumi-bridge";
    const ALIASES: &'static [&'static str] = &[
        "vumi.transports.vumi_bridge.GoConversationTransport",
        "vumi.transports.vumi_bridge.vumi_bridge.GoConversationTransport",
    ];
    const EXAMPLE: &'static str = "\
class: vumi-bridge
account_key: my-account
conversation_key: my-conversation
access_token: secret
web_path: /vumi-go
web_port: 8080
";
    const CONTENT_TYPE: &'static str = "application/json; charset=utf-8";
    type Keys = OwnKeys;

    fn site(&self, _: &OwnKeys, interface: Option<&str>) -> Result<Site> {
        let path = self.web_path.trim_matches('/');
        let paths = [format!("{path}/messages.json"), format!("{path}/events.json")];
        let listen = Listen::at(interface, self.web_port);
        let mut site = Site::new("web_port", listen, &paths.each_ref().map(String::as_str));
        site.methods = vec![Method::POST, Method::PUT];
        site.health = Some(self.health_path.clone());
        Ok(site)
    }

    fn keeps(&self, name: &str) -> Keeps {
        Keeps::bare(&self.redis_manager, name)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        if request.route == MESSAGES { message(request, link).await } else { event(request, link).await }
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let fields = ["to_addr", "content", "message_id", "in_reply_to", "session_event", "helper_metadata"];
        let body: Value =
            fields.map(|name| (name.to_owned(), message.get(name).cloned().unwrap_or_default())).into_iter().collect();
        let url = format!("{}/{}/messages.json", self.base_url.trim_end_matches('/'), self.conversation_key);
        let call = Call::new(Method::PUT, url)
            .basic(&self.account_key, self.access_token.expose())
            .body(Self::CONTENT_TYPE, ascii_json(&body));
        let answered = link.client().send(call).await?;
        if answered.status != 200 {
            let reason = format!("Unexpected status code: {}", answered.status);
            let message_id = message.message_id();
            tracing::warn!(transport = link.name(), message_id, "Vumi Go refused a message: {reason}");
            link.status(bad(SUBMITTED, "bad_request", "Message submission rejected by Vumi Go")).await;
            return Ok(refused_bare(reason));
        }
        let id = answered.json().and_then(|answer| Some(answer.get("message_id")?.as_str()?.to_owned()));
        let Some(id) = id.filter(|id| !id.is_empty()) else {
            return Ok(failed(FailureCode::Unspecified, "Vumi Go's answer is no JSON with a message_id"));
        };
        let lifetime = Duration::from_secs(self.message_life_time);
        if let Err(error) = link.keys().kv.set(&id, message.message_id(), Some(lifetime)).await {
            // It is out, and must not go out again for want of its events.
            tracing::warn!(transport = link.name(), id, "Vumi Go's id was not kept: {}", error.report());
        }
        link.status(good(SUBMITTED, "good_request", "Message accepted by Vumi Go")).await;
        Ok(accepted_as(id))
    }

    fn health(&self, _: usize) -> Reply {
        Reply::ok("OK")
    }
}

/// A message from a user of Vumi Go.
async fn message(request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
    let message = parse_object(&request.body).and_then(|mut fields| {
        fields.insert("transport_name".to_owned(), link.name().into());
        UserMessage::from_fields(fields)
    });
    let message = match message {
        Ok(message) => message,
        Err(error) => return refuse(&error, bad(RECEIVED, "bad_request", "Bad request received"), link).await,
    };
    let id = message.message_id().to_owned();
    link.publish_message_once(&id, message).await?;
    link.status(good(RECEIVED, "good_request", "Good request received")).await;
    Ok(Answer::Now(Reply::ok("")))
}

/// What became of a message that went to Vumi Go.
async fn event(request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
    let event = parse_object(&request.body).and_then(Event::from_fields);
    let mut event = match event {
        Ok(event) => event,
        Err(error) => return refuse_event(&error, link).await,
    };
    let remote = event.user_message_id().map(str::to_owned);
    let ids: Vec<&str> = remote.as_deref().into_iter().collect();
    let local = find_soon(&ids, |id| link.keys().kv.get(id)).await?.pop().flatten();
    if local.is_none() {
        tracing::warn!(transport = link.name(), id = remote, "Vumi Go sent an event for a message that is not known");
    }
    let renamed = event.set("sent_message_id", remote).and_then(|()| event.set("user_message_id", local));
    if let Err(error) = renamed {
        return refuse_event(&error, link).await;
    }
    let kind = event.event_type();
    link.event(event).await?;
    match kind {
        EventType::Ack => link.status(good(SENT, "vumi_go_sent", "Sent by Vumi Go")).await,
        EventType::Nack => link.status(bad(SENT, "vumi_go_failed", "Vumi Go failed to send")).await,
        EventType::DeliveryReport => {}
    }
    link.status(good(EVENTS, "good_request", "Good event received from Vumi Go")).await;
    Ok(Answer::Now(Reply::ok("")))
}

async fn refuse_event(error: &MessageError, link: &HttpLink) -> Result<Answer, Refusal> {
    refuse(error, bad(EVENTS, "bad_request", "Bad event received from Vumi Go"), link).await
}

async fn refuse(error: &MessageError, status: Status, link: &HttpLink) -> Result<Answer, Refusal> {
    link.status(status).await;
    Err(Refusal::new(Reply::status(400), error.to_string()))
}

fn good(component: &str, kind: &str, text: &str) -> Status {
    Status::new(component, StatusLevel::Ok, kind, text)
}

fn bad(component: &str, kind: &str, text: &str) -> Status {
    Status::new(component, StatusLevel::Down, kind, text)
}

fn vumi_go() -> String {
    "https://go.vumi.org/api/v1/go/http_api_nostream/".to_owned()
}

fn health() -> String {
    "health".to_owned()
}

fn two_days() -> u64 {
    48 * 3600
}

fn lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let given: Option<Positive<u64>> = values::optional_whole(deserializer)?;
    Ok(given.map_or_else(two_days, |given| given.0))
}
