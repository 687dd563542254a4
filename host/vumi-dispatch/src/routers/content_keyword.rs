//! Routes by the first word of a message, and remembers who sent what so that events find back (specification:
//! routers, ContentKeywordRouter).
//!
//! ```yaml
//! class: content_keyword
//! transport_names: [sms]
//! exposed_names: [join, help]
//! dispatcher_name: keywords
//! keyword_mappings: {join: join}
//! rules: [{app: help, keyword: help, to_addr: "8007"}]
//! fallback_application: help
//! transport_mappings: {"8007": sms}
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vumi_core::component::Component;
use vumi_core::{Channel, RedisManager, Result, Route, Router, Target};
use vumi_message::{Message, UserMessage};

use crate::registry::{Place, RouterComponent};
use crate::routers::parts::{WEEK, WayBack, keyspace};
use crate::shared::DispatcherShared;

/// One rule: what a message must be to go to an application.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeywordRule {
    /// The exposed name of the application.
    pub app: String,
    /// What the message begins with, up to the first space; upper and lower case are the same.
    pub keyword: String,
    /// The address that it was sent to, if it matters.
    #[serde(default)]
    pub to_addr: Option<String>,
    /// What the sender's address begins with, if it matters.
    #[serde(default)]
    pub prefix: Option<String>,
}

/// Every rule that fits gives a copy to its application. Outbound messages go to the transport of their `from_addr`,
/// their events back to the application.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentKeywordConfig {
    /// The rules, in order.
    #[serde(default)]
    pub rules: Vec<KeywordRule>,
    /// Exposed name → keyword: rules in short, which count after the others.
    #[serde(default)]
    pub keyword_mappings: BTreeMap<String, String>,
    /// The exposed name that gets messages which fit no rule.
    #[serde(default)]
    pub fallback_application: Option<String>,
    /// Address that an application sends from → the transport that has it.
    pub transport_mappings: BTreeMap<String, String>,
    /// How long it is remembered who sent a message, in seconds; 0 for ever.
    #[serde(default = "week")]
    pub expire_routing_memory: u64,
    /// What the keys of that memory begin with.
    pub dispatcher_name: String,
    /// Where it is kept, if not in the system's own store.
    #[serde(default)]
    pub redis_manager: RedisManager,
}

fn week() -> u64 {
    WEEK
}

impl Component for ContentKeywordConfig {
    const CLASS: &'static str = "content_keyword";
    const ALIASES: &'static [&'static str] =
        &["vumi.dispatchers.ContentKeywordRouter", "vumi.dispatchers.base.ContentKeywordRouter"];
}

impl RouterComponent for ContentKeywordConfig {
    fn check(&self, shared: &DispatcherShared) -> Result<()> {
        self.rules.iter().try_for_each(|rule| shared.exposed("rules", &rule.app))?;
        self.keyword_mappings.keys().try_for_each(|name| shared.exposed("keyword_mappings", name))?;
        self.fallback_application.iter().try_for_each(|name| shared.exposed("fallback_application", name))?;
        self.transport_mappings.values().try_for_each(|name| shared.transport("transport_mappings", name))
    }

    fn build(self, place: Place<'_>) -> Result<Arc<dyn Router>> {
        self.check(place.shared)?;
        let keyspace = keyspace(place.context, &self.redis_manager, &self.dispatcher_name)?;
        let short = self.keyword_mappings.into_iter().map(|(app, keyword)| KeywordRule {
            app,
            keyword,
            to_addr: None,
            prefix: None,
        });
        let mut rules: Vec<KeywordRule> = self.rules.into_iter().chain(short).collect();
        for rule in &mut rules {
            rule.keyword = rule.keyword.to_lowercase();
        }
        Ok(Arc::new(ContentKeyword {
            rules,
            fallback: self.fallback_application,
            transports: self.transport_mappings,
            exposed: place.shared.exposed_names.clone(),
            way_back: WayBack::new(keyspace, place.context, self.expire_routing_memory),
        }))
    }
}

struct ContentKeyword {
    /// Keywords in lower case.
    rules: Vec<KeywordRule>,
    fallback: Option<String>,
    transports: BTreeMap<String, String>,
    exposed: Vec<String>,
    way_back: WayBack,
}

impl KeywordRule {
    fn fits(&self, keyword: &str, message: &UserMessage) -> bool {
        let to_addr_fits = self.to_addr.is_none() || self.to_addr.as_deref() == message.to_addr();
        let from = |prefix: &String| message.from_addr().is_some_and(|from| from.starts_with(prefix));
        self.keyword == keyword && to_addr_fits && self.prefix.as_ref().is_none_or(from)
    }
}

impl ContentKeyword {
    fn inbound(&self, message: &UserMessage) -> Route {
        // Only a space ends the keyword: a line break, for one, belongs to it.
        let content = message.content().unwrap_or_default();
        let keyword = content.split(' ').next().unwrap_or_default().to_lowercase();
        let fitting = self.rules.iter().filter(|rule| rule.fits(&keyword, message)).map(|rule| &rule.app);
        let mut apps: Vec<&String> = fitting.collect();
        if apps.is_empty() {
            apps.extend(&self.fallback);
        }
        if apps.is_empty() {
            return Route::Nowhere(format!("Message could not be routed: {}", message.to_json()));
        }
        let copy = |app: &String| Target {
            connector: app.clone(),
            channel: Channel::Inbound,
            message: Message::User(message.clone()),
        };
        Route::To(apps.into_iter().map(copy).collect())
    }

    async fn outbound(&self, message: &UserMessage) -> Result<Route> {
        let from_addr = message.from_addr();
        let Some(transport) = from_addr.and_then(|from| self.transports.get(from)) else {
            return Ok(Route::Nowhere(format!("No transport for {}", from_addr.unwrap_or("None"))));
        };
        // Vumi published first. Here the way back is remembered before the message is handed on: otherwise a fast
        // transport's ack could come first and find nothing. If handing on fails, what was remembered does no harm.
        if let Some(name) = message.transport_name() {
            self.way_back.remember(message.message_id(), name).await?;
        }
        Ok(Route::one(transport, Channel::Outbound, Message::User(message.clone())))
    }
}

#[async_trait]
impl Router for ContentKeyword {
    async fn route(&self, _: &str, channel: Channel, message: &Message) -> Result<Route> {
        match (channel, message) {
            (Channel::Inbound, Message::User(message)) => Ok(self.inbound(message)),
            (Channel::Outbound, Message::User(message)) => self.outbound(message).await,
            _ => self.way_back.route(message, &self.exposed).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use vumi_message::Event;

    use super::*;
    use crate::testing::{build, changed, message, names, place_of, reason, refusal};

    fn saying(content: &str) -> Message {
        changed(&message("t1"), "content", content.into())
    }

    #[tokio::test]
    async fn two_rules_for_one_app_are_two_copies() {
        let json = r#"{"rules": [{"app": "a1", "keyword": "Ja"}], "keyword_mappings": {"a1": "jA"},
            "transport_mappings": {}, "dispatcher_name": "d"}"#;
        let router = build::<ContentKeywordConfig>(json, &["t1"], &["a1"]);
        assert_eq!(names(&*router, Channel::Inbound, &saying("JA !")).await, ["a1", "a1"]);
        let text = reason(&*router, "t1", Channel::Inbound, &saying("nein")).await;
        assert!(text.starts_with("Message could not be routed: {"), "{text}");
    }

    #[tokio::test]
    async fn the_memory_is_vumis_session() {
        let json = r#"{"transport_mappings": {"s1": "t1"}, "dispatcher_name": "d", "expire_routing_memory": 60}"#;
        let (shared, context) = place_of(&["t1"], &["a1"]);
        let config: ContentKeywordConfig = serde_json::from_str(json).unwrap();
        let router = config.build(Place { shared: &shared, context: &context }).unwrap();
        let outbound = |id: &str, name: &str| {
            let message = changed(&message(name), "from_addr", "s1".into());
            changed(&message, "message_id", id.into())
        };
        assert_eq!(names(&*router, Channel::Outbound, &outbound("m1", "a1")).await, ["t1"]);
        let collections = context.keyspaces.open(&RedisManager::default()).unwrap().collections;
        let session = collections.hash("d:session:message:m1").await.unwrap();
        assert_eq!(session.keys().collect::<Vec<_>>(), ["created_at", "name"]);
        assert_eq!(session.get("name").map(String::as_str), Some("a1"));
        let left = collections.ttl("d:session:message:m1").await.unwrap().unwrap().as_secs();
        assert!((1..=60).contains(&left), "{left}");

        assert_eq!(names(&*router, Channel::Outbound, &outbound("m2", "zz")).await, ["t1"]);
        let ack = Message::Event(Event::ack("m2", "s"));
        assert_eq!(reason(&*router, "t1", Channel::Event, &ack).await, "No publishing route for zz");
        let nobody = changed(&outbound("m3", "a1"), "from_addr", "s9".into());
        assert_eq!(reason(&*router, "a1", Channel::Outbound, &nobody).await, "No transport for s9");
    }

    #[test]
    fn mistakes_are_refused_at_the_start() {
        let rest = r#""transport_mappings": {}, "dispatcher_name": "d""#;
        for (json, text) in [
            (format!(r#"{{"rules": [{{"app": "a9", "keyword": "x"}}], {rest}}}"#), "rules names `a9`"),
            (format!(r#"{{"rules": [{{"keyword": "x"}}], {rest}}}"#), "missing field `app`"),
            (format!(r#"{{"rules": [{{"app": "a1"}}], {rest}}}"#), "missing field `keyword`"),
            (format!(r#"{{"keyword_mappings": {{"a9": "x"}}, {rest}}}"#), "keyword_mappings names `a9`"),
            (format!(r#"{{"fallback_application": "a9", {rest}}}"#), "fallback_application names `a9`"),
            (r#"{"transport_mappings": {"s": "t9"}, "dispatcher_name": "d"}"#.into(), "transport_mappings names `t9`"),
            (r#"{"dispatcher_name": "d"}"#.into(), "missing field `transport_mappings`"),
            (r#"{"transport_mappings": {}}"#.into(), "missing field `dispatcher_name`"),
        ] {
            let refusal = refusal::<ContentKeywordConfig>(&json, &["t1"], &["a1"]);
            assert!(refusal.starts_with(text), "{json}: {refusal}");
        }
    }
}
