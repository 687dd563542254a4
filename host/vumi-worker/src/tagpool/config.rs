//! The configuration of the tag pools' API.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use vumi_core::component::Component;
use vumi_core::{Error, RedisManager, Result, Worker};

use super::pools::TagPools;
use super::serve::{Guard, TagpoolApi, segments};
use crate::endpoint::Listen;
use crate::registry::{WorkerComponent, WorkerPlace};
use crate::shared::WorkerShared;
use vumi_core::secret::Secret;

/// Offers tag pools to other programs, by JSON-RPC over HTTP.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagpoolApiConfig {
    /// Where to listen, e.g. `tcp:9010` (this machine only) or `tcp:port=9010:interface=0.0.0.0`.
    #[serde(default)]
    pub twisted_endpoint: Option<String>,
    /// In place of `twisted_endpoint`, with `port`: the address to listen on; this machine only unless given.
    #[serde(default)]
    pub host: Option<String>,
    /// In place of `twisted_endpoint`: the port to listen on.
    #[serde(default)]
    pub port: Option<u16>,
    /// Path of the API, e.g. `/api/v1/tagpool`.
    pub web_path: String,
    /// Path that answers `OK` as long as the worker works.
    #[serde(default = "health")]
    pub health_path: String,
    /// Where the tag pools are kept.
    #[serde(default)]
    pub redis_manager: RedisManager,
    /// With `password`: what callers must send (HTTP Basic). Everybody who can reach the address may call unless given.
    #[serde(default)]
    pub username: Option<String>,
    /// See `username`.
    #[serde(default)]
    pub password: Option<Secret>,
}

fn health() -> String {
    "/health/".to_owned()
}

impl TagpoolApiConfig {
    fn listen(&self) -> Result<Listen> {
        Listen::of(self.twisted_endpoint.as_deref(), self.host.as_deref(), self.port)
    }
}

impl Component for TagpoolApiConfig {
    const CLASS: &'static str = "tagpool_api";
    const ALIASES: &'static [&'static str] = &["vumi.components.tagpool_api.TagpoolApiWorker"];
}

impl WorkerComponent for TagpoolApiConfig {
    fn check(&self, _: &WorkerShared) -> Result<()> {
        self.listen()?;
        if segments(&self.web_path).eq(segments(&self.health_path)) {
            return Err(Error::permanent("`web_path` and `health_path` are the same path: change one"));
        }
        match (&self.username, &self.password) {
            (Some(name), Some(_)) if name.contains(':') => {
                Err(Error::permanent("`username` must not hold a colon: HTTP Basic cannot carry it"))
            }
            (Some(_), None) => Err(Error::permanent("`username` needs a `password` beside it")),
            (None, Some(_)) => Err(Error::permanent("`password` needs a `username` beside it")),
            _ => Ok(()),
        }
    }

    fn build(self, place: WorkerPlace<'_>) -> Result<Arc<dyn Worker>> {
        self.check(place.shared)?;
        let context = place.context.clone();
        let space = context.keyspaces.open(&self.redis_manager)?;
        Ok(Arc::new(TagpoolApi {
            listen: self.listen()?,
            pools: TagPools::new(&space, Arc::clone(&context.clock)),
            web_path: self.web_path,
            health_path: self.health_path,
            guard: self.username.zip(self.password).map(|(username, password)| Guard::new(&username, &password)),
            context,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(keys: serde_json::Value) -> String {
        let config: TagpoolApiConfig = serde_json::from_value(keys).unwrap();
        config.check(&WorkerShared::default()).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn mistakes_are_named() {
        let path = "/api/";
        assert_eq!(error(serde_json::json!({"web_path": path, "port": 1, "username": "a", "password": "b"})), "");
        for (keys, why) in [
            (serde_json::json!({"web_path": path}), "Missing required config field 'twisted_endpoint'"),
            (serde_json::json!({"web_path": "health", "port": 1}), "the same path"),
            (serde_json::json!({"web_path": path, "port": 1, "username": "a"}), "needs a `password`"),
            (serde_json::json!({"web_path": path, "port": 1, "password": "a"}), "needs a `username`"),
            (serde_json::json!({"web_path": path, "port": 1, "username": "a:b", "password": "c"}), "colon"),
        ] {
            assert!(error(keys.clone()).contains(why), "{keys}: {}", error(keys.clone()));
        }
    }
}
