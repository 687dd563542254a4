//! Builds the guests in Python: a folder below `guest-examples/python` with an `app.py` becomes
//! `target/guests/python-<name of its folder>.wasm`.
//!
//! componentize-py, in the version that the folder's `requirements.txt` pins, is installed into a virtual environment
//! below `target/`, so nothing of the machine's own Python changes. A build takes seconds, so it is left out while
//! everything that the component is made of is as it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{guest_target, root, run, target};

/// What a guest needs beside its code.
const REQUIREMENTS: &str = "requirements.txt";

/// Builds all of them and prints a line for each.
pub(crate) fn build() -> Result<(), String> {
    for folder in folders(&root().join("guest-examples/python")) {
        let name = format!("python-{}", folder.file_name().unwrap_or_default().to_string_lossy());
        let made = guest_target().join(format!("{name}.wasm"));
        let size = one(&folder, &made).map_err(|error| format!("guest {name}: {error}"))?;
        println!("  {name}: {} kB", size.div_ceil(1_000));
    }
    Ok(())
}

/// The folders directly below one that hold an app in Python, in order.
fn folders(below: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(below).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.join("app.py").is_file()).collect();
    found.sort();
    found
}

/// Builds one, unless it is there already; the answer is its size in bytes.
fn one(folder: &Path, made: &Path) -> Result<u64, String> {
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let wit = root().join("wit");
    let inputs = inputs(&[folder, &wit]).map_err(|error| failed(folder, error))?;
    let noted = made.with_extension("inputs");
    let unchanged = made.is_file() && fs::read(&noted).is_ok_and(|there| there == inputs);
    if !unchanged {
        let venv = environment(&folder.join(REQUIREMENTS))?;
        let beside = made.with_extension(format!("{}.part", std::process::id()));
        let mut command = Command::new(venv.join("bin/componentize-py"));
        command.arg("-d").arg(&wit).args(["-w", "app", "componentize", "app", "-p"]).arg(folder).arg("-o").arg(&beside);
        // Packages come from there; without this, from whatever Python the machine has.
        command.env("VIRTUAL_ENV", &venv).current_dir(folder);
        run(&mut command)?;
        // The note last: a build that was cut short is done again.
        fs::rename(&beside, made).map_err(|error| failed(made, error))?;
        fs::write(&noted, inputs).map_err(|error| failed(&noted, error))?;
    }
    fs::metadata(made).map(|found| found.len()).map_err(|error| failed(made, error))
}

/// Everything that a component is made of, in one text: the names and contents of the files in these folders.
fn inputs(folders: &[&Path]) -> std::io::Result<Vec<u8>> {
    let mut all = Vec::new();
    for folder in folders {
        let mut paths: Vec<PathBuf> = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let used = |path: &&PathBuf| {
            path.extension().is_some_and(|kind| kind == "py" || kind == "wit") || path.ends_with(REQUIREMENTS)
        };
        for path in paths.iter().filter(used) {
            let bytes = fs::read(path)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            all.extend_from_slice(format!("--- {name}: {} bytes\n", bytes.len()).as_bytes());
            all.extend_from_slice(&bytes);
        }
    }
    Ok(all)
}

/// A virtual environment with these packages. One for each text of requirements, so that guests may pin different
/// versions.
fn environment(requirements: &Path) -> Result<PathBuf, String> {
    let text = fs::read_to_string(requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
    let name: String =
        text.trim().chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    let venv = target().join("python").join(name);
    let ready = venv.join("ready");
    if ready.is_file() {
        return Ok(venv);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(requirements);
    run(&mut pip)?;
    fs::write(&ready, "").map_err(|error| format!("{}: {error}", ready.display()))?;
    Ok(venv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_with_an_app_are_built() {
        let below = tempfile::tempdir().unwrap();
        for name in ["shop", "bank", "notes"] {
            fs::create_dir(below.path().join(name)).unwrap();
        }
        for name in ["shop", "bank"] {
            fs::write(below.path().join(name).join("app.py"), "").unwrap();
        }
        assert_eq!(folders(below.path()), ["bank", "shop"].map(|name| below.path().join(name)));
        assert!(folders(&below.path().join("gone")).is_empty());
    }

    #[test]
    fn a_change_of_code_requirements_or_contract_is_seen_and_nothing_else() {
        let (folder, wit) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let now = || inputs(&[folder.path(), wit.path()]).unwrap();
        let mut last = now();
        for (place, name, text) in [
            (&folder, "app.py", "x = 1"),
            (&folder, "app.py", "x = 2"),
            (&folder, "requirements.txt", "a==1"),
            (&folder, "other.py", ""),
            (&wit, "a.wit", "package a:b;"),
        ] {
            fs::write(place.path().join(name), text).unwrap();
            assert_ne!(now(), last, "{name}");
            last = now();
        }
        fs::write(folder.path().join("README.md"), "words").unwrap();
        fs::create_dir(folder.path().join("__pycache__")).unwrap();
        assert_eq!(now(), last);
    }
}
