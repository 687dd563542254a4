//! The compiled guests that the tests use; `cargo xtask guests` makes them.

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The folder of the compiled guests.
pub fn target_of_guests() -> PathBuf {
    root().join("target/guests")
}

/// The component of a guest, by the name of its folder.
///
/// # Panics
/// When it has not been built.
pub fn guest(name: &str) -> PathBuf {
    let path = target_of_guests().join(format!("{name}.wasm"));
    assert!(path.is_file(), "{} is missing; run `cargo xtask guests` first", path.display());
    path
}

/// The engine for scripts; `cargo xtask engine` makes it.
///
/// # Panics
/// When it has not been built.
pub fn script_engine() -> PathBuf {
    let path = target_of_guests().join("script-engine.wasm");
    assert!(path.is_file(), "{} is missing; run `cargo xtask engine` first", path.display());
    path
}

/// An empty folder on the disk that holds the repository, gone when dropped. (The system's folder for temporary
/// files may be in memory.)
///
/// # Panics
/// When it cannot be made.
pub fn scratch() -> tempfile::TempDir {
    let base = target().join("tmp");
    std::fs::create_dir_all(&base).expect("the folder for temporary files can be made");
    tempfile::tempdir_in(base).expect("a temporary folder can be made")
}

/// The bytes of the probe with a number stamped into them: a component that differs from the others, and that tells
/// its number when it is asked to `stamp`, as [`stamp`] shows it.
///
/// # Panics
/// When the probe has not been built.
pub fn stamped(number: u64) -> Vec<u8> {
    stamped_guest("probe", number)
}

/// The same of a guest that can do nothing else, and is compiled in a fraction of the time.
///
/// # Panics
/// When the guest has not been built.
pub fn stamper(number: u64) -> Vec<u8> {
    stamped_guest("stamper", number)
}

fn stamped_guest(name: &str, number: u64) -> Vec<u8> {
    let mut bytes = std::fs::read(guest(name)).expect("the guest can be read");
    let mark = b"STAMP=0000000000000000";
    let at = bytes.windows(mark.len()).position(|window| window == mark).expect("the guest has a stamp");
    let stamp = stamp(number);
    bytes.get_mut(at..at + mark.len()).expect("it was found there").copy_from_slice(stamp.as_bytes());
    bytes
}

/// What a stamped guest says of itself.
pub fn stamp(number: u64) -> String {
    format!("STAMP={number:016}")
}
