//! Vodacom Messaging's USSD, South Africa (transport specification "vodacom_messaging").
//!
//! The gateway asks with parameters and is answered with a small XML document that says where it must ask next. It
//! gives no hint of a session's beginning but the code that the user dials, so no session is kept here.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use vumi_core::{Result, Sent};
use vumi_message::{NewUserMessage, Payload, SessionEvent, UserMessage};

use crate::http::xml::{escape_attribute, escape_text};
use crate::http::{Aggregator, Answer, HttpLink, Refusal, Reply, Request, RpcKeys};

/// Vodacom Messaging USSD.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VodacomMessaging {
    /// What a code begins with that users dial, e.g. `*120*666#`. A request that begins so begins a session.
    pub ussd_string_prefix: String,
    /// The host, with its port if it needs one, under which the gateway reaches this transport. The gateway is told to
    /// come back to `http://`, this and `web_path`.
    pub web_host: String,
    /// The `transport_type` of its messages, e.g. `ussd`; null unless given.
    pub transport_type: Option<String>,
    /// `web_path` as it was given.
    #[serde(skip)]
    web_path: String,
}

#[async_trait]
impl Aggregator for VodacomMessaging {
    const CLASS: &'static str = "vodacom-messaging";
    const ALIASES: &'static [&'static str] = &[
        "vumi.transports.vodacom_messaging.VodacomMessagingTransport",
        "vumi.transports.vodacom_messaging.vodacom_messaging.VodacomMessagingTransport",
    ];
    const EXAMPLE: &'static str = "\
class: vodacom-messaging
web_path: /foo
web_port: 8080
web_host: ussd.example.org
ussd_string_prefix: '*120*666#'
transport_type: ussd
";
    type Keys = RpcKeys;

    fn learn(&mut self, keys: &RpcKeys) {
        self.web_path = keys.web_path.clone().unwrap_or_default();
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let text = |name| Ok::<_, Refusal>(request.text(name)?.unwrap_or_else(|| "None".to_owned()));
        let content = text("request")?;
        let (event, to_addr) = if content.starts_with(&self.ussd_string_prefix) {
            (SessionEvent::New, content.clone())
        } else {
            (SessionEvent::Resume, String::new())
        };
        let message = NewUserMessage {
            from_addr: Some(text("msisdn")?),
            to_addr: Some(to_addr),
            content: Some(content),
            session_event: Some(event),
            provider: Some(text("provider")?),
            transport_type: self.transport_type.clone(),
            transport_metadata: Payload::from_iter([("session_id".to_owned(), text("ussdSessionId")?.into())]),
            ..NewUserMessage::default()
        };
        link.publish(request, message).await?;
        Ok(Answer::Hold)
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let close = message.session_event() == Some(SessionEvent::Close);
        link.answer_with(message, |content| Reply::ok(self.written(content, close))).await
    }
}

impl VodacomMessaging {
    /// The answer, with the white space that the gateway is used to.
    fn written(&self, content: &str, close: bool) -> String {
        let mut text = format!("<request>\n\t<headertext>{}</headertext>\n", escape_text(content));
        if !close {
            let callback = format!("http://{}{}", self.web_host, self.web_path);
            let callback = escape_attribute(&callback);
            text.push_str("\t<options>\n\t\t<option command=\"1\" order=\"1\" callback=\"");
            text.push_str(&callback);
            text.push_str("\" display=\"False\" ></option>\n\t</options>\n");
        }
        text.push_str("</request>");
        text
    }
}
