//! A router of the user's own: a WebAssembly component that runs in the sandbox.
//!
//! ```yaml
//! class: wasm
//! transport_names: [sms]
//! exposed_names: [quiz, help]
//! component: routers/by_language.wasm
//! config: {default: help}
//! ```

use std::borrow::Cow;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use vumi_core::component::Component;
use vumi_core::{Error, GuestConfig, Result, Router};

use crate::registry::{Place, RouterComponent};
use crate::shared::DispatcherShared;

/// The component decides where each message goes. It may be written in any language that compiles to WebAssembly.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WasmConfig(pub GuestConfig);

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

impl RouterComponent for WasmConfig {
    fn check(&self, _: &DispatcherShared) -> Result<()> {
        if self.0.component.is_empty() {
            return Err(Error::permanent("component is empty: give the path of a .wasm file or of a guest project"));
        }
        if self.0.timeout == 0 {
            return Err(Error::permanent("timeout must be at least 1 second"));
        }
        Ok(())
    }

    fn build(self, place: Place<'_>) -> Result<Arc<dyn Router>> {
        self.check(place.shared)?;
        place.context.guests.router(&place.context.name, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use vumi_core::{Channel, GuestParts, Middleware, Route};

    use super::*;
    use crate::testing::{message, names, place_of, refusal};

    /// Stands for the sandbox: a router that sends everything to the name in its configuration.
    struct Fixed;

    impl GuestParts for Fixed {
        fn router(&self, name: &str, config: &GuestConfig) -> Result<Arc<dyn Router>> {
            assert_eq!((name, config.component.as_str(), config.timeout), ("test", "r.wasm", 3));
            Ok(Arc::new(To(config.config["to"].clone())))
        }

        fn middleware(&self, _: &str, _: &GuestConfig) -> Result<Arc<dyn Middleware>> {
            Err(Error::permanent("not here"))
        }
    }

    struct To(String);

    #[async_trait::async_trait]
    impl Router for To {
        async fn route(&self, _: &str, channel: Channel, message: &vumi_message::Message) -> Result<Route> {
            Ok(Route::one(&self.0, channel, message.clone()))
        }
    }

    #[tokio::test]
    async fn the_sandbox_makes_the_router() {
        let (shared, mut context) = place_of(&["t1"], &["a1"]);
        context.guests = Arc::new(Fixed);
        let json = r#"{"component": "r.wasm", "config": {"to": "a1"}, "timeout": 3}"#;
        let config: WasmConfig = serde_json::from_str(json).unwrap();
        let router = config.build(Place { shared: &shared, context: &context }).unwrap();
        assert_eq!(names(&*router, Channel::Inbound, &message("t1")).await, ["a1"]);
    }

    #[test]
    fn mistakes_are_refused_at_the_start() {
        for (json, text) in [
            ("{}", "missing field `component`"),
            (r#"{"component": ""}"#, "component is empty"),
            (r#"{"component": "r.wasm", "timeout": 0}"#, "timeout must be at least 1 second"),
            (r#"{"component": "r.wasm", "colour": 1}"#, "unknown field `colour`"),
        ] {
            let refusal = refusal::<WasmConfig>(json, &["t1"], &["a1"]);
            assert!(refusal.starts_with(text), "{json}: {refusal}");
        }
    }
}
