//! Joins transports and applications by name (specification: routers, RedirectRouter).
//!
//! ```yaml
//! class: redirect
//! transport_names: [sms_tx, sms_rx]
//! exposed_names: [sms]
//! redirect_outbound: {sms: sms_tx}
//! redirect_inbound: {sms_tx: sms, sms_rx: sms}
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use vumi_core::component::Component;
use vumi_core::{Channel, Error, Result, Route, Router};
use vumi_message::Message;

use crate::registry::{Place, RouterComponent};
use crate::routers::parts::{renamed, transport_name};
use crate::shared::DispatcherShared;

/// Each transport has one exposed name, which its messages and events get as their `transport_name`; each exposed name
/// has one transport, which sends its messages.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RedirectConfig {
    /// Exposed name → the transport that sends for it.
    pub redirect_outbound: BTreeMap<String, String>,
    /// Transport → the exposed name that gets its messages and events.
    #[schemars(with = "BTreeMap<String, String>")]
    pub redirect_inbound: BTreeMap<String, Option<String>>,
}

impl Component for RedirectConfig {
    const CLASS: &'static str = "redirect";
    const ALIASES: &'static [&'static str] =
        &["vumi.dispatchers.RedirectRouter", "vumi.dispatchers.base.RedirectRouter"];
}

impl RouterComponent for RedirectConfig {
    fn check(&self, shared: &DispatcherShared) -> Result<()> {
        for (exposed, transport) in &self.redirect_outbound {
            shared.exposed("redirect_outbound", exposed)?;
            shared.transport("redirect_outbound", transport)?;
        }
        for (transport, exposed) in &self.redirect_inbound {
            shared.transport("redirect_inbound", transport)?;
            match exposed.as_deref() {
                None | Some("") => {
                    let text = format!("No exposed name available for {transport}'s inbound message");
                    return Err(Error::permanent(text));
                }
                Some(exposed) => shared.exposed("redirect_inbound", exposed)?,
            }
        }
        Ok(())
    }

    fn build(self, place: Place<'_>) -> Result<Arc<dyn Router>> {
        self.check(place.shared)?;
        let inbound = self.redirect_inbound.into_iter().filter_map(|(from, to)| to.map(|to| (from, to))).collect();
        Ok(Arc::new(Redirect { outbound: self.redirect_outbound, inbound }))
    }
}

/// The former name of `redirect`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedirectOutboundConfig(pub RedirectConfig);

impl JsonSchema for RedirectOutboundConfig {
    fn schema_name() -> Cow<'static, str> {
        "RedirectOutboundConfig".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        RedirectConfig::json_schema(generator)
    }
}

impl Component for RedirectOutboundConfig {
    const CLASS: &'static str = "redirect_outbound";
    const ALIASES: &'static [&'static str] =
        &["vumi.dispatchers.RedirectOutboundRouter", "vumi.dispatchers.base.RedirectOutboundRouter"];
}

impl RouterComponent for RedirectOutboundConfig {
    fn check(&self, shared: &DispatcherShared) -> Result<()> {
        self.0.check(shared)
    }

    fn build(self, place: Place<'_>) -> Result<Arc<dyn Router>> {
        tracing::warn!(
            dispatcher = place.context.name,
            "RedirectOutboundRouter is deprecated: use RedirectRouter (class `redirect`), which is the same"
        );
        self.0.build(place)
    }
}

struct Redirect {
    outbound: BTreeMap<String, String>,
    inbound: BTreeMap<String, String>,
}

#[async_trait]
impl Router for Redirect {
    async fn route(&self, _: &str, channel: Channel, message: &Message) -> Result<Route> {
        let name = transport_name(message);
        if channel == Channel::Outbound {
            return Ok(match self.outbound.get(name) {
                Some(transport) => Route::one(transport, channel, message.clone()),
                None => Route::Nowhere(format!("No redirect_outbound specified for {name}")),
            });
        }
        match self.inbound.get(name) {
            Some(exposed) => Ok(Route::one(exposed, channel, renamed(message, exposed)?)),
            None => Ok(Route::Nowhere(format!("No redirect_inbound specified for {name}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Logged, build, message, reason, refusal};

    const GIVEN: &str = r#"{"redirect_outbound": {"up": "tx"}, "redirect_inbound": {"tx": "up"}}"#;

    #[tokio::test]
    async fn what_is_not_mapped_has_no_way() {
        let router = build::<RedirectConfig>(GIVEN, &["tx", "rx"], &["up"]);
        let inbound = reason(&*router, "rx", Channel::Inbound, &message("rx")).await;
        assert_eq!(inbound, "No redirect_inbound specified for rx");
        let outbound = reason(&*router, "up", Channel::Outbound, &message("tx")).await;
        assert_eq!(outbound, "No redirect_outbound specified for tx");
    }

    #[test]
    fn the_former_name_works_and_warns() {
        let log = Logged::start();
        build::<RedirectConfig>(GIVEN, &["tx"], &["up"]);
        assert_eq!(log.lines(), Vec::<String>::new());
        build::<RedirectOutboundConfig>(GIVEN, &["tx"], &["up"]);
        assert!(matches!(log.lines().as_slice(), [one] if one.contains("WARN RedirectOutboundRouter is deprecated")));
    }

    #[test]
    fn mistakes_are_refused_at_the_start() {
        for (json, text) in [
            (r#"{"redirect_outbound": {"zz": "tx"}}"#, "redirect_outbound names `zz`, which is not among exposed"),
            (r#"{"redirect_outbound": {"up": "zz"}}"#, "redirect_outbound names `zz`, which is not among transport"),
            (r#"{"redirect_inbound": {"zz": "up"}}"#, "redirect_inbound names `zz`, which is not among transport"),
            (r#"{"redirect_inbound": {"tx": "zz"}}"#, "redirect_inbound names `zz`, which is not among exposed"),
            (r#"{"redirect_inbound": {"tx": ""}}"#, "No exposed name available for tx's inbound message"),
            (r#"{"redirect_inbound": {"tx": null}}"#, "No exposed name available for tx's inbound message"),
        ] {
            let refusal = refusal::<RedirectConfig>(json, &["tx"], &["up"]);
            assert!(refusal.starts_with(text), "{json}: {refusal}");
        }
    }
}
