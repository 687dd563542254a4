//! MTECH's USSD (transport specification "mtech_ussd").
//!
//! Requests and answers are XML pages. The gateway can show menus; here an answer is a text with a way to enter another.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use vumi_core::{RedisManager, Result, Sent};
use vumi_message::{NewUserMessage, Payload, SessionEvent, UserMessage};

use crate::base::values;
use crate::http::outcome::{missing, refused};
use crate::http::xml::{Element, Markup};
use crate::http::{Aggregator, Answer, HttpLink, Keeps, Refusal, Reply, Request, RpcKeys, session_id};

/// MTECH USSD.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MtechUssd {
    /// The `transport_type` of its messages, e.g. `ussd`; null unless given.
    pub transport_type: Option<String>,
    /// Where sessions are kept; the system's `kv` unless given. Their keys begin with `mtech_ussd:<transport_name>`.
    pub redis_manager: RedisManager,
    /// Seconds that a session lasts; 600 unless given.
    #[serde(deserialize_with = "values::session_timeout")]
    #[schemars(range(min = 1))]
    pub ussd_session_timeout: u64,
}

impl Default for MtechUssd {
    fn default() -> Self {
        Self { transport_type: None, redis_manager: RedisManager::default(), ussd_session_timeout: 600 }
    }
}

#[async_trait]
impl Aggregator for MtechUssd {
    const CLASS: &'static str = "mtech-ussd";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.mtech_ussd.MtechUssdTransport", "vumi.transports.mtech_ussd.mtech_ussd.MtechUssdTransport"];
    const EXAMPLE: &'static str = "\
class: mtech-ussd
web_path: /mtech
web_port: 8080
transport_type: ussd
";
    type Keys = RpcKeys;

    fn keeps(&self, name: &str) -> Keeps {
        Keeps::sessions(&self.redis_manager, format!("mtech_ussd:{name}"), self.ussd_session_timeout)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let page = Element::read(&request.body).map_err(|error| bad(format!("the body is no XML: {error}")))?;
        let id = given(&page, "session_id")?;
        if page.child("status").is_some() {
            // The user has cancelled, in one way or another.
            return Ok(Answer::Now(Reply::ok(written(self::page(&id)))));
        }
        let page_id = given(&page, "page_id")?;
        let content = page.child_text("data").ok_or_else(|| bad("there is no `data`"))?;
        let content = Some(content).filter(|content| !content.is_empty());
        // In the middle of a session a page may be 0 as well, but then there is no number.
        if page_id == "0" && page.child("mobile_number").is_some() {
            let (from_addr, to_addr) = (given(&page, "mobile_number")?, given(&page, "gate")?);
            let fields = [("from_addr", from_addr.as_str()), ("to_addr", to_addr.as_str())];
            let message = self.message(&id, &from_addr, &to_addr, content, SessionEvent::New);
            link.publish_first(request, &id, &fields, message).await?;
            return Ok(Answer::Hold);
        }
        let session = link.sessions().load(&id).await?;
        let (Some(from_addr), Some(to_addr)) = (session.get("from_addr"), session.get("to_addr")) else {
            return Err(bad(format!("the session {id} is not known")));
        };
        let message = self.message(&id, from_addr, to_addr, content, SessionEvent::Resume);
        link.publish(request, message).await?;
        Ok(Answer::Hold)
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let complete = missing(message, &["in_reply_to", "content"]).is_none();
        let Some(id) = session_id(message).filter(|_| complete) else {
            return Ok(refused(message, "Missing in_reply_to, content or session_id"));
        };
        let close = message.session_event() == Some(SessionEvent::Close);
        link.answer_with(message, |content| Reply::ok(written(answer(id, content, close)))).await
    }
}

impl MtechUssd {
    fn message(
        &self,
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
            transport_type: self.transport_type.clone(),
            transport_metadata: Payload::from_iter([("session_id".to_owned(), session_id.into())]),
            ..NewUserMessage::default()
        }
    }
}

/// 400 with nothing in it.
fn bad(reason: impl Into<String>) -> Refusal {
    Refusal::new(Reply::status(400), reason)
}

/// The text of an element that must be there with something in it.
fn given(page: &Element, name: &str) -> Result<String, Refusal> {
    let text = page.child_trimmed(name).filter(|text| !text.is_empty());
    text.ok_or_else(|| bad(format!("there is no `{name}`, or nothing in it")))
}

/// A page with nothing to show.
fn page(session_id: &str) -> Markup {
    Markup::new("page").attribute("version", "2.0").child(Markup::of("session_id", session_id))
}

/// A page with a text, and unless it is the last one with a field for the user's own.
fn answer(session_id: &str, content: &str, close: bool) -> Markup {
    let mut div = Markup::new("div");
    for (number, line) in content.split('\n').enumerate() {
        if number > 0 {
            div = div.child(Markup::new("br"));
        }
        div = div.text(line.trim_end_matches('\r'));
    }
    let link = || Markup::new("link").attribute("accesskey", "*").attribute("pageId", "indexX");
    let navigation = (!close).then(|| Markup::new("navigation").child(link()));
    page(session_id).child(div).children(navigation)
}

fn written(page: Markup) -> String {
    format!("<?xml version='1.0' encoding='UTF-8'?>{page}")
}
