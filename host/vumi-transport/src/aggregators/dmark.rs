//! Dmark's USSD (transport specification "dmark").
//!
//! The gateway asks for each step of a dialogue and waits for the screen, which is JSON. Whether requests can be read
//! and how fast they are answered is reported as the states of two components, `request` and `response`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use vumi_core::{RedisManager, Result, Sent};
use vumi_message::{NewUserMessage, Payload, SessionEvent, Status, StatusLevel, UserMessage};

use crate::base::values;
use crate::http::outcome::{accepted, missing, refused};
use crate::http::{Aggregator, Answer, Done, Finish, HttpLink, Keeps, Refusal, Reply, Request, RpcKeys, Speed};

/// The parameters of every request.
const FIELDS: [&str; 7] =
    ["transactionId", "msisdn", "ussdServiceCode", "transactionTime", "ussdRequestString", "creationTime", "response"];

/// Headers that are not shown when a request is reported.
const SECRET: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];

/// So many bytes of a body are shown when a request is reported: the report must fit into its queue.
const SHOWN: usize = 4096;

/// Dmark USSD.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Dmark {
    /// Makes `*128#` of a dialled code that comes as `128`, without its star and hash.
    #[serde(deserialize_with = "values::flag")]
    pub fix_to_addr: bool,
    /// Where sessions are kept; the system's `kv` unless given.
    pub redis_manager: RedisManager,
    /// Seconds that a session lasts; 600 unless given.
    #[serde(deserialize_with = "values::session_timeout")]
    #[schemars(range(min = 1))]
    pub ussd_session_timeout: u64,
}

impl Default for Dmark {
    fn default() -> Self {
        Self { fix_to_addr: false, redis_manager: RedisManager::default(), ussd_session_timeout: 600 }
    }
}

#[async_trait]
impl Aggregator for Dmark {
    const CLASS: &'static str = "dmark";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.dmark.DmarkUssdTransport", "vumi.transports.dmark.dmark_ussd.DmarkUssdTransport"];
    const EXAMPLE: &'static str = "\
class: dmark
web_path: /api/dmark
web_port: 8080
fix_to_addr: true
publish_status: true
";
    type Keys = RpcKeys;

    fn keeps(&self, name: &str) -> Keeps {
        let prefix = format!("vumi.transports.dmark_ussd:{name}");
        Keeps::sessions(&self.redis_manager, prefix, self.ussd_session_timeout)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let mut fields = fields(request, link).await?;
        link.status(Status::new("request", StatusLevel::Ok, "request_parsed", "Request parsed")).await;
        let mut take = |name| fields.remove(name).unwrap_or_default();
        let (transaction, input) = (take("transactionId"), take("ussdRequestString"));
        let dmark = json!({
            "transaction_id": transaction,
            "transaction_time": take("transactionTime"),
            "creation_time": take("creationTime"),
        });
        let begins = link.sessions().load(&transaction).await?.is_empty();
        let message = NewUserMessage {
            from_addr: Some(take("msisdn")),
            to_addr: Some(self.to_addr(take("ussdServiceCode"))),
            content: (!begins).then_some(input),
            session_event: Some(if begins { SessionEvent::New } else { SessionEvent::Resume }),
            provider: Some("dmark".to_owned()),
            transport_type: Some("ussd".to_owned()),
            transport_metadata: Payload::from_iter([("dmark_ussd".to_owned(), dmark)]),
            helper_metadata: Payload::from_iter([("session_id".to_owned(), transaction.as_str().into())]),
            ..NewUserMessage::default()
        };
        if begins {
            let fields = [("transaction_id", transaction.as_str())];
            link.publish_first(request, &transaction, &fields, message).await?;
        } else {
            link.publish(request, message).await?;
        }
        Ok(Answer::Hold)
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        if let Some(missing) = missing(message, &["in_reply_to", "content"]) {
            return Ok(missing);
        }
        let action = if message.session_event() == Some(SessionEvent::Close) { "end" } else { "request" };
        let reply = Reply::json(&json!({ "responseString": message.content(), "action": action }));
        Ok(match link.finish(message.in_reply_to().unwrap_or_default(), reply).await {
            Finish::Written(_) => accepted(message),
            Finish::Gone | Finish::NotPending => refused(message, "Could not find original request."),
        })
    }

    fn finished(&self, done: &Done) -> Option<Status> {
        let went_well = (200..300).contains(&done.status);
        let (level, type_, text) = match done.speed {
            Speed::Good if (200..400).contains(&done.status) => (StatusLevel::Ok, "response_sent", "Response sent"),
            Speed::Slow if went_well => (StatusLevel::Degraded, "slow_response", "Slow response"),
            Speed::VerySlow if went_well => (StatusLevel::Down, "very_slow_response", "Very slow response"),
            Speed::TimedOut => (StatusLevel::Down, "timeout", "Response timed out"),
            _ => return None,
        };
        let details = Payload::from_iter([("response_time".to_owned(), done.seconds.into())]);
        let status = Status::new("response", level, type_, text).with_details(details);
        if done.speed == Speed::Good {
            return Some(status);
        }
        Some(status.with_reasons(vec![format!("Response took longer than {:.6}s", done.limit).into()]))
    }
}

impl Dmark {
    fn to_addr(&self, code: String) -> String {
        if self.fix_to_addr && !code.starts_with('*') && !code.ends_with('#') { format!("*{code}#") } else { code }
    }
}

/// The parameters of a request. What is wrong with it is reported.
async fn fields(request: &Request, link: &HttpLink) -> Result<BTreeMap<String, String>, Refusal> {
    let is_text = |name: &&str| request.first(name).is_none_or(|value| std::str::from_utf8(value).is_ok());
    if !FIELDS.iter().all(is_text) {
        let shown = shown(request);
        let details = Payload::from_iter([("request".to_owned(), shown.clone())]);
        let status = Status::new("request", StatusLevel::Down, "invalid_encoding", "Invalid encoding");
        link.status(status.with_details(details)).await;
        let reply = Reply::json(&json!({ "invalid_request": shown })).with_status(400);
        return Err(Refusal::new(reply, "a parameter is not UTF-8"));
    }
    let (fields, errors) = request.check(&FIELDS, &[])?;
    if errors.is_empty() {
        return Ok(fields);
    }
    let status = Status::new("request", StatusLevel::Down, "invalid_inbound_fields", "Invalid inbound fields");
    link.status(status.with_details(errors.clone())).await;
    Err(Refusal::json(&Value::Object(errors)))
}

/// A request as it is reported. Header names are written as Vumi wrote them; those that hold secrets are left out.
fn shown(request: &Request) -> Value {
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in request.headers.iter().filter(|(name, _)| !SECRET.contains(&name.as_str())) {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(title_case(name.as_str())).or_default().push(value);
    }
    let body = request.body.get(..SHOWN).unwrap_or(&request.body);
    json!({
        "uri": request.uri,
        "method": request.method.as_str(),
        "path": request.path,
        "content": String::from_utf8_lossy(body),
        "headers": headers,
    })
}

/// `content-type` becomes `Content-Type`.
fn title_case(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}
