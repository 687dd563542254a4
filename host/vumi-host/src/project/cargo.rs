//! Rust projects: cargo makes a component.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use vumi_core::Error;

use super::BuildFailure;
use super::progress::Progress;
use super::tools::{self, Ended};

/// What guests are compiled for.
const TARGET: &str = "wasm32-wasip2";

/// Where cargo comes from.
const HELP: &str = "install Rust from https://rustup.rs";

/// Runs cargo in a guest's folder and finds the component that it made. A compiler without the guests' target gets it
/// through rustup, once.
pub(super) fn build(folder: &Path) -> Result<PathBuf, BuildFailure> {
    let (mut component, mut ended) = attempt(folder)?;
    if !ended.status.success() && lacks_target(&ended.output) && add_target(folder)? {
        (component, ended) = attempt(folder)?;
    }
    if !ended.status.success() {
        let help = if lacks_target(&ended.output) {
            format!("; the compiler has no {TARGET}: run `rustup target add {TARGET}`")
        } else {
            String::new()
        };
        return Err(BuildFailure {
            error: Error::permanent(format!("{}: the build failed (see above){help}", folder.display())),
            output: complaints(&ended.output),
        });
    }
    component.ok_or_else(|| {
        let sentence = format!(
            "{}: the build made no component; its Cargo.toml needs `crate-type = [\"cdylib\"]` under [lib]",
            folder.display()
        );
        Error::permanent(sentence).into()
    })
}

fn attempt(folder: &Path) -> Result<(Option<PathBuf>, Ended), Error> {
    let progress = Progress::start(folder, "crates");
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--target", TARGET, "--message-format", "json-render-diagnostics"])
        .current_dir(folder);
    let mut component = None;
    let ended = tools::run(&mut cargo, HELP, &progress, |line| {
        let Ok(message) = serde_json::from_str::<Value>(line) else { return };
        if message.get("reason").and_then(Value::as_str) == Some("compiler-artifact") {
            progress.step(message.pointer("/target/name").and_then(Value::as_str).unwrap_or_default());
            component = wasm_of(&message).or(component.take());
        }
    })?;
    progress.end(if ended.status.success() { "" } else { &ended.output });
    Ok((component, ended))
}

/// The `.wasm` file among an artifact's files.
fn wasm_of(message: &Value) -> Option<PathBuf> {
    let files = message.get("filenames")?.as_array()?;
    files.iter().filter_map(Value::as_str).find(|file| file.ends_with(".wasm")).map(PathBuf::from)
}

fn lacks_target(output: &str) -> bool {
    output.contains("target may not be installed")
}

/// Asks rustup for the target; false where there is no rustup, or it does not get it.
fn add_target(folder: &Path) -> Result<bool, Error> {
    eprintln!("the compiler has no {TARGET} yet: rustup target add {TARGET}");
    let mut rustup = Command::new("rustup");
    let added = rustup.args(["target", "add", TARGET]).current_dir(folder).status();
    Ok(added.is_ok_and(|status| status.success()))
}

/// What cargo says without its lines about progress.
fn complaints(output: &str) -> String {
    const PROGRESS: [&str; 9] = [
        "Compiling ",
        "Updating ",
        "Locking ",
        "Adding ",
        "Downloading ",
        "Downloaded ",
        "Finished ",
        "Blocking ",
        "warning: build failed, waiting",
    ];
    let is_progress = |line: &&str| PROGRESS.iter().any(|word| line.trim_start().starts_with(word));
    let lines: Vec<&str> = output.lines().filter(|line| !is_progress(line)).collect();
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_gets_the_mistakes_and_not_the_progress() {
        let output = "   Compiling shop v0.1.0 (/home/anna/shop)\nerror[E0425]: cannot find value `x` in this scope\n --> src/lib.rs:3:5\n\nerror: could not compile `shop` (lib) due to 1 previous error\n";
        assert_eq!(
            complaints(output),
            "error[E0425]: cannot find value `x` in this scope\n --> src/lib.rs:3:5\n\nerror: could not compile `shop` (lib) due to 1 previous error"
        );
    }

    #[test]
    fn the_component_is_found_among_the_files() {
        let message = serde_json::json!({"filenames": ["/t/libshop.rlib", "/t/shop.wasm"]});
        assert_eq!(wasm_of(&message), Some(PathBuf::from("/t/shop.wasm")));
        assert_eq!(wasm_of(&serde_json::json!({"filenames": ["/t/libshop.rlib"]})), None);
    }
}
