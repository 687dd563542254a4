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

/// The component of a guest, by the name of its folder.
///
/// # Panics
/// When it has not been built.
pub fn guest(name: &str) -> PathBuf {
    let path = root().join("target/guests").join(format!("{name}.wasm"));
    assert!(path.is_file(), "{} is missing; run `cargo xtask guests` first", path.display());
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
