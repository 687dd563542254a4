//! A context in memory, for tests that build components without a host.

use std::sync::Arc;

use vumi_core::{Broker, Clock, Context, Feed, Keyspace, Keyspaces, NoGuests, RedisManager, Result, SystemClock};

/// One keyspace, whichever server a worker names.
pub struct OneKeyspace(pub Keyspace);

impl Keyspaces for OneKeyspace {
    fn open(&self, manager: &RedisManager) -> Result<Keyspace> {
        let whole = self.0.clone().separated_by(manager.separator());
        Ok(whole.under(manager.key_prefix.as_deref().unwrap_or_default()))
    }
}

/// A context in memory with the machine's clock.
pub fn context() -> Context {
    context_with(vumi_broker::EmbeddedBroker::in_memory(vumi_broker::BrokerOptions::default()), Arc::new(SystemClock))
}

/// A context in memory with this broker and clock.
///
/// # Panics
/// When there is no memory for a store.
pub fn context_with(broker: Arc<dyn Broker>, clock: Arc<dyn Clock>) -> Context {
    let kv = vumi_store::kv_in_memory(vumi_store::MemoryBounds::default(), Arc::clone(&clock));
    let keyspace = Keyspace::new(kv, vumi_store::collections_in_memory(Arc::clone(&clock)));
    Context {
        name: "test".to_owned(),
        system_id: "global".to_owned(),
        broker,
        keyspaces: Arc::new(OneKeyspace(keyspace)),
        store: vumi_store::store_in_memory().expect("a store in memory"),
        feed: Feed::default(),
        clock,
        guests: Arc::new(NoGuests),
        bindings: vumi_core::bindings::no_bindings(),
    }
}
