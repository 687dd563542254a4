//! MTN Rwanda's USSD (transport specification "mtn_rwanda").
//!
//! The gateway calls a procedure of XML-RPC for each step of a dialogue. The answer repeats what the call said.

use std::time::Duration;

use async_trait::async_trait;
use hyper::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use vumi_core::{RedisManager, Result, Sent};
use vumi_message::{NewUserMessage, Payload, SessionEvent, Timestamp, UserMessage};

use crate::base::values;
use crate::http::outcome::{accepted, refused};
use crate::http::xmlrpc::{self, Fault, Value, read_call, write_response};
use crate::http::{Aggregator, Answer, EndpointKeys, Finish, HttpLink, Keeps, Refusal, Reply, Request, Site};

/// What a call must have; it may have more.
const REQUIRED: [&str; 5] = ["TransactionId", "TransactionTime", "MSISDN", "USSDServiceCode", "USSDRequestString"];

/// MTN Rwanda USSD, an XML-RPC server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MtnRwanda {
    /// Seconds that a call waits for its answer; 30 unless given.
    #[serde(deserialize_with = "values::seconds::<30, _>")]
    #[schemars(range(min = 1))]
    pub timeout: u64,
    /// Where sessions are kept; the system's `kv` unless given. Their keys begin with
    /// `vumi.transports.mtn_rwanda:<transport_name>`.
    pub redis_manager: RedisManager,
    /// Seconds that a session lasts; 600 unless given.
    #[serde(deserialize_with = "values::session_timeout")]
    #[schemars(range(min = 1))]
    pub session_timeout_period: u64,
    /// Answers that neither begin nor end a session say `action` = `request`. Vumi sent no action with them.
    #[serde(deserialize_with = "values::flag")]
    pub request_action: bool,
    /// Minutes that the network's clock is ahead of UTC, for `TransactionTime` in answers: 120 in Rwanda. 0 unless
    /// given; Vumi used the machine's own clock.
    #[serde(deserialize_with = "values::whole")]
    pub utc_offset_minutes: i16,
}

impl Default for MtnRwanda {
    fn default() -> Self {
        Self {
            timeout: 30,
            redis_manager: RedisManager::default(),
            session_timeout_period: 600,
            request_action: false,
            utc_offset_minutes: 0,
        }
    }
}

#[async_trait]
impl Aggregator for MtnRwanda {
    const CLASS: &'static str = "mtn-rwanda";
    const ALIASES: &'static [&'static str] = &[
        "vumi.transports.mtn_rwanda.MTNRwandaUSSDTransport",
        "vumi.transports.mtn_rwanda.mtn_rwanda_ussd.MTNRwandaUSSDTransport",
    ];
    const EXAMPLE: &'static str = "\
class: mtn-rwanda
twisted_endpoint: tcp:port=8080
web_path: /ussd/
timeout: 30
";
    const CONTENT_TYPE: &'static str = xmlrpc::CONTENT_TYPE;
    type Keys = EndpointKeys;

    fn site(&self, keys: &EndpointKeys, interface: Option<&str>) -> Result<Site> {
        let mut site = keys.site_at(interface, None)?;
        site.methods = vec![Method::POST];
        site.timeout = Some(Duration::from_secs(self.timeout));
        site.timeout_reply = Reply::ok(Fault::error().write());
        Ok(site)
    }

    fn keeps(&self, name: &str) -> Keeps {
        let prefix = format!("vumi.transports.mtn_rwanda:{name}");
        Keeps::sessions(&self.redis_manager, prefix, self.session_timeout_period)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let call =
            read_call(&request.body).map_err(|problem| Fault::unreadable(&problem).refusal(problem.to_string()))?;
        if call.method != "handleUSSD" {
            let fault = Fault::unknown_procedure(&call.method);
            return Err(fault.refusal(fault.text.clone()));
        }
        let [details @ Value::Struct(_)] = call.params.as_slice() else {
            return Err(Fault::error().refusal("handleUSSD takes one struct"));
        };
        let [id, time, from_addr, to_addr, text] = required(details)?;
        let session = link.sessions().load(&id).await?;
        let is_new = session.is_empty();
        let (event, content) = if is_new { (SessionEvent::New, None) } else { (SessionEvent::Resume, Some(text)) };
        let details = json!({ "transaction_id": id, "transaction_time": time });
        let message = NewUserMessage {
            from_addr: Some(from_addr.clone()),
            to_addr: Some(to_addr.clone()),
            content,
            session_event: Some(event),
            transport_type: Some("ussd".to_owned()),
            transport_metadata: Payload::from_iter([("mtn_rwanda_ussd".to_owned(), details)]),
            ..NewUserMessage::default()
        };
        link.note(request, request.body.clone());
        if is_new {
            let fields = [("from_addr", from_addr.as_str()), ("to_addr", &to_addr)];
            link.publish_first(request, &id, &fields, message).await?;
        } else {
            link.publish(request, message).await?;
        }
        Ok(Answer::Hold)
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let not_found = || Ok(refused(message, "Request not found"));
        let request_id = message.in_reply_to().unwrap_or_default();
        let call = link.noted(request_id).and_then(|body| read_call(&body).ok());
        let Some(details) = call.as_ref().and_then(|call| call.params.first()) else { return not_found() };
        let reply = Reply::ok(write_response(&self.answer(details, message, link.now())));
        if !matches!(link.finish(request_id, reply).await, Finish::Written(_)) {
            return not_found();
        }
        if message.session_event() == Some(SessionEvent::Close)
            && let Some(id) = details.get("TransactionId").and_then(Value::to_text)
            && let Err(error) = link.sessions().clear(&id).await
        {
            // The user has the answer: to send it again would be wrong. The session ends by itself.
            tracing::warn!(transport = link.name(), "a session could not be ended: {}", error.report());
        }
        Ok(accepted(message))
    }

    fn health(&self, _: usize) -> Reply {
        Reply::ok("OK")
    }
}

impl MtnRwanda {
    /// What the call said, with the answer in place of the user's text.
    fn answer(&self, details: &Value, message: &UserMessage, now: Timestamp) -> Value {
        let offset = i64::from(self.utc_offset_minutes) * 60_000_000;
        let time = Timestamp::from_micros(now.micros().saturating_add(offset)).to_string().replace(' ', "T");
        let action = match message.session_event() {
            Some(SessionEvent::New) => Some("request"),
            Some(SessionEvent::Resume) => Some("notify"),
            Some(SessionEvent::Close) => Some("end"),
            None => self.request_action.then_some("request"),
        };
        let mut members = Vec::new();
        for (name, value) in details.members().unwrap_or_default() {
            match name.as_str() {
                "TransactionTime" => members.push((name.clone(), time.as_str().into())),
                "USSDRequestString" | "USSDResponseString" | "action" => {}
                _ => members.push((name.clone(), value.clone())),
            }
        }
        members.push(("USSDResponseString".to_owned(), message.content().unwrap_or_default().into()));
        members.extend(action.map(|action| ("action".to_owned(), action.into())));
        Value::Struct(members)
    }
}

/// The texts of [`REQUIRED`].
fn required(details: &Value) -> Result<[String; 5], Refusal> {
    let text = |name: &&str| details.get(name).and_then(Value::to_text);
    let missing: Vec<&str> = REQUIRED.iter().copied().filter(|name| text(name).is_none()).collect();
    if !missing.is_empty() {
        return Err(Fault::error().refusal(format!("4001: Missing Parameters: {}", missing.join(", "))));
    }
    Ok(REQUIRED.map(|name| text(&name).unwrap_or_default()))
}
