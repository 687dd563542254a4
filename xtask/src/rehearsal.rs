//! The conversation tests of the guests pass: `vumi-host test` for each guest that has some.
//!
//! Rust guests are tested as the step `guests` built them; projects in JavaScript are built by the host itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::guests;
use crate::run::{guest_target, root, run, target};

/// The guest without whose tests something is wrong with this step.
const FIRST: &str = "guest-examples/echo";

/// Plays all of them with the built binary.
pub(crate) fn play() -> Result<(), String> {
    let host = target().join("debug/vumi-host");
    if !host.is_file() {
        return Err(format!("{} is missing; run `cargo build -p vumi-host` first", host.display()));
    }
    let folders: Vec<PathBuf> = guests::folders().into_iter().filter(|folder| has_tests(folder)).collect();
    if !folders.iter().any(|folder| folder.ends_with(FIRST)) {
        return Err(format!("{FIRST} has no tests"));
    }
    for folder in folders {
        let name = folder.file_name().unwrap_or_default();
        let component = guest_target().join(name).with_extension("wasm");
        run(Command::new(&host).arg("test").arg("--app").arg(component).arg(folder.join("tests")))?;
    }
    for folder in scripts().into_iter().filter(|folder| has_tests(folder)) {
        run(Command::new(&host).arg("test").arg(folder))?;
    }
    Ok(())
}

/// Projects in JavaScript and TypeScript.
fn scripts() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("guest-examples/js")).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|folder| folder.join("package.json").is_file()).collect();
    folders.sort();
    folders
}

fn has_tests(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder.join("tests")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| path.extension().is_some_and(|end| end == "yaml" || end == "yml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echo_has_tests() {
        assert!(has_tests(&root().join(FIRST)) && !has_tests(&root().join("docs")));
    }
}
