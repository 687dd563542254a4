//! Vumi's own HTTP interface: a request's parameters are the message's fields (transport specification "api").
//!
//! `GET /messages?to_addr=shop&from_addr=alice&content=hi` is a message. With `reply_expected` the request stays open
//! until the app's reply, which is its answer; otherwise the answer is the message's id.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use vumi_core::{Error, Result, Sent};
use vumi_message::{Payload, UserMessage};

use crate::base::values;
use crate::http::{Aggregator, Answer, HttpLink, Refusal, Reply, Request, RpcKeys};

/// HTTP: a request's parameters are the fields of a message, and its answer is the reply or the message's id.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpApi {
    /// Keeps each request open until its reply. Otherwise it is answered at once, and replies are dropped.
    #[serde(deserialize_with = "values::flag")]
    pub reply_expected: bool,
    /// The parameters that a request may have. Of these, `content`, `to_addr` and `from_addr` must be there, unless
    /// they have a default.
    pub allowed_fields: Vec<String>,
    /// Fields of every message. A request may set those that are also among `allowed_fields`.
    pub field_defaults: Payload,
}

impl Default for HttpApi {
    fn default() -> Self {
        let allowed = ["content", "to_addr", "from_addr", "group", "session_event"];
        Self {
            reply_expected: false,
            allowed_fields: allowed.map(str::to_owned).to_vec(),
            field_defaults: Payload::new(),
        }
    }
}

#[async_trait]
impl Aggregator for HttpApi {
    const CLASS: &'static str = "http-api";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.api.HttpApiTransport", "vumi.transports.api.api.HttpApiTransport"];
    const EXAMPLE: &'static str = "\
class: http-api
web_path: /messages
web_port: 8080
reply_expected: true
";
    type Keys = RpcKeys;

    fn check(&self) -> Result<()> {
        let message = self.message(self.field_defaults.clone(), "0".repeat(32));
        let allowed = |error| Error::permanent("field_defaults hold what no message can have").because(error);
        message.map(drop).map_err(allowed)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let mut fields = self.field_defaults.clone();
        let (mut missing, mut unexpected) = (Vec::new(), Vec::new());
        for name in request.names() {
            if self.allowed_fields.contains(&name) {
                let value = request.text(&name)?.unwrap_or_default();
                fields.insert(name, value.into());
            } else {
                unexpected.push(name);
            }
        }
        for name in ["content", "to_addr", "from_addr"] {
            if !fields.contains_key(name) && self.allowed_fields.iter().any(|allowed| allowed == name) {
                missing.push(name);
            }
        }
        let mut errors = Payload::new();
        if !missing.is_empty() {
            errors.insert("missing_parameter".to_owned(), json!(missing));
        }
        if !unexpected.is_empty() {
            errors.insert("unexpected_parameter".to_owned(), json!(unexpected));
        }
        if !errors.is_empty() {
            return Err(Refusal::json(&Value::Object(errors)));
        }
        let message = self.message(fields, request.id.clone());
        let message = message.map_err(|error| Refusal::bad(format!("The message is not valid: {error}")))?;
        link.publish_for(request, message).await?;
        if self.reply_expected {
            return Ok(Answer::Hold);
        }
        Ok(Answer::Now(Reply::json(&json!({ "message_id": request.id }))))
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        if self.reply_expected {
            return link.answer(message).await;
        }
        tracing::info!(
            transport = link.name(),
            message_id = message.message_id(),
            "a reply was dropped: nobody waits for it, see `reply_expected`"
        );
        Ok(Sent::Pending)
    }
}

impl HttpApi {
    /// A message with these fields.
    fn message(&self, mut fields: Payload, id: String) -> Result<UserMessage, vumi_message::MessageError> {
        for name in ["to_addr", "from_addr", "transport_name"] {
            fields.entry(name).or_insert(Value::Null);
        }
        fields.insert("message_id".to_owned(), id.into());
        fields.insert("transport_type".to_owned(), "http_api".into());
        UserMessage::from_fields(fields)
    }
}
