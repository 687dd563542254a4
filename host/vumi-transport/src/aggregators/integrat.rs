//! Integrat's USSD, also called Higate, South Africa (transport specification "integrat").
//!
//! What users do arrives as XML and is answered at once with nothing. What they get goes out as requests to Integrat.

use async_trait::async_trait;
use hyper::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use vumi_core::{Result, Secret, Sent};
use vumi_message::address::normalize_msisdn;
use vumi_message::{FailureCode, NewUserMessage, Payload, SessionEvent, UserMessage};

use crate::base::endpoint::Listen;
use crate::base::values;
use crate::http::outcome::{accepted, failed, refused};
use crate::http::xml::{Element, Markup};
use crate::http::{Aggregator, Answer, Call, HttpLink, OwnKeys, Refusal, Reply, Request, Site, check_url, session_id};

const EVENT: &str = "OnUSSEvent";

/// Integrat (Higate) USSD.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Integrat {
    /// The path that Integrat calls.
    pub web_path: String,
    /// The port to listen on.
    #[serde(deserialize_with = "values::whole")]
    pub web_port: u16,
    /// Where answers are sent to.
    pub url: String,
    /// The user name for it.
    pub username: String,
    /// The password for it.
    #[schemars(with = "String")]
    pub password: Secret,
    /// The `transport_type` of its messages; `ussd` unless given.
    pub transport_type: Option<String>,
}

#[async_trait]
impl Aggregator for Integrat {
    const CLASS: &'static str = "integrat";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.integrat.IntegratTransport", "vumi.transports.integrat.integrat.IntegratTransport"];
    const EXAMPLE: &'static str = "\
class: integrat
web_path: /api/integrat
web_port: 8080
url: https://higate.example.org/receive
username: shop
password: secret
";
    type Keys = OwnKeys;

    fn site(&self, _: &OwnKeys, interface: Option<&str>) -> Result<Site> {
        let mut site = Site::new("web_port", Listen::at(interface, self.web_port), &[&self.web_path]);
        site.health = Some("health".to_owned());
        site.methods = [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS].into();
        Ok(site)
    }

    fn check(&self) -> Result<()> {
        check_url("url", &self.url)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let document = Element::read(&request.body)
            .map_err(|error| Refusal::new(Reply::status(500), format!("the body is no XML: {error}")))?;
        let response = document.child("Response").ok_or_else(|| missing("Response"))?;
        if response.attribute("Type") == Some(EVENT) {
            let event = response.child(EVENT).ok_or_else(|| missing(EVENT))?;
            if let Some((session_event, content)) = step(event) {
                link.publish(request, self.message(event, session_event, content)?).await?;
            }
        }
        Ok(Answer::Now(Reply::ok("")))
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let Some(id) = session_id(message) else {
            let why = "transport_metadata has no session_id: the message answers nothing that Integrat sent";
            return Ok(failed(FailureCode::Unspecified, why));
        };
        let call = Call::post(&self.url).body("text/xml; charset=utf-8", self.written(message, id));
        let answered = link.client().send(call).await?;
        let answer = Element::read(&answered.body).ok();
        let status = answer.as_ref().and_then(|answer| Some((answer, answer.attribute("status_code")?.trim())));
        Ok(match status {
            Some((_, code)) if code.parse() == Ok(0) => accepted(message),
            Some((answer, code)) => refused(message, reason(answer, code)),
            None => failed(
                FailureCode::Unspecified,
                format!("Integrat's answer (status {}) is no XML with a status_code", answered.status),
            ),
        })
    }

    fn health(&self, _: usize) -> Reply {
        Reply::ok("OK")
    }
}

impl Integrat {
    fn message(
        &self,
        event: &Element,
        session_event: SessionEvent,
        content: Option<String>,
    ) -> Result<NewUserMessage, Refusal> {
        let context = event.child("USSContext").ok_or_else(|| missing("USSContext"))?;
        let given = |name| context.attribute(name).ok_or_else(|| missing(name));
        Ok(NewUserMessage {
            from_addr: Some(normalize_msisdn(given("MSISDN")?, "")),
            to_addr: Some(given("ConnStr")?.to_owned()),
            content,
            session_event: Some(session_event),
            transport_type: Some(self.transport_type.clone().unwrap_or_else(|| "ussd".to_owned())),
            transport_metadata: Payload::from_iter([("session_id".to_owned(), given("SessionID")?.into())]),
            ..NewUserMessage::default()
        })
    }

    fn written(&self, message: &UserMessage, session_id: &str) -> String {
        let flags = if message.session_event() == Some(SessionEvent::Close) { "1" } else { "0" };
        let user = Markup::of("UserID", &self.username).attribute("Orientation", "TR");
        let text = Markup::of("USSText", message.content().unwrap_or_default()).attribute("Type", "TEXT");
        let request = Markup::new("Request")
            .attribute("Flags", flags)
            .attribute("SessionID", session_id)
            .attribute("Type", "USSReply")
            .child(user)
            .child(Markup::of("Password", self.password.expose()))
            .child(text);
        let version = Markup::new("Version").attribute("Version", "1.0");
        Markup::new("Message").child(version).child(request).to_ascii()
    }
}

fn missing(what: &str) -> Refusal {
    Refusal::bad(format!("There is no {what}"))
}

/// What the user did; nothing where it does not matter here.
fn step(event: &Element) -> Option<(SessionEvent, Option<String>)> {
    let kind = event.attribute("Type").unwrap_or_default();
    let text = event.child_trimmed("USSText").unwrap_or_default();
    // `Request` is looked at as it is written, the others in any case. `REQ` is how a session says that it begins, which
    // its `Open` has said already.
    match kind.to_ascii_lowercase().as_str() {
        _ if kind == "Request" && text == "REQ" => None,
        "new" => None,
        "open" => Some((SessionEvent::New, None)),
        "close" => Some((SessionEvent::Close, None)),
        _ => Some((SessionEvent::Resume, Some(text))),
    }
}

/// Why Integrat did not take a message.
fn reason(answer: &Element, code: &str) -> String {
    let fields = answer.children("Data").flat_map(|data| data.children("field"));
    let value = |field: &Element, name| field.attribute(name).unwrap_or_default().to_owned();
    let told: Vec<String> =
        fields.map(|field| format!("{}: {}", value(field, "name"), value(field, "value"))).collect();
    if told.is_empty() { format!("status_code: {code}") } else { told.join(", ") }
}
