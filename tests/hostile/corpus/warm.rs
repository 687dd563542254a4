//! Takes everything from the engine's pool once, so that what it keeps for the next instance is there before anything is
//! measured: pages of memories, tables and stacks stay with their places when a guest has used them.

use std::sync::Arc;

use vumi_core::{Input, KvStore, Outcome, SystemClock};
use vumi_sandbox::ComponentCache;
use vumi_store::MemoryBounds;
use vumi_tests::forge::Forge;

use crate::kit::{Rig, message, sandbox};

/// Places for apps in the pool of the process that is measured.
pub const PLACES: u32 = 32;

/// The pool has 64 places more, for parts; instances of so many different components together take all.
const COMPONENTS: u32 = 4;

/// A guest that writes to its memory and table as far as the pool keeps them, waits until so many others have come, and
/// goes down to the end of its stack.
fn guest(number: u32) -> Forge {
    Forge::attack(format!(
        "(drop (memory.grow (i32.const 32)))
         (memory.fill (i32.const 65536) (i32.const {number}) (i32.const 2097152))
         (table.fill $t (i32.const 0) (ref.func $f) (i32.const 20000))
         (call $kv-incr (i32.const 128) (i32.const 2) (i64.const 1) (i32.const 200))
         (loop $l
           (call $kv-incr (i32.const 128) (i32.const 2) (i64.const 0) (i32.const 200))
           (br_if $l (i64.lt_s (i64.load offset=8 (i32.const 200)) (i64.const {PLACES}))))
         (drop (call $f (i32.const 0)))"
    ))
    .and(
        "(table $t 20000 funcref) (elem declare func $f)
         (func $f (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1)))",
    )
}

/// See the module's text.
pub async fn warm() {
    for number in 0..COMPONENTS {
        let bytes = guest(number).bytes();
        let component = sandbox().load_bytes(&ComponentCache::none(), &bytes, "warm.wasm").expect("it loads");
        let kv: Arc<dyn KvStore> = vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock));
        let rig = Rig::of("warm", &component, kv, |config| {
            config.limits.cpu_ms = 60_000;
            config.limits.host_calls = u64::MAX;
        });
        let mut runs = tokio::task::JoinSet::new();
        for _ in 0..PLACES {
            let app = Arc::clone(&rig.app);
            runs.spawn(async move { app.run(&Input::Message(Arc::new(message("go")))).await.run });
        }
        for run in runs.join_all().await {
            assert_eq!(run.outcome, Outcome::StackOverflow, "{:?}", run.error);
        }
    }
}
