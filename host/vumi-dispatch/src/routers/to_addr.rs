//! Routes by the address that a message was sent to (specification: routers, ToAddrRouter).
//!
//! ```yaml
//! class: to_addr
//! transport_names: [sms]
//! exposed_names: [quiz, help]
//! toaddr_mappings: {quiz: "8007", help: "8008|8009"}
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vumi_core::component::Component;
use vumi_core::{Channel, Error, RedisManager, Result, Route, Router, Target};
use vumi_message::Message;

use crate::registry::{Place, RouterComponent};
use crate::routers::parts::{ByTransport, WEEK, WayBack, keyspace};
use crate::shared::DispatcherShared;

/// Bytes that one compiled expression may take; those of real addresses take a few thousand.
const PATTERN_BYTES: usize = 1 << 20;

/// Inbound messages go to every name whose expression fits their `to_addr`, outbound messages to the transport that
/// they name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToAddrConfig {
    /// Exposed name → regular expression that `to_addr` must match from its start, not necessarily to its end. The
    /// syntax is that of Python, without look-around and backreferences.
    pub toaddr_mappings: BTreeMap<String, String>,
    /// Transport → the transport that is to send in its place.
    #[serde(default)]
    pub transport_mappings: BTreeMap<String, String>,
    /// When given (`{}` for the system's own store), it is remembered who sent which message, and events go there.
    /// Without it events are discarded.
    #[serde(default)]
    pub redis_manager: Option<RedisManager>,
    /// What the keys of that memory begin with; the dispatcher's name unless given.
    #[serde(default)]
    pub dispatcher_name: Option<String>,
    /// How long it is remembered, in seconds.
    #[serde(default = "week")]
    pub expire_routing_memory: u64,
}

fn week() -> u64 {
    WEEK
}

impl Component for ToAddrConfig {
    const CLASS: &'static str = "to_addr";
    const ALIASES: &'static [&'static str] = &["vumi.dispatchers.ToAddrRouter", "vumi.dispatchers.base.ToAddrRouter"];
}

impl ToAddrConfig {
    fn patterns(&self) -> Result<Vec<(String, Regex)>> {
        let compile = |(name, pattern): (&String, &String)| {
            let compiled = RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES).build();
            compiled.map(|pattern| (name.clone(), pattern)).map_err(|error| {
                // The library draws the expression with an arrow; its last line says in words what is wrong.
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                Error::permanent(format!(
                    "toaddr_mappings: the regular expression of `{name}` cannot be used: {}",
                    last.strip_prefix("error: ").unwrap_or(last)
                ))
            })
        };
        self.toaddr_mappings.iter().map(compile).collect()
    }
}

impl RouterComponent for ToAddrConfig {
    fn check(&self, shared: &DispatcherShared) -> Result<()> {
        for name in self.toaddr_mappings.keys() {
            shared.exposed("toaddr_mappings", name)?;
        }
        ByTransport::check(&BTreeMap::new(), &self.transport_mappings, shared)?;
        self.patterns().map(drop)
    }

    fn build(self, place: Place<'_>) -> Result<Arc<dyn Router>> {
        self.check(place.shared)?;
        let way_back = match &self.redis_manager {
            Some(manager) => {
                let name = self.dispatcher_name.as_deref().unwrap_or(&place.context.name);
                let keyspace = keyspace(place.context, manager, name)?;
                Some(WayBack::new(keyspace, place.context, self.expire_routing_memory))
            }
            None => None,
        };
        Ok(Arc::new(ToAddr {
            patterns: self.patterns()?,
            way_back,
            exposed: place.shared.exposed_names.clone(),
            outbound: ByTransport {
                route_mappings: BTreeMap::new(),
                transport_mappings: self.transport_mappings,
                transports: place.shared.transport_names.clone(),
            },
        }))
    }
}

struct ToAddr {
    patterns: Vec<(String, Regex)>,
    way_back: Option<WayBack>,
    exposed: Vec<String>,
    outbound: ByTransport,
}

impl ToAddr {
    fn inbound(&self, message: &Message) -> Route {
        let to_addr = match message {
            Message::User(message) => message.to_addr(),
            Message::Event(_) | Message::Status(_) | Message::Failure(_) => None,
        };
        let Some(to_addr) = to_addr else { return Route::Nowhere("the message has no to_addr".to_owned()) };
        // The leftmost match begins at the start whenever one does: this is Python's `re.match`.
        let fits = |pattern: &Regex| pattern.find(to_addr).is_some_and(|found| found.start() == 0);
        let targets: Vec<Target> = self
            .patterns
            .iter()
            .filter(|(_, pattern)| fits(pattern))
            .map(|(name, _)| Target { connector: name.clone(), channel: Channel::Inbound, message: message.clone() })
            .collect();
        if targets.is_empty() { Route::Discarded } else { Route::To(targets) }
    }
}

#[async_trait]
impl Router for ToAddr {
    async fn route(&self, connector: &str, channel: Channel, message: &Message) -> Result<Route> {
        match channel {
            Channel::Inbound => Ok(self.inbound(message)),
            Channel::Outbound => {
                let route = self.outbound.to_transport(message);
                if let (Some(way_back), Route::To(_), Some(id)) = (&self.way_back, &route, message.message_id()) {
                    // Before the message is handed on: its ack must not come first.
                    way_back.remember(id, connector).await?;
                }
                Ok(route)
            }
            Channel::Event | Channel::Failure | Channel::Status => match &self.way_back {
                Some(way_back) => way_back.route(message, &self.exposed).await,
                None => Ok(Route::Discarded),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use vumi_message::Event;

    use super::*;
    use crate::testing::{build, changed, message, names, reason, refusal};

    #[tokio::test]
    async fn expressions_count_from_the_start() {
        let json = r#"{"toaddr_mappings": {"a1": "1|2", "a2": "(?x) 12 # the second", "a3": "^12$"}}"#;
        let router = build::<ToAddrConfig>(json, &["t1"], &["a1", "a2", "a3"]);
        for (to_addr, expected) in [
            ("12", vec!["a1", "a2", "a3"]),
            ("123", vec!["a1", "a2"]),
            ("2", vec!["a1"]),
            ("312", vec![]),
            ("", vec![]),
        ] {
            let message = changed(&message("t1"), "to_addr", to_addr.into());
            assert_eq!(names(&*router, Channel::Inbound, &message).await, expected, "{to_addr}");
        }
        let nobody = changed(&message("t1"), "to_addr", serde_json::Value::Null);
        assert_eq!(reason(&*router, "t1", Channel::Inbound, &nobody).await, "the message has no to_addr");
    }

    #[tokio::test]
    async fn events_find_back_when_there_is_a_memory() {
        let given = |rest: &str| format!(r#"{{"toaddr_mappings": {{"a1": ".*"}}{rest}}}"#);
        let ack = Message::Event(Event::ack("m1", "s1"));
        let outbound = changed(&message("t1"), "message_id", "m1".into());

        let router = build::<ToAddrConfig>(&given(""), &["t1"], &["a1"]);
        assert_eq!(names(&*router, Channel::Outbound, &outbound).await, ["t1"]);
        assert_eq!(router.route("t1", Channel::Event, &ack).await.unwrap(), Route::Discarded);

        let router = build::<ToAddrConfig>(&given(r#", "redis_manager": {}"#), &["t1"], &["a1"]);
        assert!(reason(&*router, "t1", Channel::Event, &ack).await.starts_with("No transport_name for return route"));
        router.route("a1", Channel::Outbound, &outbound).await.unwrap();
        assert_eq!(names(&*router, Channel::Event, &ack).await, ["a1"]);
    }

    #[test]
    fn mistakes_are_refused_at_the_start() {
        for (json, text) in [
            (r#"{"toaddr_mappings": {"a9": "1"}}"#, "toaddr_mappings names `a9`"),
            (r#"{"toaddr_mappings": {}, "transport_mappings": {"x": "t9"}}"#, "transport_mappings names `t9`"),
            (
                r#"{"toaddr_mappings": {"a1": "(?=1)"}}"#,
                "toaddr_mappings: the regular expression of `a1` cannot be used: look-around",
            ),
            (r#"{"toaddr_mappings": {"a1": "(1)\\1"}}"#, "cannot be used: backreferences are not supported"),
            (r#"{"toaddr_mappings": {"a1": "("}}"#, "cannot be used: unclosed group"),
            (r#"{"toaddr_mappings": {"a1": "(\\w{1000}){1000}"}}"#, "size limit"),
        ] {
            let refusal = refusal::<ToAddrConfig>(json, &["t1"], &["a1"]);
            assert!(refusal.contains(text) && !refusal.contains('\n'), "{json}: {refusal}");
        }
    }
}
