//! Junebug, the HTTP interface to Vumi's transports: a channel of a Junebug is a transport here.
//!
//! Junebug posts each message to `web_path`, which is the `mo_url` of its channel, and what became of ours to
//! `<web_path>/event`. Messages to users are posted to its channel. So a deployment can move to this host before its
//! channels do.

use std::time::Duration;

use async_trait::async_trait;
use hyper::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use vumi_core::{Error, Result, Secret, Sent};
use vumi_message::{DeliveryStatus, Event, NewUserMessage, Payload, SessionEvent, UserMessage};

use crate::base::values;
use crate::http::json::filled;
use crate::http::keys::ServerKeys;
use crate::http::outcome::{accepted_as, missing, not_taken};
use crate::http::{Aggregator, Answer, Call, HttpLink, Refusal, Reply, Report, Request, RpcKeys, Site, check_url};

const NAME: &str = "junebug";

/// A channel of a Junebug.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Junebug {
    /// Where Junebug's API is, e.g. `http://junebug.internal:8080`.
    pub junebug_url: String,
    /// The channel's id.
    pub channel_id: String,
    /// The user name for Junebug's API, where a proxy before it wants one.
    #[serde(default)]
    pub junebug_username: Option<String>,
    /// The password for Junebug's API.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub junebug_password: Option<Secret>,
    /// The URL by which Junebug reaches `web_path`. Junebug is then asked to report about each message, and a message is
    /// acknowledged when Junebug says that the channel has sent it. Otherwise it is acknowledged when Junebug takes it.
    #[serde(default)]
    pub public_url: Option<String>,
    /// The token that Junebug must give: the channel's `mo_url_auth_token`. Without one, everybody who reaches the port can
    /// send messages.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub auth_token: Option<Secret>,
    /// What kind of network the channel leads to; `sms` unless given.
    #[serde(default = "sms")]
    pub transport_type: String,
    /// Whether Junebug has the option `allow_expired_replies`: replies then name their user as well.
    #[serde(default, deserialize_with = "values::flag")]
    pub allow_expired_replies: bool,
    /// Seconds in which Junebug may report about a message; 604800 (a week) unless given.
    #[serde(default = "values::week", deserialize_with = "values::id_lifetime")]
    #[schemars(range(min = 1))]
    pub message_id_lifetime: u64,
}

fn sms() -> String {
    "sms".to_owned()
}

#[async_trait]
impl Aggregator for Junebug {
    const CLASS: &'static str = "junebug";
    const ALIASES: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
class: junebug
web_path: /junebug
web_port: 8080
public_url: http://vumi.internal:8080/junebug
auth_token: secret
junebug_url: http://junebug.internal:8080
channel_id: bc5f2e63-7f53-4996-816d-4f89f45a5842
transport_type: ussd
";
    const CONTENT_TYPE: &'static str = "application/json";
    type Keys = RpcKeys;

    fn site(&self, keys: &RpcKeys, interface: Option<&str>) -> Result<Site> {
        let mut site = keys.site(interface)?;
        site.methods = vec![Method::POST];
        Ok(site)
    }

    fn check(&self) -> Result<()> {
        check_url("junebug_url", &self.junebug_url)?;
        if let Some(url) = &self.public_url {
            check_url("public_url", url)?;
        }
        let odd = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if self.channel_id.is_empty() || self.channel_id.contains(odd) {
            return Err(Error::permanent(
                "`channel_id` must be the id of a channel: letters, digits, `-`, `_` and `.`",
            ));
        }
        if self.auth_token.as_ref().is_some_and(|token| token.expose().is_empty()) {
            return Err(Error::permanent("`auth_token` is empty: leave it out, or give a token that nobody guesses"));
        }
        if self.junebug_username.is_some() != self.junebug_password.is_some() {
            return Err(Error::permanent(
                "`junebug_username` and `junebug_password` go together: give both or neither",
            ));
        }
        Ok(())
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        if let Some(token) = &self.auth_token {
            let given = request.header("authorization").and_then(|given| given.strip_prefix("Token "));
            if !given.is_some_and(|given| token.matches(given.trim().as_bytes())) {
                let reply = Reply::status(401).body("{}").header("www-authenticate", "Token");
                return Err(Refusal::new(reply, "Junebug's token is missing or wrong, see `auth_token`"));
            }
        }
        match request.below().as_str() {
            "" => self.message(request, link).await?,
            "event" => event(&request.json()?, link).await?,
            _ => return Err(Refusal::not_found()),
        }
        Ok(Answer::Now(Reply::ok("{}")))
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let reply_to = reply_to(message);
        let needed: &[&str] = if reply_to.is_some() { &["content"] } else { &["to_addr", "content"] };
        if let Some(missing) = missing(message, needed) {
            return Ok(missing);
        }
        let url = format!("{}/channels/{}/messages/", self.junebug_url.trim_end_matches('/'), self.channel_id);
        let mut call = Call::post(url).json(&self.body(message, reply_to));
        if let (Some(username), Some(password)) = (&self.junebug_username, &self.junebug_password) {
            call = call.basic(username, password.expose());
        }
        let answered = link.client().send(call).await?;
        let json = answered.json().unwrap_or_default();
        if !answered.is_success() {
            return not_taken("Junebug", &answered, refusal(&json));
        }
        let id = json.get("result").and_then(|result| filled(result, "/message_id"));
        let Some(id) = id else { return Err(link.client().unsure("Junebug", &answered).into()) };
        link.remember(id, message.message_id(), Duration::from_secs(self.message_id_lifetime)).await;
        Ok(if self.public_url.is_some() { Sent::Pending } else { accepted_as(id) })
    }
}

impl Junebug {
    /// A message from a user.
    async fn message(&self, request: &Request, link: &HttpLink) -> Result<(), Refusal> {
        let body = request.json()?;
        let (Some(id), Some(from_addr)) = (filled(&body, "/message_id"), filled(&body, "/from")) else {
            return Err(Refusal::json(&json!({ "missing_field": ["message_id", "from"] })));
        };
        let mut channel_data = body.get("channel_data").and_then(Value::as_object).cloned().unwrap_or_default();
        channel_data.remove("continue_session");
        let session_event = match channel_data.remove("session_event") {
            None | Some(Value::Null) => None,
            Some(event) => {
                let known = event.as_str().and_then(|event| event.parse::<SessionEvent>().ok());
                Some(known.ok_or_else(|| Refusal::json(&json!({ "invalid_field": ["channel_data.session_event"] })))?)
            }
        };
        let in_reply_to = match filled(&body, "/reply_to") {
            Some(id) => link.recall(id).await?,
            None => None,
        };
        let message = NewUserMessage {
            from_addr: Some(from_addr.to_owned()),
            to_addr: filled(&body, "/to").map(str::to_owned),
            content: body.get("content").and_then(Value::as_str).map(str::to_owned),
            group: filled(&body, "/group").map(str::to_owned),
            session_event,
            in_reply_to,
            transport_type: Some(self.transport_type.clone()),
            transport_metadata: notes(json!({ "message_id": id, "channel_id": body.get("channel_id") })),
            helper_metadata: channel_data,
            ..NewUserMessage::default()
        };
        link.publish_once(id, request, message).await.map(drop)
    }

    /// The body of a message to a user.
    fn body(&self, message: &UserMessage, reply_to: Option<&str>) -> Value {
        let mut channel_data = message.helper_metadata().clone();
        let mut body = Payload::from_iter([("content".to_owned(), message.content().into())]);
        if let Some(id) = reply_to {
            body.insert("reply_to".to_owned(), id.into());
            let goes_on = message.session_event() != Some(SessionEvent::Close);
            channel_data.insert("continue_session".to_owned(), goes_on.into());
        } else if let Some(event) = message.session_event() {
            channel_data.insert("session_event".to_owned(), event.as_str().into());
        }
        if reply_to.is_none() || self.allow_expired_replies {
            body.insert("to".to_owned(), message.to_addr().into());
            body.insert("from".to_owned(), message.from_addr().into());
            if let Some(group) = message.group() {
                body.insert("group".to_owned(), group.into());
            }
        }
        if let Some(url) = &self.public_url {
            body.insert("event_url".to_owned(), format!("{}/event", url.trim_end_matches('/')).into());
            if let Some(token) = &self.auth_token {
                body.insert("event_auth_token".to_owned(), token.expose().into());
            }
        }
        body.insert("channel_data".to_owned(), channel_data.into());
        Value::Object(body)
    }
}

/// What became of a message of ours.
async fn event(body: &Value, link: &HttpLink) -> Result<(), Refusal> {
    let (Some(id), Some(kind)) = (filled(body, "/message_id"), filled(body, "/event_type")) else {
        return Err(Refusal::json(&json!({ "missing_field": ["message_id", "event_type"] })));
    };
    let details = body.get("event_details").cloned().unwrap_or_default();
    let reason = filled(&details, "/reason").unwrap_or("Junebug gives no reason").to_owned();
    let metadata = notes(json!({ "message_id": id, "event_type": kind, "event_details": details }));
    let status = match kind {
        "submitted" | "rejected" => {
            let known = link.recall_soon(&[id]).await?.into_iter().next().flatten();
            let event = if kind == "submitted" {
                Event::ack(known.as_deref(), id)
            } else {
                Event::nack(known.as_deref(), &reason)
            };
            return Ok(link.event(event.with_transport(link.name(), metadata)).await?);
        }
        "delivery_succeeded" => DeliveryStatus::Delivered,
        "delivery_failed" => DeliveryStatus::Failed,
        "delivery_pending" => DeliveryStatus::Pending,
        _ => return Err(Refusal::json(&json!({ "invalid_field": ["event_type"] }))),
    };
    Ok(link.report(vec![Report { remote_id: id.to_owned(), status, metadata }]).await?)
}

/// Junebug's id of the message that this one answers.
fn reply_to(message: &UserMessage) -> Option<&str> {
    message.in_reply_to()?;
    filled(message.transport_metadata().get(NAME)?, "/message_id")
}

/// Junebug's words for why it does not take a message: `ApiUsageError: …`.
fn refusal(json: &Value) -> Option<String> {
    let error = json.get("result")?.get("errors")?.get(0)?;
    let words = filled(error, "/message").or_else(|| filled(json, "/description"))?;
    Some(filled(error, "/type").map_or_else(|| words.to_owned(), |kind| format!("{kind}: {words}")))
}

fn notes(value: Value) -> Payload {
    Payload::from_iter([(NAME.to_owned(), value)])
}
