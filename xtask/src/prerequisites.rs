//! What the tests need besides Rust, brought in where that is possible without asking: the compiler's target and
//! components through rustup; the browser, RabbitMQ, Redis, an OCI registry and Python's virtual environments through
//! Debian's packages.

use std::fs;
use std::path::Path;
use std::process::Command;

use toml::{Table, Value};

use crate::run::{answer, cargo, has, root, run};

/// The browser and its driver, as Debian packages.
const BROWSER: [&str; 2] = ["chromium", "chromium-driver"];

/// What Debian's python3 lacks to make virtual environments, which the guests in Python are built in.
const VENV: &str = "python3-venv";
/// Programs that build the script engine, and their Debian packages.
const ENGINE: [(&str, &str); 3] = [("clang", "clang"), ("node", "nodejs"), ("npm", "npm")];

/// Checks everything and installs what is missing.
pub(crate) fn ensure() -> Result<(), String> {
    compiler()?;
    for (program, package) in [("cc", "gcc"), ("python3", "python3")] {
        if !has(program) {
            return Err(format!("{program} is missing; install it (Debian: apt-get install {package})"));
        }
    }
    packages()?;
    for_engine()
}

/// The parts of the toolchain that rust-toolchain.toml names. rustup has usually installed them before this program
/// was even compiled; not so when the toolchain was there already, without them.
fn compiler() -> Result<(), String> {
    let missing_targets: Vec<String> = wanted("targets")?.into_iter().filter(|name| !has_target(name)).collect();
    let missing_components: Vec<String> =
        wanted("components")?.into_iter().filter(|name| !has_component(name)).collect();
    for (kind, missing) in [("target", missing_targets), ("component", missing_components)] {
        if missing.is_empty() {
            continue;
        }
        if !has("rustup") {
            return Err(format!(
                "this Rust lacks {}; install Rust through https://rustup.rs, which brings it, or add it the way this \
                 Rust was installed",
                missing.join(" and ")
            ));
        }
        run(Command::new("rustup").args([kind, "add"]).args(missing).current_dir(root()))?;
    }
    Ok(())
}

/// A list in rust-toolchain.toml.
fn wanted(key: &str) -> Result<Vec<String>, String> {
    let path = root().join("rust-toolchain.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    listed(&text, key).map_err(|error| format!("{}: {error}", path.display()))
}

fn listed(text: &str, key: &str) -> Result<Vec<String>, String> {
    let table: Table = text.parse().map_err(|error| format!("{error}"))?;
    let list = table.get("toolchain").and_then(|toolchain| toolchain.get(key)).and_then(Value::as_array);
    Ok(list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect())
}

fn has_target(name: &str) -> bool {
    let folder = answer(Command::new("rustc").args(["--print", "target-libdir", "--target", name]).current_dir(root()));
    folder.is_some_and(|folder| Path::new(&folder).is_dir())
}

/// rustfmt and clippy are commands of cargo; other components are taken to be there.
fn has_component(name: &str) -> bool {
    let command = match name {
        "rustfmt" => "fmt",
        "clippy" => "clippy",
        _ => return true,
    };
    answer(cargo().args([command, "--version"])).is_some()
}

/// A headless browser and its driver, which the end-to-end tests start by the name `chromedriver`; RabbitMQ, Redis and
/// an OCI registry, of which the tests start private servers; what Python needs to install packages.
fn packages() -> Result<(), String> {
    install(missing)
}

/// What the script engine is built with: a compiler for C that knows WebAssembly, and npm.
pub(crate) fn for_engine() -> Result<(), String> {
    compiler()?;
    install(|| ENGINE.into_iter().filter(|(program, _)| !has(program)).map(|(_, package)| package).collect())
}

/// Installs the Debian packages that are missing.
fn install(missing: impl Fn() -> Vec<&'static str>) -> Result<(), String> {
    let wanted = missing();
    if wanted.is_empty() {
        return Ok(());
    }
    let names = wanted.join(" ");
    let by_hand = format!("apt-get update && apt-get install -y --no-install-recommends {names}");
    if !has("apt-get") {
        return Err(format!("programs are missing; install them (on Debian: {by_hand})"));
    }
    let as_root: &[&str] = if answer(Command::new("id").arg("-u")).as_deref() == Some("0") {
        &["env"]
    } else if has("sudo") && answer(Command::new("sudo").args(["-n", "true"])).is_some() {
        &["sudo", "-n", "env"]
    } else {
        return Err(format!("programs are missing and this user may not install them; as root, run: {by_hand}"));
    };
    apt(as_root, &["update", "-qq"])?;
    apt(as_root, &[&["install", "-y", "-qq", "--no-install-recommends"][..], &wanted].concat())?;
    match missing().join(" and ") {
        left if left.is_empty() => Ok(()),
        left => Err(format!("after the installation of {names}, the programs of {left} cannot be found")),
    }
}

/// The Debian packages whose programs cannot be found.
fn missing() -> Vec<&'static str> {
    let browser = has("chromedriver") && (has("chromium") || has("google-chrome"));
    let browser = if browser { &[][..] } else { &BROWSER[..] };
    let venv = answer(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_none().then_some(VENV);
    browser.iter().copied().chain(venv).chain(vumi_test_servers::missing_packages()).collect()
}

fn apt(as_root: &[&str], words: &[&str]) -> Result<(), String> {
    let (program, rest) = as_root.split_first().unwrap_or((&"env", &[]));
    run(Command::new(program).args(rest).args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_toolchain_file_names_targets_and_components() {
        let text = "[toolchain]\nchannel = \"1.0\"\ntargets = [\"a\", \"b\"]\n";
        assert_eq!(listed(text, "targets").unwrap(), ["a", "b"]);
        assert_eq!(listed(text, "components").unwrap(), [""; 0]);
        assert!(listed("[toolchain", "targets").is_err());
    }

    #[test]
    fn what_compiles_this_is_there_and_the_rest_is_not() {
        assert!(!has_target("no-such-target"));
        assert!(has_component("some-other-component"));
    }
}
