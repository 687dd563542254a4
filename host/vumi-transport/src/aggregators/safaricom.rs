//! Safaricom's USSD in Kenya (transport specification "safaricom").
//!
//! Each request of the gateway has everything that the user has entered since the dialogue began, joined by `*`. A
//! message has what is new.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use vumi_core::{RedisManager, Result, Sent};
use vumi_message::{NewUserMessage, Payload, SessionEvent, UserMessage};

use crate::base::values;
use crate::http::{Aggregator, Answer, HttpLink, Keeps, Refusal, Reply, Request, RpcKeys};

/// The field of a session that has what the user has entered so far.
const LAST: &str = "last_ussd_params";

/// Safaricom USSD, Kenya.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Safaricom {
    /// The `transport_type` of its messages; `ussd` unless given.
    pub transport_type: Option<String>,
    /// Where sessions are kept; the system's `kv` unless given. Their keys begin with
    /// `vumi.transports.safaricom:<transport_name>`.
    pub redis_manager: RedisManager,
    /// Seconds that a session lasts; 600 unless given.
    #[serde(deserialize_with = "values::session_timeout")]
    #[schemars(range(min = 1))]
    pub ussd_session_timeout: u64,
}

impl Default for Safaricom {
    fn default() -> Self {
        Self { transport_type: None, redis_manager: RedisManager::default(), ussd_session_timeout: 600 }
    }
}

#[async_trait]
impl Aggregator for Safaricom {
    const CLASS: &'static str = "safaricom";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.safaricom.SafaricomTransport", "vumi.transports.safaricom.safaricom.SafaricomTransport"];
    const EXAMPLE: &'static str = "\
class: safaricom
web_path: /api/saf
web_port: 8080
ussd_session_timeout: 600
";
    type Keys = RpcKeys;

    fn keeps(&self, name: &str) -> Keeps {
        let prefix = format!("vumi.transports.safaricom:{name}");
        Keeps::sessions(&self.redis_manager, prefix, self.ussd_session_timeout)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let mut fields = request.fields(&["ORIG", "DEST", "SESSION_ID", "USSD_PARAMS"], &[])?;
        let mut take = |name| fields.remove(name).unwrap_or_default();
        let (from_addr, dest, id, params) = (take("ORIG"), take("DEST"), take("SESSION_ID"), take("USSD_PARAMS"));
        let session = link.sessions().load(&id).await?;
        let known = session.get("to_addr").cloned();
        let to_addr = known.clone().unwrap_or_else(|| dialled(&dest, &params));
        let last = session.get(LAST).map(String::as_str).unwrap_or_default();
        let (event, content) = match known {
            Some(_) => (SessionEvent::Resume, entered(last, &params)),
            None => (SessionEvent::New, String::new()),
        };
        let message = NewUserMessage {
            from_addr: Some(from_addr.clone()),
            to_addr: Some(to_addr.clone()),
            content: Some(content),
            session_event: Some(event),
            provider: Some("safaricom".to_owned()),
            transport_type: Some(self.transport_type.clone().unwrap_or_else(|| "ussd".to_owned())),
            transport_metadata: Payload::from_iter([("safaricom".to_owned(), json!({ "session_id": id }))]),
            ..NewUserMessage::default()
        };
        if event == SessionEvent::Resume {
            link.publish_next(request, &id, &[(LAST, &params)], &[(LAST, last)], message).await?;
        } else {
            let fields = [("from_addr", from_addr.as_str()), ("to_addr", &to_addr), (LAST, &params)];
            link.publish_first(request, &id, &fields, message).await?;
        }
        Ok(Answer::Hold)
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let word = if message.session_event() == Some(SessionEvent::Close) { "END" } else { "CON" };
        link.answer_with(message, |content| Reply::ok(format!("{word} {content}"))).await
    }
}

/// What the user has dialled to begin: `*384*5#`.
fn dialled(dest: &str, params: &str) -> String {
    if params.is_empty() { format!("*{dest}#") } else { format!("*{dest}*{params}#") }
}

/// What has been entered since `last`, without the `*` that joins it. Only the length of `last` counts, as in Vumi.
fn entered(last: &str, params: &str) -> String {
    let joint = usize::from(!last.is_empty());
    params.chars().skip(last.chars().count() + joint).collect()
}
