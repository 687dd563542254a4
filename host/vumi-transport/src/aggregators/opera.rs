//! Opera's SMS gateway: XML-RPC out, posted XML in (transport specification "opera").
//!
//! Messages go out by the procedure `EAPIGateway.SendSMS`, which answers with an id of the gateway. That id is kept
//! beside the message's own, since delivery receipts name nothing else.

use std::borrow::Cow;
use std::collections::BTreeMap;

use async_trait::async_trait;
use hyper::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use vumi_core::{Error, RedisManager, Result, Secret, Sent};
use vumi_message::address::normalize_msisdn;
use vumi_message::{DeliveryStatus, Event, FailureCode, NewUserMessage, Payload, Timestamp, UserMessage};

use crate::base::endpoint::Listen;
use crate::base::values::{self, Positive};
use crate::http::outcome::{accepted_as, failed, failed_and_refused};
use crate::http::xml::Element;
use crate::http::xmlrpc::{self, ResponseProblem, Value};
use crate::http::{Aggregator, Answer, Call, HttpLink, Keeps, OwnKeys, Refusal, Reply, Request, Site, find_soon, form};

/// Which of the site's paths is that of messages.
const RECEIVE: usize = 0;
/// The country that numbers without a country code are of.
const COUNTRY: &str = "27";
const DAY_MICROS: i64 = 24 * 3600 * 1_000_000;

/// Opera SMS (XML-RPC).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Opera {
    /// The path to which the gateway posts delivery receipts.
    pub web_receipt_path: String,
    /// The path to which the gateway posts messages from users.
    pub web_receive_path: String,
    /// The port to listen on. With 0 the system chooses one.
    #[serde(deserialize_with = "values::whole")]
    pub web_port: u16,
    /// Where the gateway takes calls.
    pub url: String,
    /// The channel that the gateway gave you.
    pub channel: String,
    /// The password that the gateway gave you.
    #[schemars(with = "String")]
    pub password: Secret,
    /// The service that the gateway gave you.
    pub service: String,
    /// Seconds for which the gateway's id of a message is known, so that its receipts find it; a week unless given.
    #[serde(default = "a_week", deserialize_with = "lifetime")]
    #[schemars(range(min = 1))]
    pub message_id_lifetime: u64,
    /// The number of SMS that a long message may become; 9 unless given.
    #[serde(default = "nine", deserialize_with = "segments")]
    #[schemars(range(min = 1))]
    pub max_segments: u32,
    /// Where the gateway's ids are kept; the system's `kv` unless given.
    #[serde(default)]
    pub redis_manager: RedisManager,
}

#[async_trait]
impl Aggregator for Opera {
    const CLASS: &'static str = "opera";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.opera.OperaTransport", "vumi.transports.opera.opera.OperaTransport"];
    const EXAMPLE: &'static str = "\
class: opera
web_receive_path: /opera/receive
web_receipt_path: /opera/receipt
web_port: 8080
url: https://gateway.example/xmlrpc
channel: \"111\"
service: my-service
password: secret
";
    const CONTENT_TYPE: &'static str = "text/plain; charset=utf8";
    type Keys = OwnKeys;

    fn site(&self, _: &OwnKeys, interface: Option<&str>) -> Result<Site> {
        let paths = [self.web_receive_path.as_str(), self.web_receipt_path.as_str()];
        let mut site = Site::new("web_port", Listen::at(interface, self.web_port), &paths);
        site.methods = vec![Method::POST];
        site.health = Some("health".to_owned());
        Ok(site)
    }

    fn check(&self) -> Result<()> {
        if self.web_receive_path.trim_matches('/') == self.web_receipt_path.trim_matches('/') {
            return Err(Error::permanent("web_receive_path and web_receipt_path are the same: each needs its own"));
        }
        Ok(())
    }

    fn keeps(&self, name: &str) -> Keeps {
        Keeps::sessions(&self.redis_manager, format!("{name}@{}", self.url), self.message_id_lifetime)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let xml = document(&request.body);
        if request.route == RECEIVE {
            return message(request, xml, link).await;
        }
        let xml = xml.ok_or_else(|| Refusal::new(Reply::status(500), "XmlMsg missing."))?;
        receipts(&xml, link).await
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let call = match self.call(message, link.now()) {
            Ok(call) => call,
            Err(reason) => return Ok(failed(FailureCode::Unspecified, reason)),
        };
        let unspecified = |reason: String| failed_and_refused(FailureCode::Unspecified, reason, None);
        let answered = match link.client().send(Call::post(&self.url).body(xmlrpc::CONTENT_TYPE, call)).await {
            Ok(answered) => answered,
            Err(error) => return Ok(unspecified(error.to_string())),
        };
        if answered.status != 200 {
            let reason = format!("('{}', '{}')", answered.status, answered.reason);
            return Ok(failed_and_refused(FailureCode::Permanent, reason, None));
        }
        let value = match xmlrpc::read_response(&answered.body) {
            Ok(value) => value,
            Err(ResponseProblem::Fault(fault)) => {
                return Err(Error::temporary(format!("the gateway answered with {fault}")));
            }
            Err(ResponseProblem::Unreadable(problem)) => return Ok(unspecified(problem.to_string())),
        };
        let Some(id) = value.get("Identifier").and_then(Value::to_text).filter(|id| !id.is_empty()) else {
            return Ok(failed(FailureCode::Unspecified, "the gateway's answer has no Identifier"));
        };
        let own = Payload::from_iter([("message_id".to_owned(), message.message_id().into())]);
        if let Err(error) = link.sessions().create(&id, &own).await {
            // It is out, and must not go out again for want of its receipts.
            tracing::warn!(transport = link.name(), id, "the gateway's id was not kept: {}", error.report());
        }
        Ok(accepted_as(id))
    }

    fn health(&self, _: usize) -> Reply {
        Reply::ok("OK")
    }
}

impl Opera {
    /// The call that carries a message; one sentence when it cannot be made.
    fn call(&self, message: &UserMessage, now: Timestamp) -> Result<String, String> {
        let to_addr = message.to_addr().ok_or("the message has no to_addr")?;
        let content = message.content().ok_or("the message has no content")?;
        let metadata = message.transport_metadata();
        let deliver_at = date(metadata, "deliver_at")?.unwrap_or(now);
        let next_day = || Timestamp::from_micros(deliver_at.micros().saturating_add(DAY_MICROS));
        let expire_at = date(metadata, "expire_at")?.unwrap_or_else(next_day);
        let content = if content.is_ascii() { content.into() } else { Value::Base64(content.into()) };
        let members = [
            ("Service", self.service.as_str().into()),
            ("Password", self.password.expose().into()),
            ("Channel", self.channel.as_str().into()),
            ("Numbers", to_addr.into()),
            ("SMSText", content),
            ("Delivery", Value::DateTime(compact(deliver_at))),
            ("Expiry", Value::DateTime(compact(expire_at))),
            ("Priority", text(metadata, "priority", "standard").into()),
            ("Receipt", text(metadata, "receipt", "Y").into()),
            ("MaxSegments", Value::Int(self.max_segments.into())),
        ];
        let members = members.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Ok(xmlrpc::write_call("EAPIGateway.SendSMS", &[Value::Struct(members)]))
    }
}

/// A message from a user.
async fn message(request: &Request, xml: Option<Cow<'_, [u8]>>, link: &HttpLink) -> Result<Answer, Refusal> {
    let xml = xml.ok_or_else(|| Refusal::bad("XmlMsg missing."))?;
    let root = read(&xml)?;
    let named = |field: &Element| Some((field.attribute("name")?.to_owned(), field.text()));
    let fields: BTreeMap<String, String> = root.children("field").filter_map(named).collect();
    let take = |name| fields.get(name).cloned().ok_or_else(|| Refusal::bad(format!("Missing field: {name}")));
    let (local, remote, content) = (take("Local")?, take("Remote")?, take("Text")?);
    let (id, network) = (take("MessageID")?, take("MobileNetwork")?);
    if id.is_empty() {
        return Err(Refusal::bad("Missing field: MessageID"));
    }
    let message = NewUserMessage {
        message_id: Some(id.clone()),
        to_addr: Some(normalize_msisdn(&local, COUNTRY)),
        from_addr: Some(normalize_msisdn(&remote, COUNTRY)),
        content: Some(content),
        transport_type: Some("sms".to_owned()),
        transport_metadata: Payload::from_iter([("provider".to_owned(), network.into())]),
        ..NewUserMessage::default()
    };
    link.publish_once(&id, request, message).await?;
    Ok(Answer::Now(Reply::ok(xml.into_owned()).content_type("text/xml; charset=utf8")))
}

/// Delivery receipts.
async fn receipts(xml: &[u8], link: &HttpLink) -> Result<Answer, Refusal> {
    let root = read(xml)?;
    let mut receipts = Vec::new();
    for receipt in root.children("receipt") {
        let take = |name| receipt.child_trimmed(name).ok_or_else(|| Refusal::bad(format!("a receipt has no {name}")));
        let (reference, status) = (take("reference")?, take("status")?);
        let status = match status.as_str() {
            "D" | "d" | "R" => DeliveryStatus::Delivered,
            "Q" | "P" | "B" | "a" | "u" => DeliveryStatus::Pending,
            _ => DeliveryStatus::Failed,
        };
        receipts.push((reference, status));
    }
    let references: Vec<&str> = receipts.iter().map(|(reference, _)| reference.as_str()).collect();
    let find = |reference| async move { Ok(link.sessions().load(reference).await?.remove("message_id")) };
    let known = find_soon(&references, find).await?;
    // Only now, so that a mistake in one of them leaves none half done.
    for ((reference, status), own) in receipts.iter().zip(known) {
        if own.is_none() {
            tracing::warn!(transport = link.name(), reference, "a receipt is for a message that is not known");
        }
        link.event(Event::delivery_report(own.as_deref(), *status)).await?;
    }
    Ok(Answer::Now(Reply::ok("")))
}

/// The XML of a request: its body, or the parameter `XmlMsg` of a form.
fn document(body: &[u8]) -> Option<Cow<'_, [u8]>> {
    if body.trim_ascii_start().starts_with(b"<") {
        return Some(Cow::Borrowed(body.trim_ascii_start()));
    }
    let (_, xml) = form::decode(body).ok()?.into_iter().find(|(name, _)| name == b"XmlMsg")?;
    (!xml.is_empty()).then_some(Cow::Owned(xml))
}

fn read(xml: &[u8]) -> Result<Element, Refusal> {
    let unreadable = |error| Refusal::new(Reply::status(500), format!("the document cannot be read: {error}"));
    Element::read(xml).map_err(unreadable)
}

/// A date among a message's metadata.
fn date(metadata: &Payload, key: &str) -> Result<Option<Timestamp>, String> {
    match metadata.get(key) {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(value) => match value.as_str().map(str::parse) {
            Some(Ok(date)) => Ok(Some(date)),
            _ => Err(format!("transport_metadata has a {key} that is no date: write YYYY-MM-DD HH:MM:SS")),
        },
    }
}

/// A text among a message's metadata.
fn text(metadata: &Payload, key: &str, default: &str) -> String {
    match metadata.get(key) {
        None | Some(serde_json::Value::Null) => default.to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// `YYYYMMDDTHH:MM:SS`, UTC.
fn compact(time: Timestamp) -> String {
    time.iso_seconds().replace('-', "")
}

fn a_week() -> u64 {
    7 * 24 * 3600
}

fn nine() -> u32 {
    9
}

fn lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let given: Option<Positive<u64>> = values::optional_whole(deserializer)?;
    Ok(given.map_or_else(a_week, |given| given.0))
}

fn segments<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let given: Option<Positive<u32>> = values::optional_whole(deserializer)?;
    Ok(given.map_or_else(nine, |given| given.0))
}
