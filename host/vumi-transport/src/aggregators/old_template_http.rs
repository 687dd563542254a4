//! The older of Vumi's HTTP interfaces with a text of its own for each recipient (transport specification "api",
//! OldTemplateHttpTransport).
//!
//! `POST /send` with `template=Hi {{ name }}`, `to_msisdn` once and `template_name` once for each recipient publishes a
//! message for each recipient and answers with their ids.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use vumi_core::{Result, Sent};
use vumi_message::UserMessage;

use super::old_simple_http::{Identities, MOST, publish};
use crate::http::{Aggregator, Answer, HttpLink, Refusal, Reply, Request, RpcKeys};

/// What the parameters with values begin with.
const PREFIX: &str = "template_";

/// HTTP, the older interface: a text with places that each recipient has values for.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OldTemplateHttp {
    /// Who may send: user names with their passwords, for HTTP Basic. Anybody, unless there is one.
    #[schemars(with = "BTreeMap<String, String>")]
    pub identities: Identities,
}

#[async_trait]
impl Aggregator for OldTemplateHttp {
    const CLASS: &'static str = "old-template-http";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.api.OldTemplateHttpTransport", "vumi.transports.api.oldapi.OldTemplateHttpTransport"];
    const EXAMPLE: &'static str = "\
class: old-template-http
web_path: /send
web_port: 8080
identities: {bob: secret}
";
    type Keys = RpcKeys;

    async fn receive(&self, request: &Request, link: &HttpLink) -> Result<Answer, Refusal> {
        let user = self.identities.user(request)?;
        let template = request.text("template")?;
        let mut values = BTreeMap::new();
        for name in request.names() {
            if let Some(place) = name.strip_prefix(PREFIX) {
                values.insert(place.to_owned(), request.texts(&name)?);
            }
        }
        let (mut texts, mut length) = (Vec::new(), 0_usize);
        for (number, recipient) in request.texts("to_msisdn")?.into_iter().enumerate() {
            let value = |name: &str| values.get(name).and_then(|values| values.get(number)).map(String::as_str);
            let text = template.as_deref().map(|template| render(template, value, MOST - length)).transpose();
            let text = text.map_err(Refusal::bad)?;
            length += text.as_ref().map_or(0, String::len);
            texts.push((recipient, text));
        }
        publish(request, link, &user, "old_template_http", texts).await
    }

    async fn send(&self, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
        tracing::info!(
            transport = link.name(),
            message_id = message.message_id(),
            "a message was dropped: this transport only receives"
        );
        Ok(Sent::Pending)
    }

    fn health(&self, _: usize) -> Reply {
        Reply::json(&json!({}))
    }
}

/// The template with every `{{ name }}` replaced. What is no such place stands for itself.
fn render<'a>(template: &str, value: impl Fn(&str) -> Option<&'a str>, most: usize) -> Result<String, String> {
    let (mut text, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let place = after.split_once("}}").map(|(inside, after)| (inside.trim_matches(' '), after));
        match place {
            Some((name, after)) if !name.is_empty() && name.chars().all(|c| c == '_' || c.is_alphanumeric()) => {
                let missing = || format!("The template's {name} has no value for every recipient");
                text.push_str(value(name).ok_or_else(missing)?);
                rest = after;
            }
            _ => {
                // The next place may begin with the second brace.
                text.push('{');
                rest = rest.get(before.len() + 1..).unwrap_or_default();
            }
        }
        if text.len() > most {
            return Err("The texts of this request are too long".to_owned());
        }
    }
    text.push_str(rest);
    if text.len() > most { Err("The texts of this request are too long".to_owned()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(template: &str) -> Result<String, String> {
        render(template, |name| matches!(name, "a" | "b_1" | "ö").then_some("{{a}}"), 100)
    }

    #[test]
    fn places_are_replaced_once() {
        for (template, text) in [
            ("Hi {{ a }}/{{b_1}}!", "Hi {{a}}/{{a}}!"),
            ("{{   ö}}", "{{a}}"),
            ("100% %(a)s { {a} } {{}} {{ }} {{a b}} {{", "100% %(a)s { {a} } {{}} {{ }} {{a b}} {{"),
            ("{{{a}}}", "{{{a}}}"),
            ("{{x{{a}}", "{{x{{a}}"),
            ("", ""),
        ] {
            assert_eq!(told(template).unwrap(), text, "{template}");
        }
        assert!(told("{{no}}").unwrap_err().contains("The template's no has no value"));
        assert!(told(&"{{a}}".repeat(21)).unwrap_err().contains("too long"));
        assert!(told(&"x".repeat(101)).is_err());
    }
}
