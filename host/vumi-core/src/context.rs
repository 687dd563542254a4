//! What a component is built with: the seams of the system that it will run in.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::bindings::BindingsWatch;
use crate::broker::Broker;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::keyspace::Keyspaces;
use crate::middleware::Middleware;
use crate::router::Router;
use crate::store::Store;

/// What a component is built with. Clones share everything.
#[derive(Clone)]
pub struct Context {
    /// The name of the worker that the component belongs to.
    pub name: String,
    /// Groups workers in heartbeats: Vumi's `--system-id`, `global` unless given.
    pub system_id: String,
    /// Carries messages.
    pub broker: Arc<dyn Broker>,
    /// Keys and collections.
    pub keyspaces: Arc<dyn Keyspaces>,
    /// Records of messages.
    pub store: Arc<dyn Store>,
    /// Who watches.
    pub feed: Feed,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Makes routers and middleware of WebAssembly components.
    pub guests: Arc<dyn GuestParts>,
    /// Which addresses reach which deployed app.
    pub bindings: BindingsWatch,
}

impl Context {
    /// The same system, for the worker of this name.
    #[must_use]
    pub fn of(&self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self.clone() }
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A WebAssembly component that works as a part of a worker.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuestConfig {
    /// The component: a `.wasm` file, or a guest project's folder. Relative to the configuration file.
    pub component: String,
    /// Texts for the guest's `config.get`.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// Namespace of the guest's kv; `<dispatcher>.router` for a router, `<worker>.<instance>` for a middleware, unless
    /// given.
    #[serde(default)]
    pub sandbox_id: Option<String>,
    /// What one call may use; the keys are those of an app's `limits`.
    #[serde(default)]
    pub limits: BTreeMap<String, Value>,
    /// What the guest may reach on the web; the keys are those of an app's `http`. Without an allow-list: nothing.
    #[serde(default)]
    pub http: BTreeMap<String, Value>,
    /// Wall-clock time for one call, in seconds.
    #[serde(default = "ten")]
    #[schemars(range(min = 1))]
    pub timeout: u64,
}

fn ten() -> u64 {
    10
}

/// Makes parts of workers of WebAssembly components; implemented by the wiring, since only the sandbox knows the
/// engine.
pub trait GuestParts: Send + Sync + 'static {
    /// A router.
    ///
    /// # Errors
    /// When the component cannot be loaded, or has another world than `router`.
    fn router(&self, name: &str, config: &GuestConfig) -> Result<Arc<dyn Router>>;

    /// A middleware.
    ///
    /// # Errors
    /// When the component cannot be loaded, or has another world than `middleware`.
    fn middleware(&self, name: &str, config: &GuestConfig) -> Result<Arc<dyn Middleware>>;
}

/// For systems without a sandbox.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoGuests;

impl GuestParts for NoGuests {
    fn router(&self, _: &str, _: &GuestConfig) -> Result<Arc<dyn Router>> {
        Err(Error::permanent("there is no sandbox here to run a WebAssembly component in"))
    }

    fn middleware(&self, _: &str, _: &GuestConfig) -> Result<Arc<dyn Middleware>> {
        Err(Error::permanent("there is no sandbox here to run a WebAssembly component in"))
    }
}

/// Something that works by itself until it is told to stop: a collector, a scheduler, a server.
#[async_trait]
pub trait Worker: Send + Sync + 'static {
    /// Works until `shutdown` ends, then finishes what has begun. An error makes the supervisor start it again, with
    /// backoff.
    async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<()>;
}
