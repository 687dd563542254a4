//! Twilio's Programmable Messaging: SMS, MMS, and what Twilio carries in the same way, e.g. WhatsApp.
//!
//! Twilio posts each message to `web_path`, and what became of ours to `<web_path>/status`. It signs both: HMAC-SHA1 with
//! the account's token over the URL that it called and the sorted parameters. Messages to users are requests of ours.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use vumi_core::{Error, Result, Secret, Sent};
use vumi_message::{DeliveryStatus, NewUserMessage, Payload, UserMessage};

use crate::base::values;
use crate::http::json::{filled, notes};
use crate::http::keys::ServerKeys;
use crate::http::outcome::{accepted_as, missing, not_taken};
use crate::http::signature::Hash;
use crate::http::{
    Aggregator, Answer, Call, HttpLink, Refusal, Reply, Report, Request, RpcKeys, Site, check_url, form,
};

/// What Twilio is told: there is nothing to do now, replies come by themselves.
const NOTHING: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response></Response>";

/// Pieces of media that a message may have.
const MOST_MEDIA: usize = 10;

/// Twilio Programmable Messaging: SMS, MMS, WhatsApp.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Twilio {
    /// The account's id, `AC…`.
    pub account_sid: String,
    /// The account's token. Twilio signs its requests with it, and ours are sent with it unless there is an `api_key`.
    #[schemars(with = "String")]
    pub auth_token: Secret,
    /// The URL by which Twilio reaches `web_path`, exactly as it stands in Twilio's console: Twilio signs it. Behind it,
    /// `/status` must lead to `<web_path>/status`.
    pub public_url: String,
    /// The id of an API key, `SK…`, to send with in place of the account's token.
    #[serde(default)]
    pub api_key: Option<String>,
    /// The secret of the API key.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub api_secret: Option<Secret>,
    /// The id of a messaging service, `MG…`, which chooses the number that a message is from. Without one it is the
    /// message's `from_addr`.
    #[serde(default)]
    pub messaging_service_sid: Option<String>,
    /// Whether Twilio is asked to report what becomes of each message; true unless given.
    #[serde(default = "values::on", deserialize_with = "values::flag_on")]
    pub status_callbacks: bool,
    /// Where Twilio's API is; `https://api.twilio.com` unless given.
    #[serde(default = "api_url")]
    pub api_url: String,
    /// Seconds in which Twilio may report about a message; 604800 (a week) unless given.
    #[serde(default = "values::week", deserialize_with = "values::id_lifetime")]
    #[schemars(range(min = 1))]
    pub message_id_lifetime: u64,
}

fn api_url() -> String {
    "https://api.twilio.com".to_owned()
}

#[async_trait]
impl Aggregator for Twilio {
    const CLASS: &'static str = "twilio";
    const ALIASES: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
class: twilio
web_path: /twilio
web_port: 8080
public_url: https://sms.example.org/twilio
account_sid: AC00000000000000000000000000000001
auth_token: secret
";
    const CONTENT_TYPE: &'static str = "text/xml";
    type Keys = RpcKeys;

    fn site(&self, keys: &RpcKeys, interface: Option<&str>) -> Result<Site> {
        let mut site = keys.site(interface)?;
        site.methods = vec![Method::POST];
        Ok(site)
    }

    fn check(&self) -> Result<()> {
        check_url("public_url", &self.public_url)?;
        check_url("api_url", &self.api_url)?;
        if self.public_url.contains(['?', '#']) {
            return Err(Error::permanent("`public_url` must be without a query: that is taken from each request"));
        }
        if self.account_sid.is_empty() || !self.account_sid.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(Error::permanent("`account_sid` must be the account's id, `AC` and hexadecimal digits"));
        }
        if self.auth_token.expose().is_empty() {
            return Err(Error::permanent("`auth_token` is empty: anybody could sign with it"));
        }
        if self.api_key.is_some() != self.api_secret.is_some() {
            return Err(Error::permanent("`api_key` and `api_secret` go together: give both or neither"));
        }
        Ok(())
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let below = request.below();
        if !self.is_signed(request, &below) {
            let reason = "Twilio's signature is missing or wrong: see `auth_token`, and `public_url`, which must be the \
                          very URL that Twilio calls";
            return Err(Refusal::new(Reply::status(403).body("Forbidden").content_type("text/plain"), reason));
        }
        match below.as_str() {
            "" => {
                let (sid, message) = message(request)?;
                link.publish_once(&sid, request, message).await?;
                Ok(Answer::Now(Reply::ok(NOTHING)))
            }
            "status" => {
                link.report(vec![report(request)?]).await?;
                Ok(Answer::Now(Reply::status(204)))
            }
            _ => Err(Refusal::not_found()),
        }
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let needed: &[&str] = match self.messaging_service_sid {
            Some(_) => &["to_addr", "content"],
            None => &["to_addr", "from_addr", "content"],
        };
        if let Some(missing) = missing(message, needed) {
            return Ok(missing);
        }
        let callback = self.status_url();
        let mut form = vec![
            ("To", message.to_addr().unwrap_or_default()),
            match &self.messaging_service_sid {
                Some(service) => ("MessagingServiceSid", service.as_str()),
                None => ("From", message.from_addr().unwrap_or_default()),
            },
            ("Body", message.content().unwrap_or_default()),
        ];
        if self.status_callbacks {
            form.push(("StatusCallback", &callback));
        }
        let (user, password) = match (&self.api_key, &self.api_secret) {
            (Some(key), Some(secret)) => (key, secret),
            _ => (&self.account_sid, &self.auth_token),
        };
        let api = self.api_url.trim_end_matches('/');
        let url = format!("{api}/2010-04-01/Accounts/{}/Messages.json", self.account_sid);
        let call = Call::post(url).basic(user, password.expose()).header("accept", "application/json").form(&form);
        let answered = link.client().send(call).await?;
        let json = answered.json().unwrap_or_default();
        if !answered.is_success() {
            return not_taken("Twilio", &answered, refusal(&json));
        }
        let sid = filled(&json, "/sid");
        let Some(sid) = sid else { return Err(link.client().unsure("Twilio", &answered).into()) };
        link.remember(sid, message.message_id(), Duration::from_secs(self.message_id_lifetime)).await;
        Ok(accepted_as(sid))
    }
}

impl Twilio {
    /// Where Twilio reports to.
    fn status_url(&self) -> String {
        format!("{}/status", self.public_url.trim_end_matches('/'))
    }

    fn is_signed(&self, request: &Request, below: &str) -> bool {
        let given = request.header("x-twilio-signature").and_then(|given| STANDARD.decode(given.trim()).ok());
        let (Some(signature), Ok(mut pairs)) = (given, form::decode(&request.body)) else { return false };
        pairs.sort_unstable();
        pairs.dedup();
        let mut url = if below == "status" { self.status_url() } else { self.public_url.clone() };
        if let Some((_, query)) = request.uri.split_once('?') {
            url.push('?');
            url.push_str(query);
        }
        with_and_without_port(&url).iter().any(|url| {
            let mut signed = url.clone().into_bytes();
            for (name, value) in &pairs {
                signed.extend_from_slice(name);
                signed.extend_from_slice(value);
            }
            Hash::Sha1.verify(self.auth_token.expose().as_bytes(), &signed, &signature)
        })
    }
}

/// A URL as it is, without its port, and with the usual port of its scheme: Twilio signs one or the other.
fn with_and_without_port(url: &str) -> Vec<String> {
    let mut urls = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return urls };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    match authority.rsplit_once(':') {
        Some((host, digits)) if port(digits) => urls.push(format!("{scheme}://{host}{path}")),
        _ => urls.push(format!("{scheme}://{authority}:{}{path}", if scheme == "http" { 80 } else { 443 })),
    }
    urls
}

/// A message from a user, with Twilio's id of it.
fn message(request: &Request) -> Result<(String, NewUserMessage), Refusal> {
    let mut fields = request.filled(&["MessageSid", "From", "To"])?;
    let mut take = |name| fields.remove(name).unwrap_or_default();
    let (sid, from_addr, to_addr) = (take("MessageSid"), take("From"), take("To"));
    // `whatsapp:+4915…`, `messenger:…`; plain numbers are SMS.
    let kind = from_addr.split_once(':').map_or("sms", |(channel, _)| channel).to_owned();
    let media = media(request)?;
    let notes = notes([
        ("message_sid", Some(sid.clone().into())),
        ("account_sid", request.text("AccountSid")?.map(Value::from)),
        ("messaging_service_sid", request.text("MessagingServiceSid")?.map(Value::from)),
        ("media", (!media.is_empty()).then(|| media.into())),
    ]);
    let message = NewUserMessage {
        from_addr: Some(from_addr),
        to_addr: Some(to_addr),
        content: request.text("Body")?,
        provider: Some("twilio".to_owned()),
        transport_type: Some(kind),
        transport_metadata: Payload::from_iter([("twilio".to_owned(), notes)]),
        ..NewUserMessage::default()
    };
    Ok((sid, message))
}

/// Pictures and the like: where they are, and their content types.
fn media(request: &Request) -> Result<Vec<Value>, Refusal> {
    let number = request.text("NumMedia")?.and_then(|number| number.parse::<usize>().ok());
    let mut media = Vec::new();
    for index in 0..number.unwrap_or_default().min(MOST_MEDIA) {
        let url = request.text(&format!("MediaUrl{index}"))?;
        let content_type = request.text(&format!("MediaContentType{index}"))?;
        media.push(json!({ "url": url, "content_type": content_type }));
    }
    Ok(media)
}

/// What became of a message of ours.
fn report(request: &Request) -> Result<Report, Refusal> {
    let mut fields = request.filled(&["MessageSid", "MessageStatus"])?;
    let mut take = |name| fields.remove(name).unwrap_or_default();
    let (sid, state) = (take("MessageSid"), take("MessageStatus"));
    let status = match state.as_str() {
        "accepted" | "scheduled" | "queued" | "sending" | "sent" => DeliveryStatus::Pending,
        "delivered" | "read" => DeliveryStatus::Delivered,
        "undelivered" | "failed" | "canceled" => DeliveryStatus::Failed,
        _ => return Err(Refusal::json(&json!({ "invalid_parameter": ["MessageStatus"] }))),
    };
    let notes = notes([
        ("message_sid", Some(sid.clone().into())),
        ("status", Some(state.into())),
        ("error_code", request.text("ErrorCode")?.map(Value::from)),
        ("error_message", request.text("ErrorMessage")?.map(Value::from)),
    ]);
    Ok(Report { remote_id: sid, status, metadata: Payload::from_iter([("twilio".to_owned(), notes)]) })
}

/// Twilio's words for why it does not take a message: `21211: The 'To' number … is not a valid phone number.`
fn refusal(json: &Value) -> Option<String> {
    let words = filled(json, "/message")?;
    Some(match json.get("code").and_then(Value::as_u64) {
        Some(code) => format!("{code}: {words}"),
        None => words.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_comes_and_goes() {
        for (url, other) in [
            ("https://h.example/twilio?a=:1", "https://h.example:443/twilio?a=:1"),
            ("https://h.example:8443/twilio", "https://h.example/twilio"),
            ("http://h.example", "http://h.example:80"),
            ("https://[::1]:99?x", "https://[::1]?x"),
            ("https://[::1]/x", "https://[::1]:443/x"),
        ] {
            assert_eq!(with_and_without_port(url), [url, other]);
        }
    }
}
