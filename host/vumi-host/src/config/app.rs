//! An app of the file: a guest with its `component`, or one of the host's own applications with its `class`.

use std::path::Path;

use schemars::JsonSchema;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::de::{IntoDeserializer, value::StrDeserializer};
use vumi_core::component::{Configured, SharedKeys, Split};
use vumi_core::middleware_config::MiddlewareList;
use vumi_sandbox::AppConfig;
use vumi_worker::{ApplicationShared, NativeAppConfig};

use super::js;

/// Keys that a guest has beside those of [`AppConfig`]: what stands around it, and not in it.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
#[schemars(default)]
pub struct AppAround {
    /// Turns heartbeats on, under this name.
    pub worker_name: Option<String>,
    /// Middleware, in order. The options of each instance stand under its name, below this list.
    pub middleware: MiddlewareList,
}

impl SharedKeys for AppAround {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        if key == "worker_name" {
            self.worker_name = map.next_value()?;
            return Ok(true);
        }
        self.middleware.take(key, map)
    }
}

/// One app.
#[derive(Clone, Debug)]
pub enum AppChoice {
    /// A WebAssembly component or a script.
    Guest(Box<Configured<AppAround, AppConfig>>),
    /// An application of the host itself.
    Native(Box<Configured<ApplicationShared, NativeAppConfig>>),
}

impl AppChoice {
    /// Its connector; the app's name unless given.
    pub fn connector<'a>(&'a self, name: &'a str) -> &'a str {
        let given = match self {
            Self::Guest(app) => app.component.transport_name.as_deref(),
            Self::Native(app) => app.shared.transport_name.as_deref(),
        };
        given.unwrap_or(name)
    }

    /// The guest, if it is one.
    pub fn guest(&self) -> Option<&AppConfig> {
        match self {
            Self::Guest(app) => Some(&app.component),
            Self::Native(_) => None,
        }
    }

    /// The guest, if it is one.
    pub fn guest_mut(&mut self) -> Option<&mut AppConfig> {
        match self {
            Self::Guest(app) => Some(&mut app.component),
            Self::Native(_) => None,
        }
    }

    /// Its middleware.
    pub fn middleware(&self) -> &MiddlewareList {
        match self {
            Self::Guest(app) => &app.shared.middleware,
            Self::Native(app) => &app.shared.middleware,
        }
    }

    /// Its name in heartbeats.
    pub fn worker_name(&self) -> Option<&str> {
        match self {
            Self::Guest(app) => app.shared.worker_name.as_deref(),
            Self::Native(app) => app.shared.worker_name.as_deref(),
        }
    }

    /// Fills in what the file leaves open.
    pub(crate) fn completed(mut self, name: &str, folder: &Path) -> Self {
        match &mut self {
            Self::Guest(app) => {
                let app = &mut app.component;
                if app.javascript.is_none() {
                    app.component = folder.join(&app.component).to_string_lossy().into_owned();
                }
                js::files(app, folder);
                for key in [&mut app.transport_name, &mut app.sandbox_id, &mut app.metrics_prefix] {
                    key.get_or_insert_with(|| name.to_owned());
                }
            }
            Self::Native(app) => {
                app.shared.transport_name.get_or_insert_with(|| name.to_owned());
            }
        }
        self
    }

    /// Reads one entry of the section.
    pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = AppChoice;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an app: a map with a `component`, or one that begins with `class`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AppChoice, A::Error> {
                let first = map.next_key::<String>()?;
                let mut shared = AppAround::default();
                if first.as_deref() == Some("class") {
                    let class = map.next_value::<String>()?;
                    if js::is_js(&class) {
                        let component = js::read(&class, MapAccessDeserializer::new(Split::new(map, &mut shared)))?;
                        return Ok(AppChoice::Guest(Box::new(Configured { shared, component })));
                    }
                    let map = Again { first, value: Some(class), map };
                    let read = NativeAppConfig::read(MapAccessDeserializer::new(map))?;
                    return Ok(AppChoice::Native(Box::new(read)));
                }
                let map = Again { first, value: None, map };
                let component = AppConfig::deserialize(MapAccessDeserializer::new(Split::new(map, &mut shared)))?;
                Ok(AppChoice::Guest(Box::new(Configured { shared, component })))
            }
        }
        deserializer.deserialize_map(Either)
    }
}

/// A map whose first key has been looked at, and its value where that is a text.
struct Again<A> {
    first: Option<String>,
    value: Option<String>,
    map: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Again<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(key) => {
                let key: StrDeserializer<'_, A::Error> = key.as_str().into_deserializer();
                seed.deserialize(key).map(Some)
            }
            None => self.map.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        match self.value.take() {
            Some(value) => seed.deserialize(value.into_deserializer()),
            None => self.map.next_value_seed(seed),
        }
    }
}
