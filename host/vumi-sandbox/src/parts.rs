//! Guests that are parts of a dispatcher or of another worker: routers and middleware of the user's own.
//!
//! They run as apps do: a fresh instance for each call, under the same limits, in a namespace of their own. What they
//! decide is applied here: a changed message is laid over the original field by field, so that what a guest does not
//! see is never lost.

mod change;
mod middleware;
mod router;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::runtime::Handle;
use vumi_core::{Confirm, Error, Feed, GuestConfig, KvStore, Outbox, Result, Store};
use vumi_message::{Message, UserMessage};

pub use middleware::GuestMiddleware;
pub use router::GuestRouter;

use crate::app::AppShared;
use crate::config::HttpConfig;
use crate::engine::Sandbox;
use crate::gauges::Gauges;
use crate::limits::Limits;
use crate::resources::MetricSink;
use crate::run::{Entry, run};
use crate::state::Cause;
use crate::web::{WebClient, WebPolicy};

/// What parts are given by the host.
#[derive(Clone)]
pub struct PartSurroundings {
    /// Where their keys are kept.
    pub kv: Arc<dyn KvStore>,
    /// Where their runs and log lines are kept.
    pub store: Arc<dyn Store>,
    /// Who watches.
    pub feed: Feed,
    /// Where their metrics go.
    pub metrics: Arc<dyn MetricSink>,
    /// The runtime that does their HTTP.
    pub io: Handle,
    /// The runtime that they run on, so that a busy one holds up no network.
    pub guests: Handle,
}

/// A guest that is a part of a worker.
pub(crate) struct Part {
    sandbox: Arc<Sandbox>,
    shared: Arc<AppShared>,
    guests: Handle,
}

impl Part {
    pub(crate) fn new(
        sandbox: &Arc<Sandbox>,
        name: &str,
        config: &GuestConfig,
        around: PartSurroundings,
    ) -> Result<Self> {
        let wrong = |what: String| Error::permanent(format!("the guest {}: {what}", config.component));
        let sandbox_id = config.sandbox_id.clone().unwrap_or_else(|| name.to_owned());
        if sandbox_id.is_empty() || sandbox_id.contains('#') {
            return Err(wrong(format!("sandbox_id `{sandbox_id}` must not be empty or hold a `#`")));
        }
        let limits: Limits = read(&config.limits).map_err(|error| wrong(format!("limits: {error}")))?;
        let http: HttpConfig = read(&config.http).map_err(|error| wrong(format!("http: {error}")))?;
        let policy = WebPolicy::parse(&http.allow).map_err(|error| wrong(format!("http.allow: {error}")))?;
        let shared = AppShared {
            name: name.to_owned(),
            kv_prefix: format!("sandboxes#{sandbox_id}#"),
            kv_counter: format!("count#{sandbox_id}"),
            sandbox_id,
            limits,
            timeout: Duration::from_secs(config.timeout.max(1)),
            config: config.config.clone(),
            metrics_prefix: name.to_owned(),
            metric_names: Mutex::default(),
            allowed_helper_metadata: Vec::new(),
            endpoints: Vec::new(),
            send_to: BTreeMap::new(),
            web: WebClient::new(policy),
            http_timeout: Duration::from_secs(http.timeout.max(1)),
            http_data_limit: http.data_limit.0,
            kv: around.kv,
            store: around.store,
            feed: around.feed,
            outbox: Arc::new(NoOutbox),
            metrics: around.metrics,
            io: around.io,
            gauges: Gauges::of(name),
        };
        Ok(Self { sandbox: Arc::clone(sandbox), shared: Arc::new(shared), guests: around.guests })
    }

    /// One call. A fault of the host is a temporary error, a guest's own failure a permanent one.
    pub(crate) async fn call<E: Entry + 'static>(&self, message: &Message, entry: E) -> Result<E::Answer> {
        let cause = match message {
            Message::User(message) => Cause::Message(Arc::new(message.clone())),
            other => Cause::Event { id: other.message_id().unwrap_or_default().to_owned() },
        };
        let user = match message {
            Message::User(message) => message.user().map(str::to_owned),
            _ => None,
        };
        let (sandbox, shared) = (Arc::clone(&self.sandbox), Arc::clone(&self.shared));
        let task = self.guests.spawn(async move { run(&sandbox, &shared, cause, user, entry).await });
        let (answer, finished) =
            task.await.map_err(|error| Error::temporary("the guests' threads are gone").because(error))?;
        match (answer, finished.again) {
            (_, Some(reason)) => Err(Error::temporary(reason)),
            (Some(answer), None) => Ok(answer),
            (None, None) => {
                let error = finished.run.error.unwrap_or_default();
                Err(Error::permanent(format!("{} stopped ({}): {error}", self.shared.name, finished.run.outcome.code())))
            }
        }
    }
}

/// Typed options out of a map of the configuration.
fn read<T: serde::de::DeserializeOwned>(map: &BTreeMap<String, Value>) -> std::result::Result<T, serde_json::Error> {
    serde_json::from_value(Value::Object(map.clone().into_iter().collect()))
}

/// Parts send nothing: their worlds do not import `outbound`.
struct NoOutbox;

#[async_trait]
impl Outbox for NoOutbox {
    async fn send(&self, _: UserMessage) -> Result<Option<Confirm>> {
        Err(Error::permanent("a router or middleware sends no messages of its own"))
    }
}

/// Where the component of a part is, for errors.
fn path(config: &GuestConfig) -> &Path {
    Path::new(&config.component)
}
