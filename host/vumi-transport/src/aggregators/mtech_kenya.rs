//! MTech's SMS, Kenya, in its two versions (transport specification "mtech_kenya").
//!
//! The gateway hands each SMS over and is told the message's id; every message to a user goes out by a request. The
//! versions differ in where that request has its parameters: the first in the query, the second in a form. A `linkID`
//! that came with an SMS goes back with the replies to it, so that the network knows what is paid for.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use vumi_core::{Result, Secret, Sent};
use vumi_message::{NewUserMessage, Payload, UserMessage};

use crate::http::{Aggregator, Answer, Call, HttpLink, Refusal, Reply, Request, RpcKeys, outcome};

/// MTech SMS, Kenya; messages to users go out with their parameters in the query.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct MtechKenya {
    /// Where messages to users go.
    pub outbound_url: String,
    /// The user name that the gateway is given.
    pub mt_username: String,
    /// The password that the gateway is given.
    #[schemars(with = "String")]
    pub mt_password: Secret,
}

/// MTech SMS, Kenya; messages to users go out as forms.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct MtechKenyaV2(MtechKenya);

#[async_trait]
impl Aggregator for MtechKenya {
    const CLASS: &'static str = "mtech-kenya";
    const ALIASES: &'static [&'static str] = &[
        "vumi.transports.mtech_kenya.MTechKenyaTransport",
        "vumi.transports.mtech_kenya.mtech_kenya.MTechKenyaTransport",
    ];
    const EXAMPLE: &'static str = "\
class: mtech-kenya
web_path: /api/mtech
web_port: 8080
outbound_url: http://mtech.example/mt
mt_username: acme
mt_password: secret
";
    type Keys = RpcKeys;

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let expected = ["shortCode", "MSISDN", "MESSAGE", "messageID"];
        let mut fields = request.fields(&expected, &["linkID", "gateway", "message_type"])?;
        let metadata = [("transport_message_id", "messageID"), ("linkID", "linkID")];
        let metadata =
            metadata.into_iter().filter_map(|(key, name)| Some((key.to_owned(), fields.remove(name)?.into())));
        let transport_metadata = Payload::from_iter(metadata);
        let message = NewUserMessage {
            to_addr: fields.remove("shortCode"),
            from_addr: fields.remove("MSISDN"),
            content: fields.remove("MESSAGE"),
            transport_type: Some("sms".to_owned()),
            transport_metadata,
            ..NewUserMessage::default()
        };
        link.publish(request, message).await?;
        Ok(Answer::Now(Reply::json(&json!({ "message_id": request.id }))))
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        self.carry(message, link, Call::query).await
    }
}

#[async_trait]
impl Aggregator for MtechKenyaV2 {
    const CLASS: &'static str = "mtech-kenya-v2";
    const ALIASES: &'static [&'static str] = &[
        "vumi.transports.mtech_kenya.MTechKenyaTransportV2",
        "vumi.transports.mtech_kenya.mtech_kenya.MTechKenyaTransportV2",
    ];
    const EXAMPLE: &'static str = "\
class: mtech-kenya-v2
web_path: /api/mtech
web_port: 8080
outbound_url: http://mtech.example/mt
mt_username: acme
mt_password: secret
";
    type Keys = RpcKeys;

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        self.0.receive(request, link).await
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        self.0.carry(message, link, Call::form).await
    }
}

impl MtechKenya {
    /// Sends a message; `place` puts the parameters where they belong.
    async fn carry(
        &self,
        message: &UserMessage,
        link: &HttpLink,
        place: fn(Call, &[(&str, &str)]) -> Call,
    ) -> Result<Sent> {
        let call = match self.call(message, place) {
            Ok(call) => call,
            Err(failed) => return Ok(failed),
        };
        let answered = link.client().send(call).await?;
        Ok(match answered.status {
            200 => outcome::accepted(message),
            401 => outcome::refused_bare("Invalid username or password"),
            403 => outcome::refused_bare("Invalid mobile number"),
            code => outcome::refused_bare(format!("Unknown response code: {code}")),
        })
    }

    fn call(&self, message: &UserMessage, place: fn(Call, &[(&str, &str)]) -> Call) -> Result<Call, Sent> {
        let mut pairs = vec![
            ("user", self.mt_username.as_str()),
            ("pass", self.mt_password.expose()),
            ("messageID", message.message_id()),
            ("shortCode", outcome::needed(message, "from_addr")?),
            ("MSISDN", outcome::needed(message, "to_addr")?),
            ("MESSAGE", outcome::needed(message, "content")?),
        ];
        let link_id = match message.transport_metadata().get("linkID") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        };
        if let Some(link_id) = &link_id {
            pairs.push(("linkID", link_id));
        }
        Ok(place(Call::post(&self.outbound_url), &pairs))
    }
}
