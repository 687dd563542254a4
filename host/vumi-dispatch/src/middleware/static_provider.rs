//! Gives all messages the same provider (specification: middleware, section 5, Provider setters).
//!
//! ```yaml
//! middleware: [operator: static_provider]
//! operator: {provider: VODACOM}
//! ```

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vumi_core::component::Component;
use vumi_core::{Context, Flow, Hook, Middleware, Result};
use vumi_message::Message;

use super::parts::{invalid, on_user_message};
use crate::registry::MiddlewareComponent;

/// Sets the `provider` of every message, whatever it was.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaticProviderConfig {
    /// The provider: the network operator's name.
    pub provider: String,
}

impl Component for StaticProviderConfig {
    const CLASS: &'static str = "static_provider";
    const ALIASES: &'static [&'static str] = &[
        "vumi.middleware.StaticProviderSettingMiddleware",
        "vumi.middleware.provider_setter.StaticProviderSettingMiddleware",
        "vumi.middleware.StaticProviderSetterMiddleware",
        "vumi.middleware.provider_setter.StaticProviderSetterMiddleware",
    ];
}

impl MiddlewareComponent for StaticProviderConfig {
    fn build(self, _: &Context) -> Result<Arc<dyn Middleware>> {
        Ok(Arc::new(self))
    }
}

#[async_trait]
impl Middleware for StaticProviderConfig {
    async fn handle(&self, hook: Hook, _: &str, message: Message) -> Result<Flow> {
        on_user_message(hook, message, |_, mut message| {
            message.set("provider", self.provider.as_str()).map_err(invalid)?;
            Ok(message)
        })
    }
}

#[cfg(test)]
mod tests {
    use vumi_core::{Channel, Direction};
    use vumi_message::Event;

    use super::*;
    use crate::middleware::testing::{build, pass, refusal, user};

    #[tokio::test]
    async fn it_overwrites_both_ways_and_leaves_events_alone() {
        let middleware = build::<StaticProviderConfig>(r#"{"provider": "P"}"#);
        for channel in [Channel::Inbound, Channel::Outbound] {
            let mut message = user("+1", None);
            message.set("provider", "Q").unwrap();
            assert_eq!(pass(&*middleware, channel, message).await.provider(), Some("P"));
        }
        let event = Message::Event(Event::ack("m1", "s1"));
        let hook = Hook { direction: Direction::Publish, channel: Channel::Event };
        let passed = middleware.handle(hook, "t1", event.clone()).await.unwrap();
        assert_eq!(passed, Flow::Continue(event));
    }

    #[test]
    fn the_provider_is_required() {
        assert!(refusal::<StaticProviderConfig>("{}").contains("missing field `provider`"));
    }
}
