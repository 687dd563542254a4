//! The older of Vumi's HTTP interfaces: one text to any number of recipients, and no replies (transport specification
//! "api", OldSimpleHttpTransport).
//!
//! `POST /send` with `to_msisdn` (once for each recipient), `from_msisdn` and `message` publishes a message for each
//! recipient and answers with their ids.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use vumi_core::{Result, Secret, Sent};
use vumi_message::{NewUserMessage, Payload, UserMessage, new_id};

use crate::http::{Aggregator, Answer, HttpLink, Refusal, Reply, Request, RpcKeys, outcome};

/// HTTP, the older interface: one text to any number of recipients.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OldSimpleHttp {
    /// Who may send: user names with their passwords, for HTTP Basic. Anybody, unless there is one.
    #[schemars(with = "BTreeMap<String, String>")]
    pub identities: Identities,
}

/// The longest that all texts of one request may be together. A short request could ask for very long ones otherwise.
pub(super) const MOST: usize = 4 << 20;

#[async_trait]
impl Aggregator for OldSimpleHttp {
    const CLASS: &'static str = "old-simple-http";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.api.OldSimpleHttpTransport", "vumi.transports.api.oldapi.OldSimpleHttpTransport"];
    const EXAMPLE: &'static str = "\
class: old-simple-http
web_path: /send
web_port: 8080
identities: {bob: secret}
";
    type Keys = RpcKeys;

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let user = self.identities.user(request)?;
        let message = request.text("message")?;
        let recipients = request.texts("to_msisdn")?;
        if recipients.len().saturating_mul(message.as_ref().map_or(0, String::len)) > MOST {
            return Err(Refusal::bad("The texts of this request are too long"));
        }
        let texts = recipients.into_iter().map(|recipient| (recipient, message.clone())).collect();
        publish(request, link, &user, "old_simple_http", texts).await
    }

    /// There is nowhere to send it.
    async fn send(&self, message: &UserMessage, _: &HttpLink) -> Result<Sent> {
        Ok(outcome::accepted(message))
    }

    fn health(&self, _: usize) -> Reply {
        Reply::json(&json!({}))
    }
}

/// User names and passwords.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Identities(BTreeMap<String, Secret>);

impl Identities {
    /// The user whom a request names; empty where it names nobody.
    ///
    /// # Errors
    /// 401 when the password is wrong.
    pub(super) fn user(&self, request: &Request) -> Result<String, Refusal> {
        let (name, password) = request.credentials().unwrap_or_default();
        let name = String::from_utf8_lossy(&name).into_owned();
        let is_known = self.0.get(&name).is_some_and(|secret| secret.matches(&password));
        if is_known || self.0.is_empty() {
            return Ok(name);
        }
        Err(Refusal::new(Reply::status(401).body("Not Authorized"), "wrong or missing credentials"))
    }
}

/// Publishes a text for each recipient; the answer lists what was published.
pub(super) async fn publish(
    request: &Request,
    link: &HttpLink,
    user: &str,
    transport_type: &str,
    texts: Vec<(String, Option<String>)>,
) -> Result<Answer, Refusal> {
    let from_addr = request.text("from_msisdn")?;
    let mut published = Vec::with_capacity(texts.len());
    for (to_addr, content) in texts {
        let id = new_id();
        published.push(json!({ "message": content, "to_msisdn": to_addr, "from_msisdn": from_addr, "id": id }));
        let message = NewUserMessage {
            message_id: Some(id),
            to_addr: Some(to_addr),
            from_addr: from_addr.clone(),
            content,
            provider: Some("vumi".to_owned()),
            transport_type: Some(transport_type.to_owned()),
            transport_metadata: Payload::from_iter([("http_user".to_owned(), user.into())]),
            ..NewUserMessage::default()
        };
        link.publish(request, message).await?;
    }
    Ok(Answer::Now(Reply::json(&Value::Array(published))))
}
