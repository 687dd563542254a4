//! Packs what `vumi-host new` writes into the program: the templates, and the SDKs as they are in this checkout.
//!
//! The list is made while the program is built, so that a file that is added to an SDK cannot be forgotten here.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Name in the program → folder, relative to this one. An SDK that a checkout does not have is left out.
const PACKED: [(&str, &str); 3] =
    [("TEMPLATES", "templates"), ("RUST_SDK", "../../sdk/rust"), ("JS_SDK", "../../sdk/js")];

/// What an SDK has that a project does not need: what was built, the tests, the chores, the script engine's source.
const LEFT_OUT: [&str; 11] = [
    "target",
    "node_modules",
    "tests",
    "test",
    "engine",
    "dist",
    "docs",
    "tools",
    "Cargo.lock",
    "package-lock.json",
    "tsconfig.json",
];

fn main() -> io::Result<()> {
    let variable = |name: &str| env::var_os(name).map(PathBuf::from).ok_or(io::ErrorKind::NotFound);
    let (here, out) = (variable("CARGO_MANIFEST_DIR")?, variable("OUT_DIR")?);
    let mut code = String::new();
    for (name, folder) in PACKED {
        let root = here.join(folder);
        let mut files = Vec::new();
        if root.is_dir() {
            let left_out: &[&str] = if name == "TEMPLATES" { &[] } else { &LEFT_OUT };
            collect(&root, "", left_out, &mut files)?;
        }
        files.sort();
        println!("cargo:rerun-if-changed={}", root.display());
        let _ = writeln!(code, "pub(super) static {name}: &[(&str, &[u8])] = &[");
        for (path, file) in files {
            let _ = writeln!(code, "    ({path:?}, include_bytes!({:?})),", file.display().to_string());
        }
        let _ = writeln!(code, "];");
    }
    fs::write(out.join("packed.rs"), code)
}

/// All files below a folder by their path in it. Links are followed: the Rust SDK has the contract by one.
fn collect(folder: &Path, path: &str, left_out: &[&str], files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || left_out.contains(&name.as_str()) {
            continue;
        }
        let place = entry.path().canonicalize()?;
        let path = if path.is_empty() { name } else { format!("{path}/{name}") };
        if place.is_dir() {
            // Cargo looks into a folder by itself, but not behind a link.
            if place != entry.path() {
                println!("cargo:rerun-if-changed={}", place.display());
            }
            collect(&place, &path, left_out, files)?;
        } else {
            files.push((path, place));
        }
    }
    Ok(())
}
