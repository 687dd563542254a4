//! The engine: one per process, configured as measured (see ARCHITECTURE.md, "The sandbox").
//!
//! Instances come from a pool, so that starting one maps nothing and frees nothing; a page that a guest wrote is
//! wiped, not returned to the kernel. A ticker advances the engine's epoch every millisecond; running guests look
//! up at each tick, nothing else happens then.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use vumi_bindings::app::App as AppWorld;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::script::Core;
use crate::state::Guest;
use crate::turns::Turns;

/// Time between two looks at a running guest.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// Stack of the guest's WebAssembly code, in bytes: beyond it a run ends as `stack-overflow`.
const GUEST_STACK: usize = 512 << 10;

/// Elements that any table can have: the highest value of the option `table_elements`.
const MAX_TABLE_ELEMENTS: usize = 100_000;

/// Calls of routers and middleware at the same time, beside the apps' runs. They have places of their own, because a
/// run keeps its place while middleware looks at what it sends: with one lot of places, runs that wait for middleware
/// could take all those that the middleware waits for.
const PART_PLACES: u32 = 64;

/// How the engine is set up.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Runs at the same time, over all apps. More wait for a place.
    pub instances: u32,
    /// The component that runs scripts. Without it there are none.
    pub script_engine: Option<PathBuf>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { instances: 256, script_engine: None }
    }
}

/// The engine and what all apps share with it.
pub struct Sandbox {
    engine: Engine,
    linker: Linker<Guest>,
    scripts: Core,
    places: Arc<Semaphore>,
    part_places: Arc<Semaphore>,
    turns: Arc<Turns>,
    idle_places: Arc<Semaphore>,
    pagemap_scan: bool,
}

/// The engine could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly engine could not be started: {reason}")]
pub struct EngineError {
    reason: String,
}

impl From<wasmtime::Error> for EngineError {
    fn from(error: wasmtime::Error) -> Self {
        Self { reason: format!("{error:#}") }
    }
}

impl Sandbox {
    /// Sets the engine up and starts its ticker.
    ///
    /// # Errors
    /// When the machine does not allow it, e.g. too little address space for the pool.
    pub fn new(options: &EngineOptions) -> Result<Arc<Self>, EngineError> {
        // Only the kernel can tell whether it has the call, so it is asked for first and done without second.
        let (engine, pagemap_scan) = match Engine::new(&config(options, Enabled::Yes)) {
            Ok(engine) => (engine, true),
            Err(_) => (Engine::new(&config(options, Enabled::No))?, false),
        };
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        crate::tape::link_clocks(&mut linker)?;
        AppWorld::add_to_linker::<Guest, HasSelf<Guest>>(&mut linker, |guest| guest)?;
        let scripts = Core::new(options.script_engine.clone(), &linker)?;
        start_ticker(&engine)?;
        Ok(Arc::new(Self {
            engine,
            scripts,
            linker,
            places: Arc::new(Semaphore::new(options.instances as usize)),
            part_places: Arc::new(Semaphore::new(PART_PLACES as usize)),
            turns: Turns::new(std::thread::available_parallelism().map_or(1, usize::from)),
            idle_places: Arc::new(Semaphore::new(options.instances as usize)),
            pagemap_scan,
        }))
    }

    /// Whether the kernel tells which pages a guest wrote (Linux 6.7 and later); without it a message costs about
    /// half as much again.
    pub fn pagemap_scan(&self) -> bool {
        self.pagemap_scan
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn linker(&self) -> &Linker<Guest> {
        &self.linker
    }

    pub(crate) fn scripts(&self) -> &Core {
        &self.scripts
    }

    /// Who may use a thread of the guests, of which there are as many as processors.
    pub(crate) fn turns(&self) -> &Arc<Turns> {
        &self.turns
    }

    /// Waits for an app's place in the pool. A run never fails because others are running.
    pub(crate) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// A place in the pool for an instance that waits for its app's next message, unless all are taken. There are as
    /// many of them as of the others, so that waiting instances never take the place of running ones.
    pub(crate) fn idle_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.idle_places).try_acquire_owned().ok()
    }

    /// Waits for a router's or middleware's place in the pool.
    pub(crate) async fn part_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.part_places).acquire_owned().await.ok()
    }
}

fn config(options: &EngineOptions, pagemap_scan: Enabled) -> Config {
    // Running, waiting for their app's next message, and parts.
    let instances = options.instances.saturating_mul(2).saturating_add(PART_PLACES);
    // A component holds several core instances: its own module and the small adapters around it.
    let cores = instances.saturating_mul(8);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(cores)
        .total_memories(instances.saturating_mul(2))
        .total_tables(cores)
        .total_stacks(instances)
        .max_core_instances_per_component(64)
        .max_memories_per_component(8)
        .max_tables_per_component(32)
        .table_elements(MAX_TABLE_ELEMENTS)
        .max_unused_warm_slots(instances)
        .linear_memory_keep_resident(2 << 20)
        .table_keep_resident(64 << 10)
        .pagemap_scan(pagemap_scan);
    let mut config = code_config();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .max_wasm_stack(GUEST_STACK)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(20));
    config
}

/// The settings that compiled code depends on, the same in every process that compiles for this host.
pub(crate) fn code_config() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true).memory_init_cow(true).concurrency_support(false);
    config
}

/// Advances the epoch until the engine is gone.
fn start_ticker(engine: &Engine) -> Result<(), EngineError> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("vumi-epoch".into())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        })
        .map(|_| ())
        .map_err(|error| EngineError { reason: format!("no thread for the engine's clock: {error}") })
}
