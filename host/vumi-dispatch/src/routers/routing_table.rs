//! Routes by connector and endpoint (specification: routers, section B).
//!
//! ```yaml
//! class: routing_table
//! receive_inbound_connectors: [sms]
//! receive_outbound_connectors: [quiz]
//! routing_table:
//!   sms: {default: [quiz, phone]}
//!   quiz: {phone: [sms, default]}
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vumi_core::component::Component;
use vumi_core::{Channel, Error, Result, Route, Router};
use vumi_message::Message;

use crate::registry::{Place, RouterComponent};
use crate::shared::DispatcherShared;

/// Connector → endpoint → where its messages go: connector and endpoint.
pub type RoutingTable = BTreeMap<String, BTreeMap<String, (String, String)>>;

/// Where a message goes stands in a table, by the connector that it came from and its endpoint. Its endpoint becomes
/// the one in the table.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoutingTableConfig {
    /// Connector → endpoint → [connector, endpoint]. From a transport's side to the applications' side and back.
    pub routing_table: RoutingTable,
    /// Tells the sender of an outbound message that has no place in the table, with a nack.
    #[serde(default = "yes")]
    pub nack_unroutable: bool,
}

fn yes() -> bool {
    true
}

impl Component for RoutingTableConfig {
    const CLASS: &'static str = "routing_table";
    const ALIASES: &'static [&'static str] =
        &["vumi.dispatchers.RoutingTableDispatcher", "vumi.dispatchers.endpoint_dispatchers.RoutingTableDispatcher"];
}

impl RouterComponent for RoutingTableConfig {
    fn check(&self, shared: &DispatcherShared) -> Result<()> {
        let (transports, applications) = (&shared.transport_names, &shared.exposed_names);
        let wrong = |text: String| Err(Error::permanent(text));
        if let Some(name) = transports.iter().find(|name| applications.contains(name)) {
            return wrong(format!(
                "duplicate connector `{name}`: it stands in receive_inbound_connectors and in \
                 receive_outbound_connectors"
            ));
        }
        for (source, endpoints) in &self.routing_table {
            let (others, side) = if transports.contains(source) {
                (applications, "receive_outbound_connectors")
            } else if applications.contains(source) {
                (transports, "receive_inbound_connectors")
            } else {
                return wrong(format!(
                    "routing_table names `{source}`, which is neither among receive_inbound_connectors nor among \
                     receive_outbound_connectors: add it to one of them or mend the name"
                ));
            };
            for (endpoint, (target, _)) in endpoints {
                if !others.contains(target) {
                    return wrong(format!(
                        "routing_table sends `{endpoint}` of `{source}` to `{target}`, which is not among {side}: add \
                         it there or mend the name"
                    ));
                }
            }
        }
        Ok(())
    }

    fn build(self, place: Place<'_>) -> Result<Arc<dyn Router>> {
        self.check(place.shared)?;
        Ok(Arc::new(self))
    }
}

#[async_trait]
impl Router for RoutingTableConfig {
    async fn route(&self, connector: &str, channel: Channel, message: &Message) -> Result<Route> {
        let endpoint = message.endpoint();
        let text = match self.routing_table.get(connector).map(|endpoints| endpoints.get(endpoint)) {
            Some(Some((target, endpoint))) => {
                let mut message = message.clone();
                message.set_endpoint(Some(endpoint));
                return Ok(Route::one(target, channel, message));
            }
            Some(None) => format!("No routing information for endpoint '{endpoint}' on '{connector}'"),
            None => format!("No routing information for connector '{connector}'"),
        };
        // Without a sender who wants to know, a refusal is a warning and no more.
        let silent = channel == Channel::Outbound && !self.nack_unroutable;
        Ok(if silent { Route::Nowhere(text) } else { Route::Refused(text) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{build, message, refusal};

    const GIVEN: &str = r#"{"routing_table": {"t1": {"default": ["a1", "sms"]}}"#;

    #[tokio::test]
    async fn what_is_not_in_the_table_is_refused() {
        for (nack, outbound) in [(true, Route::Refused as fn(String) -> Route), (false, Route::Nowhere)] {
            let json = format!(r#"{GIVEN}, "nack_unroutable": {nack}}}"#);
            let router = build::<RoutingTableConfig>(&json, &["t1", "t2"], &["a1"]);
            let mut message = message("t1");
            let text = "No routing information for connector 'a1'".to_owned();
            assert_eq!(router.route("a1", Channel::Outbound, &message).await.unwrap(), outbound(text));
            let text = "No routing information for connector 't2'".to_owned();
            assert_eq!(router.route("t2", Channel::Event, &message).await.unwrap(), Route::Refused(text));
            message.set_endpoint(Some("x"));
            let text = "No routing information for endpoint 'x' on 't1'".to_owned();
            assert_eq!(router.route("t1", Channel::Inbound, &message).await.unwrap(), Route::Refused(text));
        }
    }

    #[test]
    fn mistakes_are_refused_at_the_start() {
        let table = |table: &str| format!(r#"{{"routing_table": {table}}}"#);
        let cases = [
            (r#"{"zz": {}}"#, "routing_table names `zz`, which is neither among"),
            (
                r#"{"t1": {"default": ["zz", "x"]}}"#,
                "routing_table sends `default` of `t1` to `zz`, which is not among receive_outbound_connectors",
            ),
            (r#"{"t1": {"default": ["t1", "x"]}}"#, "which is not among receive_outbound_connectors"),
            (r#"{"a1": {"default": ["a1", "x"]}}"#, "which is not among receive_inbound_connectors"),
            (r#"{"a1": {"default": ["t1"]}}"#, "invalid length 1"),
        ];
        for (json, text) in cases {
            let refusal = refusal::<RoutingTableConfig>(&table(json), &["t1"], &["a1"]);
            assert!(refusal.contains(text), "{json}: {refusal}");
        }
        let refusal = refusal::<RoutingTableConfig>(&table("{}"), &["t1"], &["t1"]);
        assert!(refusal.starts_with("duplicate connector `t1`"), "{refusal}");
    }
}
