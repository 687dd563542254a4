//! Infobip's USSD: JSON over HTTP (transport specification "infobip").
//!
//! The path says what happens to which session (`<web_path>/<session id>/start`), the body what the user wrote. The
//! gateway waits for the screen. Whatever goes wrong is told with status 200; the body has the code.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use vumi_core::{RedisManager, Result, Sent, Session};
use vumi_message::{NewUserMessage, Payload, SessionEvent, UserMessage};

use crate::base::values;
use crate::http::outcome::{accepted_as, refused_bare};
use crate::http::{Aggregator, Answer, Finish, HttpLink, Keeps, Refusal, Reply, Request, RpcKeys};

/// Infobip USSD (HTTP, JSON).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Infobip {
    /// The kind of network that messages say; `ussd` unless given.
    pub transport_type: Option<String>,
    /// Where sessions are kept; the system's `kv` unless given.
    pub redis_manager: RedisManager,
    /// Seconds that a session lasts; 600 unless given.
    #[serde(deserialize_with = "values::session_timeout")]
    #[schemars(range(min = 1))]
    pub ussd_session_timeout: u64,
}

impl Default for Infobip {
    fn default() -> Self {
        Self { transport_type: None, redis_manager: RedisManager::default(), ussd_session_timeout: 600 }
    }
}

#[async_trait]
impl Aggregator for Infobip {
    const CLASS: &'static str = "infobip";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.infobip.InfobipTransport", "vumi.transports.infobip.infobip.InfobipTransport"];
    const EXAMPLE: &'static str = "\
class: infobip
web_path: /session/
web_port: 8080
";
    type Keys = RpcKeys;

    fn keeps(&self, name: &str) -> Keeps {
        Keeps::sessions(&self.redis_manager, format!("infobip:{name}"), self.ussd_session_timeout)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let [.., session_id, method] = request.rest.as_slice() else { return Err(error("Invalid request")) };
        match method.as_str() {
            "status" => {
                let active = !link.sessions().load(session_id).await?.is_empty();
                Ok(Answer::Now(done(json!({ "sessionActive": active }))))
            }
            "start" => self.begin(session_id, &body(request)?, request, link).await,
            "response" => {
                let body = body(request)?;
                let session = known(session_id, link).await?;
                let content = text(&body, "text")?;
                let message = self.message(session_id, session, content, SessionEvent::Resume);
                link.publish(request, message).await?;
                Ok(Answer::Hold)
            }
            "end" => {
                body(request)?;
                let session = known(session_id, link).await?;
                // First the message: should it fail, the gateway may come again and finds the session.
                let message = self.message(session_id, session, None, SessionEvent::Close);
                link.publish(request, message).await?;
                link.sessions().clear(session_id).await?;
                Ok(Answer::Now(done(json!({}))))
            }
            _ => Err(error("Invalid request")),
        }
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let message_id = message.message_id();
        let Some(request_id) = message.in_reply_to().filter(|id| !id.is_empty()) else {
            let reason = "Infobip transport cannot process outbound message that is not a reply:";
            tracing::error!(transport = link.name(), "{reason} {message_id}");
            return Ok(refused_bare(format!("{reason} {message_id}")));
        };
        let closes = message.session_event() == Some(SessionEvent::Close);
        let reply = done(json!({ "shouldClose": closes, "ussdMenu": message.content() }));
        Ok(match link.finish(request_id, reply).await {
            Finish::Written(remote_id) => accepted_as(remote_id),
            Finish::Gone | Finish::NotPending => {
                let reason = "Infobip transport could not find original request when attempting to reply.";
                tracing::error!(transport = link.name(), message_id, "{reason}");
                refused_bare(reason)
            }
        })
    }
}

impl Infobip {
    async fn begin(
        &self,
        session_id: &str,
        body: &Payload,
        request: &Request,
        link: &HttpLink,
    ) -> Result<Answer, Refusal> {
        if !link.sessions().load(session_id).await?.is_empty() {
            return Err(error(&format!("USSD session '{session_id}' already started")));
        }
        let Some(msisdn) = text(body, "msisdn")? else { return Err(without("msisdn")) };
        let content = text(body, "text")?;
        let optional = |name: &str| body.get(name).map_or(Ok(None), |_| text(body, name));
        let (to_addr, provider) = (optional("shortCode")?, optional("ussdGwId")?);
        let session = Session::from([
            ("from_addr".to_owned(), msisdn),
            ("to_addr".to_owned(), to_addr.unwrap_or_default()),
            ("provider".to_owned(), provider.unwrap_or_default()),
        ]);
        let message = self.message(session_id, session.clone(), content, SessionEvent::New);
        let fields: Vec<(&str, &str)> = session.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        link.publish_first(request, session_id, &fields, message).await?;
        Ok(Answer::Hold)
    }

    fn message(
        &self,
        session_id: &str,
        mut session: Session,
        content: Option<String>,
        event: SessionEvent,
    ) -> NewUserMessage {
        NewUserMessage {
            from_addr: session.remove("from_addr"),
            to_addr: session.remove("to_addr"),
            provider: session.remove("provider"),
            content,
            session_event: Some(event),
            transport_type: Some(self.transport_type.clone().unwrap_or_else(|| "ussd".to_owned())),
            transport_metadata: Payload::from_iter([("session_id".to_owned(), session_id.into())]),
            ..NewUserMessage::default()
        }
    }
}

/// A good answer with these fields.
fn done(mut fields: Value) -> Reply {
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("responseExitCode".to_owned(), 200.into());
        fields.insert("responseMessage".to_owned(), "".into());
    }
    Reply::json(&fields)
}

/// A bad answer.
fn error(text: &str) -> Refusal {
    Refusal::new(Reply::json(&json!({ "responseExitCode": 400, "responseMessage": text })), text)
}

/// A field of the body is not there. In Vumi's words, which were Python's.
fn without(name: &str) -> Refusal {
    error(&format!("Missing required JSON field: KeyError('{name}',)"))
}

/// A session that must be there.
async fn known(session_id: &str, link: &HttpLink) -> Result<Session, Refusal> {
    let session = link.sessions().load(session_id).await?;
    if session.is_empty() { Err(error(&format!("Invalid USSD session '{session_id}'"))) } else { Ok(session) }
}

fn body(request: &Request) -> Result<Payload, Refusal> {
    match request.json() {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(error("Invalid JSON")),
    }
}

/// A field of the body that must be there, but may be null. Numbers are taken for texts.
fn text(body: &Payload, name: &str) -> Result<Option<String>, Refusal> {
    match body.get(name) {
        None => Err(without(name)),
        Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(error(&format!("The JSON field '{name}' is no text"))),
    }
}
