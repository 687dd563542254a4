//! Mediafone's SMS, Cameroon (transport specification "mediafonemc").
//!
//! The gateway hands each SMS over and is told the message's id; every message to a user goes out by a request.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use vumi_core::{Result, Secret, Sent};
use vumi_message::{NewUserMessage, UserMessage};

use crate::http::{Aggregator, Answer, Call, HttpLink, Refusal, Reply, Request, RpcKeys, outcome};

/// Mediafone SMS, Cameroon.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MediafoneMc {
    /// The user name that the gateway is given.
    pub username: String,
    /// The password that the gateway is given.
    #[schemars(with = "String")]
    pub password: Secret,
    /// Where messages to users go.
    pub outbound_url: String,
}

#[async_trait]
impl Aggregator for MediafoneMc {
    const CLASS: &'static str = "mediafonemc";
    const ALIASES: &'static [&'static str] = &[
        "vumi.transports.mediafonemc.MediafoneTransport",
        "vumi.transports.mediafonemc.mediafonemc.MediafoneTransport",
    ];
    const EXAMPLE: &'static str = "\
class: mediafonemc
web_path: /api/mediafone
web_port: 8080
username: acme
password: secret
outbound_url: http://mf.example/send
";
    type Keys = RpcKeys;

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let mut fields = request.fields(&["to", "from", "sms"], &[])?;
        let message = NewUserMessage {
            to_addr: fields.remove("to"),
            from_addr: fields.remove("from"),
            content: fields.remove("sms"),
            provider: Some("vumi".to_owned()),
            transport_type: Some("sms".to_owned()),
            ..NewUserMessage::default()
        };
        link.publish(request, message).await?;
        Ok(Answer::Now(Reply::json(&json!({ "message_id": request.id }))))
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let call = match self.call(message) {
            Ok(call) => call,
            Err(failed) => return Ok(failed),
        };
        let answered = link.client().send(call).await?;
        Ok(match answered.status {
            200 => outcome::accepted(message),
            code => outcome::refused(message, format!("Unexpected response code: {code}")),
        })
    }
}

impl MediafoneMc {
    fn call(&self, message: &UserMessage) -> Result<Call, Sent> {
        Ok(Call::get(&self.outbound_url).query(&[
            ("username", &self.username),
            ("password", self.password.expose()),
            ("phone", outcome::needed(message, "to_addr")?),
            ("msg", outcome::needed(message, "content")?),
        ]))
    }
}
