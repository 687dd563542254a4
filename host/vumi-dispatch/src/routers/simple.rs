//! Routes by the message's `transport_name` alone (specification: routers, SimpleDispatchRouter).
//!
//! ```yaml
//! class: simple
//! transport_names: [telnet, sms]
//! exposed_names: [echo, audit]
//! route_mappings: {telnet: [echo], sms: [echo, audit]}
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use vumi_core::component::Component;
use vumi_core::{Channel, Error, Result, Router, Target};
use vumi_message::Message;

use crate::registry::RouterComponent;
use crate::shared::DispatcherShared;

/// Inbound messages and events go to every name that is mapped to their transport, outbound messages to the
/// transport that they name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimpleConfig {
    /// Transport → the exposed names that get its messages and events.
    #[serde(deserialize_with = "lists")]
    pub route_mappings: BTreeMap<String, Vec<String>>,
    /// Transport → the transport that is to send in its place.
    #[serde(default)]
    pub transport_mappings: BTreeMap<String, String>,
}

/// A single text counts as a list of one: Vumi's documentation writes it so.
fn lists<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    let read = BTreeMap::<String, OneOrMany>::deserialize(deserializer)?;
    let listed = read.into_iter().map(|(name, value)| match value {
        OneOrMany::One(one) => (name, vec![one]),
        OneOrMany::Many(many) => (name, many),
    });
    Ok(listed.collect())
}

impl Component for SimpleConfig {
    const CLASS: &'static str = "simple";
    const ALIASES: &'static [&'static str] =
        &["vumi.dispatchers.SimpleDispatchRouter", "vumi.dispatchers.base.SimpleDispatchRouter"];
}

impl RouterComponent for SimpleConfig {
    fn build(self, shared: &DispatcherShared) -> Result<Arc<dyn Router>> {
        let known = |list: &[String], name: &String, key: &str, of: &str| {
            if list.contains(name) {
                return Ok(());
            }
            Err(Error::permanent(format!(
                "{key} names `{name}`, which is not among {of}: add it there or mend the name"
            )))
        };
        for (transport, exposed) in &self.route_mappings {
            known(&shared.transport_names, transport, "route_mappings", "transport_names")?;
            for name in exposed {
                known(&shared.exposed_names, name, "route_mappings", "exposed_names")?;
            }
        }
        for target in self.transport_mappings.values() {
            known(&shared.transport_names, target, "transport_mappings", "transport_names")?;
        }
        Ok(Arc::new(Simple { config: self, transports: shared.transport_names.clone() }))
    }
}

struct Simple {
    config: SimpleConfig,
    transports: Vec<String>,
}

#[async_trait]
impl Router for Simple {
    async fn route(&self, _: &str, channel: Channel, message: &Message) -> Result<Vec<Target>> {
        let name = message.payload().get("transport_name").and_then(Value::as_str).unwrap_or_default();
        let to = |connector: &String| Target { connector: connector.clone(), channel, message: message.clone() };
        if channel != Channel::Outbound {
            return Ok(self.config.route_mappings.get(name).into_iter().flatten().map(to).collect());
        }
        let target = self.config.transport_mappings.get(name).map_or(name, String::as_str);
        match self.transports.iter().find(|known| *known == target) {
            Some(transport) => Ok(vec![to(transport)]),
            None => {
                tracing::error!("Unknown transport_name: {target}, discarding {}", message.to_json());
                Ok(Vec::new())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vumi_message::{NewUserMessage, UserMessage};

    fn shared() -> DispatcherShared {
        DispatcherShared {
            transport_names: vec!["t1".into(), "t2".into()],
            exposed_names: vec!["a1".into(), "a2".into()],
            ..DispatcherShared::default()
        }
    }

    fn config(json: &str) -> SimpleConfig {
        serde_json::from_str(json).unwrap()
    }

    fn message(transport: &str) -> Message {
        Message::User(UserMessage::new(NewUserMessage {
            transport_name: Some(transport.into()),
            from_addr: Some("+1".into()),
            ..NewUserMessage::default()
        }))
    }

    async fn names(router: &dyn Router, channel: Channel, transport: &str) -> Vec<String> {
        let targets = router.route("x", channel, &message(transport)).await.unwrap();
        targets.into_iter().map(|target| target.connector).collect()
    }

    #[tokio::test]
    async fn both_ways() {
        let router =
            config(r#"{"route_mappings": {"t1": ["a1", "a2"], "t2": "a2"}, "transport_mappings": {"t2": "t1"}}"#)
                .build(&shared())
                .unwrap();
        assert_eq!(names(&*router, Channel::Inbound, "t1").await, ["a1", "a2"]);
        assert_eq!(names(&*router, Channel::Event, "t2").await, ["a2"]);
        assert_eq!(names(&*router, Channel::Inbound, "t9").await, Vec::<String>::new());
        assert_eq!(names(&*router, Channel::Outbound, "t1").await, ["t1"]);
        assert_eq!(names(&*router, Channel::Outbound, "t2").await, ["t1"]);
        assert_eq!(names(&*router, Channel::Outbound, "t9").await, Vec::<String>::new());
    }

    #[test]
    fn unknown_names_are_refused_at_the_start() {
        let error = config(r#"{"route_mappings": {"t1": ["a9"]}}"#).build(&shared()).err().unwrap();
        assert_eq!(
            error.to_string(),
            "route_mappings names `a9`, which is not among exposed_names: add it there or mend the name"
        );
    }
}
