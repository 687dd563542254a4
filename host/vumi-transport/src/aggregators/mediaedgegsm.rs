//! MediaEdgeGSM's SMS, Ghana (transport specification "mediaedgegsm").
//!
//! The gateway hands each SMS over and takes the answer of its request as the reply. Other messages go out by a request
//! to the gateway, which must be told whose subscriber the recipient is.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use vumi_core::{Result, Secret, Sent};
use vumi_message::address::OperatorMap;
use vumi_message::{NewUserMessage, UserMessage};

use crate::http::{Aggregator, Answer, Call, HttpLink, Refusal, Request, RpcKeys, outcome};

/// MediaEdgeGSM SMS, Ghana.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MediaEdgeGsm {
    /// The user name that the gateway gives as `USN`. Not checked unless it is set.
    pub username: Option<String>,
    /// The password that the gateway gives as `PWD`. Not checked unless it is set.
    #[schemars(with = "Option<String>")]
    pub password: Option<Secret>,
    /// Where messages that answer no request go.
    pub outbound_url: String,
    /// The user name that the gateway is given.
    #[serde(default)]
    pub outbound_username: String,
    /// The password that the gateway is given.
    #[serde(default)]
    #[schemars(with = "String")]
    pub outbound_password: Secret,
    /// Whose number begins how: prefixes with the operator's name, or with a map of longer prefixes. Numbers without a
    /// `+`; what no prefix fits is `UNKNOWN`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Value>")]
    pub operator_mappings: OperatorMap,
}

#[async_trait]
impl Aggregator for MediaEdgeGsm {
    const CLASS: &'static str = "mediaedgegsm";
    const ALIASES: &'static [&'static str] = &[
        "vumi.transports.mediaedgegsm.MediaEdgeGSMTransport",
        "vumi.transports.mediaedgegsm.mediaedgegsm.MediaEdgeGSMTransport",
    ];
    const EXAMPLE: &'static str = "\
class: mediaedgegsm
web_path: /api/meg
web_port: 8080
username: in-user
password: in-secret
outbound_url: http://meg.example/mt
outbound_username: out-user
outbound_password: out-secret
operator_mappings: {233: {23324: MTN, 23320: VODA}}
";
    const CONTENT_TYPE: &'static str = "text/plain; charset=utf-8";
    type Keys = RpcKeys;

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let expected = ["USN", "PWD", "PhoneNumber", "ServiceNumber", "Operator", "SMSBODY"];
        let (mut fields, mut errors) = request.check(&expected, &[])?;
        let mut take = |name| fields.remove(name).unwrap_or_default();
        let (username, password) = (take("USN"), take("PWD"));
        let known = self.username.as_ref().is_none_or(|right| *right == username);
        let right = self.password.as_ref().is_none_or(|right| right.matches(password.as_bytes()));
        if !(known & right) {
            errors.insert("credentials".to_owned(), "invalid".into());
        }
        if !errors.is_empty() {
            return Err(Refusal::json(&json!(errors)));
        }
        let message = NewUserMessage {
            from_addr: Some(take("PhoneNumber")),
            to_addr: Some(take("ServiceNumber")),
            content: Some(take("SMSBODY")),
            provider: Some(take("Operator")),
            transport_type: Some("sms".to_owned()),
            ..NewUserMessage::default()
        };
        link.publish(request, message).await?;
        Ok(Answer::Hold)
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        if message.in_reply_to().is_some_and(|id| !id.is_empty()) {
            return link.answer(message).await;
        }
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

impl MediaEdgeGsm {
    fn call(&self, message: &UserMessage) -> Result<Call, Sent> {
        let to_addr = outcome::needed(message, "to_addr")?;
        let msisdn = to_addr.strip_prefix('+').unwrap_or(to_addr);
        Ok(Call::get(&self.outbound_url).query(&[
            ("USN", &self.outbound_username),
            ("PWD", self.outbound_password.expose()),
            ("SmsID", message.message_id()),
            ("PhoneNumber", msisdn),
            ("Operator", self.operator_mappings.operator_name(msisdn)),
            ("SmsBody", outcome::needed(message, "content")?),
        ]))
    }
}
