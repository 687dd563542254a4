//! Cellulant's USSD and SMS (transport specification "cellulant").
//!
//! USSD: the gateway asks for each step of a dialogue and waits for the screen, which is a line of fields. SMS: its
//! requests are messages, and messages to users are requests to it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use vumi_core::{RedisManager, Result, Secret, Sent};
use vumi_message::{NewUserMessage, Payload, SessionEvent, UserMessage};

use crate::base::values;
use crate::http::outcome::{accepted, refused_bare};
use crate::http::{Aggregator, Answer, Call, HttpLink, Keeps, Refusal, Reply, Request, RpcKeys, check_url};

/// Cellulant USSD.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Cellulant {
    /// The kind of network that messages say; `ussd` unless given.
    pub transport_type: Option<String>,
    /// Where sessions are kept; the system's `kv` unless given.
    pub redis_manager: RedisManager,
    /// Seconds that a session lasts; 600 unless given.
    #[serde(deserialize_with = "values::session_timeout")]
    #[schemars(range(min = 1))]
    pub ussd_session_timeout: u64,
}

impl Default for Cellulant {
    fn default() -> Self {
        Self { transport_type: None, redis_manager: RedisManager::default(), ussd_session_timeout: 600 }
    }
}

#[async_trait]
impl Aggregator for Cellulant {
    const CLASS: &'static str = "cellulant";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.cellulant.CellulantTransport", "vumi.transports.cellulant.cellulant.CellulantTransport"];
    const EXAMPLE: &'static str = "\
class: cellulant
web_path: /ussd
web_port: 8080
ussd_session_timeout: 60
";
    type Keys = RpcKeys;

    fn keeps(&self, name: &str) -> Keeps {
        let prefix = format!("vumi.transports.cellulant:{name}");
        Keeps::sessions(&self.redis_manager, prefix, self.ussd_session_timeout)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let mut fields = request.required(&["MSISDN", "INPUT", "opCode", "ABORT", "sessionID"])?;
        let mut take = |name| fields.remove(name).unwrap_or_default();
        let (msisdn, input, session_id) = (take("MSISDN"), take("INPUT"), take("sessionID"));
        let (op_code, abort) = (take("opCode"), take("ABORT"));
        let begins = op_code == "BEG";
        let ended = op_code == "ABO" || !matches!(abort.as_str(), "0" | "null");
        let session = format!("{msisdn}:{session_id}");
        let known = if begins { Some(input.clone()) } else { link.sessions().load(&session).await?.remove("ussd") };
        let Some(to_addr) = known else {
            tracing::error!(transport = link.name(), "Failed redis USSD to_addr lookup for {session}");
            return Ok(Answer::Now(Reply::ok("")));
        };
        let event = match (ended, begins) {
            (true, _) => SessionEvent::Close,
            (false, true) => SessionEvent::New,
            (false, false) => SessionEvent::Resume,
        };
        let message = NewUserMessage {
            from_addr: Some(msisdn),
            to_addr: Some(to_addr.clone()),
            content: (!begins).then_some(input),
            session_event: Some(event),
            transport_type: Some(self.transport_type.clone().unwrap_or_else(|| "ussd".to_owned())),
            transport_metadata: Payload::from_iter([("session_id".to_owned(), session_id.into())]),
            ..NewUserMessage::default()
        };
        if begins {
            link.publish_first(request, &session, &[("ussd", &to_addr)], message).await?;
        } else {
            link.publish(request, message).await?;
        }
        Ok(if ended { Answer::Now(Reply::ok("")) } else { Answer::Hold })
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let end = if message.session_event() == Some(SessionEvent::Close) { "end" } else { "null" };
        link.answer_with(message, |content| Reply::ok(format!("1|{content}|null|null|{end}|null"))).await
    }
}

/// Cellulant SMS.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellulantSms {
    /// User name and password for each address that messages come from. A message from any other address goes out
    /// with empty ones, which Cellulant refuses.
    pub credentials: BTreeMap<String, Credentials>,
    /// The URL that messages to users go to.
    pub outbound_url: String,
}

/// What Cellulant knows the sender of a message by.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password.
    #[schemars(with = "String")]
    pub password: Secret,
}

#[async_trait]
impl Aggregator for CellulantSms {
    const CLASS: &'static str = "cellulant-sms";
    const ALIASES: &'static [&'static str] = &[
        "vumi.transports.cellulant.CellulantSmsTransport",
        "vumi.transports.cellulant.cellulant_sms.CellulantSmsTransport",
    ];
    const EXAMPLE: &'static str = "\
class: cellulant-sms
web_path: /sms
web_port: 8081
outbound_url: http://cellulant.example/send
credentials:
  \"9292\": { username: shop, password: secret }
";
    type Keys = RpcKeys;

    fn check(&self) -> Result<()> {
        check_url("outbound_url", &self.outbound_url)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let allowed = ["channelID", "keyword", "CHANNELID", "serviceID", "SERVICEID", "unsub", "transactionID"];
        let mut fields = request.fields(&["SOURCEADDR", "DESTADDR", "MESSAGE", "ID"], &allowed)?;
        let id = fields.remove("ID").unwrap_or_default();
        let message = NewUserMessage {
            from_addr: fields.remove("SOURCEADDR"),
            to_addr: fields.remove("DESTADDR"),
            content: fields.remove("MESSAGE"),
            provider: Some("vumi".to_owned()),
            transport_type: Some("sms".to_owned()),
            transport_metadata: Payload::from_iter([("transport_message_id".to_owned(), id.into())]),
            ..NewUserMessage::default()
        };
        link.publish(request, message).await?;
        Ok(Answer::Now(Reply::json(&json!({ "message_id": request.id }))))
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let from_addr = message.from_addr().unwrap_or_default();
        let known = self.credentials.get(from_addr);
        let call = Call::get(&self.outbound_url).query(&[
            ("username", known.map_or("", |known| &known.username)),
            ("password", known.map_or("", |known| known.password.expose())),
            ("source", from_addr),
            ("destination", message.to_addr().unwrap_or_default()),
            ("message", message.content().unwrap_or_default()),
        ]);
        // The status code says nothing here, the body everything.
        let body = link.client().send(call).await?.text();
        Ok(match body.trim() {
            "1" => accepted(message),
            "E0" => refused_bare("Insufficient HTTP Params passed"),
            "E1" => refused_bare("Invalid username or password"),
            "E2" => refused_bare("Credits have expired or run out"),
            "1005" => refused_bare("Suspect source address"),
            other => refused_bare(format!("Unknown response code: {other}")),
        })
    }
}
