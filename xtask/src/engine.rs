//! Builds the script engine: QuickJS and what is around it as a core module, the libraries by npm, and of both a
//! component that begins where its set-up ended (`xtask/engine`).
//!
//! The result is `target/guests/script-engine.wasm`. It is built anew only when something that it is made of changed.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::prerequisites;
use crate::run::{cargo, cargo_apart, guest_target, root, run, target};

/// What the engine is compiled for: WebAssembly without any system. It says itself what it needs of WASI.
const BARE: &str = "wasm32-unknown-unknown";

/// What the engine is made of, from the root.
const SOURCES: [&str; 5] =
    ["sdk/js/engine", "wit", "xtask/engine/src", "xtask/engine/Cargo.toml", "rust-toolchain.toml"];

/// The engine's folder, a workspace of its own.
pub(crate) fn folder() -> PathBuf {
    root().join("sdk/js/engine")
}

/// Builds it, if needed, and prints a line.
pub(crate) fn build() -> Result<(), String> {
    let out = guest_target().join("script-engine.wasm");
    let stamp = guest_target().join("script-engine.sources");
    let made_of = fingerprint().map_err(|error| format!("the engine's sources could not be read: {error}"))?;
    if out.is_file() && fs::read_to_string(&stamp).is_ok_and(|before| before == made_of) {
        println!("  script-engine: as before");
        return Ok(());
    }
    prerequisites::for_engine()?;
    let failed = |error: String| format!("the script engine: {error}");
    let libraries = libraries().map_err(failed)?;
    run(cargo_apart(&folder(), "build").args(["--target", BARE])).map_err(failed)?;
    // Together with the host, so that what both are made of is compiled once.
    let builder = ["build", "--locked", "-p", "vumi-host", "-p", "vumi-engine-build", "--bin", "vumi-engine-build"];
    run(cargo().args(builder)).map_err(failed)?;
    let core = guest_target().join(BARE).join("release/script_engine.wasm");
    run(Command::new(target().join("debug/vumi-engine-build")).arg(core).arg(libraries).arg(&out)).map_err(failed)?;
    let size = fs::metadata(&out).map_err(|error| format!("{}: {error}", out.display()))?.len();
    fs::write(&stamp, made_of).map_err(|error| format!("{}: {error}", stamp.display()))?;
    println!("  script-engine: {} kB", size.div_ceil(1_000));
    Ok(())
}

/// `cargo clippy` of the engine.
pub(crate) fn clippy() -> Result<(), String> {
    prerequisites::for_engine()?;
    run(cargo_apart(&folder(), "clippy").args(["--target", BARE, "--", "-D", "warnings"]))
}

/// What npm installs by the lock file, in a folder below `target`; none of it runs.
fn libraries() -> Result<PathBuf, String> {
    let folder = guest_target().join("script-engine-libraries");
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(failed)?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(self::folder().join("libraries").join(name), folder.join(name)).map_err(failed)?;
    }
    run(Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    Ok(folder)
}

/// Differs when any source differs.
fn fingerprint() -> std::io::Result<String> {
    let mut hasher = DefaultHasher::new();
    for source in SOURCES {
        mix(&root().join(source), &mut hasher)?;
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn mix(path: &Path, hasher: &mut DefaultHasher) -> std::io::Result<()> {
    if path.is_file() {
        path.strip_prefix(root()).unwrap_or(path).hash(hasher);
        fs::read(path)?.hash(hasher);
        return Ok(());
    }
    let mut entries: Vec<PathBuf> =
        fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    entries.sort();
    let left_out = |path: &PathBuf| path.ends_with("node_modules") || path.ends_with("target");
    entries.iter().filter(|path| !left_out(path)).try_for_each(|path| mix(path, hasher))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sources_are_there() {
        for source in SOURCES {
            assert!(root().join(source).exists(), "{source}");
        }
        assert_eq!(fingerprint().unwrap(), fingerprint().unwrap());
    }

    #[test]
    fn a_changed_a_new_and_a_renamed_file_change_the_fingerprint() {
        let folder = tempfile::tempdir().unwrap();
        let of = || {
            let mut hasher = DefaultHasher::new();
            mix(folder.path(), &mut hasher).unwrap();
            hasher.finish()
        };
        fs::write(folder.path().join("a"), "1").unwrap();
        let mut seen = vec![of()];
        fs::write(folder.path().join("a"), "2").unwrap();
        seen.push(of());
        fs::rename(folder.path().join("a"), folder.path().join("b")).unwrap();
        seen.push(of());
        fs::write(folder.path().join("c"), "").unwrap();
        seen.push(of());
        fs::create_dir(folder.path().join("node_modules")).unwrap();
        fs::write(folder.path().join("node_modules/d"), "1").unwrap();
        assert_eq!(of(), seen[3]);
        seen.dedup();
        assert_eq!(seen.len(), 4);
    }
}
