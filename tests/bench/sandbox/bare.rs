//! The floor: the engine with the sandbox's settings, and around it as little as the guest can do with. Whatever the
//! sandbox takes beyond this is its own.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use vumi_bindings::app::vumi::app::{config, http, kv, log, metrics, outbound, types};
use vumi_bindings::app::{App as AppWorld, AppPre};
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, StoreLimits,
    StoreLimitsBuilder,
};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// The sandbox's default number of instances.
const INSTANCES: u32 = 256;

/// The sandbox's default `transfer`.
const TRANSFER: usize = 2 << 20;

/// The engine and one component.
pub struct Bare {
    engine: Engine,
    pre: AppPre<Guest>,
    shared: Arc<Shared>,
    message: types::Message,
}

/// What outlives a run.
#[derive(Default)]
struct Shared {
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
    pub fn new(component: &Path) -> Self {
        let engine =
            Engine::new(&settings(Enabled::Yes)).or_else(|_| Engine::new(&settings(Enabled::No))).expect("an engine");
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("WASI can be linked");
        AppWorld::add_to_linker::<Guest, HasSelf<Guest>>(&mut linker, |guest| guest).expect("the world can be linked");
        let component = Component::from_file(&engine, component).expect("the component compiles");
        let ready = linker.instantiate_pre(&component).expect("the component fits");
        let pre = AppPre::new(ready).expect("the component offers the world");
        tick(&engine);
        Self { engine, pre, shared: Arc::default(), message: message() }
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
fn settings(pagemap_scan: Enabled) -> Config {
    let cores = INSTANCES * 8;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(INSTANCES)
        .total_core_instances(cores)
        .total_memories(INSTANCES * 2)
        .total_tables(cores)
        .total_stacks(INSTANCES)
        .max_core_instances_per_component(64)
        .max_memories_per_component(8)
        .max_tables_per_component(32)
        .max_unused_warm_slots(INSTANCES)
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
fn message() -> types::Message {
    let message = crate::message();
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
        self.shared.sent.fetch_add(1, Ordering::Relaxed);
        Ok(Ok(content.unwrap_or_default()))
    }
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
