//! Builds the guests: each a workspace of its own, as a user's project is, all in one target folder.
//!
//! The result of each is `target/guests/<name of its folder>.wasm`, which is where the tests look.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::engine;
use crate::python;
use crate::run::{WASM, guest_cargo, guest_target, projects, root, run};

/// Every guest's folder.
pub(crate) fn folders() -> Vec<PathBuf> {
    let mut folders = projects(&root().join("guest-examples"));
    folders.extend(projects(&root().join("tests/guests")));
    folders
}

/// The folders of those examples whose sources hold unit tests, which run on this machine.
pub(crate) fn with_unit_tests() -> Vec<PathBuf> {
    let holds = |path: &Path| fs::read_to_string(path).is_ok_and(|text| text.contains("#[cfg(test)]"));
    let sources = |folder: &Path| fs::read_dir(folder.join("src")).into_iter().flatten().flatten();
    let examples = projects(&root().join("guest-examples"));
    examples.into_iter().filter(|folder| sources(folder).any(|entry| holds(&entry.path()))).collect()
}

/// Builds all of them, the script engine too, and prints a line for each.
pub(crate) fn build() -> Result<(), String> {
    engine::build()?;
    let folders = folders();
    no_name_twice(&folders)?;
    for folder in folders {
        let name = name_of(&folder);
        run(&mut guest_cargo(&folder, "build")).map_err(|error| format!("guest {name}: {error}"))?;
        let made = guest_target().join(WASM).join("release").join(format!("{}.wasm", library(&folder)?));
        let size = put(&made, &guest_target().join(format!("{name}.wasm")))
            .map_err(|error| format!("guest {name}: {}: {error}", made.display()))?;
        println!("  {name}: {} kB", size.div_ceil(1_000));
    }
    python::build()
}

fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Two guests of one name would overwrite each other.
fn no_name_twice(folders: &[PathBuf]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    match folders.iter().find(|folder| !seen.insert(name_of(folder))) {
        Some(folder) => {
            let name = name_of(folder);
            Err(format!("two guests are called `{name}`; rename the folder of one, {} for instance", folder.display()))
        }
        None => Ok(()),
    }
}

/// The name that cargo gives to a guest's library.
fn library(folder: &Path) -> Result<String, String> {
    let path = folder.join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let manifest: Table = text.parse().map_err(|error| format!("{}: {error}", path.display()))?;
    let name = |section: &str| manifest.get(section).and_then(|table| table.get("name")).and_then(Value::as_str);
    let name = name("lib").or_else(|| name("package"));
    name.map(|name| name.replace('-', "_")).ok_or_else(|| format!("{}: the package has no name", path.display()))
}

/// Copies by rename, so that a test or a running host sees the old file or the new one, never half of it; a file that
/// is the same already stays untouched. The answer is its size in bytes.
fn put(from: &Path, to: &Path) -> std::io::Result<u64> {
    let bytes = fs::read(from)?;
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(bytes.len() as u64);
    }
    let beside = to.with_extension(format!("{}.part", std::process::id()));
    fs::write(&beside, &bytes)?;
    fs::rename(&beside, to)?;
    Ok(bytes.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_with_unit_tests_are_found() {
        let found: Vec<String> = with_unit_tests().iter().map(|folder| name_of(folder)).collect();
        assert!(found.contains(&"clinic".to_owned()) && !found.contains(&"reverse".to_owned()), "{found:?}");
    }

    #[test]
    fn the_library_is_called_as_cargo_calls_it() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("Cargo.toml");
        fs::write(&manifest, "[package]\nname = \"trap-at-start\"\n").unwrap();
        assert_eq!(library(folder.path()).unwrap(), "trap_at_start");
        fs::write(&manifest, "[package]\nname = \"a\"\n[lib]\nname = \"other\"\n").unwrap();
        assert_eq!(library(folder.path()).unwrap(), "other");
        fs::write(&manifest, "[package]\n").unwrap();
        assert!(library(folder.path()).unwrap_err().ends_with("the package has no name"));
    }

    #[test]
    fn two_guests_of_one_name_are_refused() {
        let folders = ["a/echo", "a/probe", "b/echo"].map(PathBuf::from);
        let error = no_name_twice(&folders).unwrap_err();
        assert_eq!(error, "two guests are called `echo`; rename the folder of one, b/echo for instance");
        assert_eq!(no_name_twice(&folders[..2]), Ok(()));
    }

    #[test]
    fn a_copy_replaces_what_was_there_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to.wasm"));
        fs::write(&from, "new").unwrap();
        fs::write(&to, "older").unwrap();
        assert_eq!(put(&from, &to).unwrap(), 3);
        assert_eq!(fs::read_to_string(&to).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
