//! Tags messages by the address that they were sent to, and fills in outbound messages by their tag (specification:
//! middleware, section 5, Tagging).
//!
//! ```yaml
//! middleware: [tags: tagging]
//! tags:
//!   incoming:
//!     addr_pattern: '^\d+(\d{3})$'
//!     tagpool_template: pool1
//!     tagname_template: 'mytag-\1'
//!   outgoing:
//!     tagname_pattern: 'mytag-(\d{3})$'
//!     msg_template: {from_addr: '1234*\1'}
//! ```

mod config;
mod merge;

use std::sync::Arc;

use async_trait::async_trait;
use vumi_core::component::Component;
use vumi_core::{Context, Flow, Hook, Middleware, Result};
use vumi_message::{Message, UserMessage};

use super::parts::{Way, invalid, on_user_message, set_tag, tag};
use super::pattern::{Pattern, Template};
use crate::registry::MiddlewareComponent;
pub use config::{Incoming, Outgoing, TaggingConfig};
use merge::Merge;

impl Component for TaggingConfig {
    const CLASS: &'static str = "tagging";
    const ALIASES: &'static [&'static str] =
        &["vumi.middleware.TaggingMiddleware", "vumi.middleware.tagger.TaggingMiddleware"];
}

impl MiddlewareComponent for TaggingConfig {
    fn check(&self, (): ()) -> Result<()> {
        Tagging::new(self).map(drop)
    }

    fn build(self, _: &Context) -> Result<Arc<dyn Middleware>> {
        Ok(Arc::new(Tagging::new(&self)?))
    }
}

struct Tagging {
    address: Pattern,
    pool: Template,
    name: Template,
    tag_name: Pattern,
    fields: Merge,
}

impl Tagging {
    fn new(TaggingConfig { incoming, outgoing }: &TaggingConfig) -> Result<Self> {
        let address = Pattern::new("incoming.addr_pattern", &incoming.addr_pattern)?;
        let tag_name = Pattern::new("outgoing.tagname_pattern", &outgoing.tagname_pattern)?;
        Ok(Self {
            pool: Template::new("incoming.tagpool_template", &incoming.tagpool_template, &address)?,
            name: Template::new("incoming.tagname_template", &incoming.tagname_template, &address)?,
            fields: Merge::new("outgoing.msg_template", &outgoing.msg_template, &tag_name)?,
            address,
            tag_name,
        })
    }

    fn tagged(&self, mut message: UserMessage) -> UserMessage {
        let matched = message.to_addr().and_then(|address| self.address.at_start(address));
        let new = matched.map(|groups| (self.pool.expand(&groups), self.name.expand(&groups)));
        if let Some((pool, name)) = new {
            set_tag(&mut message, &pool, &name);
        }
        message
    }

    fn filled(&self, message: UserMessage) -> Result<UserMessage> {
        let Some(name) = tag(&message).map(|(_, name)| name.to_owned()) else { return Ok(message) };
        let Some(groups) = self.tag_name.at_start(&name) else { return Ok(message) };
        let mut payload = message.into_payload();
        self.fields.apply(&groups, &mut payload);
        UserMessage::from_payload(payload).map_err(invalid)
    }
}

#[async_trait]
impl Middleware for Tagging {
    async fn handle(&self, hook: Hook, _: &str, message: Message) -> Result<Flow> {
        on_user_message(hook, message, |way, message| match way {
            Way::In => Ok(self.tagged(message)),
            Way::Out => self.filled(message),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vumi_core::{Channel, Direction};

    use super::*;
    use crate::middleware::testing::{build, noted, notes, pass, refusal, user};

    fn config(incoming: &str, outgoing: &str) -> String {
        format!(r#"{{"incoming": {incoming}, "outgoing": {outgoing}}}"#)
    }

    fn templates(msg_template: &str) -> String {
        config(
            r#"{"addr_pattern": "^\\d+(\\d{3})$", "tagpool_template": "p", "tagname_template": "n-\\1"}"#,
            &format!(r#"{{"tagname_pattern": "n-(\\d{{3}})$", "msg_template": {msg_template}}}"#),
        )
    }

    #[tokio::test]
    async fn inbound_messages_are_tagged_by_their_address() {
        let middleware = build::<TaggingConfig>(&templates("{}"));
        let old = json!({"tag": {"tag": ["old", "one"]}, "kept": 1});
        for (to_addr, tag) in [(Some("55512"), json!(["p", "n-512"])), (Some("x55512"), old["tag"]["tag"].clone())] {
            let message = pass(&*middleware, Channel::Inbound, noted(user("+1", to_addr), old.clone())).await;
            assert_eq!(notes(&message), json!({"tag": {"tag": tag}, "kept": 1}));
        }
        let message = pass(&*middleware, Channel::Inbound, user("+1", None)).await;
        assert_eq!(notes(&message), json!({}));
    }

    #[tokio::test]
    async fn outbound_messages_are_filled_in_by_their_tag() {
        let template = r#"{"from_addr": "f\\1", "helper_metadata": {"x": {"y": "\\g<0>", "z": 7}, "l": ["\\1"]}}"#;
        let middleware = build::<TaggingConfig>(&templates(template));
        let tagged = |name: &str| noted(user("a", Some("b")), json!({"tag": {"tag": ["q", name]}, "x": {"w": 1}}));
        let message = pass(&*middleware, Channel::Outbound, tagged("n-512")).await;
        assert_eq!((message.from_addr(), message.to_addr()), (Some("f512"), Some("b")));
        let x = json!({"w": 1, "y": "n-512", "z": 7});
        assert_eq!(notes(&message), json!({"tag": {"tag": ["q", "n-512"]}, "x": x, "l": ["\\1"]}));
        for untouched in [tagged("m-512"), tagged("an-512"), user("a", Some("b"))] {
            assert_eq!(pass(&*middleware, Channel::Outbound, untouched.clone()).await, untouched);
        }
    }

    #[tokio::test]
    async fn a_template_that_spoils_a_message_is_a_permanent_error() {
        for template in [r#"{"session_event": "\\1"}"#, r#"{"message_type": "event"}"#, r#"{"content": {"a": 1}}"#] {
            let middleware = build::<TaggingConfig>(&templates(template));
            let message = noted(user("a", Some("b")), json!({"tag": {"tag": ["q", "n-512"]}}));
            let hook = Hook { direction: Direction::Publish, channel: Channel::Outbound };
            let error = middleware.handle(hook, "t1", message.into()).await.unwrap_err();
            assert!(!error.is_temporary(), "{template}: {}", error.report());
        }
    }

    #[test]
    fn mistakes_are_refused_at_the_start() {
        let incoming = r#"{"addr_pattern": "(.)", "tagpool_template": "p", "tagname_template": "n"}"#;
        let outgoing = r#"{"tagname_pattern": "(?P<a>.)", "msg_template": {}}"#;
        assert!(serde_json::from_str::<TaggingConfig>(&config(incoming, outgoing)).is_ok());
        let missing =
            |field: &str, key: &str| format!("Error in config field '{field}': does not contain the `{key}` key.");
        for (wrong, text) in [
            ("{}".to_owned(), "missing field `incoming`".to_owned()),
            (config(incoming, "5"), "expected a map".to_owned()),
            (config("{}", outgoing), missing("incoming", "addr_pattern")),
            (config(r#"{"addr_pattern": ""}"#, outgoing), missing("incoming", "tagpool_template")),
            (
                config(r#"{"addr_pattern": "", "tagpool_template": ""}"#, outgoing),
                missing("incoming", "tagname_template"),
            ),
            (config(incoming, "{}"), missing("outgoing", "tagname_pattern")),
            (config(incoming, r#"{"tagname_pattern": ""}"#), missing("outgoing", "msg_template")),
            (
                config(r#"{"addr_pattern": 5}"#, outgoing),
                "'incoming': does not have an `addr_pattern` key with type `string`.".to_owned(),
            ),
            (
                config(incoming, r#"{"tagname_pattern": "", "msg_template": "x"}"#),
                "'outgoing': does not have an `msg_template` key with type `dict`.".to_owned(),
            ),
            (
                config(incoming, r#"{"tagname_pattern": "", "msg_template": {}, "tagpool": 1}"#),
                "'outgoing': has the unknown key `tagpool`".to_owned(),
            ),
            (
                config(&incoming.replace("\"n\"", r#""\\2""#), outgoing),
                "incoming.tagname_template: the template names the group `2`".to_owned(),
            ),
            (
                config(incoming, &outgoing.replace("{}", r#"{"a": {"b": "\\g<c>"}}"#)),
                "outgoing.msg_template.a.b: the template names the group `c`".to_owned(),
            ),
            (
                config(&incoming.replace("(.)", "("), outgoing),
                "incoming.addr_pattern: the regular expression cannot be used".to_owned(),
            ),
        ] {
            let refusal = refusal::<TaggingConfig>(&wrong);
            assert!(refusal.contains(&text), "{wrong}: {refusal}");
        }
    }
}
