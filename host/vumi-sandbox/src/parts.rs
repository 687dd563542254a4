//! Guests that are parts of a dispatcher or of another worker: routers and middleware of the user's own.
//!
//! They run as apps do: a fresh instance for each call, under the same limits, in a namespace of their own, each call
//! with its record. What they decide is applied here: a changed message is laid over the original field by field, so
//! that what a guest does not see is never lost. An answer that makes no sense is the guest's error like any other.
//!
//! A call fails for one of two reasons. The guest's own (an error text, a trap, a limit) is permanent: the message would
//! fail again. The host's (kv is away) is temporary: the worker tries the message again.

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
use tokio_util::task::AbortOnDropHandle;
use vumi_core::{Channel, Confirm, Error, Feed, GuestConfig, KvStore, Outbox, Result, Store};
use vumi_message::{Event, UserMessage};

pub use middleware::GuestMiddleware;
pub use router::GuestRouter;

use crate::app::AppShared;
use crate::cache::ComponentCache;
use crate::config::HttpConfig;
use crate::engine::Sandbox;
use crate::gauges::Gauges;
use crate::limits::Limits;
use crate::logbook::printable;
use crate::resources::MetricSink;
use crate::run::{About, Entry, MAX_REASON, run};
use crate::stage::MaybeStage;
use crate::state::Cause;
use crate::tape::Deck;
use crate::web::{WebClient, WebPolicy};
use crate::world::World;

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
    /// Loads the component of a part and checks its configuration. `name` stands in records, logs and metrics, and is
    /// its namespace in kv unless the configuration gives another.
    fn load<W: World>(
        sandbox: &Arc<Sandbox>,
        cache: &ComponentCache,
        name: &str,
        config: &GuestConfig,
        around: PartSurroundings,
    ) -> Result<(Self, W)> {
        let loaded = sandbox.load_world(cache, Path::new(&config.component));
        let pre = loaded.map_err(|error| Error::permanent(error.to_string()))?;
        Ok((Self::new(sandbox, name, config, around)?, pre))
    }

    fn new(sandbox: &Arc<Sandbox>, name: &str, config: &GuestConfig, around: PartSurroundings) -> Result<Self> {
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
            legacy: Arc::default(),
            metrics_prefix: name.to_owned(),
            metric_names: Mutex::default(),
            allowed_helper_metadata: Vec::new(),
            endpoints: Vec::new(),
            send_to: BTreeMap::new(),
            web: Arc::new(WebClient::new(policy)),
            http_timeout: Duration::from_secs(http.timeout.max(1)),
            http_data_limit: http.data_limit.0,
            kv: around.kv,
            store: around.store,
            feed: around.feed,
            outbox: Arc::new(NoOutbox),
            metrics: around.metrics,
            io: around.io,
            gauges: Gauges::of(name),
            account: Arc::default(),
            deck: Arc::new(Deck::off()),
            stage: MaybeStage::default(),
        };
        Ok(Self { sandbox: Arc::clone(sandbox), shared: Arc::new(shared), guests: around.guests })
    }

    /// How many messages may come of one call.
    fn most_messages(&self) -> u64 {
        self.shared.limits.outbound_messages
    }

    /// One call about a message to or from a user.
    async fn on_message<E: Entry + 'static>(
        &self,
        channel: Channel,
        message: Arc<UserMessage>,
        entry: E,
    ) -> Result<E::Answer> {
        let user = if channel == Channel::Outbound { message.to_addr() } else { message.from_addr() };
        let user = user.map(str::to_owned);
        self.call(Cause::Message(message), user, entry).await
    }

    /// One call about an event.
    async fn on_event<E: Entry + 'static>(&self, event: &Event, entry: E) -> Result<E::Answer> {
        self.call(Cause::Event { id: event.event_id().to_owned() }, None, entry).await
    }

    /// One call, on the guests' threads.
    async fn call<E: Entry + 'static>(&self, cause: Cause, user: Option<String>, entry: E) -> Result<E::Answer> {
        let (sandbox, shared) = (Arc::clone(&self.sandbox), Arc::clone(&self.shared));
        let work = async move {
            let place = sandbox.part_place().await;
            run(&sandbox, &shared, place, About { cause, user, version: None }, entry, None).await
        };
        let name = &self.shared.name;
        let ended = AbortOnDropHandle::new(self.guests.spawn(work)).await;
        let (answer, finished) = ended.map_err(|error| match error.is_panic() {
            // The same message would bring it about again, for ever.
            true => Error::permanent(format!("the host failed while {name} ran")).because(error),
            false => Error::temporary("the guests' threads are gone").because(error),
        })?;
        match (answer, finished.again) {
            (_, Some(reason)) => Err(Error::temporary(format!("{name} could not do its work: {reason}"))),
            (Some(answer), None) => Ok(answer),
            (None, None) => {
                let (code, error) = (finished.run.outcome.code(), finished.run.error.unwrap_or_default());
                Err(Error::permanent(format!("{name} stopped ({code}): {}", reason(&error))))
            }
        }
    }
}

/// A guest's text as the reason of something: short, and on one line, so that it passes for no other line of a log.
fn reason(text: &str) -> String {
    printable(text, MAX_REASON).replace(['\n', '\t'], " ")
}

/// Typed options out of a map of the configuration.
fn read<T: serde::de::DeserializeOwned>(map: &BTreeMap<String, Value>) -> std::result::Result<T, serde_json::Error> {
    serde_json::from_value(Value::Object(map.clone().into_iter().collect()))
}

/// Parts send nothing: a component that imports `outbound` is not loaded as one.
struct NoOutbox;

#[async_trait]
impl Outbox for NoOutbox {
    async fn send(&self, _: UserMessage) -> Result<Option<Confirm>> {
        Err(Error::permanent("a router or middleware sends no messages of its own"))
    }
}
