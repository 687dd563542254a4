//! A middleware of the user's own: a WebAssembly component that runs in the sandbox.
//!
//! ```yaml
//! middleware: [spam: wasm]
//! spam:
//!   component: middleware/spam.wasm
//!   config: {words: "casino,prize"}
//! ```

use std::borrow::Cow;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use vumi_core::component::Component;
use vumi_core::{Context, Error, GuestConfig, Middleware, Result};

use crate::registry::MiddlewareComponent;

/// The component sees each message and event, and passes, changes or stops it. It may be written in any language that
/// compiles to WebAssembly.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WasmConfig(pub GuestConfig);

/// The keys themselves, for a class's schema is no reference to another.
impl JsonSchema for WasmConfig {
    fn schema_name() -> Cow<'static, str> {
        "WasmConfig".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        GuestConfig::json_schema(generator)
    }
}

impl Component for WasmConfig {
    const CLASS: &'static str = "wasm";
    const ALIASES: &'static [&'static str] = &[];
}

impl MiddlewareComponent for WasmConfig {
    fn check(&self, (): ()) -> Result<()> {
        if self.0.component.is_empty() {
            return Err(Error::permanent("component is empty: give the path of a .wasm file or of a guest project"));
        }
        if self.0.timeout == 0 {
            return Err(Error::permanent("timeout must be at least 1 second"));
        }
        Ok(())
    }

    fn build(self, context: &Context) -> Result<Arc<dyn Middleware>> {
        self.check(())?;
        context.guests.middleware(&context.name, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use vumi_core::{Channel, Direction, Flow, GuestParts, Hook, Router};
    use vumi_message::Message;

    use super::*;
    use crate::middleware::testing::{refusal, user};
    use crate::testing::context;

    /// Stands for the sandbox: a middleware that stops everything for the reason in its configuration.
    struct Fixed;

    impl GuestParts for Fixed {
        fn router(&self, _: &str, _: &GuestConfig) -> Result<Arc<dyn Router>> {
            Err(Error::permanent("not here"))
        }

        fn middleware(&self, name: &str, config: &GuestConfig) -> Result<Arc<dyn Middleware>> {
            assert_eq!((name, config.component.as_str(), config.timeout), ("test", "m.wasm", 3));
            Ok(Arc::new(Stops(config.config["reason"].clone())))
        }
    }

    struct Stops(String);

    #[async_trait::async_trait]
    impl Middleware for Stops {
        async fn handle(&self, _: Hook, _: &str, _: Message) -> Result<Flow> {
            Ok(Flow::Stop(self.0.clone()))
        }
    }

    #[tokio::test]
    async fn the_sandbox_makes_the_middleware() {
        let mut context = context();
        context.guests = Arc::new(Fixed);
        let json = r#"{"component": "m.wasm", "config": {"reason": "spam"}, "timeout": 3}"#;
        let config: WasmConfig = serde_json::from_str(json).unwrap();
        let hook = Hook { direction: Direction::Consume, channel: Channel::Inbound };
        let flow = config.build(&context).unwrap().handle(hook, "t1", user("+1", None).into()).await.unwrap();
        assert_eq!(flow, Flow::Stop("spam".into()));
    }

    #[test]
    fn mistakes_are_refused_at_the_start() {
        for (json, text) in [
            ("{}", "missing field `component`"),
            (r#"{"component": ""}"#, "component is empty"),
            (r#"{"component": "m.wasm", "timeout": 0}"#, "timeout must be at least 1 second"),
            (r#"{"component": "m.wasm", "colour": 1}"#, "unknown field `colour`"),
        ] {
            let refusal = refusal::<WasmConfig>(json);
            assert!(refusal.starts_with(text), "{json}: {refusal}");
        }
    }
}
