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
use serde::{Deserialize, Serialize};
use vumi_core::component::Component;
use vumi_core::{Channel, Result, Route, Router, Target};
use vumi_message::Message;

use crate::registry::{Place, RouterComponent};
use crate::routers::parts::{lists, transport_name};
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

impl Component for SimpleConfig {
    const CLASS: &'static str = "simple";
    const ALIASES: &'static [&'static str] =
        &["vumi.dispatchers.SimpleDispatchRouter", "vumi.dispatchers.base.SimpleDispatchRouter"];
}

impl RouterComponent for SimpleConfig {
    fn check(&self, shared: &DispatcherShared) -> Result<()> {
        for (transport, exposed) in &self.route_mappings {
            shared.transport("route_mappings", transport)?;
            for name in exposed {
                shared.exposed("route_mappings", name)?;
            }
        }
        for target in self.transport_mappings.values() {
            shared.transport("transport_mappings", target)?;
        }
        Ok(())
    }

    fn build(self, place: Place<'_>) -> Result<Arc<dyn Router>> {
        self.check(place.shared)?;
        Ok(Arc::new(Simple { config: self, transports: place.shared.transport_names.clone() }))
    }
}

struct Simple {
    config: SimpleConfig,
    transports: Vec<String>,
}

#[async_trait]
impl Router for Simple {
    async fn route(&self, _: &str, channel: Channel, message: &Message) -> Result<Route> {
        let name = transport_name(message);
        let to = |connector: &String| Target { connector: connector.clone(), channel, message: message.clone() };
        if channel != Channel::Outbound {
            let exposed = self.config.route_mappings.get(name).map(Vec::as_slice).unwrap_or_default();
            if exposed.is_empty() {
                return Ok(Route::Nowhere(format!("route_mappings has nothing for the transport '{name}'")));
            }
            return Ok(Route::To(exposed.iter().map(to).collect()));
        }
        let target = self.config.transport_mappings.get(name).map_or(name, String::as_str);
        match self.transports.iter().find(|known| *known == target) {
            Some(transport) => Ok(Route::To(vec![to(transport)])),
            None => Ok(Route::Nowhere(format!("Unknown transport_name: {target}, discarding {}", message.to_json()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{message, names, place_of};

    #[tokio::test]
    async fn both_ways() {
        let config: SimpleConfig = serde_json::from_str(
            r#"{"route_mappings": {"t1": ["a1", "a2"], "t2": "a2"}, "transport_mappings": {"t2": "t1"}}"#,
        )
        .unwrap();
        let (shared, context) = place_of(&["t1", "t2"], &["a1", "a2"]);
        let router = config.build(Place { shared: &shared, context: &context }).unwrap();
        assert_eq!(names(&*router, Channel::Inbound, &message("t1")).await, ["a1", "a2"]);
        assert_eq!(names(&*router, Channel::Event, &message("t2")).await, ["a2"]);
        assert_eq!(names(&*router, Channel::Inbound, &message("t9")).await, Vec::<String>::new());
        assert_eq!(names(&*router, Channel::Outbound, &message("t1")).await, ["t1"]);
        assert_eq!(names(&*router, Channel::Outbound, &message("t2")).await, ["t1"]);
        assert_eq!(names(&*router, Channel::Outbound, &message("t9")).await, Vec::<String>::new());
    }

    #[test]
    fn unknown_names_are_refused_at_the_start() {
        let config: SimpleConfig = serde_json::from_str(r#"{"route_mappings": {"t1": ["a9"]}}"#).unwrap();
        let (shared, _) = place_of(&["t1"], &["a1"]);
        assert_eq!(
            config.check(&shared).err().unwrap().to_string(),
            "route_mappings names `a9`, which is not among exposed_names: add it there or mend the name"
        );
    }
}
