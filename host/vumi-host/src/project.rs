//! What an app is made of: a file that is run as it is, or a guest's project that is built first.
//!
//! A folder with a `Cargo.toml` is a Rust project and makes a component; one with a `package.json` is a JavaScript or
//! TypeScript project and makes a script. Whoever wants to run, test or deploy an app asks its [`Source`] for the file.

mod cargo;
mod node;
mod progress;
mod tools;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use vumi_core::{Error, Result};

/// What `--app` or `component` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A component or a script.
    File(PathBuf),
    /// A Rust project.
    Cargo(PathBuf),
    /// A JavaScript or TypeScript project.
    Node(PathBuf),
}

/// Why a project could not be built.
#[derive(Debug)]
pub(crate) struct BuildFailure {
    /// One sentence.
    pub(crate) error: Error,
    /// What the compiler said; empty when there was none to say anything. It has been printed by then.
    pub(crate) output: String,
}

impl From<Error> for BuildFailure {
    fn from(error: Error) -> Self {
        Self { error, output: String::new() }
    }
}

impl BuildFailure {
    /// For a person in front of the page: what the compiler said, or the sentence where it said nothing.
    pub(crate) fn text(&self) -> String {
        if self.output.is_empty() { self.error.report() } else { self.output.clone() }
    }
}

/// Files and folders of a project that are made, not written: their change is no reason to build.
const MADE: [&str; 5] = ["target", "node_modules", "dist", "Cargo.lock", "package-lock.json"];

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
            return Ok(Self::Cargo(path.to_owned()));
        }
        if path.join("package.json").is_file() {
            return Ok(Self::Node(path.to_owned()));
        }
        if path.is_dir() {
            return Err(Error::permanent(format!(
                "{}: is a folder without a Cargo.toml or a package.json, so there is nothing to build; \
                 `vumi-host new` makes a project",
                path.display()
            )));
        }
        Err(Error::permanent(format!("{}: there is no such file or folder", path.display())))
    }

    /// The component or script, built if need be. Blocks while it builds.
    ///
    /// # Errors
    /// When the build fails; the compiler's own messages have been printed by then.
    pub(crate) fn component(&self) -> Result<PathBuf> {
        self.build().map_err(|failure| failure.error)
    }

    /// The same, for those who want to show what the compiler said.
    ///
    /// # Errors
    /// See [`BuildFailure`].
    pub(crate) fn build(&self) -> Result<PathBuf, BuildFailure> {
        match self {
            Self::File(path) => Ok(path.clone()),
            Self::Cargo(folder) => cargo::build(folder),
            Self::Node(folder) => node::build(folder),
        }
    }

    /// Checks the types of a TypeScript project; anything else has been checked by being built. Blocks.
    ///
    /// # Errors
    /// When the types do not fit, with what the compiler said.
    pub(crate) fn check(&self) -> Result<(), BuildFailure> {
        match self {
            Self::Node(folder) => node::check(folder),
            Self::File(_) | Self::Cargo(_) => Ok(()),
        }
    }

    /// Stands for all that it is made of: another number means that something was changed. None when nothing is there.
    pub(crate) fn changed(&self) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        match self {
            Self::File(path) => modified(path)?.hash(&mut hasher),
            Self::Cargo(folder) | Self::Node(folder) => {
                let mut files = Vec::new();
                files_of(folder, 0, &mut files);
                if files.is_empty() {
                    return None;
                }
                files.sort();
                files.hash(&mut hasher);
            }
        }
        Some(hasher.finish())
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|found| found.modified()).ok()
}

/// A project's own files with the time of their last change; links are not followed.
fn files_of(folder: &Path, depth: usize, files: &mut Vec<(PathBuf, SystemTime)>) {
    const DEEPEST: usize = 16;
    const MOST: usize = 20_000;
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_made = name.to_str().is_some_and(|name| name.starts_with('.') || MADE.contains(&name));
        if is_made || files.len() >= MOST {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth < DEEPEST => files_of(&entry.path(), depth + 1, files),
            Ok(kind) if kind.is_file() => {
                if let Some(time) = modified(&entry.path()) {
                    files.push((entry.path(), time));
                }
            }
            _ => {}
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
        assert!(error.contains("is a folder without a Cargo.toml or a package.json"), "{error}");
        let error = Source::of(&folder.path().join("x.wasm")).unwrap_err().to_string();
        assert!(error.ends_with("x.wasm: there is no such file or folder"), "{error}");
        std::fs::write(folder.path().join("package.json"), "{}").unwrap();
        assert_eq!(Source::of(folder.path()).unwrap(), Source::Node(folder.path().to_owned()));
        std::fs::write(folder.path().join("Cargo.toml"), "").unwrap();
        assert_eq!(Source::of(folder.path()).unwrap(), Source::Cargo(folder.path().to_owned()));
    }

    #[test]
    fn a_change_is_seen_and_what_the_build_makes_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        };
        let source = Source::Node(folder.path().to_owned());
        assert_eq!(source.changed(), None);
        put("src/app.js");
        let first = source.changed();
        assert!(first.is_some());
        for made in ["dist/app.mjs", "node_modules/a/index.js", "package-lock.json", "target/x", ".git/index"] {
            put(made);
            assert_eq!(source.changed(), first, "{made}");
        }
        put("locale/sw.po");
        let second = source.changed();
        assert_ne!(second, first, "a new file");
        std::fs::remove_file(folder.path().join("locale/sw.po")).unwrap();
        assert_eq!(source.changed(), first, "and its removal");
        let file = std::fs::File::options().write(true).open(folder.path().join("src/app.js")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_ne!(source.changed(), first, "a file that is older than before, as after `git checkout`");
    }
}
