//! Apposit's SMS, Ethiopia (transport specification "apposit").
//!
//! The gateway hands each SMS over and is told the message's id; every message to a user goes out by a request, with the
//! credentials of the number that it comes from. What the gateway answers to a refused one is a number with a meaning.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use vumi_core::{Result, Secret, Sent};
use vumi_message::{NewUserMessage, Payload, UserMessage};

use crate::http::{Aggregator, Answer, Answered, Call, HttpLink, Refusal, Reply, Request, RpcKeys, outcome};

/// Apposit SMS, Ethiopia.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Apposit {
    /// Of each number that messages come from, the `username`, `password` and `service_id` that the gateway is given.
    /// They are empty for a number that does not stand here.
    pub credentials: BTreeMap<String, Credentials>,
    /// Where messages to users go.
    pub outbound_url: String,
}

/// What the gateway knows a number by.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password.
    #[schemars(with = "String")]
    pub password: Secret,
    /// The id of the service.
    pub service_id: String,
}

#[async_trait]
impl Aggregator for Apposit {
    const CLASS: &'static str = "apposit";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.apposit.AppositTransport", "vumi.transports.apposit.apposit.AppositTransport"];
    const EXAMPLE: &'static str = "\
class: apposit
web_path: /api/apposit
web_port: 8080
outbound_url: http://apposit.example/send
credentials:
  8123: {username: acme, password: secret, service_id: svc-1}
";
    type Keys = RpcKeys;

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let (mut fields, mut errors) = request.check(&["from", "to", "channel", "content", "isTest"], &[])?;
        if let Some(channel) = fields.remove("channel").filter(|channel| channel != "SMS") {
            errors.insert("unsupported_channel".to_owned(), channel.into());
        }
        if !errors.is_empty() {
            return Err(Refusal::json(&json!(errors)));
        }
        let is_test = json!({ "isTest": fields.remove("isTest") });
        let message = NewUserMessage {
            from_addr: fields.remove("from"),
            to_addr: fields.remove("to"),
            content: fields.remove("content"),
            provider: Some("apposit".to_owned()),
            transport_type: Some("sms".to_owned()),
            transport_metadata: Payload::from_iter([("apposit".to_owned(), is_test)]),
            ..NewUserMessage::default()
        };
        link.publish(request, message).await?;
        Ok(Answer::Now(Reply::json(&json!({ "message_id": request.id }))))
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let transport_type = message.transport_type();
        if transport_type != Some("sms") {
            let transport_type = transport_type.unwrap_or("None");
            let reason = format!("No corresponding channel exists for transport type: {transport_type}");
            return Ok(outcome::refused_bare(reason));
        }
        let call = match self.call(message) {
            Ok(call) => call,
            Err(failed) => return Ok(failed),
        };
        let answered = link.client().send(call).await?;
        Ok(if answered.status == 200 { outcome::accepted(message) } else { outcome::refused_bare(refusal(&answered)) })
    }
}

impl Apposit {
    fn call(&self, message: &UserMessage) -> Result<Call, Sent> {
        let from_addr = outcome::needed(message, "from_addr")?;
        let unknown = Credentials::default();
        let credentials = self.credentials.get(from_addr).unwrap_or(&unknown);
        Ok(Call::post(&self.outbound_url).form(&[
            ("username", &credentials.username),
            ("password", credentials.password.expose()),
            ("serviceId", &credentials.service_id),
            ("fromAddress", from_addr),
            ("toAddress", outcome::needed(message, "to_addr")?),
            ("content", outcome::needed(message, "content")?),
            ("channel", "SMS"),
        ]))
    }
}

/// What the gateway's answer means.
fn refusal(answered: &Answered) -> String {
    let body = answered.excerpt();
    let text = match body.trim() {
        "102001" => "Username Not Set",
        "102002" => "Password Not Set",
        "102003" => "Username or password is invalid or not authorized",
        "102004" => "Service ID Not Set",
        "102005" => "Invalid Service Id",
        "102006" => "Service Not Found",
        "102007" => "Content not set",
        "102008" => "To Address Not Set",
        "102009" => "From Address Not Set",
        "102010" => "Channel Not Set",
        "102011" => "Invalid Channel",
        "102012" => "The address provided is not subscribed",
        "102013" => "The message content id is unregistered or not approved",
        "102014" => "Message Content Public ID and Message Content Set",
        "102015" => "Message Content Public ID or Message Content Not Set",
        "102022" => "One or more messages failed while sending",
        "102024" => "Outbound message routing not allowed for service",
        "102025" => "Content or Content ID is not Approved",
        "102999" => "Other Runtime Error",
        _ => return format!("Response with unknown code received: {body}"),
    };
    format!("({}) {text}", body.trim())
}
