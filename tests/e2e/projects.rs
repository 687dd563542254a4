//! From nothing to a running app: the commands of the README one after another, for each language.

use std::path::{Path, PathBuf};

use serde_json::Value;
use vumi_tests::guests::{root, scratch, target};
use vumi_tests::host::{read, run_binary};
use vumi_tests::{HostBuilder, Telnet};

/// A project in a folder of its own, made by `vumi-host new`.
pub(crate) struct Project {
    pub(crate) folder: PathBuf,
    _scratch: tempfile::TempDir,
}

impl Project {
    pub(crate) fn new(name: &str, template: &str) -> Self {
        let scratch = scratch();
        let folder = scratch.path().join(name);
        let (status, stdout, stderr) = run_binary(&["new", text(&folder), "--template", template]);
        assert!(status.success(), "{stderr}");
        assert!(stdout.contains(&format!("vumi-host dev {}", folder.display())), "{stdout}");
        // What Rust projects have in common is compiled once for all tests; a user's project has a `target` of its own.
        if template == "rust" {
            let shared = format!("\n[build]\ntarget-dir = {:?}\n", target().join("guests").join("templates"));
            let config = folder.join(".cargo/config.toml");
            std::fs::write(&config, read(&config) + &shared).unwrap();
        }
        Self { folder, _scratch: scratch }
    }

    /// Changes a file: `from`, which must be in it, becomes `to`.
    pub(crate) fn change(&self, file: &str, from: &str, to: &str) {
        let path = self.folder.join(file);
        let before = read(&path);
        assert!(before.contains(from), "{file} has no {from:?}:\n{before}");
        std::fs::write(path, before.replace(from, to)).unwrap();
    }

    /// Has `vumi-host` do something with it; the answer is what it said.
    pub(crate) fn command(&self, command: &str) -> String {
        let (status, stdout, stderr) = run_binary(&[command, text(&self.folder)]);
        assert!(status.success(), "{command}: {stdout}{stderr}");
        stdout
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// `new`, `build`, `test` and `--app`, as a person types them.
fn from_nothing_to_a_running_app(template: &str, made: &str) {
    let project = Project::new("corner-shop", template);
    let said = project.command("build");
    let app = project.folder.join("dist").join(made);
    assert!(said.contains(text(&app)) && said.contains("sha-256 "), "{said}");
    let graph: Value = serde_json::from_str(&read(&app.with_extension("graph.json"))).expect("the graph is JSON");
    assert!(graph["states"].as_array().is_some_and(|states| states.len() == 5), "{graph}");
    let drawing = read(&app.with_extension("graph.mmd"));
    assert!(drawing.starts_with("flowchart TD\n") && drawing.contains("-->"), "{drawing}");

    if made.ends_with(".mjs") {
        // The first line tells a host what it is that was uploaded.
        assert!(read(&app).starts_with("// vumi-app: module\n"));
        assert!(project.folder.join("dist").join(format!("{made}.map")).is_file());
    }

    let said = project.command("test");
    assert!(said.contains("all as expected") && said.contains("5 of 5 states entered"), "{said}");

    let host = HostBuilder::app(&project.folder).start();
    let mut user = Telnet::connect(host.telnet());
    for line in ["Welcome to Corner shop!", "1. Order", "2. Opening hours"] {
        assert_eq!(user.read_line().as_deref(), Some(line));
    }
    assert_eq!(user.ask("2"), "We are open from 8:00 to 16:00.");
}

#[test]
fn a_rust_project() {
    from_nothing_to_a_running_app("rust", "corner-shop.wasm");
}

#[test]
fn a_javascript_project() {
    from_nothing_to_a_running_app("js", "corner-shop.mjs");
}

#[test]
fn a_typescript_project() {
    from_nothing_to_a_running_app("ts", "corner-shop.mjs");
}

#[test]
fn types_that_do_not_fit_fail_the_build() {
    let project = Project::new("shop", "ts");
    let app = project.folder.join("src/app.ts");
    std::fs::write(&app, read(&app) + "\nconst wrong: number = 'a text';\nvoid wrong;\n").unwrap();
    let (status, _, stderr) = run_binary(&["build", text(&project.folder)]);
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("src/app.ts(") && stderr.contains("TS2322"), "{stderr}");
    assert!(stderr.contains("its types do not fit"), "{stderr}");
}

#[test]
fn what_is_there_stays_as_it_is() {
    let project = Project::new("shop", "rust");
    let before = read(&project.folder.join("Cargo.toml"));
    let (status, _, stderr) = run_binary(&["new", text(&project.folder), "--template", "js"]);
    assert_eq!(status.code(), Some(64), "{stderr}");
    assert!(stderr.contains("is there already"), "{stderr}");
    assert_eq!(read(&project.folder.join("Cargo.toml")), before);
    assert!(!project.folder.join("package.json").exists());
}

#[test]
fn the_sdk_of_a_checkout_is_named_and_not_copied() {
    let scratch = scratch();
    let folder = scratch.path().join("shop");
    let (status, _, stderr) = run_binary(&["new", text(&folder), "--template", "rust", "--sdk", text(&root())]);
    assert!(status.success(), "{stderr}");
    let sdk = root().canonicalize().unwrap().join("sdk/rust");
    assert!(read(&folder.join("Cargo.toml")).contains(&format!("path = \"{}\"", sdk.display())));
    assert!(!folder.join("vendor").exists());
}

#[test]
fn a_shell_can_complete_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let (status, stdout, stderr) = run_binary(&["completions", shell]);
        assert!(status.success() && stdout.contains("vumi-host") && stdout.contains("deploy"), "{shell}: {stderr}");
    }
}
