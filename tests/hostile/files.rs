//! Files that are no components, or not whole: each is refused with a sentence, or runs under its limits.

use std::sync::Arc;
use std::time::Instant;

use vumi_core::{Outcome, SystemClock};
use vumi_sandbox::{ComponentCache, LoadError, LoadedComponent};
use vumi_store::MemoryBounds;
use vumi_tests::guests;

use crate::kit::{Rig, sandbox};
use crate::neighbour::beside;

fn load(bytes: &[u8], what: &str) -> Result<LoadedComponent, LoadError> {
    sandbox().load_bytes(&ComponentCache::none(), bytes, what)
}

/// The sentence with which a file is refused.
#[track_caller]
fn refusal(bytes: &[u8], what: &str) -> String {
    match load(bytes, what) {
        Ok(_) => panic!("{what} was taken"),
        Err(error) => {
            let text = error.to_string();
            assert!(text.starts_with(what) && !text.contains('\n'), "{text}");
            text
        }
    }
}

#[test]
fn what_is_no_component() {
    let module = refusal(b"\0asm\x01\0\0\0", "module.wasm");
    assert!(
        module.contains("core WebAssembly module, not a component") && module.contains("wasm32-wasip2"),
        "{module}"
    );
    let not_wasm: [&[u8]; 6] = [b"", b"\0", b"\0asm", b"\xff\xfe", b" \n", b"\x7fELF\x02\x01\x01\0"];
    for bytes in not_wasm {
        let text = refusal(bytes, "file.wasm");
        assert!(text.contains("is not WebAssembly"), "{text}");
    }
    // Text is taken for JavaScript.
    let text = refusal("ein Text, ä".as_bytes(), "file.wasm");
    assert!(text.contains("is no JavaScript that can be run"), "{text}");
    // The header of a component and nothing else: valid, but it exports no handler.
    let empty = refusal(b"\0asm\x0d\0\x01\0", "empty.wasm");
    assert!(empty.contains("vumi:app"), "{empty}");
    let later = refusal(b"\0asm\xff\0\x01\0", "later.wasm");
    assert!(later.contains("is not a valid component"), "{later}");
}

#[test]
fn an_import_that_nobody_offers() {
    let bytes = std::fs::read(guests::guest("unknown-import")).unwrap();
    let text = refusal(&bytes, "wants.wasm");
    assert!(text.contains("imports `nobody:offers/this@1.0.0`") && text.contains("vumi:app@0.1.0"), "{text}");
}

#[test]
fn a_file_that_is_not_there() {
    let gone = guests::scratch().path().join("gone.wasm");
    let text = sandbox().load(&ComponentCache::none(), &gone).map(drop).unwrap_err().to_string();
    assert!(text.contains("gone.wasm") && text.contains("cannot be read"), "{text}");
    let folder = guests::scratch();
    assert!(sandbox().load(&ComponentCache::none(), folder.path()).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn truncated_components() {
    let whole = std::fs::read(guests::guest("echo")).unwrap();
    let cuts: Vec<usize> = (1..40).map(|part| whole.len() * part / 40).chain([whole.len() - 1]).collect();
    let attack = || async {
        let (whole, cuts) = (whole.clone(), cuts.clone());
        let refused = tokio::task::spawn_blocking(move || {
            cuts.iter().filter(|cut| load(&whole[..**cut], "cut.wasm").is_err()).count()
        });
        refused.await.unwrap()
    };
    // A cut between two sections may leave a valid component without exports: refused as well.
    beside("truncated components", attack, |refused| assert_eq!(refused, cuts.len())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn components_with_flipped_bits() {
    let whole = std::fs::read(guests::guest("echo")).unwrap();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        // xorshift: the same places each time, so that a failure can be looked into.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let began = Instant::now();
    let (mut refused, mut ran, mut ended) = (0, 0, Vec::new());
    for _ in 0..50 {
        let mut flipped = whole.clone();
        let at = next() as usize % flipped.len();
        flipped[at] ^= 1 << (next() % 8);
        let component = match tokio::task::spawn_blocking(move || load(&flipped, "flipped.wasm")).await.unwrap() {
            Ok(component) => component,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
                continue;
            }
        };
        let kv = vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock));
        let mut rig = Rig::of("flipped", &component, kv, |config| {
            config.timeout = 2;
            config.limits.cpu_ms = 500;
        });
        let answer = rig.ask("hello").await;
        assert!(answer.run().peak_memory <= 64 << 20 && answer.run().cpu_us < 3_000_000, "{:?}", answer.run());
        ran += 1;
        if answer.outcome() != Outcome::Ok {
            ended.push(answer.outcome().code());
        }
    }
    println!("{refused} refused, {ran} ran ({} ended badly: {ended:?}) in {:?}", ended.len(), began.elapsed());
    assert!(refused > 0 && ran > 0, "the test proves nothing: {refused} refused, {ran} ran");
}
