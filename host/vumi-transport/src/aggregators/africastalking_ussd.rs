//! Africa's Talking's USSD.
//!
//! The service posts each step of a dialogue to `web_path` and waits for the screen: `CON` and a text where the user
//! may answer, `END` and a text where the dialogue ends. A step names everything that the user has typed so far, joined
//! by `*`, so what is new is what stands behind what was there before. Where the service is told so in its dashboard, it
//! posts the end of each dialogue to `<web_path>/end`: a user who has left is a message with `session_event` `close`.
//!
//! It does not sign its requests: let only its addresses through to the port, or give the path a part that nobody
//! guesses.

use async_trait::async_trait;
use hyper::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use vumi_core::{RedisManager, Result, Sent};
use vumi_message::{NewUserMessage, Payload, SessionEvent, UserMessage};

use super::africastalking::{NAME, notes};
use crate::base::values;
use crate::http::keys::ServerKeys;
use crate::http::outcome::{accepted, missing, refused};
use crate::http::{Aggregator, Answer, Finish, HttpLink, Keeps, Refusal, Reply, Request, RpcKeys, Site};

/// Africa's Talking USSD.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AfricasTalkingUssd {
    /// Where sessions are kept; the system's `kv` unless given.
    pub redis_manager: RedisManager,
    /// What the keys of sessions begin with; `africastalking-ussd:<transport_name>` unless given.
    pub session_key_prefix: Option<String>,
    /// Seconds that a session lasts; 600 unless given.
    #[serde(deserialize_with = "values::session_timeout")]
    #[schemars(range(min = 1))]
    pub ussd_session_timeout: u64,
}

impl Default for AfricasTalkingUssd {
    fn default() -> Self {
        Self { redis_manager: RedisManager::default(), session_key_prefix: None, ussd_session_timeout: 600 }
    }
}

#[async_trait]
impl Aggregator for AfricasTalkingUssd {
    const CLASS: &'static str = "africastalking-ussd";
    const ALIASES: &'static [&'static str] = &[];
    const EXAMPLE: &'static str = "\
class: africastalking-ussd
web_path: /ussd/4b825dc6
web_port: 8080
request_timeout: 15
request_timeout_status_code: 200
request_timeout_body: END Please try again later.
";
    type Keys = RpcKeys;

    fn site(&self, keys: &RpcKeys, interface: Option<&str>) -> Result<Site> {
        let mut site = keys.site(interface)?;
        site.methods = vec![Method::POST];
        Ok(site)
    }

    fn keeps(&self, name: &str) -> Keeps {
        let prefix = self.session_key_prefix.clone().unwrap_or_else(|| format!("{}:{name}", Self::CLASS));
        Keeps::sessions(&self.redis_manager, prefix, self.ussd_session_timeout)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        match request.below().as_str() {
            "" => self.step(request, link).await,
            "end" => self.end(request, link).await,
            _ => Err(Refusal::not_found()),
        }
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        if let Some(missing) = missing(message, &["in_reply_to", "content"]) {
            return Ok(missing);
        }
        let closes = message.session_event() == Some(SessionEvent::Close);
        let (word, content) = (if closes { "END" } else { "CON" }, message.content().unwrap_or_default());
        let reply = Reply::ok(format!("{word} {content}"));
        if !matches!(link.finish(message.in_reply_to().unwrap_or_default(), reply).await, Finish::Written(_)) {
            return Ok(refused(message, "the user's request is not open any more: the reply came too late"));
        }
        if let (true, Some(session_id)) = (closes, session_id(message)) {
            // The service reports the end too; the app knows of it, since it made it. The user has the last screen,
            // so whatever happens here changes nothing for them: a session that stays only expires later.
            if let Err(error) = link.sessions().clear(session_id).await {
                tracing::warn!(transport = link.name(), session_id, "a session was not cleared: {}", error.report());
            }
        }
        Ok(accepted(message))
    }
}

impl AfricasTalkingUssd {
    /// A step of a dialogue. The request stays open for the reply.
    async fn step(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let mut fields = request.filled(&["sessionId", "phoneNumber", "serviceCode"])?;
        let mut take = |name| fields.remove(name).unwrap_or_default();
        let (session_id, from_addr, code) = (take("sessionId"), take("phoneNumber"), take("serviceCode"));
        let Some(typed) = request.text("text")? else {
            return Err(Refusal::json(&json!({ "missing_parameter": ["text"] })));
        };
        let sessions = link.sessions();
        let session = sessions.load(&session_id).await?;
        let before = session.get("typed").cloned();
        let (to_addr, content, event) = match (session.get("to_addr"), &before) {
            (Some(to_addr), Some(before)) => (to_addr.clone(), Some(newly(link, before, &typed)), SessionEvent::Resume),
            _ => (dialled(&code, &typed), None, SessionEvent::New),
        };
        let keep = |typed: &str| {
            let pairs = [("from_addr", from_addr.as_str()), ("to_addr", &to_addr), ("typed", typed)];
            Payload::from_iter(pairs.map(|(name, value)| (name.to_owned(), Value::from(value))))
        };
        // Before the message: the user's next step may come as soon as the app has answered.
        match before {
            Some(_) => sessions.save(&session_id, &keep(&typed)).await?,
            None => drop(sessions.create(&session_id, &keep(&typed)).await?),
        }
        let names = [("sessionId", "session_id"), ("networkCode", "network_code")];
        let message = message(from_addr.clone(), to_addr.clone(), content, event, notes(request, &names)?);
        if let Err(refusal) = link.publish(request, message).await {
            // As if the step had not been: should it come again, it is the same step.
            let undone = match before {
                Some(before) => sessions.save(&session_id, &keep(&before)).await,
                None => sessions.clear(&session_id).await,
            };
            if let Err(error) = undone {
                tracing::warn!(transport = link.name(), session_id, "a session stays changed: {}", error.report());
            }
            return Err(refusal);
        }
        Ok(Answer::Hold)
    }

    /// A dialogue has ended. Where the app ended it, the session is not known any more, and the app is told nothing.
    async fn end(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let mut fields = request.filled(&["sessionId", "status"])?;
        let session_id = fields.remove("sessionId").unwrap_or_default();
        let session = link.sessions().load(&session_id).await?;
        if let (Some(from_addr), Some(to_addr)) = (session.get("from_addr"), session.get("to_addr")) {
            let names = [
                ("sessionId", "session_id"),
                ("networkCode", "network_code"),
                ("status", "status"),
                ("errorMessage", "error_message"),
            ];
            let notes = notes(request, &names)?;
            let message = message(from_addr.clone(), to_addr.clone(), None, SessionEvent::Close, notes);
            // First the message: should it fail, the service may come again and finds the session.
            link.publish(request, message).await?;
            link.sessions().clear(&session_id).await?;
        }
        Ok(Answer::Now(Reply::ok("")))
    }
}

/// What the user has dialled: the code, with what they typed right behind it.
fn dialled(code: &str, typed: &str) -> String {
    if typed.is_empty() {
        return code.to_owned();
    }
    format!("{}*{typed}#", code.trim_end_matches('#'))
}

/// What is new of all that the user has typed. Users type `*` too, so only what was there before tells where the new
/// part begins.
fn newly(link: &HttpLink, before: &str, typed: &str) -> String {
    let new = new_part(before, typed);
    new.unwrap_or_else(|| {
        tracing::warn!(transport = link.name(), "the service changed what a user typed before; the last part is taken");
        typed.rsplit('*').next().unwrap_or_default()
    })
    .to_owned()
}

/// `None` where what was there before is not there any more.
fn new_part<'a>(before: &str, typed: &'a str) -> Option<&'a str> {
    let new = typed.strip_prefix(before)?;
    if before.is_empty() || new.is_empty() { Some(new) } else { new.strip_prefix('*') }
}

fn session_id(message: &UserMessage) -> Option<&str> {
    message.transport_metadata().get(NAME)?.get("session_id")?.as_str()
}

fn message(
    from_addr: String,
    to_addr: String,
    content: Option<String>,
    event: SessionEvent,
    transport_metadata: Payload,
) -> NewUserMessage {
    NewUserMessage {
        from_addr: Some(from_addr),
        to_addr: Some(to_addr),
        content,
        session_event: Some(event),
        provider: Some(NAME.to_owned()),
        transport_type: Some("ussd".to_owned()),
        transport_metadata,
        ..NewUserMessage::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new() {
        for (before, typed, new) in [
            ("", "", Some("")),
            ("", "1", Some("1")),
            ("", "*", Some("*")),
            ("1", "1*2", Some("2")),
            ("1", "1*", Some("")),
            ("1", "1*2*3", Some("2*3")),
            ("1", "1***", Some("**")),
            ("1*2", "1*2", Some("")),
            ("1", "12", None),
            ("1*2", "1", None),
            ("1*2", "3*2*4", None),
        ] {
            assert_eq!(new_part(before, typed), new, "{before:?} {typed:?}");
        }
    }

    #[test]
    fn what_was_dialled() {
        assert_eq!(dialled("*384*123#", ""), "*384*123#");
        assert_eq!(dialled("*384*123#", "1*2"), "*384*123*1*2#");
    }
}
