//! Swaps addresses on their way out, and back on their way in (specification: middleware, section 5, Address
//! translation).
//!
//! ```yaml
//! middleware: [translate: address_translation]
//! translate:
//!   outbound_map: {"+27831234567": "me@example.com"}
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vumi_core::component::Component;
use vumi_core::{Context, Error, Flow, Hook, Middleware, Result};
use vumi_message::Message;

use super::parts::{Way, invalid, on_user_message};
use crate::registry::MiddlewareComponent;

/// Replaces the address of some users by another one: for a test, a colleague's chat address can look like a phone
/// number to the application.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressTranslationConfig {
    /// Address that the application writes to → address that the message goes to. The `from_addr` of messages from
    /// the latter is replaced by the former. Other addresses stay as they are.
    pub outbound_map: BTreeMap<String, String>,
}

impl Component for AddressTranslationConfig {
    const CLASS: &'static str = "address_translation";
    const ALIASES: &'static [&'static str] = &[
        "vumi.middleware.AddressTranslationMiddleware",
        "vumi.middleware.address_translator.AddressTranslationMiddleware",
    ];
}

impl AddressTranslationConfig {
    fn inverse(&self) -> Result<BTreeMap<String, String>> {
        let mut inverse = BTreeMap::new();
        for (from, to) in &self.outbound_map {
            if let Some(other) = inverse.insert(to.clone(), from.clone()) {
                return Err(Error::permanent(format!(
                    "outbound_map sends `{other}` and `{from}` to the same address, so nobody can tell whom a message \
                     from there is from: give each an address of its own"
                )));
            }
        }
        Ok(inverse)
    }
}

impl MiddlewareComponent for AddressTranslationConfig {
    fn check(&self, (): ()) -> Result<()> {
        self.inverse().map(drop)
    }

    fn build(self, _: &Context) -> Result<Arc<dyn Middleware>> {
        Ok(Arc::new(AddressTranslation { inbound: self.inverse()?, outbound: self.outbound_map }))
    }
}

struct AddressTranslation {
    inbound: BTreeMap<String, String>,
    outbound: BTreeMap<String, String>,
}

#[async_trait]
impl Middleware for AddressTranslation {
    async fn handle(&self, hook: Hook, _: &str, message: Message) -> Result<Flow> {
        on_user_message(hook, message, |way, mut message| {
            let (field, map) = match way {
                Way::In => ("from_addr", &self.inbound),
                Way::Out => ("to_addr", &self.outbound),
            };
            if let Some(other) = way.user(&message).and_then(|address| map.get(address)) {
                message.set(field, other.as_str()).map_err(invalid)?;
            }
            Ok(message)
        })
    }
}

#[cfg(test)]
mod tests {
    use vumi_core::Channel;

    use super::*;
    use crate::middleware::testing::{build, pass, refusal, user};

    #[tokio::test]
    async fn out_and_back_again() {
        let middleware = build::<AddressTranslationConfig>(r#"{"outbound_map": {"A": "B", "C": "D"}}"#);
        for (channel, from, to, expected) in [
            (Channel::Outbound, "x", Some("A"), ("x", Some("B"))),
            (Channel::Outbound, "B", Some("B"), ("B", Some("B"))),
            (Channel::Outbound, "x", None, ("x", None)),
            (Channel::Inbound, "B", Some("A"), ("A", Some("A"))),
            (Channel::Inbound, "A", Some("x"), ("A", Some("x"))),
        ] {
            let message = pass(&*middleware, channel, user(from, to)).await;
            assert_eq!((message.from_addr(), message.to_addr()), (Some(expected.0), expected.1), "{channel:?} {from}");
        }
    }

    #[test]
    fn mistakes_are_refused_at_the_start() {
        for (json, text) in [
            ("{}", "missing field `outbound_map`"),
            (r#"{"outbound_map": {"A": 5}}"#, "expected a string"),
            (r#"{"outbound_map": {}, "x": 1}"#, "unknown field `x`"),
            (r#"{"outbound_map": {"A": "B", "C": "B"}}"#, "outbound_map sends `A` and `C` to the same address"),
        ] {
            let refusal = refusal::<AddressTranslationConfig>(json);
            assert!(refusal.contains(text), "{json}: {refusal}");
        }
    }
}
