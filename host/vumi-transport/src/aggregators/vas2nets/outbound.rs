//! Messages to users: what the network is asked, and what its answer means.

use serde_json::Value;
use vumi_core::{Result, Sent};
use vumi_message::{FailureCode, UserMessage};

use super::{REPORTED_WITHIN, Vas2Nets, own_id};
use crate::http::{Answered, Call, CallError, HttpLink, outcome};

/// Letters beyond ASCII that the network has, and its punctuation.
const SINGLE: &str = "äöüÄÖÜàùòìèé§Ññ£$@ /?!#%&()*+,-:;<=>.\"'\n\r";

/// Characters that count twice.
const DOUBLE: &str = "|{}[]€\\~^";

pub(super) async fn send(own: &Vas2Nets, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
    let (call, id) = match request(own, message, link.name()) {
        Ok(request) => request,
        Err(failed) => return Ok(failed),
    };
    if let Id::Own(id) = &id {
        // Before the message goes out: its report may be fast.
        link.keys().kv.set(&own_id(id), "", Some(REPORTED_WITHIN)).await?;
    }
    match link.client().send(call).await {
        Ok(answered) => Ok(meaning(&answered, &own.header, message)),
        Err(error @ CallError::NotConnected(..)) => {
            tracing::warn!(transport = link.name(), message_id = message.message_id(), "{error}");
            Ok(outcome::failed(FailureCode::Temporary, "connection refused"))
        }
        Err(error) => Err(error.into()),
    }
}

/// What a message goes out under.
enum Id {
    /// The network's id of the SMS that is answered.
    Network(String),
    /// One that the network did not give.
    Own(String),
}

impl Id {
    /// The ids of SMSes are the network's behind the transport's name and a dot.
    fn of(message: &UserMessage, transport: &str) -> Self {
        let answered = message.in_reply_to().filter(|id| !id.is_empty()).unwrap_or(message.message_id());
        let network: Option<String> = answered.strip_prefix(transport).map(|rest| rest.chars().skip(1).collect());
        match network.filter(|id| !id.is_empty()) {
            Some(id) => Self::Network(id),
            None => Self::Own(answered.to_owned()),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Network(id) | Self::Own(id) => id,
        }
    }
}

fn request(own: &Vas2Nets, message: &UserMessage, transport: &str) -> Result<(Call, Id), Sent> {
    let content = outcome::needed(message, "content")?;
    check(content, message, transport)?;
    let to_addr = outcome::needed(message, "to_addr")?;
    let number = if to_addr.starts_with('+') { to_addr.replace('+', "00") } else { to_addr.to_owned() };
    let noted = |name: &str| match message.transport_metadata().get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    };
    let Some(network) = noted("network_id") else {
        let reason = "the message cannot be sent: its transport_metadata has no network_id, as those of replies have";
        return Err(outcome::failed(FailureCode::Unspecified, reason));
    };
    let id = Id::of(message, transport);
    let tariff = noted("tariff").unwrap_or_else(|| "0".to_owned());
    let subservice = own.subservice.clone().or_else(|| noted("keyword")).unwrap_or_default();
    let call = Call::post(&own.url).header("user-agent", "Vumi Vas2Net Transport").form(&[
        ("username", &own.username),
        ("password", own.password.expose()),
        ("owner", &own.owner),
        ("service", &own.service),
        ("call-number", &number),
        ("origin", outcome::needed(message, "from_addr")?),
        ("messageid", id.text()),
        ("provider", &network),
        ("tariff", &tariff),
        ("text", content),
        ("subservice", &subservice),
    ]);
    Ok((call, id))
}

/// Whether the network has every character of a text.
fn check(content: &str, message: &UserMessage, transport: &str) -> Result<(), Sent> {
    let known = |c: &char| c.is_ascii_alphanumeric() || SINGLE.contains(*c) || DOUBLE.contains(*c);
    if let Some(illegal) = content.chars().find(|c| !known(c)) {
        return Err(outcome::failed(FailureCode::Unspecified, format!("illegal character {illegal}")));
    }
    if content.contains(|c| DOUBLE.contains(c)) {
        tracing::warn!(
            transport,
            message_id = message.message_id(),
            "the text has characters that count twice, so 70 characters fit into an SMS"
        );
    }
    Ok(())
}

fn meaning(answered: &Answered, header: &str, message: &UserMessage) -> Sent {
    let body = answered.excerpt();
    if answered.status != 200 {
        return outcome::failed(FailureCode::Permanent, format!("server error: HTTP {}: {body}", answered.status));
    }
    match answered.header(header).filter(|id| !id.is_empty()) {
        Some(id) => outcome::accepted_as(id),
        None => {
            let reason = format!("No SmsId Header, content: {body}");
            outcome::failed_and_refused(FailureCode::Unspecified, reason, Some(message))
        }
    }
}
