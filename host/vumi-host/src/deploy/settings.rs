//! The settings of a deployed app: the keys of an app in the configuration file, without those that the deployment
//! itself decides, and how it is reached.

use serde_json::{Map, Value};
use vumi_core::{Binding, Error, Result};
use vumi_sandbox::{AppConfig, Secret};

/// Keys that follow from the deployment: the component is the version's, and connector and kv are the app's own.
const NOT_SETTINGS: [&str; 3] = ["component", "transport_name", "sandbox_id"];

/// Longest settings, as JSON text, in bytes.
const LONGEST: usize = 64 << 10;

/// See the module's text.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) bindings: Vec<Binding>,
    pub(crate) app: AppConfig,
    /// The secrets among the texts of the configuration.
    pub(crate) secrets: Vec<Secret>,
}

impl Settings {
    /// Reads and checks settings.
    ///
    /// # Errors
    /// One sentence that names the key.
    pub(crate) fn read(name: &str, mut given: Map<String, Value>) -> Result<Self> {
        let wrong = |what: String| Error::permanent(format!("settings of `{name}`: {what}"));
        if Value::Object(given.clone()).to_string().len() > LONGEST {
            return Err(wrong(format!("they are longer than {LONGEST} bytes")));
        }
        if let Some(key) = NOT_SETTINGS.iter().find(|key| given.contains_key(**key)) {
            return Err(wrong(format!("`{key}` is no setting: the deployment decides it; leave it out")));
        }
        let bindings = given.shift_remove("bindings").unwrap_or_else(|| Value::Array(Vec::new()));
        let bindings = serde_json::from_value(bindings).map_err(|error| wrong(format!("bindings: {error}")))?;
        given.insert("component".into(), Value::String(String::new()));
        let app: AppConfig = serde_json::from_value(Value::Object(given)).map_err(|error| wrong(error.to_string()))?;
        if app.parallel == 0 || app.amqp_prefetch_count == 0 || app.timeout == 0 {
            return Err(wrong("`parallel`, `amqp_prefetch_count` and `timeout` must be at least 1".into()));
        }
        Ok(Self {
            bindings,
            secrets: Vec::new(),
            app: AppConfig {
                transport_name: Some(name.to_owned()),
                sandbox_id: Some(name.to_owned()),
                metrics_prefix: app.metrics_prefix.clone().or_else(|| Some(name.to_owned())),
                ..app
            },
        })
    }

    /// Reads settings as the catalog keeps them.
    pub(crate) fn of_text(name: &str, text: &str) -> Result<Self> {
        Self::read(name, object(text))
    }
}

/// Settings as an object, for the API.
pub(crate) fn object(text: &str) -> Map<String, Value> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<Settings> {
        let Value::Object(map) = value else { panic!("settings are an object") };
        Settings::read("shop", map)
    }

    #[test]
    fn settings_are_the_keys_of_an_app_and_its_bindings() {
        let settings = read(json!({
            "bindings": [{"to_addr": "*120*7#"}, {"transport_name": "sms", "keyword": "join"}],
            "config": {"greeting": "hello"},
            "http": {"allow": ["https://api.example.org"]},
            "limits": {"cpu_ms": 50, "memory": "8MiB"},
            "timeout": 5,
        }))
        .unwrap();
        assert_eq!(settings.bindings.len(), 2);
        assert_eq!((settings.app.timeout, settings.app.limits.cpu_ms), (5, 50));
        assert_eq!(settings.app.sandbox_id.as_deref(), Some("shop"));
        assert!(read(json!({})).unwrap().bindings.is_empty());
    }

    #[test]
    fn mistakes_are_named() {
        for (settings, part) in [
            (json!({"sandbox_id": "other"}), "`sandbox_id` is no setting"),
            (json!({"limitz": {}}), "limitz"),
            (json!({"bindings": [{"short_code": "1"}]}), "short_code"),
            (json!({"parallel": 0}), "at least 1"),
            (json!({"config": {"a": 5}}), "invalid type"),
            (json!({"config": {"a": "x".repeat(LONGEST)}}), "longer than"),
        ] {
            let error = read(settings).unwrap_err().to_string();
            assert!(error.starts_with("settings of `shop`: ") && error.contains(part), "{error}");
        }
    }
}
