//! Files that are not what was built: cut, flipped, put into the cache by somebody else.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vumi_core::SystemClock;
use vumi_sandbox::{ComponentCache, LoadError, LoadedComponent};
use vumi_store::MemoryBounds;
use vumi_tests::forge::Forge;
use vumi_tests::guests;

use super::case::{Case, elsewhere, own};
use crate::kit::{Rig, sandbox};

const TRUST: &str = "Machine code from a file runs with the host's rights: what is not whole, or could be another's, is \
                     compiled again.";

pub fn cases() -> Vec<Case> {
    let cache = |name: &'static str, what: &str, damage: fn(&Path) -> Result<(), String>| {
        let test: super::case::Own = Box::new(move |_| Box::pin(async move { not_used(damage) }));
        own(name, what, "not used: compiled again, and replaced where that is possible", TRUST, test)
    };
    vec![
        cache("cache-empty", "is an empty file in the cache", |file| write(file, b"")),
        cache("cache-cut", "is cut off, at each of 16 places, in the cache", |file| {
            let whole = fs::read(file).map_err(|error| error.to_string())?;
            for part in 1..16 {
                write(file, &whole[..whole.len() * part / 16])?;
                if taken_from_cache(file)? {
                    return Err(format!("{part} of 16 parts were used"));
                }
                fs::remove_file(file).map_err(|error| error.to_string())?;
            }
            write(file, &whole[..whole.len() - 1])
        }),
        cache("cache-header", "has a flipped bit in each of its first bytes, in the cache", |file| {
            let whole = fs::read(file).map_err(|error| error.to_string())?;
            for at in 0..7 {
                let mut flipped = whole.clone();
                flipped[at] ^= 1;
                write(file, &flipped)?;
                if taken_from_cache(file)? {
                    return Err(format!("byte {at} was flipped, and the file used"));
                }
            }
            write(file, b"\x7fELF\x02\x01\x01")
        }),
        cache("cache-other-program", "is a program of the machine, in the cache", |file| {
            let program = fs::read("/proc/self/exe").map_err(|error| error.to_string())?;
            write(file, &program[..program.len().min(1 << 20)])
        }),
        cache("cache-group", "may be written by others, in the cache", |file| mode(file, 0o620)),
        cache("cache-world", "may be written by all, in the cache", |file| mode(file, 0o602)),
        cache("cache-link", "is a link to a good file, in the cache", |file| {
            let beside = file.with_extension("beside");
            fs::rename(file, &beside).and_then(|()| symlink(&beside, file)).map_err(|error| error.to_string())
        }),
        cache("cache-owner", "belongs to another user, in the cache (where the test may give a file away)", |file| {
            // Only root can; others lend weight to the modes above.
            if chown(file, Some(65_534), None).is_err() { write(file, b"") } else { Ok(()) }
        }),
        cache("cache-code", "has a flipped bit in its machine code, in the cache", |file| {
            let mut code = fs::read(file).map_err(|error| error.to_string())?;
            let middle = code.len() / 2;
            code[middle] ^= 1;
            write(file, &code)
        }),
        elsewhere(
            "corpus::files::truncations",
            "is cut off at each of 64 places, and at its last byte",
            "refused, with a sentence",
            "A component is whole or none.",
        ),
        elsewhere(
            "corpus::files::flips",
            "has a flipped bit, at each of 80 places of a real guest, and of 500 of a small one",
            "refused with a sentence, or runs within its limits",
            "What is valid may run; what it may do is the same for all.",
        ),
    ]
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), String> {
    let _ = fs::remove_file(file);
    fs::write(file, bytes).map_err(|error| error.to_string())?;
    mode(file, 0o600)
}

fn mode(file: &Path, mode: u32) -> Result<(), String> {
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).map_err(|error| error.to_string())
}

/// A small guest, which is compiled soon.
fn small() -> Vec<u8> {
    Forge::attack("(call $say (i32.const 128) (i32.const 2))").bytes()
}

/// Loads the guest whose compiled form is `file`; true when that was used.
fn taken_from_cache(file: &Path) -> Result<bool, String> {
    let cache = ComponentCache::at(file.parent().unwrap_or(file)).map_err(|error| error.to_string())?;
    let loaded = sandbox().load_bytes(&cache, &small(), "hostile.wasm").map_err(|error| error.to_string())?;
    Ok(loaded.from_cache)
}

/// Damages a file of a cache; it must not be used then.
fn not_used(damage: fn(&Path) -> Result<(), String>) -> Result<(), String> {
    let folder = guests::scratch();
    let cache = ComponentCache::at(folder.path()).map_err(|error| error.to_string())?;
    sandbox().load_bytes(&cache, &small(), "hostile.wasm").map_err(|error| error.to_string())?;
    let files = fs::read_dir(folder.path()).map_err(|error| error.to_string())?;
    let files: Vec<PathBuf> = files.filter_map(Result::ok).map(|entry| entry.path()).collect();
    let [file] = files.as_slice() else { return Err(format!("{} files in the cache", files.len())) };
    if !taken_from_cache(file)? {
        return Err("the good file was not used".to_owned());
    }
    damage(file)?;
    if taken_from_cache(file)? { Err("the damaged file was used".to_owned()) } else { Ok(()) }
}

fn load(bytes: &[u8]) -> Result<LoadedComponent, LoadError> {
    sandbox().load_bytes(&ComponentCache::none(), bytes, "hostile.wasm")
}

fn echo() -> Vec<u8> {
    fs::read(guests::guest("echo")).expect("the guest can be read")
}

#[test]
fn truncations() {
    let whole = echo();
    for part in (0..64).map(|part| whole.len() * part / 64).chain([whole.len() - 1]) {
        let error = load(&whole[..part]).map(drop).expect_err("a part is no component").to_string();
        assert!(error.starts_with("hostile.wasm: ") && error.len() < 4_096, "{part}: {error}");
        assert!(!error.contains(char::is_control), "{part}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flips() {
    let (refused, ran) = flip(echo(), 80).await;
    assert!(refused > 0 && ran.contains_key("ok"), "the test proves nothing: {refused} refused, {ran:?}");
    // A small guest is compiled soon, and has no byte without a meaning.
    let (refused, ran) = flip(small(), 500).await;
    assert!(refused > 0 && ran.contains_key("ok"), "the test proves nothing: {refused} refused, {ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute or two"]
async fn more_flips() {
    let (refused, ran) = flip(echo(), 500).await;
    assert!(refused > 0 && ran.contains_key("ok"), "the test proves nothing: {refused} refused, {ran:?}");
}

/// Loads and runs a component with a flipped bit, at so many places; how many were refused, and how the others ended.
async fn flip(whole: Vec<u8>, count: usize) -> (usize, BTreeMap<&'static str, usize>) {
    let whole = Arc::new(whole);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        // xorshift: the same places each time, so that a failure can be looked into.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let flips: Vec<(usize, u8)> = (0..count).map(|_| (next() as usize % whole.len(), 1 << (next() % 8))).collect();
    let (mut refused, mut ran) = (0, BTreeMap::new());
    for (at, bit) in flips {
        let whole = Arc::clone(&whole);
        let loaded = tokio::task::spawn_blocking(move || {
            let mut flipped = whole.as_ref().clone();
            flipped[at] ^= bit;
            load(&flipped)
        });
        match loaded.await.unwrap_or_else(|error| panic!("bit {bit} of byte {at}: {error}")) {
            Ok(component) => {
                let kv = vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock));
                let mut rig = Rig::of("flipped", &component, kv, |config| {
                    config.timeout = 5;
                    config.limits.cpu_ms = 200;
                });
                let answer = rig.ask("hello").await;
                let run = answer.run();
                assert!(run.peak_memory <= 64 << 20 && run.cpu_us < 3_000_000, "bit {bit} of byte {at}: {run:?}");
                assert_eq!(answer.finished.again, None, "bit {bit} of byte {at}");
                *ran.entry(answer.outcome().code()).or_insert(0) += 1;
            }
            Err(error) => {
                let error = error.to_string();
                assert!(error.starts_with("hostile.wasm: "), "bit {bit} of byte {at}: {error}");
                refused += 1;
            }
        }
    }
    println!("{refused} refused; ran and ended: {ran:?}");
    (refused, ran)
}
