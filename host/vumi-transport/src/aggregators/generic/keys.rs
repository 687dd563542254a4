//! The keys about being served: those of the HTTP RPC family, with other parameters allowed unless told otherwise.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::MapAccess;
use serde_json::json;
use vumi_core::Result;
use vumi_core::component::SharedKeys;

use crate::http::keys::{ServerKeys, ValidationMode};
use crate::http::{RpcKeys, Site};

/// See the module's text.
#[derive(Clone, Debug)]
pub struct GenericKeys(RpcKeys);

impl Default for GenericKeys {
    fn default() -> Self {
        // Networks add parameters without telling, and a message is worth more than order among them.
        Self(RpcKeys { validation_mode: ValidationMode::Permissive, ..RpcKeys::default() })
    }
}

impl GenericKeys {
    /// A path of a route as the network calls it.
    pub(super) fn path(&self, route: &str) -> String {
        let base = self.0.web_path.as_deref().unwrap_or_default();
        [base, route].map(|path| path.trim_matches('/')).join("/").trim_matches('/').to_owned()
    }
}

impl SharedKeys for GenericKeys {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        self.0.take(key, map)
    }
}

impl ServerKeys for GenericKeys {
    fn site(&self, interface: Option<&str>) -> Result<Site> {
        RpcKeys { web_path: Some(self.path("")), ..self.0.clone() }.site(interface)
    }
}

impl JsonSchema for GenericKeys {
    fn schema_name() -> Cow<'static, str> {
        "GenericKeys".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = RpcKeys::json_schema(generator);
        if let Some(properties) = schema.get_mut("properties").and_then(|properties| properties.as_object_mut()) {
            let text = "The path that the routes' own paths are below; none unless given.";
            properties.insert("web_path".to_owned(), json!({ "description": text, "type": ["string", "null"] }));
            if let Some(mode) = properties.get_mut("validation_mode").and_then(|mode| mode.as_object_mut()) {
                mode.insert("default".to_owned(), json!("permissive"));
            }
        }
        schema
    }
}
