//! Routers and middleware that are guests, with everything around them in memory.
//!
//! `router` and `middleware` hold the examples that users copy to what they promise; `changes` what a guest may change
//! of a message and what is kept; `failures` what becomes of a call that fails; `loading` what is refused at the start.

mod changes;
mod failures;
mod loading;
mod middleware;
mod router;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::runtime::Handle;
use vumi_core::{
    Channel, Direction, Feed, Flow, GuestConfig, Hook, KvStore, Middleware, Outcome, Result, Route, Router, Run, Store,
    SystemClock,
};
use vumi_message::{Message, UserMessage};
use vumi_sandbox::{GuestMiddleware, GuestRouter, MetricSink, PartSurroundings};
use vumi_store::{MemoryBounds, SqliteStore};
use vumi_tests::guests;

use super::kit::{Datapoints, cache, eventually, sandbox};

/// What parts have around them.
struct Place {
    kv: Arc<dyn KvStore>,
    store: Arc<SqliteStore>,
    datapoints: Arc<Datapoints>,
    around: PartSurroundings,
}

impl Place {
    fn new() -> Self {
        Self::on(vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock)))
    }

    /// On this key-value store.
    fn on(kv: Arc<dyn KvStore>) -> Self {
        let store = vumi_store::store_in_memory().expect("the store opens");
        let datapoints = Arc::new(Datapoints::default());
        let around = PartSurroundings {
            kv: Arc::clone(&kv),
            store: Arc::clone(&store) as Arc<dyn Store>,
            feed: Feed::default(),
            metrics: Arc::clone(&datapoints) as Arc<dyn MetricSink>,
            io: Handle::current(),
            guests: Handle::current(),
        };
        Self { kv, store, datapoints, around }
    }

    fn try_router(&self, guest: &str, options: Value) -> Result<GuestRouter> {
        GuestRouter::new(sandbox(), &cache(), "main.router", &config(guest, options), self.around.clone())
    }

    fn router(&self, guest: &str, options: Value) -> GuestRouter {
        self.try_router(guest, options).unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_middleware(&self, guest: &str, options: Value) -> Result<GuestMiddleware> {
        GuestMiddleware::new(sandbox(), &cache(), "sms.part", &config(guest, options), self.around.clone())
    }

    fn middleware(&self, guest: &str, options: Value) -> GuestMiddleware {
        self.try_middleware(guest, options).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The newest records of runs, newest first, once there are so many.
    async fn runs(&self, count: usize) -> Vec<Run> {
        eventually("the runs are stored", || async {
            let runs = self.store.runs(None, 100).await.unwrap();
            (runs.len() >= count).then_some(runs)
        })
        .await
    }

    /// How the newest run ended, once there are so many.
    async fn outcome(&self, count: usize) -> Outcome {
        self.runs(count).await[0].outcome
    }
}

/// The configuration of a compiled guest. A busy machine without optimisation does not reach the CPU limit by accident.
fn config(guest: &str, options: Value) -> GuestConfig {
    let mut config = json!({"component": guests::guest(guest), "limits": {"cpu_ms": 10_000}});
    for (key, value) in options.as_object().expect("a map") {
        config[key] = value.clone();
    }
    serde_json::from_value(config).expect("a configuration")
}

/// A message with some of its fields.
fn user(fields: Value) -> UserMessage {
    let mut all = json!({"to_addr": "8007", "from_addr": "+1", "transport_name": "t1", "transport_type": "sms"});
    for (field, value) in fields.as_object().expect("a map") {
        all[field] = value.clone();
    }
    UserMessage::from_fields(all.as_object().expect("a map").clone()).expect("a message")
}

/// An inbound message with this text.
fn says(content: &str) -> UserMessage {
    user(json!({"content": content}))
}

/// Where a router sends a message: the connectors.
async fn to(router: &GuestRouter, connector: &str, channel: Channel, message: impl Into<Message>) -> Vec<String> {
    match router.route(connector, channel, &message.into()).await.expect("a decision") {
        Route::To(targets) => targets.into_iter().map(|target| target.connector).collect(),
        other => panic!("it goes nowhere: {other:?}"),
    }
}

/// A message on its way through middleware.
async fn flow(part: &GuestMiddleware, direction: Direction, channel: Channel, message: impl Into<Message>) -> Flow {
    part.handle(Hook { direction, channel }, "t1", message.into()).await.unwrap_or_else(|error| panic!("{error}"))
}

/// The message that middleware lets through.
fn passed(flow: Flow) -> Message {
    match flow {
        Flow::Continue(message) => message,
        Flow::Stop(reason) => panic!("it was stopped: {reason}"),
    }
}
