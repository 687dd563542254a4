//! Netcore's SMS, India (transport specification "netcore").
//!
//! The network hands each SMS over, with exactly the parameters that it has agreed to, and is told the message's id.
//! There is no way back: messages to users fail.

use async_trait::async_trait;
use hyper::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use vumi_core::{Result, Sent};
use vumi_message::{FailureCode, NewUserMessage, Payload, UserMessage};

use crate::base::values::Flag;
use crate::http::{Aggregator, Answer, EndpointKeys, HttpLink, Refusal, Reply, Request, Site, outcome};

const EXPECTED: [&str; 5] = ["to_addr", "from_addr", "content", "circle", "source"];

/// Netcore SMS, India; from users only.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Netcore {
    /// Refuses messages whose text is the word `None`, which the network sends where it lost the text.
    #[serde(deserialize_with = "reject_none")]
    pub reject_none: bool,
}

impl Default for Netcore {
    fn default() -> Self {
        Self { reject_none: true }
    }
}

fn reject_none<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Flag::deserialize(deserializer).map(|flag| flag.0.unwrap_or(true))
}

#[async_trait]
impl Aggregator for Netcore {
    const CLASS: &'static str = "netcore";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.netcore.NetcoreTransport", "vumi.transports.netcore.netcore.NetcoreTransport"];
    const EXAMPLE: &'static str = "\
class: netcore
twisted_endpoint: tcp:port=8080:interface=127.0.0.1
web_path: /api/v1/netcore/
";
    const CONTENT_TYPE: &'static str = "text/html";
    type Keys = EndpointKeys;

    fn site(&self, keys: &EndpointKeys, interface: Option<&str>) -> Result<Site> {
        let mut site = keys.site_at(interface, Some("/api/v1/netcore/"))?;
        site.methods = vec![Method::POST];
        Ok(site)
    }

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let names = request.names();
        if names.len() != EXPECTED.len() || EXPECTED.iter().any(|name| !names.iter().any(|there| there == name)) {
            let (allowed, received) = (list(EXPECTED), list(&names));
            let text = format!("Not all expected parameters received. Only allowing: {allowed}, received: {received}");
            return Err(refusal(text, "it has other parameters than those that are agreed on"));
        }
        let mut values: Vec<&[u8]> = EXPECTED.iter().filter_map(|name| request.first(name)).collect();
        if values.iter().any(|value| value.is_empty()) {
            values.sort_unstable();
            let text = format!("Not all parameters have values. Received: {}", list(values));
            return Err(refusal(text, "it has a parameter without a value"));
        }
        let take = |name| request.text(name).map(Option::unwrap_or_default);
        let (content, from_addr) = (take("content")?, take("from_addr")?);
        if self.reject_none && content == "None" {
            let text = "\"None\" string literal not allowed for content parameter.";
            return Err(refusal(text.to_owned(), "its text is the word `None`, see `reject_none`"));
        }
        let details = json!({ "circle": take("circle")?, "source": take("source")? });
        let message = NewUserMessage {
            from_addr: Some(if from_addr.starts_with('0') { from_addr } else { format!("0{from_addr}") }),
            to_addr: Some(take("to_addr")?),
            content: Some(content),
            transport_type: Some("sms".to_owned()),
            transport_metadata: Payload::from_iter([("netcore".to_owned(), details)]),
            ..NewUserMessage::default()
        };
        link.publish(request, message).await?;
        Ok(Answer::Now(Reply::ok(request.id.clone())))
    }

    async fn send(&self, _: &UserMessage, _: &HttpLink) -> Result<Sent> {
        let reason = "the transport netcore only receives: there is no way to send a message to this network";
        Ok(outcome::failed(FailureCode::Unspecified, reason))
    }

    fn health(&self, _: usize) -> Reply {
        Reply::ok("OK")
    }
}

/// 400. The text repeats what was sent, so it must not be taken for a page.
fn refusal(text: String, reason: &str) -> Refusal {
    Refusal::new(Reply::status(400).body(text).content_type("text/plain"), reason)
}

/// Byte strings as Python 2 prints a list of them.
fn list(items: impl IntoIterator<Item: AsRef<[u8]>>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| python_repr(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

fn python_repr(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let mut text = String::from(quote);
    for byte in bytes {
        match char::from(*byte) {
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            special if special == '\\' || special == quote => text.extend(['\\', special]),
            ' '..='~' => text.push(char::from(*byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text.push(quote);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_look_as_in_python() {
        for (bytes, text) in [
            (&b""[..], "''"),
            (b"it's", "\"it's\""),
            (b"it's \"x\"", "'it\\'s \"x\"'"),
            (b"a\\b\n\x00\x7f", "'a\\\\b\\n\\x00\\x7f'"),
            ("ö".as_bytes(), "'\\xc3\\xb6'"),
        ] {
            assert_eq!(python_repr(bytes), text);
        }
        assert_eq!(list(["a", "b"]), "['a', 'b']");
    }
}
