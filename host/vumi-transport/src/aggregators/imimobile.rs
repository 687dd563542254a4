//! IMImobile's USSD (transport specification "imimobile").
//!
//! The gateway asks for each step of a dialogue and waits for the screen. Which service a user has dialled is the last
//! part of the path; a session is known by the user's number alone.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use vumi_core::{RedisManager, Result, Sent};
use vumi_message::{FailureCode, NewUserMessage, Payload, SessionEvent, Timestamp, UserMessage};

use crate::base::values;
use crate::http::outcome::{accepted, failed, refused_bare};
use crate::http::{Aggregator, Answer, Finish, HttpLink, Keeps, Pattern, Refusal, Reply, Request, RpcKeys};

/// How the gateway's text begins that says that the user has ended the session.
const ABORTED: &str = "Map Dialog User Abort User Reason";

/// The header that says whether the session goes on (1) or not (0).
const GOES_ON: &str = "X-USSD-SESSION";

/// Indian time is ahead of UTC by so much, the whole year.
const IST_MICROS: i64 = (5 * 60 + 30) * 60 * 1_000_000;

/// IMImobile USSD.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Imimobile {
    /// The address that messages go to for each last part of the path: `shop` for requests to `<web_path>/shop`.
    pub suffix_to_addrs: BTreeMap<String, String>,
    /// How a text begins that says that the user has ended the session; `^Map Dialog User Abort User Reason` unless
    /// given.
    #[serde(default)]
    pub user_terminated_session_message: Option<Pattern>,
    /// The answer to such a text; `Session Ended` unless given.
    #[serde(default)]
    pub user_terminated_session_response: Option<String>,
    /// Where sessions are kept; the system's `kv` unless given.
    #[serde(default)]
    pub redis_manager: RedisManager,
    /// Seconds that a session lasts; 600 unless given.
    #[serde(default = "ten_minutes", deserialize_with = "values::session_timeout")]
    #[schemars(range(min = 1))]
    pub ussd_session_timeout: u64,
}

fn ten_minutes() -> u64 {
    600
}

#[async_trait]
impl Aggregator for Imimobile {
    const CLASS: &'static str = "imimobile";
    const ALIASES: &'static [&'static str] = &[
        "vumi.transports.imimobile.ImiMobileUssdTransport",
        "vumi.transports.imimobile.imimobile_ussd.ImiMobileUssdTransport",
    ];
    const EXAMPLE: &'static str = "\
class: imimobile
web_path: /api/imi
web_port: 8080
suffix_to_addrs: { shop: \"56263\", bank: \"56264\" }
";
    type Keys = RpcKeys;

    fn keeps(&self, name: &str) -> Keeps {
        let prefix = format!("vumi.transports.imimobile_ussd:{name}");
        Keeps::sessions(&self.redis_manager, prefix, self.ussd_session_timeout)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let [suffix] = request.rest.as_slice() else {
            let reply = Reply::status(404).body("Not Found");
            return Err(Refusal::new(reply, "its path is not `web_path` and one part more"));
        };
        let (mut fields, mut errors) = request.check(&["msisdn", "msg", "code", "tid", "dcs"], &[])?;
        let to_addr = self.suffix_to_addrs.get(suffix);
        if to_addr.is_none() {
            errors.insert("unknown_suffix".to_owned(), suffix.as_str().into());
        }
        let (Some(to_addr), true) = (to_addr, errors.is_empty()) else {
            return Err(Refusal::json(&Value::Object(errors)));
        };
        let mut take = |name| fields.remove(name).unwrap_or_default();
        let (msisdn, msg) = (take("msisdn"), take("msg"));
        let details = json!({ "tid": take("tid"), "code": take("code"), "dcs": take("dcs") });
        let message = |event: SessionEvent| NewUserMessage {
            from_addr: Some(msisdn.clone()),
            to_addr: Some(to_addr.clone()),
            content: Some(msg.clone()),
            session_event: Some(event),
            provider: Some("imimobile".to_owned()),
            transport_type: Some("ussd".to_owned()),
            transport_metadata: Payload::from_iter([("imimobile_ussd".to_owned(), details)]),
            ..NewUserMessage::default()
        };
        if self.is_aborted(&msg) {
            // First the message: should it fail, the gateway may come again.
            link.publish(request, message(SessionEvent::Close)).await?;
            link.sessions().clear(&msisdn).await?;
            let text = self.user_terminated_session_response.as_deref().unwrap_or("Session Ended");
            return Ok(Answer::Now(Reply::ok(text.to_owned()).header(GOES_ON, "0")));
        }
        if link.sessions().load(&msisdn).await?.is_empty() {
            let fields = [("from_addr", msisdn.as_str()), ("to_addr", to_addr)];
            link.publish_first(request, &msisdn, &fields, message(SessionEvent::New)).await?;
        } else {
            link.publish(request, message(SessionEvent::Resume)).await?;
        }
        Ok(Answer::Hold)
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        let Some(request_id) = message.in_reply_to().filter(|id| !id.is_empty()) else {
            return Ok(refused_bare("Insufficiant message fields provided."));
        };
        let Some(content) = message.content() else {
            return Ok(failed(FailureCode::Unspecified, "the message has no content: give it a text, be it empty"));
        };
        let closes = message.session_event() == Some(SessionEvent::Close);
        // Before the answer: the user may dial again as soon as it is there.
        if let (true, Some(user)) = (closes, message.to_addr()) {
            link.sessions().clear(user).await?;
        }
        let reply = Reply::ok(content.to_owned()).header(GOES_ON, if closes { "0" } else { "1" });
        Ok(match link.finish(request_id, reply).await {
            Finish::Written(_) => accepted(message),
            Finish::Gone | Finish::NotPending => refused_bare("Response to http request failed."),
        })
    }
}

impl Imimobile {
    /// Whether a text says that the user has ended the session.
    fn is_aborted(&self, text: &str) -> bool {
        match &self.user_terminated_session_message {
            Some(pattern) => pattern.matches_start(text),
            None => text.starts_with(ABORTED),
        }
    }
}

/// A time as IMImobile writes it, `M/D/YYYY h:m:s am` or `pm` in Indian time, as a moment. No message has one; it is
/// for whoever reads the gateway's records.
#[must_use]
pub fn moment_of_ist(text: &str) -> Option<Timestamp> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let [date, time, half] = words.as_slice() else { return None };
    let ([month, day, year], [hour, minute, second]) = (three(date, '/')?, three(time, ':')?);
    let hour = match (hour, half.to_ascii_lowercase().as_str()) {
        (1..=12, "am") => hour % 12,
        (1..=12, "pm") => hour % 12 + 12,
        _ => return None,
    };
    let text = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
    let moment: Timestamp = text.parse().ok()?;
    Some(Timestamp::from_micros(moment.micros() - IST_MICROS))
}

/// Three numbers with a separator between them.
fn three(text: &str, separator: char) -> Option<[u16; 3]> {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let numbers: Option<Vec<u16>> =
        text.split(separator).map(|part| digits(part).then(|| part.parse().ok()).flatten()).collect();
    numbers?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Check 9.
    #[test]
    fn indian_times_become_moments() {
        let read = |text: &str| moment_of_ist(text).map(|moment| moment.to_string());
        for (text, moment) in [
            ("1/26/2013 03:30:00 pm", "2013-01-26 10:00:00.000000"),
            ("3/8/2013 8:5:5 am", "2013-03-08 02:35:05.000000"),
            ("1/1/2013 12:00:00 AM", "2012-12-31 18:30:00.000000"),
            ("1/1/2013 12:00:00 PM", "2013-01-01 06:30:00.000000"),
        ] {
            assert_eq!(read(text).as_deref(), Some(moment), "{text}");
        }
        for text in [
            "",
            "1/26/2013",
            "1/26/2013 03:30:00",
            "1/26/2013 03:30:00 xm",
            "26/1/2013 03:30:00 am",
            "2/29/2013 03:30:00 am",
            "1/26/2013 13:30:00 pm",
            "1/26/2013 0:30:00 am",
            "1/26/2013 3:60:00 am",
            "1/26/2013 3:30 am",
            "1/26/2013 +3:30:00 am",
            "1/26/99999 3:30:00 am",
            "1//2013 3:30:00 am",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
