//! Airtel's USSD: Comviva Flares with HTTP pull (transport specification "airtel").
//!
//! The gateway asks for each step of a dialogue and waits for the screen; it says when a session has ended.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use vumi_core::{RedisManager, Result, Secret, Sent};
use vumi_message::{NewUserMessage, Payload, SessionEvent, UserMessage};

use crate::base::values;
use crate::http::{Aggregator, Answer, HttpLink, Keeps, Pattern, Refusal, Reply, Request, RpcKeys};

/// Airtel USSD (Comviva Flares, HTTP pull).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Airtel {
    /// The user name that the gateway gives as `userid`. Checked when the password is set as well.
    pub airtel_username: Option<String>,
    /// The password that the gateway gives.
    #[schemars(with = "Option<String>")]
    pub airtel_password: Option<Secret>,
    /// Whether users are charged.
    #[serde(deserialize_with = "values::flag")]
    pub airtel_charge: bool,
    /// What they are charged.
    #[serde(deserialize_with = "values::whole")]
    pub airtel_charge_amount: i64,
    /// Where sessions are kept; the system's `kv` unless given.
    pub redis_manager: RedisManager,
    /// What the keys of sessions begin with; `vumi.transports.airtel:<transport_name>` unless given.
    pub session_key_prefix: Option<String>,
    /// Seconds that a session lasts; 600 unless given.
    #[serde(deserialize_with = "values::session_timeout")]
    #[schemars(range(min = 1))]
    pub ussd_session_timeout: u64,
    /// What a dialled code looks like, from its beginning. A session that begins with anything else is refused.
    pub to_addr_pattern: Option<Pattern>,
}

impl Default for Airtel {
    fn default() -> Self {
        Self {
            airtel_username: None,
            airtel_password: None,
            airtel_charge: false,
            airtel_charge_amount: 0,
            redis_manager: RedisManager::default(),
            session_key_prefix: None,
            ussd_session_timeout: 600,
            to_addr_pattern: None,
        }
    }
}

#[async_trait]
impl Aggregator for Airtel {
    const CLASS: &'static str = "airtel";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.airtel.AirtelUSSDTransport", "vumi.transports.airtel.airtel.AirtelUSSDTransport"];
    const EXAMPLE: &'static str = "\
class: airtel
web_path: /api/airtel
web_port: 8080
airtel_username: gateway
airtel_password: secret
validation_mode: permissive
";
    const CONTENT_TYPE: &'static str = "text/plain; charset=utf-8";
    type Keys = RpcKeys;

    fn keeps(&self, name: &str) -> Keeps {
        let prefix = self.session_key_prefix.clone().unwrap_or_else(|| format!("vumi.transports.airtel:{name}"));
        Keeps::sessions(&self.redis_manager, prefix, self.ussd_session_timeout)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let credentials = self.credentials();
        if let Some((username, password)) = credentials {
            let right = request.first("password").is_some_and(|given| password.matches(given));
            if request.first("userid") != Some(username.as_bytes()) || !right {
                return Err(Refusal::new(Reply::status(403).body("Forbidden"), "wrong or missing credentials"));
            }
        }
        if request.first("clean").is_some() {
            return self.clean_up(request, link, credentials.is_some()).await;
        }
        self.dialogue(request, link, credentials.is_some()).await
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let flow = if message.session_event() == Some(SessionEvent::Close) { "FB" } else { "FC" };
        let charge = if self.airtel_charge { "Y" } else { "N" };
        let reply = |content: &str| {
            let content = content.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\u{0B}');
            Reply::ok(content.to_owned())
                .header("Freeflow", flow)
                .header("charge", charge)
                .header("amount", &self.airtel_charge_amount.to_string())
        };
        link.answer_with(message, reply).await
    }
}

impl Airtel {
    fn credentials(&self) -> Option<(&str, &Secret)> {
        Some((self.airtel_username.as_deref()?, self.airtel_password.as_ref()?))
    }

    /// A step of a dialogue. The request stays open for the reply.
    async fn dialogue(&self, request: &Request, link: &HttpLink, auth: bool) -> Result<Answer, Refusal> {
        let mut fields = request.fields(&with_auth(&["SessionID", "MSISDN", "MSC", "input"], auth), &[])?;
        let mut take = |name| fields.remove(name).unwrap_or_default();
        let (session_id, from_addr, msc, input) = (take("SessionID"), take("MSISDN"), take("MSC"), take("input"));
        let session = link.sessions().load(&session_id).await?;
        let details = json!({ "MSC": msc });
        if let Some(to_addr) = session.get("to_addr") {
            let message = message(from_addr, to_addr.clone(), input, SessionEvent::Resume, details);
            link.publish(request, message).await?;
            return Ok(Answer::Hold);
        }
        let to_addr = format!("*{input}#");
        self.check_code(&session_id, &to_addr)?;
        let fields = [("from_addr", from_addr.as_str()), ("to_addr", to_addr.as_str())];
        let message = message(from_addr.clone(), to_addr.clone(), String::new(), SessionEvent::New, details);
        link.publish_first(request, &session_id, &fields, message).await?;
        Ok(Answer::Hold)
    }

    /// A session that is not known must begin with a code.
    fn check_code(&self, session_id: &str, to_addr: &str) -> Result<(), Refusal> {
        if self.to_addr_pattern.as_ref().is_none_or(|pattern| pattern.matches_start(to_addr)) {
            return Ok(());
        }
        let text = format!(
            "Session id u'{session_id}' has not been encountered in the last {} seconds and the 'input' request \
             parameter value u'{to_addr}' doesn't look like a valid USSD address.",
            self.ussd_session_timeout
        );
        Err(Refusal::json(&json!({ "invalid_session": text })))
    }

    /// The gateway says that a session has ended.
    async fn clean_up(&self, request: &Request, link: &HttpLink, auth: bool) -> Result<Answer, Refusal> {
        let mut fields = request.fields(&with_auth(&["SessionID", "msisdn", "clean", "error"], auth), &[])?;
        let mut take = |name| fields.remove(name).unwrap_or_default();
        let (session_id, from_addr, clean, error) = (take("SessionID"), take("msisdn"), take("clean"), take("error"));
        let session = link.sessions().load(&session_id).await?;
        let Some(to_addr) = session.get("to_addr") else {
            tracing::warn!(transport = link.name(), session_id, "a session that is not known was cleaned up");
            return Ok(Answer::Now(Reply::ok("Unknown Session")));
        };
        let details = json!({ "clean": clean, "error": error });
        let message = message(from_addr, to_addr.clone(), String::new(), SessionEvent::Close, details);
        // First the message: should it fail, the gateway may come again and finds the session.
        link.publish(request, message).await?;
        link.sessions().clear(&session_id).await?;
        Ok(Answer::Now(Reply::ok("")))
    }
}

fn with_auth<'a>(names: &[&'a str], auth: bool) -> Vec<&'a str> {
    let more: &[&str] = if auth { &["userid", "password"] } else { &[] };
    [names, more].concat()
}

fn message(
    from_addr: String,
    to_addr: String,
    content: String,
    event: SessionEvent,
    airtel: serde_json::Value,
) -> NewUserMessage {
    NewUserMessage {
        from_addr: Some(from_addr),
        to_addr: Some(to_addr),
        content: Some(content),
        session_event: Some(event),
        provider: Some("airtel".to_owned()),
        transport_type: Some("ussd".to_owned()),
        transport_metadata: Payload::from_iter([("airtel".to_owned(), airtel)]),
        ..NewUserMessage::default()
    }
}
