//! What the unit tests of routers and middleware share.

use std::sync::Arc;

use vumi_core::{
    Channel, Context, Feed, Keyspace, Keyspaces, NoGuests, RedisManager, Result, Route, Router, SystemClock,
};
use vumi_message::{Message, NewUserMessage, UserMessage};

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
