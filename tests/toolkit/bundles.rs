//! What comes from npm: installed once by the lock file, without running anything that it brings, and bundled once per
//! run of these tests.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use vumi_tests::guests::{root, target};

/// The project that names what is fetched.
pub fn project() -> PathBuf {
    root().join("tests/toolkit/js")
}

/// The folder with the bundles; see `js/build.mjs`.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        install();
        let folder = target().join("toolkit");
        succeed(Command::new("node").arg("build.mjs").arg(&folder).current_dir(project()));
        folder
    })
}

/// The text of a bundle.
pub fn bundle(name: &str) -> String {
    read(&folder().join(format!("{name}.js")))
}

/// An app of ours, as it is.
pub fn feature(name: &str) -> String {
    read(&project().join("features").join(format!("{name}.js")))
}

/// An example application of the toolkit, as it is.
pub fn example(name: &str) -> String {
    folder();
    read(&project().join("node_modules/vumigo_v02/examples").join(name).join("lib/app.js"))
}

/// Runs a program to its end, and takes what it printed.
///
/// # Panics
/// When it cannot be started or fails.
pub fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; is Node.js installed?"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {told}");
    output
}

/// Installs what is missing or older than the lock file. npm writes the inner lock file last.
fn install() {
    let changed = |path: &str| project().join(path).metadata().and_then(|meta| meta.modified()).ok();
    if changed("node_modules/.package-lock.json") < changed("package-lock.json") {
        let words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        succeed(Command::new("npm").args(words).current_dir(project()));
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
