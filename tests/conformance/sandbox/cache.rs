//! The cache of compiled components: used when it can be trusted, and never fatal.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use vumi_sandbox::ComponentCache;
use vumi_tests::guests;

use super::kit::sandbox;

/// A cache that holds one compiled guest, and that guest's file in it.
fn filled() -> (tempfile::TempDir, ComponentCache, PathBuf) {
    let folder = guests::scratch();
    let cache = ComponentCache::at(&folder.path().join("cache")).unwrap();
    assert!(!load(&cache), "an empty cache had it");
    let mut files = fs::read_dir(folder.path().join("cache")).unwrap().map(|entry| entry.unwrap().path());
    let file = files.next().expect("the compiled component was kept");
    assert_eq!(files.next(), None);
    (folder, cache, file)
}

/// Loads a guest; true when it came from the cache.
fn load(cache: &ComponentCache) -> bool {
    sandbox().load(cache, &guests::guest("echo")).unwrap_or_else(|error| panic!("{error}")).from_cache
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_second_load_comes_from_the_cache() {
    let (_folder, cache, file) = filled();
    assert!(load(&cache));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0, "others can read it");
    assert!(!load(&ComponentCache::none()));
}

#[test]
fn damaged_files_are_not_used_and_replaced() {
    let (_folder, cache, file) = filled();
    let whole = fs::read(&file).unwrap();
    let cut = |part: usize| whole[..whole.len() / 100 * part].to_vec();
    let damaged = [
        ("empty", Vec::new()),
        ("garbage", b"garbage".repeat(1_000)),
        ("text", b"#!/bin/sh\nexit 1\n".to_vec()),
        ("1 %", cut(1)),
        ("half", cut(50)),
        ("all but 1 %", cut(99)),
        ("zeroes", vec![0; whole.len()]),
        ("a bad beginning", [&[0; 64], &whole[64..]].concat()),
    ];
    for (what, bytes) in damaged {
        // As an interrupted copy would leave it: another file in this place.
        fs::remove_file(&file).unwrap();
        fs::write(&file, bytes).unwrap();
        set_mode(&file, 0o600);
        assert!(!load(&cache), "{what}: it was used");
        assert!(load(&cache), "{what}: it was not replaced");
    }
}

#[test]
fn files_that_others_may_write_are_not_used() {
    let (_folder, cache, file) = filled();
    set_mode(&file, 0o620);
    assert!(!load(&cache));
    let elsewhere = file.with_extension("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    assert!(!load(&cache), "a link was followed");
}

#[test]
fn folders_that_others_may_write_are_refused() {
    let folder = guests::scratch();
    let path = folder.path().join("cache");
    ComponentCache::at(&path).unwrap();
    for mode in [0o770, 0o702, 0o777] {
        set_mode(&path, mode);
        let refused = ComponentCache::at(&path).map(drop).unwrap_err().to_string();
        assert!(refused.contains("chmod go-w") && refused.contains("cache"), "{refused}");
    }
    set_mode(&path, 0o755);
    ComponentCache::at(&path).unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let refused = ComponentCache::at(&folder.path().join("file")).map(drop).unwrap_err().to_string();
    assert!(refused.contains("file"), "{refused}");
}

#[test]
fn many_at_once_compile_the_same_component() {
    let folder = guests::scratch();
    let cache = ComponentCache::at(folder.path()).unwrap();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| load(&cache))).collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
    assert!(load(&cache));
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
