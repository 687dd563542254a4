//! Makes many transports look like one to an application (specification: routers, FromAddrMultiplexRouter).
//!
//! ```yaml
//! class: from_addr_multiplex
//! transport_names: [xmpp_1, xmpp_2]
//! exposed_names: [xmpp]
//! fromaddr_mappings: {"bot1@example.org": xmpp_1, "bot2@example.org": xmpp_2}
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
use crate::routers::parts::{from_addr, only_exposed, renamed};
use crate::shared::DispatcherShared;

/// Everything from the transports goes to the one exposed name; an outbound message goes to the transport of its
/// `from_addr`. On both ways `transport_name` becomes the name of where it goes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FromAddrMultiplexConfig {
    /// Address that an application sends from → the transport that has it.
    pub fromaddr_mappings: BTreeMap<String, String>,
}

impl Component for FromAddrMultiplexConfig {
    const CLASS: &'static str = "from_addr_multiplex";
    const ALIASES: &'static [&'static str] =
        &["vumi.dispatchers.FromAddrMultiplexRouter", "vumi.dispatchers.base.FromAddrMultiplexRouter"];
}

impl RouterComponent for FromAddrMultiplexConfig {
    fn check(&self, shared: &DispatcherShared) -> Result<()> {
        only_exposed(shared, "FromAddrMultiplexRouter")?;
        self.fromaddr_mappings.values().try_for_each(|transport| shared.transport("fromaddr_mappings", transport))
    }

    fn build(self, place: Place<'_>) -> Result<Arc<dyn Router>> {
        self.check(place.shared)?;
        let exposed = only_exposed(place.shared, "FromAddrMultiplexRouter")?.to_owned();
        Ok(Arc::new(FromAddrMultiplex { exposed, transports: self.fromaddr_mappings }))
    }
}

struct FromAddrMultiplex {
    exposed: String,
    transports: BTreeMap<String, String>,
}

#[async_trait]
impl Router for FromAddrMultiplex {
    async fn route(&self, _: &str, channel: Channel, message: &Message) -> Result<Route> {
        let target = if channel == Channel::Outbound {
            let Some(from_addr) = from_addr(message) else {
                return Ok(Route::Nowhere("the message has no from_addr".to_owned()));
            };
            let Some(transport) = self.transports.get(from_addr) else {
                return Ok(Route::Nowhere(format!("fromaddr_mappings has nothing for '{from_addr}'")));
            };
            transport
        } else {
            &self.exposed
        };
        Ok(Route::one(target, channel, renamed(message, target)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{build, changed, message, reason, refusal};

    #[tokio::test]
    async fn a_message_without_sender_has_no_way() {
        let router = build::<FromAddrMultiplexConfig>(r#"{"fromaddr_mappings": {"+1": "t1"}}"#, &["t1"], &["mux"]);
        let nobody = changed(&message("mux"), "from_addr", serde_json::Value::Null);
        assert_eq!(reason(&*router, "mux", Channel::Outbound, &nobody).await, "the message has no from_addr");
        let other = changed(&message("mux"), "from_addr", "+9".into());
        assert_eq!(reason(&*router, "mux", Channel::Outbound, &other).await, "fromaddr_mappings has nothing for '+9'");
    }

    #[test]
    fn mistakes_are_refused_at_the_start() {
        let json = r#"{"fromaddr_mappings": {"+1": "t1"}}"#;
        for exposed in [&["a1", "a2"][..], &[]] {
            assert_eq!(
                refusal::<FromAddrMultiplexConfig>(json, &["t1"], exposed),
                "Only one exposed name allowed for FromAddrMultiplexRouter."
            );
        }
        let text = refusal::<FromAddrMultiplexConfig>(json, &["t2"], &["a1"]);
        assert!(text.starts_with("fromaddr_mappings names `t1`, which is not among transport_names"), "{text}");
    }
}
