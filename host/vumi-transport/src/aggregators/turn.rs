//! Turn.io: WhatsApp for organisations.
//!
//! Turn.io posts messages and states to `web_path` and signs them: HMAC-SHA256 of the body in base64. Messages to users
//! are requests of ours, with a token. Bodies are those of WhatsApp's Business API.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use vumi_core::{Error, Result, Secret, Sent};
use vumi_message::{DeliveryStatus, NewUserMessage, Payload, UserMessage, new_id};

use crate::base::values;
use crate::http::json::{filled, notes};
use crate::http::keys::ServerKeys;
use crate::http::outcome::{accepted_as, missing, not_taken};
use crate::http::signature::Hash;
use crate::http::{Aggregator, Answer, Call, HttpLink, Refusal, Reply, Report, Request, RpcKeys, Site, check_url};

/// Turn.io (WhatsApp).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// The number that users write to. Turn.io does not name it, so it is the `to_addr` of every message.
    pub number: String,
    /// The token of Turn.io's API.
    #[schemars(with = "String")]
    pub token: Secret,
    /// The secret that Turn.io signs with, from the webhook's settings there.
    #[schemars(with = "String")]
    pub hmac_secret: Secret,
    /// Whether WhatsApp shows a preview of the first link in a message.
    #[serde(default, deserialize_with = "values::flag")]
    pub preview_url: bool,
    /// Where the API is; `https://whatsapp.turn.io` unless given.
    #[serde(default = "api_url")]
    pub api_url: String,
    /// Seconds in which Turn.io may report about a message; 604800 (a week) unless given.
    #[serde(default = "values::week", deserialize_with = "values::id_lifetime")]
    #[schemars(range(min = 1))]
    pub message_id_lifetime: u64,
}

fn api_url() -> String {
    "https://whatsapp.turn.io".to_owned()
}

#[async_trait]
impl Aggregator for Turn {
    const CLASS: &'static str = "turn";
    const ALIASES: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
class: turn
web_path: /turn
web_port: 8080
number: \"27820001001\"
token: secret
hmac_secret: another secret
";
    type Keys = RpcKeys;

    fn site(&self, keys: &RpcKeys, interface: Option<&str>) -> Result<Site> {
        let mut site = keys.site(interface)?;
        site.methods = vec![Method::POST];
        Ok(site)
    }

    fn check(&self) -> Result<()> {
        check_url("api_url", &self.api_url)?;
        if self.hmac_secret.expose().is_empty() {
            return Err(Error::permanent("`hmac_secret` is empty: anybody could sign with it"));
        }
        Ok(())
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        if !request.below().is_empty() {
            return Err(Refusal::not_found());
        }
        let given = request.header("x-turn-hook-signature").and_then(|given| STANDARD.decode(given.trim()).ok());
        let secret = self.hmac_secret.expose().as_bytes();
        if !given.is_some_and(|signature| Hash::Sha256.verify(secret, &request.body, &signature)) {
            let reason = "Turn.io's signature is missing or wrong, see `hmac_secret`";
            return Err(Refusal::new(Reply::status(403).body("Forbidden"), reason));
        }
        // Other subscriptions are copies of what somebody sent.
        if request.header("x-turn-hook-subscription").is_some_and(|subscription| subscription != "whatsapp") {
            return Ok(Answer::Now(Reply::ok("")));
        }
        let body = request.json()?;
        // All of it is read before anything is published: a body with a mistake is refused as a whole.
        let (mut messages, mut reports) = (Vec::new(), Vec::new());
        for message in list(&body, "messages")? {
            messages.push(self.message(message, &body, link).await?);
        }
        for status in list(&body, "statuses")? {
            reports.extend(report(status)?);
        }
        for error in list(&body, "errors")? {
            let why = words(error).unwrap_or_else(|| "it gives no reason".to_owned());
            tracing::warn!(transport = link.name(), "Turn.io reports a fault: {why}");
        }
        for (id, message) in messages {
            link.publish_once(&id, request, message).await?;
        }
        link.report(reports).await?;
        Ok(Answer::Now(Reply::ok("")))
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        if let Some(missing) = missing(message, &["to_addr", "content"]) {
            return Ok(missing);
        }
        let body = json!({
            "preview_url": self.preview_url,
            "recipient_type": "individual",
            "to": message.to_addr().unwrap_or_default().trim_start_matches('+'),
            "type": "text",
            "text": { "body": message.content() },
        });
        let url = format!("{}/v1/messages", self.api_url.trim_end_matches('/'));
        let answered = link.client().send(Call::post(url).bearer(self.token.expose()).json(&body)).await?;
        let json = answered.json().unwrap_or_default();
        if !answered.is_success() {
            return not_taken("Turn.io", &answered, json.get("errors").and_then(|errors| words(errors.get(0)?)));
        }
        let id = json.get("messages").and_then(|messages| filled(messages.get(0)?, "/id"));
        let Some(id) = id else { return Err(link.client().unsure("Turn.io", &answered).into()) };
        link.remember(id, message.message_id(), Duration::from_secs(self.message_id_lifetime)).await;
        Ok(accepted_as(id))
    }
}

impl Turn {
    /// A message from a user, with WhatsApp's id of it. `body` is what it came in.
    async fn message(
        &self,
        message: &Value,
        body: &Value,
        link: &HttpLink,
    ) -> Result<(String, NewUserMessage), Refusal> {
        let (Some(id), Some(from_addr)) = (filled(message, "/id"), filled(message, "/from")) else {
            return Err(Refusal::json(&json!({ "missing_field": ["messages.id", "messages.from"] })));
        };
        let kind = filled(message, "/type").unwrap_or("text");
        let notes = notes([
            ("message_id", Some(id.into())),
            ("type", Some(kind.into())),
            ("name", name(body, from_addr).map(Value::from)),
            // A picture's id, a place, which button it was: apps that know WhatsApp find it here.
            ("content", message.get(kind).filter(|_| kind != "text").cloned()),
        ]);
        let answered = message.get("context").and_then(|context| filled(context, "/id"));
        let in_reply_to = match answered {
            Some(id) => link.recall(id).await?,
            None => None,
        };
        let message = NewUserMessage {
            // There may be several messages in one request.
            message_id: Some(new_id()),
            from_addr: Some(from_addr.to_owned()),
            to_addr: Some(self.number.clone()),
            content: content(message, kind).map(str::to_owned),
            in_reply_to,
            provider: Some("turn".to_owned()),
            transport_type: Some("whatsapp".to_owned()),
            transport_metadata: Payload::from_iter([("turn".to_owned(), notes)]),
            ..NewUserMessage::default()
        };
        Ok((id.to_owned(), message))
    }
}

/// What the user wrote or chose; the caption of a picture.
fn content<'a>(message: &'a Value, kind: &str) -> Option<&'a str> {
    let inner = message.get(kind)?;
    let find = |names: &[&str]| names.iter().try_fold(inner, |value, name| value.get(*name))?.as_str();
    match kind {
        "text" => find(&["body"]),
        "button" => find(&["text"]),
        "interactive" => find(&["button_reply", "title"]).or_else(|| find(&["list_reply", "title"])),
        _ => find(&["caption"]),
    }
}

/// What the user calls themselves.
fn name<'a>(body: &'a Value, wa_id: &str) -> Option<&'a str> {
    let contacts = body.get("contacts")?.as_array()?;
    let contact = contacts.iter().find(|contact| filled(contact, "/wa_id") == Some(wa_id))?;
    filled(contact.get("profile")?, "/name")
}

/// What became of a message of ours; `None` for a state that is none of a delivery.
fn report(status: &Value) -> Result<Option<Report>, Refusal> {
    let (Some(id), Some(state)) = (filled(status, "/id"), filled(status, "/status")) else {
        return Err(Refusal::json(&json!({ "missing_field": ["statuses.id", "statuses.status"] })));
    };
    let delivery = match state {
        "sent" => DeliveryStatus::Pending,
        "delivered" | "read" => DeliveryStatus::Delivered,
        "failed" => DeliveryStatus::Failed,
        // WhatsApp adds states now and then, and a webhook that refuses requests is switched off.
        _ => return Ok(None),
    };
    let errors = status.get("errors").cloned();
    let notes = notes([("message_id", Some(id.into())), ("status", Some(state.into())), ("errors", errors)]);
    let metadata = Payload::from_iter([("turn".to_owned(), notes)]);
    Ok(Some(Report { remote_id: id.to_owned(), status: delivery, metadata }))
}

/// An error in words: `470: Message failed to send (…)`.
fn words(error: &Value) -> Option<String> {
    let title = filled(error, "/title").or_else(|| filled(error, "/message"))?;
    let code = error.get("code").and_then(Value::as_i64).map(|code| format!("{code}: ")).unwrap_or_default();
    let details = filled(error, "/details").map(|details| format!(" ({details})")).unwrap_or_default();
    Some(format!("{code}{title}{details}"))
}

/// The entries of a list that may be missing.
fn list<'a>(body: &'a Value, name: &str) -> Result<&'a [Value], Refusal> {
    match body.get(name) {
        None | Some(Value::Null) if body.is_object() => Ok(&[]),
        Some(Value::Array(entries)) => Ok(entries),
        _ => Err(Refusal::json(&json!({ "invalid_field": [name] }))),
    }
}
