//! The floor: the engine with the sandbox's settings, and around it as little as a host can do with. Whatever the
//! sandbox takes beyond this is its own.
//!
//! The reply is a message of the same content as the sandbox's, put together with plain `serde_json`; what the network
//! is to get cannot be left out. What is left out: the record that the guest is given is made once and not for each
//! message, keys are kept in a bare map without quota or expiry, nothing is timed, counted or recorded but by the
//! engine's own limits, and time is limited by ticks alone. A second floor builds no reply either.

use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use vumi_bindings::app::vumi::app::{config, http, kv, log, metrics, outbound, types};
use vumi_bindings::app::{App as AppWorld, AppPre};
use vumi_message::{Timestamp, UserMessage, derived_id};
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, StoreLimits,
    StoreLimitsBuilder,
};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// The sandbox's default `transfer`.
const TRANSFER: usize = 2 << 20;

/// The engine and one component.
pub struct Bare {
    engine: Engine,
    pre: AppPre<Guest>,
    shared: Arc<Shared>,
    message: types::Message,
}

/// What becomes of a reply.
#[derive(Clone, Copy, PartialEq)]
pub enum Reply {
    Built,
    Counted,
}

/// What outlives a run.
struct Shared {
    reply: Reply,
    original: UserMessage,
    kv: Mutex<HashMap<String, String>>,
    sent: AtomicU64,
}

/// What one run has.
struct Guest {
    shared: Arc<Shared>,
    limits: StoreLimits,
    wasi: Option<WasiCtx>,
    table: ResourceTable,
}

impl Bare {
    /// Compiles the component.
    pub fn new(component: &Path, reply: Reply, instances: u32) -> Self {
        let engine = Engine::new(&settings(instances, Enabled::Yes))
            .or_else(|_| Engine::new(&settings(instances, Enabled::No)))
            .expect("an engine");
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("WASI can be linked");
        AppWorld::add_to_linker::<Guest, HasSelf<Guest>>(&mut linker, |guest| guest).expect("the world can be linked");
        let component = Component::from_file(&engine, component).expect("the component compiles");
        let ready = linker.instantiate_pre(&component).expect("the component fits");
        let pre = AppPre::new(ready).expect("the component offers the world");
        tick(&engine);
        let original = crate::message();
        let message = message(&original);
        let shared = Shared { reply, original, kv: Mutex::default(), sent: AtomicU64::new(0) };
        Self { engine, pre, shared: Arc::new(shared), message }
    }

    /// One message.
    pub async fn run(&self) {
        let guest = Guest {
            shared: Arc::clone(&self.shared),
            limits: StoreLimitsBuilder::new().memory_size(64 << 20).table_elements(20_000).build(),
            wasi: None,
            table: ResourceTable::new(),
        };
        let mut store = Store::new(&self.engine, guest);
        store.limiter(|guest| &mut guest.limits);
        store.set_hostcall_fuel(TRANSFER);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let instance = self.pre.instantiate_async(&mut store).await.expect("an instance");
        let handled = instance.vumi_app_handler().call_on_message(&mut store, &self.message).await;
        assert_eq!(handled.expect("no trap"), Ok(()));
    }
}

/// The settings of the sandbox's engine.
fn settings(instances: u32, pagemap_scan: Enabled) -> Config {
    let cores = instances * 8;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(cores)
        .total_memories(instances * 2)
        .total_tables(cores)
        .total_stacks(instances)
        .max_core_instances_per_component(64)
        .max_memories_per_component(8)
        .max_tables_per_component(32)
        .max_unused_warm_slots(instances)
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(64 << 10)
        .pagemap_scan(pagemap_scan);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .epoch_interruption(true)
        .memory_init_cow(true)
        .max_wasm_stack(512 << 10)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(20))
        .concurrency_support(false);
    config
}

/// Advances the epoch every millisecond until the engine is gone.
fn tick(engine: &Engine) {
    let engine = engine.weak();
    std::thread::spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    });
}

/// The message that is measured, as the guest sees it.
fn message(message: &UserMessage) -> types::Message {
    let text = |text: Option<&str>| text.map(str::to_owned);
    types::Message {
        message_id: message.message_id().to_owned(),
        timestamp: message.timestamp().micros(),
        to_addr: text(message.to_addr()),
        from_addr: text(message.from_addr()),
        to_addr_type: None,
        from_addr_type: None,
        content: text(message.content()),
        session_event: None,
        in_reply_to: None,
        transport_name: text(message.transport_name()),
        transport_type: text(message.transport_type()),
        group: None,
        provider: None,
        endpoint: message.endpoint().to_owned(),
        transport_metadata: "{}".to_owned(),
        helper_metadata: "{}".to_owned(),
    }
}

type Answer<T> = wasmtime::Result<Result<T, types::Error>>;

/// For what this guest never calls.
fn denied<T>() -> Answer<T> {
    Ok(Err(types::Error::Denied("not in this benchmark".into())))
}

impl Guest {
    fn sent(&self, content: Option<String>) -> Answer<String> {
        let number = self.shared.sent.fetch_add(1, Ordering::Relaxed);
        Ok(Ok(match self.shared.reply {
            Reply::Built => {
                let original = &self.shared.original;
                let id = derived_id(original.message_id(), "bench", number);
                black_box(reply(original, &id, content));
                id
            }
            Reply::Counted => content.unwrap_or_default(),
        }))
    }
}

/// A reply as anybody would put it together.
fn reply(original: &UserMessage, id: &str, content: Option<String>) -> Value {
    json!({
        "message_type": "user_message",
        "message_version": "20110921",
        "timestamp": Timestamp::now().to_string(),
        "helper_metadata": original.get("helper_metadata"),
        "routing_metadata": { "endpoint_name": original.endpoint() },
        "transport_metadata": original.get("transport_metadata"),
        "content": content,
        "in_reply_to": original.message_id(),
        "session_event": null,
        "group": original.group(),
        "provider": original.provider(),
        "to_addr_type": null,
        "from_addr_type": null,
        "to_addr": original.from_addr(),
        "from_addr": original.to_addr(),
        "transport_name": original.transport_name(),
        "transport_type": original.transport_type(),
        "message_id": id,
    })
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let ctx = self.wasi.get_or_insert_with(|| WasiCtxBuilder::new().build());
        WasiCtxView { ctx, table: &mut self.table }
    }
}

impl kv::Host for Guest {
    async fn get(&mut self, key: String) -> Answer<Option<String>> {
        Ok(Ok(self.shared.kv.lock().expect("no panic").get(&key).cloned()))
    }

    async fn set(&mut self, key: String, value: String, _: Option<u32>) -> Answer<()> {
        self.shared.kv.lock().expect("no panic").insert(key, value);
        Ok(Ok(()))
    }

    async fn delete(&mut self, _: String) -> Answer<bool> {
        denied()
    }

    async fn incr(&mut self, _: String, _: i64) -> Answer<i64> {
        denied()
    }
}

impl outbound::Host for Guest {
    async fn reply(&mut self, content: Option<String>, _: outbound::ReplyOptions) -> Answer<String> {
        self.sent(content)
    }

    async fn reply_to_group(&mut self, content: Option<String>, _: outbound::ReplyOptions) -> Answer<String> {
        self.sent(content)
    }

    async fn send_to(&mut self, _: String, content: Option<String>, _: outbound::SendOptions) -> Answer<String> {
        self.sent(content)
    }
}

impl types::Host for Guest {}

impl http::Host for Guest {
    async fn request(&mut self, _: http::HttpRequest) -> Answer<http::HttpResponse> {
        denied()
    }
}

impl config::Host for Guest {
    fn get(&mut self, _: String) -> wasmtime::Result<Option<String>> {
        Ok(None)
    }
}

impl log::Host for Guest {
    fn log(&mut self, _: log::Level, _: String) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl metrics::Host for Guest {
    fn fire(&mut self, _: String, _: f64, _: metrics::Aggregator) -> Answer<()> {
        Ok(Ok(()))
    }
}
