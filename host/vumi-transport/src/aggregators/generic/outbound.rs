//! Messages to users, as requests to the network.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use hyper::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use schemars::JsonSchema;
use serde::de::{Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use vumi_core::{Error, Result, Sent};
use vumi_message::UserMessage;

use super::body::{Body, JsonBody, Pairs, XmlBody};
use super::condition::Condition;
use super::context::{Context, Wrong};
use super::secrets::Named;
use super::source::Heard;
use super::template::Template;
use super::value::Find;
use crate::base::values;
use crate::http::{Answered, Call, HttpLink, outcome};

/// What stands for itself in a URL; everything else that a placeholder brings is written as `%XX`.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How often a request is made that the network asks to make later.
const TRIES: u32 = 3;

/// Messages to users, as requests to the network.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outbound {
    /// The method; `POST` unless given.
    #[serde(default = "post", deserialize_with = "method")]
    #[schemars(with = "String")]
    method: Method,
    /// Where to: `http://` or `https://`, and the host, as they are; placeholders may stand behind the host, and are
    /// written as URLs need it.
    #[serde(deserialize_with = "url")]
    pub(super) url: Template,
    /// Parameters of the URL.
    #[serde(default)]
    pub(super) query: Pairs,
    /// Headers. `Content-Type` follows from the body unless it stands here.
    #[serde(default)]
    pub(super) headers: Pairs,
    /// HTTP Basic.
    #[serde(default)]
    pub(super) basic: Option<Basic>,
    /// A body of text, filled in as it is.
    #[serde(default)]
    pub(super) text: Option<Template>,
    /// A body of a form's fields.
    #[serde(default)]
    pub(super) form: Option<Pairs>,
    /// A body of JSON, written as YAML: its texts have placeholders.
    #[serde(default)]
    pub(super) json: Option<JsonBody>,
    /// A body of XML; placeholders stand between tags and in attributes.
    #[serde(default)]
    pub(super) xml: Option<XmlBody>,
    /// Fields that a message must have, `to_addr` and `content` unless given. Others are refused with `Missing fields`.
    #[serde(default = "needed")]
    pub(super) requires: Vec<String>,
    /// Transport types that are sent; all unless given. Others are refused.
    #[serde(default)]
    pub(super) transport_types: Option<Vec<String>>,
    /// Status codes of success, as `200` or `2xx`; `2xx` unless given.
    #[serde(default = "successes")]
    statuses: Vec<StatusCodes>,
    /// What must hold of an answer of success besides: places in its body, a header.
    #[serde(default)]
    pub(super) success: Vec<Condition>,
    /// The network's id of the message, in its answer. It is the ack's `sent_message_id`, and delivery reports find
    /// their message by it. The message's own id unless given.
    #[serde(default)]
    pub(super) id: Option<Find>,
    /// Why a message was refused, in the network's answer: the nack's reason.
    #[serde(default)]
    pub(super) reason: Option<Find>,
    /// Status codes for which a message is to be tried again later (a failure message with the code `temporary`); 408,
    /// 425, 429 and `5xx` unless given.
    #[serde(default)]
    temporary: Option<Vec<StatusCodes>>,
    /// Seconds that a `Retry-After` of an answer 429 or 503 is waited for, at most; 10 unless given. One that is longer
    /// is a failure at once.
    #[serde(default, deserialize_with = "values::optional_whole")]
    wait_at_most_s: Option<u64>,
}

/// Credentials of HTTP Basic.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// The user name.
    pub(super) username: Template,
    /// The password.
    pub(super) password: Template,
}

/// Status codes: one, or a hundred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusCodes(u16, u16);

impl StatusCodes {
    fn has(self, status: u16) -> bool {
        (self.0..=self.1).contains(&status)
    }
}

impl Outbound {
    pub(super) fn body(&self) -> Result<Body<'_>, &'static str> {
        Body::of(&self.text, &self.form, &self.json, &self.xml)
    }

    /// Sends a message. The network's id of it is remembered for a time where reports need it.
    ///
    /// # Errors
    /// Those of sending; temporary ones where the network says so.
    pub(super) async fn send(
        &self,
        message: &UserMessage,
        named: Named<'_>,
        remembered: Option<Duration>,
        link: &HttpLink,
    ) -> Result<Sent> {
        let kind = message.transport_type().unwrap_or_default();
        if self.transport_types.as_ref().is_some_and(|kinds| !kinds.iter().any(|known| known == kind)) {
            return Ok(outcome::refused(message, format!("Messages of the transport type {kind:?} are not sent here")));
        }
        let needed: Vec<&str> = self.requires.iter().map(String::as_str).collect();
        if let Some(missing) = outcome::missing(message, &needed) {
            return Ok(missing);
        }
        let context = Context::to_user(named, message.payload());
        let call = self.call(&context).map_err(|wrong| Error::permanent(wrong.0))?;
        let answered = self.exchange(call, link).await?;
        self.judge(&answered, message, &context, remembered, link).await
    }

    /// The request of a message.
    fn call(&self, context: &Context<'_>) -> Result<Call, Wrong> {
        let mut call = Call::new(self.method.clone(), self.address(context)?);
        let query = self.query.render(context)?;
        call = query.iter().fold(call, |call, (name, value)| call.query(&[(name, value)]));
        let body = self.body().unwrap_or(Body::Nothing);
        if let Some(kind) = body.content_type() {
            call = call.body(kind, body.render(context)?);
        }
        for (name, value) in self.headers.render(context)? {
            let secret = self.headers.0.iter().any(|(other, template)| *other == name && template.is_secret());
            call = if secret { call.secret_header(name, value) } else { call.header(name, value) };
        }
        if let Some(basic) = &self.basic {
            let text = |template: &Template| template.text(context).map(Option::unwrap_or_default);
            call = call.basic(&text(&basic.username)?, &text(&basic.password)?);
        }
        Ok(call)
    }

    fn address(&self, context: &Context<'_>) -> Result<String, Wrong> {
        for place in self.url.places() {
            if context.text(place)?.is_none_or(|text| text.is_empty()) {
                return Err(Wrong("the message has nothing for a placeholder of `outbound.url`".to_owned()));
            }
        }
        let url = self.url.render(context, |text| Cow::Owned(utf8_percent_encode(text, KEPT).to_string()))?;
        // `..` leads out of a path however it is written, so a message must not bring it.
        let path = url.split(['?', '#']).next().unwrap_or_default();
        if path.split('/').any(|segment| matches!(segment.to_lowercase().replace("%2e", ".").as_str(), "." | "..")) {
            return Err(Wrong("the message would change the path of `outbound.url`".to_owned()));
        }
        Ok(url)
    }

    /// The answer to a request, which is made again where the network asks for a little time.
    async fn exchange(&self, call: Call, link: &HttpLink) -> Result<Answered> {
        let most = self.wait_at_most_s.unwrap_or(10);
        let mut tries_left = TRIES;
        loop {
            tries_left = tries_left.saturating_sub(1);
            let answered = link.client().send(call.clone()).await?;
            let wait = answered.header("retry-after").and_then(|text| text.trim().parse::<u64>().ok());
            match wait.filter(|seconds| matches!(answered.status, 429 | 503) && *seconds <= most) {
                Some(seconds) if tries_left > 0 => tokio::time::sleep(Duration::from_secs(seconds)).await,
                _ => return Ok(answered),
            }
        }
    }

    /// What an answer means.
    async fn judge(
        &self,
        answered: &Answered,
        message: &UserMessage,
        context: &Context<'_>,
        remembered: Option<Duration>,
        link: &HttpLink,
    ) -> Result<Sent> {
        let heard = Heard::new(answered);
        let context = Context { origin: Some(&heard), ..*context };
        let found = |find: &Option<Find>| {
            let find = find.as_ref()?;
            find.find(&context).ok().flatten().filter(|text| !text.is_empty())
        };
        let holds = |condition: &Condition| condition.holds(&context, &answered.body).is_ok_and(|(holds, _)| holds);
        if self.statuses.iter().any(|codes| codes.has(answered.status)) && self.success.iter().all(holds) {
            let Some(id) = found(&self.id) else { return Ok(outcome::accepted(message)) };
            if let Some(ttl) = remembered {
                link.remember(&id, message.message_id(), ttl).await;
            }
            return Ok(outcome::accepted_as(id));
        }
        let status = answered.status;
        let why = found(&self.reason).unwrap_or_else(|| format!("{} (status {status})", answered.excerpt()));
        let why: String = context.named.hide(&why).chars().take(500).collect();
        let temporary = match &self.temporary {
            Some(all) => all.iter().any(|codes| codes.has(status)),
            None => answered.is_temporary(),
        };
        if temporary {
            return Err(Error::temporary(format!("the network answered with status {status}: {why}")));
        }
        Ok(outcome::refused(message, why))
    }
}

fn post() -> Method {
    Method::POST
}

fn needed() -> Vec<String> {
    vec!["to_addr".to_owned(), "content".to_owned()]
}

fn successes() -> Vec<StatusCodes> {
    vec![StatusCodes(200, 299)]
}

fn method<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Method, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.as_str() {
        "GET" => Ok(Method::GET),
        "POST" => Ok(Method::POST),
        "PUT" => Ok(Method::PUT),
        "PATCH" => Ok(Method::PATCH),
        _ => Err(D::Error::custom(format!("`{text}` is no method here; write GET, POST, PUT or PATCH"))),
    }
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Template, D::Error> {
    let template = Template::deserialize(deserializer)?;
    let begins = template.beginning();
    let behind = begins.strip_prefix("https://").or_else(|| begins.strip_prefix("http://"));
    let Some(behind) = behind else {
        return Err(D::Error::custom("a URL begins with http:// or https://"));
    };
    if template.places().next().is_some() && !behind.contains(['/', '?']) {
        return Err(D::Error::custom(
            "the host of a URL has no placeholders: a message must not choose whom it is sent to",
        ));
    }
    match Url::parse(&template.filled_with("x")) {
        Ok(_) => Ok(template),
        Err(error) => Err(D::Error::custom(format!("it is no URL: {error}"))),
    }
}

impl<'de> Deserialize<'de> for StatusCodes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Codes;
        impl Visitor<'_> for Codes {
            type Value = StatusCodes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status code as 200, or a hundred of them as 2xx")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<StatusCodes, E> {
                match u16::try_from(number) {
                    Ok(code) if (100..600).contains(&code) => Ok(StatusCodes(code, code)),
                    _ => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
                }
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<StatusCodes, E> {
                self.visit_u64(u64::try_from(number).unwrap_or_default())
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<StatusCodes, E> {
                let hundred = text.strip_suffix("xx").and_then(|digit| digit.parse::<u16>().ok());
                match (hundred, text.parse::<u64>()) {
                    (Some(hundred @ 1..=5), _) => Ok(StatusCodes(hundred * 100, hundred * 100 + 99)),
                    (_, Ok(number)) => self.visit_u64(number),
                    _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(Codes)
    }
}

impl JsonSchema for StatusCodes {
    fn schema_name() -> Cow<'static, str> {
        "StatusCodes".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": ["integer", "string"]})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::secrets::tests::NOTHING;
    use super::*;

    fn outbound(yaml: &str) -> Result<Outbound, String> {
        serde_saphyr::from_str(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn what_a_message_brings_stays_where_it_is() {
        let outbound = outbound("url: 'http://h/a/{{to_addr}}/b?c={{content}}'").unwrap();
        let address = |to_addr: &str, content: &str| {
            let message = json!({"to_addr": to_addr, "content": content});
            outbound.address(&Context::to_user(NOTHING, message.as_object().unwrap())).map_err(|wrong| wrong.0)
        };
        let hostile = address("x/../y?a=b#c", "a&d=e é%00").unwrap();
        assert_eq!(hostile, "http://h/a/x%2F..%2Fy%3Fa%3Db%23c/b?c=a%26d%3De%20%C3%A9%2500");
        for bad in ["..", "."] {
            assert!(address(bad, "x").unwrap_err().contains("would change the path"), "{bad}");
        }
        assert!(address("", "x").unwrap_err().contains("nothing for a placeholder"));
    }

    #[test]
    fn mistakes_are_told() {
        for (yaml, told) in [
            ("{}", "url"),
            ("url: h/x", "begins with http://"),
            ("url: 'http://{{to_addr}}/x'", "the host of a URL has no placeholders"),
            ("url: 'http://h{{to_addr}}/x'", "the host of a URL has no placeholders"),
            ("url: '{{to_addr}}'", "begins with http://"),
            ("url: 'http://h:x/'", "no URL"),
            ("{url: 'http://h/', method: DELETE}", "no method here"),
            ("{url: 'http://h/', statuses: [20x]}", "2xx"),
            ("{url: 'http://h/', statuses: [99]}", "2xx"),
            ("{url: 'http://h/', tempory: [99]}", "tempory"),
        ] {
            let error = outbound(yaml).unwrap_err();
            assert!(error.contains(told), "{yaml}: {error}");
        }
        let codes: Vec<StatusCodes> = serde_saphyr::from_str("[200, 4xx, '503']").unwrap();
        assert_eq!(codes, [StatusCodes(200, 200), StatusCodes(400, 499), StatusCodes(503, 503)]);
    }
}
