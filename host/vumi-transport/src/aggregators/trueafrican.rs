//! TrueAfrican's USSD, Uganda (transport specification "trueafrican").
//!
//! The gateway calls a procedure of XML-RPC when a dialogue begins, for each text of the user, and when it ends.

use std::time::Duration;

use async_trait::async_trait;
use hyper::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use vumi_core::{RedisManager, Result, Sent, Session};
use vumi_message::{FailureCode, NewUserMessage, Payload, SessionEvent, UserMessage};

use crate::base::endpoint::Listen;
use crate::base::values;
use crate::http::outcome::{accepted, failed, refused};
use crate::http::xmlrpc::{self, Fault, Value, read_call, write_response};
use crate::http::{Aggregator, Answer, Finish, HttpLink, Keeps, OwnKeys, Refusal, Reply, Request, Site, session_id};

/// What users see when it goes wrong.
const TROUBLE: &str = "We encountered an error while processing your message";

/// TrueAfrican USSD, Uganda, an XML-RPC server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrueAfrican {
    /// The port to listen on.
    #[serde(deserialize_with = "values::whole")]
    pub port: u16,
    /// The address to listen on. Only this machine can connect unless it is given; `0.0.0.0` is every address.
    pub interface: Option<String>,
    /// Where sessions are kept; the system's `kv` unless given. Their keys begin with `trueafrican:<transport_name>`.
    #[serde(default)]
    pub redis_manager: RedisManager,
    /// Seconds that a session lasts; 600 unless given.
    #[serde(default = "session_timeout", deserialize_with = "values::session_timeout")]
    #[schemars(range(min = 1))]
    pub session_timeout: u64,
    /// Seconds that a call waits for its answer; 240 unless given.
    #[serde(default = "request_timeout", deserialize_with = "values::seconds::<240, _>")]
    #[schemars(range(min = 1))]
    pub request_timeout: u64,
}

#[async_trait]
impl Aggregator for TrueAfrican {
    const CLASS: &'static str = "trueafrican";
    const ALIASES: &'static [&'static str] = &[
        "vumi.transports.trueafrican.TrueAfricanUssdTransport",
        "vumi.transports.trueafrican.transport.TrueAfricanUssdTransport",
    ];
    const EXAMPLE: &'static str = "\
class: trueafrican
port: 8080
interface: 127.0.0.1
request_timeout: 240
";
    const CONTENT_TYPE: &'static str = xmlrpc::CONTENT_TYPE;
    type Keys = OwnKeys;

    fn site(&self, _: &OwnKeys, interface: Option<&str>) -> Result<Site> {
        let mut site = Site::new("port", Listen::at(self.interface.as_deref().or(interface), self.port), &[""]);
        site.methods = vec![Method::POST];
        site.timeout = Some(Duration::from_secs(self.request_timeout));
        site.timeout_reply = trouble();
        Ok(site)
    }

    fn keeps(&self, name: &str) -> Keeps {
        Keeps::sessions(&self.redis_manager, format!("trueafrican:{name}"), self.session_timeout)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let call =
            read_call(&request.body).map_err(|problem| Fault::unreadable(&problem).refusal(problem.to_string()))?;
        let take = |name: &str| match call.params.as_slice() {
            [details] => details.get(name).and_then(Value::to_text).ok_or_else(|| missing(name)),
            _ => Err(Fault::error().refusal(format!("{} takes one struct", call.method))),
        };
        match call.method.as_str() {
            "USSD.INIT" => {
                let (id, from_addr, to_addr) = (take("session")?, take("msisdn")?, take("shortcode")?);
                let fields = [("from_addr", from_addr.as_str()), ("to_addr", to_addr.as_str())];
                let message = message(&id, &from_addr, &to_addr, None, SessionEvent::New);
                link.publish_first(request, &id, &fields, message).await?;
                Ok(Answer::Hold)
            }
            "USSD.CONT" => {
                let (id, text) = (take("session")?, take("response")?);
                let session = link.sessions().load(&id).await?;
                let message = next(&id, &session, Some(text), SessionEvent::Resume)?;
                link.publish(request, message).await?;
                Ok(Answer::Hold)
            }
            "USSD.END" => {
                let id = take("session")?;
                let session = link.sessions().load(&id).await?;
                link.publish(request, next(&id, &session, None, SessionEvent::Close)?).await?;
                Ok(Answer::Now(Reply::ok(write_response(&Value::Struct(Vec::new())))))
            }
            other => {
                let fault = unknown(other);
                Err(fault.refusal(fault.text.clone()))
            }
        }
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let (Some(id), Some(request_id), Some(content)) =
            (session_id(message), not_empty(message.in_reply_to()), not_empty(message.content()))
        else {
            return Ok(refused(message, "Missing in_reply_to, content or session_id fields"));
        };
        let kind = match message.session_event() {
            Some(SessionEvent::Close) => "end",
            Some(SessionEvent::Resume) | None => "cont",
            Some(SessionEvent::New) => {
                return Ok(failed(FailureCode::Unspecified, "an answer cannot begin a session"));
            }
        };
        let answer = Value::texts([("session", id), ("type", kind), ("message", content)]);
        Ok(match link.finish(request_id, Reply::ok(write_response(&answer))).await {
            Finish::Written(_) => accepted(message),
            Finish::Gone => refused(message, "the answer was not delivered: HTTP client closed connection"),
            Finish::NotPending => refused(message, "Exceeded request timeout"),
        })
    }
}

fn not_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// The answer when it goes wrong, which ends the dialogue.
fn trouble() -> Reply {
    Reply::ok(write_response(&Value::texts([("message", TROUBLE), ("type", "end")])))
}

fn missing(name: &str) -> Refusal {
    Fault::error().refusal(format!("there is no text `{name}` in the call"))
}

/// As Twisted says it: what stands before the first dot names a group of procedures.
fn unknown(method: &str) -> Fault {
    match method.split_once('.') {
        Some(("USSD", procedure)) => Fault::unknown_procedure(procedure),
        Some((group, _)) => Fault { code: Fault::NOT_FOUND, text: format!("no such subHandler {group}") },
        None => Fault::unknown_procedure(method),
    }
}

/// A further message of a session that must be known.
fn next(
    session_id: &str,
    session: &Session,
    content: Option<String>,
    event: SessionEvent,
) -> Result<NewUserMessage, Refusal> {
    match (session.get("from_addr"), session.get("to_addr")) {
        (Some(from_addr), Some(to_addr)) => Ok(message(session_id, from_addr, to_addr, content, event)),
        _ => Err(Refusal::new(trouble(), format!("the session {session_id} is not known"))),
    }
}

fn message(
    session_id: &str,
    from_addr: &str,
    to_addr: &str,
    content: Option<String>,
    event: SessionEvent,
) -> NewUserMessage {
    NewUserMessage {
        from_addr: Some(from_addr.to_owned()),
        to_addr: Some(to_addr.to_owned()),
        content,
        session_event: Some(event),
        transport_type: Some("ussd".to_owned()),
        transport_metadata: Payload::from_iter([("session_id".to_owned(), session_id.into())]),
        ..NewUserMessage::default()
    }
}

fn session_timeout() -> u64 {
    600
}

fn request_timeout() -> u64 {
    240
}
