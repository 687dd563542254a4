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
use vumi_core::{Channel, Result, Route, Router};
use vumi_message::Message;

use crate::registry::{Place, RouterComponent};
use crate::routers::parts::{ByTransport, lists, lists_schema};
use crate::shared::DispatcherShared;

/// Inbound messages and events go to every name that is mapped to their transport, outbound messages to the
/// transport that they name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimpleConfig {
    /// Transport → the exposed names that get its messages and events.
    #[serde(deserialize_with = "lists")]
    #[schemars(schema_with = "lists_schema")]
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
        ByTransport::check(&self.route_mappings, &self.transport_mappings, shared)
    }

    fn build(self, place: Place<'_>) -> Result<Arc<dyn Router>> {
        self.check(place.shared)?;
        Ok(Arc::new(Simple(ByTransport {
            route_mappings: self.route_mappings,
            transport_mappings: self.transport_mappings,
            transports: place.shared.transport_names.clone(),
        })))
    }
}

struct Simple(ByTransport);

#[async_trait]
impl Router for Simple {
    async fn route(&self, _: &str, channel: Channel, message: &Message) -> Result<Route> {
        Ok(match channel {
            Channel::Outbound => self.0.to_transport(message),
            _ => self.0.to_exposed(channel, message),
        })
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
