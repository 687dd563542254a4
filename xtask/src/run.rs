//! Starting other programs, and where things are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::servers;

/// The repository's root, wherever the chore was started.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// Where cargo puts what it builds for the host.
pub(crate) fn target() -> PathBuf {
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Where all guests are built, so that what they share is compiled once; the tests look for them there.
pub(crate) fn guest_target() -> PathBuf {
    root().join("target/guests")
}

/// cargo, the one that runs this, in the repository's root, with the way to the servers that run for the tests.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()).envs(servers::environment());
    cargo
}

/// `cargo VERB` for a project that is a workspace of its own: with its own `.cargo/config.toml`, its own lock file, and
/// the target folder that all of them share.
pub(crate) fn cargo_apart(folder: &Path, verb: &str) -> Command {
    let mut cargo = cargo();
    // cargo looks for a project's configuration from the folder that it is started in.
    cargo.current_dir(folder).env("CARGO_TARGET_DIR", guest_target());
    // These would replace the flags in that configuration, and are meant for the machine's own processor.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    // Always release: then what a build, a check and a documentation have in common is compiled once.
    cargo.args([verb, "--release"]);
    if folder.join("Cargo.lock").is_file() {
        cargo.arg("--locked");
    }
    cargo
}

/// The same, compiled as guests are.
pub(crate) fn guest_cargo(folder: &Path, verb: &str) -> Command {
    let mut cargo = cargo_apart(folder, verb);
    cargo.args(["--target", WASM]);
    cargo
}

/// What guests are compiled for.
pub(crate) const WASM: &str = "wasm32-wasip2";

/// Runs a command whose output is shown; an error names it.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let shown = show(command);
    let status = command.status().map_err(|error| format!("`{shown}` could not be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` failed ({status})")) }
}

/// What a command prints, or nothing when it fails; what it complains about is not shown.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A command as a user would type it, with the folder when that is not the root.
fn show(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    let line = std::iter::once(name).chain(words).collect::<Vec<_>>().join(" ");
    match command.get_current_dir().and_then(|folder| folder.strip_prefix(root()).ok()) {
        Some(folder) if !folder.as_os_str().is_empty() => format!("{line}` in `{}", folder.display()),
        _ => line,
    }
}

/// True when a program can be found.
pub(crate) fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The folders directly below one that hold a Cargo.toml, in order.
pub(crate) fn projects(below: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(below).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.join("Cargo.toml").is_file()).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_named_as_a_user_would_type_it() {
        let mut command = Command::new("/usr/bin/env");
        command.args(["sh", "-c", "exit 3"]);
        assert_eq!(run(&mut command).unwrap_err(), "`env sh -c exit 3` failed (exit status: 3)");
        let mut command = Command::new("no-such-program-here");
        command.current_dir(root().join("xtask"));
        let error = run(&mut command).unwrap_err();
        assert!(error.starts_with("`no-such-program-here` in `xtask` could not be started: "), "{error}");
    }

    #[test]
    fn only_a_successful_command_answers() {
        assert_eq!(answer(Command::new("sh").args(["-c", "echo yes; exit 1"])), None);
        assert_eq!(answer(Command::new("sh").args(["-c", "echo yes"])).as_deref(), Some("yes"));
    }
}
