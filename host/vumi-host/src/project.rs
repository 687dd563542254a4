//! Guest projects: a folder with a Cargo.toml is built before it is run.

use std::io::{BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use vumi_core::{Error, Result};

/// What guests are compiled for.
const TARGET: &str = "wasm32-wasip2";

/// What `--app` or `component` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A component.
    File(PathBuf),
    /// A project that makes one.
    Project(PathBuf),
}

impl Source {
    /// Looks at a path.
    ///
    /// # Errors
    /// One sentence when there is nothing that could be run.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        if path.is_file() {
            return Ok(Self::File(path.to_owned()));
        }
        if path.join("Cargo.toml").is_file() {
            return Ok(Self::Project(path.to_owned()));
        }
        if path.is_dir() {
            return Err(Error::permanent(format!(
                "{}: is a folder without a Cargo.toml, so there is nothing to build",
                path.display()
            )));
        }
        Err(Error::permanent(format!("{}: there is no such file or folder", path.display())))
    }

    /// The component, built if need be. Blocks while it builds.
    ///
    /// # Errors
    /// When the build fails; cargo's own messages have been printed by then.
    pub(crate) fn component(&self) -> Result<PathBuf> {
        match self {
            Self::File(path) => Ok(path.clone()),
            Self::Project(folder) => build(folder),
        }
    }

    /// When what it is made of was last changed.
    pub(crate) fn changed(&self) -> Option<SystemTime> {
        match self {
            Self::File(path) => path.metadata().and_then(|found| found.modified()).ok(),
            Self::Project(folder) => newest(&folder.join("src"), 0)
                .into_iter()
                .chain(folder.join("Cargo.toml").metadata().and_then(|found| found.modified()))
                .max(),
        }
    }
}

/// The newest file below a folder; links are not followed.
fn newest(folder: &Path, depth: usize) -> Option<SystemTime> {
    const DEEPEST: usize = 16;
    let entries = std::fs::read_dir(folder).ok()?;
    let times = entries.flatten().filter_map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() && depth < DEEPEST => newest(&entry.path(), depth + 1),
        Ok(kind) if kind.is_file() => entry.metadata().and_then(|found| found.modified()).ok(),
        _ => None,
    });
    times.max()
}

/// Runs cargo in a guest's folder and finds the component that it made.
fn build(folder: &Path) -> Result<PathBuf> {
    let progress = Progress::start(folder);
    let mut cargo = Command::new("cargo")
        .args(["build", "--release", "--target", TARGET, "--message-format", "json-render-diagnostics"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(if progress.is_bar() { Stdio::piped() } else { Stdio::inherit() })
        .spawn()
        .map_err(|error| {
            Error::permanent("cargo could not be started; install Rust from https://rustup.rs").because(error)
        })?;
    let complaints = cargo.stderr.take().map(|errors| {
        std::thread::spawn(move || BufReader::new(errors).lines().map_while(|line| line.ok()).collect::<Vec<_>>())
    });
    let mut component = None;
    if let Some(output) = cargo.stdout.take() {
        for line in BufReader::new(output).lines().map_while(|line| line.ok()) {
            let Ok(message) = serde_json::from_str::<Value>(&line) else { continue };
            if message.get("reason").and_then(Value::as_str) == Some("compiler-artifact") {
                progress.step(message.pointer("/target/name").and_then(Value::as_str).unwrap_or_default());
                component = wasm_of(&message).or(component);
            }
        }
    }
    let status = cargo.wait().map_err(|error| Error::permanent("cargo did not end properly").because(error))?;
    progress.end();
    if !status.success() {
        for line in complaints.and_then(|thread| thread.join().ok()).into_iter().flatten() {
            eprintln!("{line}");
        }
        return Err(Error::permanent(format!("{}: the build failed (see above)", folder.display())));
    }
    component.ok_or_else(|| {
        Error::permanent(format!(
            "{}: the build made no component; its Cargo.toml needs `crate-type = [\"cdylib\"]` under [lib]",
            folder.display()
        ))
    })
}

/// The `.wasm` file among an artifact's files.
fn wasm_of(message: &Value) -> Option<PathBuf> {
    let files = message.get("filenames")?.as_array()?;
    files.iter().filter_map(Value::as_str).find(|file| file.ends_with(".wasm")).map(PathBuf::from)
}

/// A spinner on a terminal, plain lines elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    fn start(folder: &Path) -> Self {
        if !std::io::stderr().is_terminal() {
            eprintln!("building {} …", folder.display());
            return Self { bar: None };
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} building {prefix} · {pos} crates · {msg} · {elapsed}")
        {
            bar.set_style(style);
        }
        bar.set_prefix(folder.display().to_string());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar: Some(bar) }
    }

    fn is_bar(&self) -> bool {
        self.bar.is_some()
    }

    fn step(&self, name: &str) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
            bar.set_message(name.to_owned());
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_run_gets_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let error = Source::of(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("is a folder without a Cargo.toml, so there is nothing to build"), "{error}");
        let error = Source::of(&folder.path().join("x.wasm")).unwrap_err().to_string();
        assert!(error.ends_with("x.wasm: there is no such file or folder"), "{error}");
        std::fs::write(folder.path().join("Cargo.toml"), "").unwrap();
        assert_eq!(Source::of(folder.path()).unwrap(), Source::Project(folder.path().to_owned()));
    }
}
