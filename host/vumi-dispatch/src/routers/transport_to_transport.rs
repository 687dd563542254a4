//! Joins transports: what comes in through one goes out through others (specification: routers,
//! TransportToTransportRouter).
//!
//! ```yaml
//! class: transport_to_transport
//! transport_names: [irc, xmpp]
//! route_mappings: {irc: [xmpp]}
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
use crate::routers::parts::{lists, lists_schema, transport_name};
use crate::shared::DispatcherShared;

/// Inbound messages become outbound messages of other transports, unchanged; events and outbound messages are
/// discarded.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransportToTransportConfig {
    /// Transport → the transports through which its messages go out again.
    #[serde(deserialize_with = "lists")]
    #[schemars(schema_with = "lists_schema")]
    pub route_mappings: BTreeMap<String, Vec<String>>,
}

impl Component for TransportToTransportConfig {
    const CLASS: &'static str = "transport_to_transport";
    const ALIASES: &'static [&'static str] =
        &["vumi.dispatchers.TransportToTransportRouter", "vumi.dispatchers.base.TransportToTransportRouter"];
}

impl RouterComponent for TransportToTransportConfig {
    fn check(&self, shared: &DispatcherShared) -> Result<()> {
        for name in self.route_mappings.iter().flat_map(|(from, to)| std::iter::once(from).chain(to)) {
            shared.transport("route_mappings", name)?;
        }
        Ok(())
    }

    fn build(self, place: Place<'_>) -> Result<Arc<dyn Router>> {
        self.check(place.shared)?;
        Ok(Arc::new(TransportToTransport(self.route_mappings)))
    }
}

struct TransportToTransport(BTreeMap<String, Vec<String>>);

#[async_trait]
impl Router for TransportToTransport {
    async fn route(&self, _: &str, channel: Channel, message: &Message) -> Result<Route> {
        if channel != Channel::Inbound {
            return Ok(Route::Discarded);
        }
        let name = transport_name(message);
        let transports = self.0.get(name).map(Vec::as_slice).unwrap_or_default();
        if transports.is_empty() {
            return Ok(Route::Nowhere(format!("route_mappings has nothing for the transport '{name}'")));
        }
        let to = |transport: &String| Target {
            connector: transport.clone(),
            channel: Channel::Outbound,
            message: message.clone(),
        };
        Ok(Route::To(transports.iter().map(to).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{build, message, names, refusal};

    #[tokio::test]
    async fn only_inbound_messages_go_on() {
        let router = build::<TransportToTransportConfig>(r#"{"route_mappings": {"t1": "t2"}}"#, &["t1", "t2"], &[]);
        assert_eq!(names(&*router, Channel::Inbound, &message("t1")).await, ["t2"]);
        assert!(matches!(router.route("t2", Channel::Inbound, &message("t2")).await, Ok(Route::Nowhere(_))));
        for channel in [Channel::Event, Channel::Outbound] {
            assert_eq!(router.route("t1", channel, &message("t1")).await.unwrap(), Route::Discarded);
        }
    }

    #[test]
    fn unknown_names_are_refused_at_the_start() {
        for (json, name) in [
            (r#"{"route_mappings": {"t1": ["t9"]}}"#, "t9"),
            (r#"{"route_mappings": {"t9": ["t1"]}}"#, "t9"),
            (r#"{"route_mappings": {"t1": ["a1"]}}"#, "a1"),
        ] {
            let text = format!("route_mappings names `{name}`, which is not among transport_names");
            assert!(refusal::<TransportToTransportConfig>(json, &["t1"], &["a1"]).starts_with(&text), "{json}");
        }
    }
}
