//! What the unit tests of routers and middleware share.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use vumi_core::{
    Channel, Context, Feed, Keyspace, Keyspaces, NoGuests, RedisManager, Result, Route, Router, SystemClock,
};
use vumi_message::{Message, NewUserMessage, UserMessage};

use crate::registry::{Place, RouterComponent};
use crate::shared::DispatcherShared;

/// One keyspace in memory, whatever a worker asks for.
struct InMemory(Keyspace);

impl Keyspaces for InMemory {
    fn open(&self, manager: &RedisManager) -> Result<Keyspace> {
        Ok(self.0.under(manager.key_prefix.as_deref().unwrap_or_default()))
    }
}

/// A context in memory.
pub(crate) fn context() -> Context {
    let clock = Arc::new(SystemClock);
    let kv = vumi_store::kv_in_memory(vumi_store::MemoryBounds::default(), clock.clone());
    let keyspace = Keyspace::new(kv, vumi_store::collections_in_memory(clock.clone()));
    Context {
        name: "test".into(),
        system_id: "global".into(),
        broker: vumi_broker::EmbeddedBroker::in_memory(vumi_broker::BrokerOptions::default()),
        keyspaces: Arc::new(InMemory(keyspace)),
        store: vumi_store::store_in_memory().expect("a store in memory"),
        feed: Feed::default(),
        clock,
        guests: Arc::new(NoGuests),
        bindings: vumi_core::bindings::no_bindings(),
    }
}

/// A dispatcher's keys and a context.
pub(crate) fn place_of(transports: &[&str], exposed: &[&str]) -> (DispatcherShared, Context) {
    let names = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect();
    let shared = DispatcherShared {
        transport_names: names(transports),
        exposed_names: names(exposed),
        ..DispatcherShared::default()
    };
    (shared, context())
}

/// An inbound message of a transport.
pub(crate) fn message(transport: &str) -> Message {
    Message::User(UserMessage::new(NewUserMessage {
        transport_name: Some(transport.into()),
        from_addr: Some("+1".into()),
        ..NewUserMessage::default()
    }))
}

/// The connectors that a router chooses.
pub(crate) async fn names(router: &dyn Router, channel: Channel, message: &Message) -> Vec<String> {
    match router.route("x", channel, message).await.expect("a decision") {
        Route::To(targets) => targets.into_iter().map(|target| target.connector).collect(),
        Route::Nowhere(_) | Route::Refused(_) | Route::Discarded => Vec::new(),
    }
}

/// A copy of a message with one field changed.
pub(crate) fn changed(message: &Message, field: &str, value: Value) -> Message {
    let mut payload = message.payload().clone();
    payload.insert(field.to_owned(), value);
    Message::from_payload(payload).expect("a valid message")
}

/// Why a router has no way for a message.
pub(crate) async fn reason(router: &dyn Router, connector: &str, channel: Channel, message: &Message) -> String {
    match router.route(connector, channel, message).await.expect("a decision") {
        Route::Nowhere(reason) | Route::Refused(reason) => reason,
        other => panic!("it has a way: {other:?}"),
    }
}

/// A router from its own keys, in a dispatcher with these connectors.
pub(crate) fn build<C: RouterComponent>(json: &str, transports: &[&str], exposed: &[&str]) -> Arc<dyn Router> {
    let (shared, context) = place_of(transports, exposed);
    let config: C = serde_json::from_str(json).expect("a configuration");
    config.build(Place { shared: &shared, context: &context }).expect("a router")
}

/// What is wrong with a router's own keys: said when they are read, or by `check` and by `build` alike.
pub(crate) fn refusal<C: RouterComponent>(json: &str, transports: &[&str], exposed: &[&str]) -> String {
    let (shared, context) = place_of(transports, exposed);
    let config: C = match serde_json::from_str(json) {
        Ok(config) => config,
        Err(error) => return error.to_string(),
    };
    let text = config.check(&shared).expect_err("a mistake").report();
    let built = config.build(Place { shared: &shared, context: &context });
    assert_eq!(built.err().expect("a mistake").report(), text);
    text
}

/// The log of the thread while this lives: level and text of each line, then its fields.
pub(crate) struct Logged {
    lines: Arc<Mutex<Vec<String>>>,
    _guard: DefaultGuard,
}

impl Logged {
    /// Starts listening.
    pub(crate) fn start() -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let guard = tracing::subscriber::set_default(Listener(Arc::clone(&lines)));
        Self { lines, _guard: guard }
    }

    /// What has been logged by this crate, so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("no panic while the log was held").clone()
    }
}

struct Listener(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Listener {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("vumi_dispatch")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let line = format!("{} {}{}", event.metadata().level(), line.text, line.fields);
        self.0.lock().expect("no panic while the log was held").push(line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line {
    text: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let written = match field.name() {
            "message" => write!(self.text, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
        written.expect("a text takes everything");
    }
}
