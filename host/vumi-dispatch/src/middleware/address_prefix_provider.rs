//! Tells the provider by the beginning of the user's number (specification: middleware, section 5, Provider setters).
//!
//! ```yaml
//! middleware: [operator: address_prefix_provider]
//! operator:
//!   provider_prefixes: {"+2782": VODACOM, "+2783": MTN}
//!   normalize_msisdn: {country_code: "27"}
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vumi_core::component::Component;
use vumi_core::{Context, Error, Flow, Hook, Middleware, Result};
use vumi_message::Message;
use vumi_message::address::normalize_msisdn;

use super::parts::{invalid, on_user_message};
use crate::registry::MiddlewareComponent;

/// Sets the `provider` of messages that have none, by the longest prefix of the user's address.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressPrefixProviderConfig {
    /// Beginning of an address → provider. Where several fit, the longest counts; where none fits, the message stays
    /// without a provider.
    pub provider_prefixes: BTreeMap<String, String>,
    /// When given, addresses are brought to the international form `+27831234567` before they are compared. The
    /// message keeps its address as it is.
    #[serde(default)]
    pub normalize_msisdn: Option<NormalizeMsisdn>,
}

/// How addresses are brought to one form.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NormalizeMsisdn {
    /// The country's calling code, without `+`: it takes the place of a leading 0. Write it in quotes.
    pub country_code: String,
    /// Compares without the `+`, so that prefixes may be written without it.
    #[serde(default)]
    pub strip_plus: bool,
}

impl Component for AddressPrefixProviderConfig {
    const CLASS: &'static str = "address_prefix_provider";
    const ALIASES: &'static [&'static str] = &[
        "vumi.middleware.AddressPrefixProviderSettingMiddleware",
        "vumi.middleware.provider_setter.AddressPrefixProviderSettingMiddleware",
        "vumi.middleware.AddressPrefixProviderSetterMiddleware",
        "vumi.middleware.provider_setter.AddressPrefixProviderSetterMiddleware",
    ];
}

impl MiddlewareComponent for AddressPrefixProviderConfig {
    fn check(&self, (): ()) -> Result<()> {
        match &self.normalize_msisdn {
            Some(normalize) if !normalize.country_code.bytes().all(|byte| byte.is_ascii_digit()) => {
                Err(Error::permanent(format!(
                    "normalize_msisdn: country_code must be digits without `+`, not `{}`",
                    normalize.country_code
                )))
            }
            _ => Ok(()),
        }
    }

    fn build(self, _: &Context) -> Result<Arc<dyn Middleware>> {
        self.check(())?;
        Ok(Arc::new(self))
    }
}

impl AddressPrefixProviderConfig {
    fn provider(&self, address: &str) -> Option<&str> {
        let address = match &self.normalize_msisdn {
            Some(NormalizeMsisdn { country_code, strip_plus }) => {
                let normal = normalize_msisdn(address, country_code);
                Cow::Owned(if *strip_plus { normal.trim_start_matches('+').to_owned() } else { normal })
            }
            None => Cow::Borrowed(address),
        };
        let fitting = self.provider_prefixes.iter().filter(|(prefix, _)| address.starts_with(prefix.as_str()));
        fitting.max_by_key(|(prefix, _)| prefix.len()).map(|(_, provider)| provider.as_str())
    }
}

#[async_trait]
impl Middleware for AddressPrefixProviderConfig {
    async fn handle(&self, hook: Hook, connector: &str, message: Message) -> Result<Flow> {
        on_user_message(hook, message, |way, mut message| {
            if message.provider().is_some() {
                return Ok(message);
            }
            let Some(address) = way.user(&message) else {
                tracing::error!(
                    connector,
                    message_id = message.message_id(),
                    "Address for determining message provider cannot be None, skipping message"
                );
                return Ok(message);
            };
            if let Some(provider) = self.provider(address) {
                message.set("provider", provider).map_err(invalid)?;
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
    use crate::testing::Logged;

    async fn provider(json: &str, address: &str) -> Option<String> {
        let middleware = build::<AddressPrefixProviderConfig>(json);
        let inbound = pass(&*middleware, Channel::Inbound, user(address, Some("+27111"))).await;
        let outbound = pass(&*middleware, Channel::Outbound, user("+27111", Some(address))).await;
        assert_eq!(inbound.from_addr(), Some(address), "the address stays");
        assert_eq!(inbound.provider(), outbound.provider());
        inbound.provider().map(str::to_owned)
    }

    #[tokio::test]
    async fn the_longest_prefix_counts() {
        let plain = r#"{"provider_prefixes": {"+27": "A", "+2783": "B", "": "any"}}"#;
        assert_eq!(provider(plain, "+27831").await.as_deref(), Some("B"));
        assert_eq!(provider(plain, "+27711").await.as_deref(), Some("A"));
        assert_eq!(provider(plain, "0831234567").await.as_deref(), Some("any"));
        let without = r#"{"provider_prefixes": {"2783": "C"},
            "normalize_msisdn": {"country_code": "27", "strip_plus": true}}"#;
        assert_eq!(provider(without, "083 123 4567").await.as_deref(), Some("C"));
        assert_eq!(provider(without, "0821234567").await, None);
    }

    #[tokio::test]
    async fn a_message_without_address_is_logged_and_passes() {
        let log = Logged::start();
        let middleware = build::<AddressPrefixProviderConfig>(r#"{"provider_prefixes": {"": "A"}}"#);
        let passed = pass(&*middleware, Channel::Outbound, user("+1", None)).await;
        assert_eq!(passed.provider(), None);
        let text = "ERROR Address for determining message provider cannot be None, skipping message";
        let lines = log.lines();
        assert!(matches!(lines.as_slice(), [line] if line.starts_with(text)), "{lines:?}");
    }

    #[test]
    fn mistakes_are_refused_at_the_start() {
        for (json, text) in [
            ("{}", "missing field `provider_prefixes`"),
            (r#"{"provider_prefixes": {}, "normalize_msisdn": {}}"#, "missing field `country_code`"),
            (
                r#"{"provider_prefixes": {}, "normalize_msisdn": {"country_code": "+27"}}"#,
                "country_code must be digits without `+`, not `+27`",
            ),
        ] {
            let refusal = refusal::<AddressPrefixProviderConfig>(json);
            assert!(refusal.contains(text), "{json}: {refusal}");
        }
    }
}
