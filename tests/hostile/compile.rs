//! Uploads that are made to cost: compiling them happens in a process of its own, which has limits, and whose end is
//! not the host's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use vumi_sandbox::{CompileLimits, Compiler, ComponentCache, Library, LoadError, Origin};
use vumi_tests::guests::{guest, scratch};
use vumi_tests::{blowup, host};

use crate::kit::sandbox;

struct Nowhere;

#[async_trait]
impl Origin for Nowhere {
    async fn bytes(&self, _: &str) -> vumi_core::Result<Option<Bytes>> {
        Ok(None)
    }
}

/// Uploads a component under limits; the answer is the error, and how long that took.
async fn refused(component: Vec<u8>, limits: CompileLimits) -> (LoadError, Duration) {
    let folder = scratch();
    let cache = ComponentCache::at(&folder.path().join("cache")).unwrap();
    let words = ["compile-component", "--cpu", &limits.cpu_s.to_string(), "--memory", &limits.memory.to_string()]
        .map(str::to_owned)
        .to_vec();
    let compiler = Compiler::in_child(host::binary(), words, limits);
    let library = Library::new(sandbox(), cache, compiler, Arc::new(Nowhere), 1 << 30);
    let began = Instant::now();
    let error = library.admit(&Bytes::from(component), "the upload").await.map(drop).unwrap_err();
    let took = began.elapsed();
    // The next one is compiled as if nothing had been.
    let echo = Bytes::from(std::fs::read(guest("echo")).unwrap());
    let after = CompileLimits { cpu_s: 60, memory: 2 << 30, ..CompileLimits::default() };
    let words = ["compile-component", "--cpu", "60", "--memory", &after.memory.to_string()].map(str::to_owned).to_vec();
    let cache = ComponentCache::at(&folder.path().join("after")).unwrap();
    let library =
        Library::new(sandbox(), cache, Compiler::in_child(host::binary(), words, after), Arc::new(Nowhere), 1 << 30);
    library.admit(&echo, "echo").await.unwrap();
    (error, took)
}

fn limits(cpu_s: u64, memory: u64, wall: u64) -> CompileLimits {
    CompileLimits { cpu_s, memory, wall: Duration::from_secs(wall) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_much_processor_time_is_refused() {
    let (error, took) = refused(blowup::data_segments(50_000), limits(2, 2 << 30, 120)).await;
    assert!(matches!(&error, LoadError::TooCostly { .. }), "{error}");
    assert!(error.to_string().contains("more than 2 s of CPU time"), "{error}");
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_is_refused() {
    let (error, _) = refused(blowup::data_segments(50_000), limits(60, 2 << 30, 1)).await;
    assert!(error.to_string().contains("took more than 1 s"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_much_memory_is_refused() {
    let (error, _) = refused(blowup::loads(2_300_000), limits(60, 96 << 20, 120)).await;
    assert!(matches!(&error, LoadError::TooCostly { .. }), "{error}");
    assert!(error.to_string().contains("more than 96 MiB of memory"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_the_compiler_breaks_nothing_else() {
    let (error, _) = refused(blowup::nested_types(1_000_000), limits(60, 2 << 30, 120)).await;
    assert!(matches!(&error, LoadError::TooCostly { .. } | LoadError::Invalid { .. }), "{error}");
}
