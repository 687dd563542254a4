//! `--app`: a changed app is put in place while the host runs.

use std::path::Path;

use vumi_tests::guests::{guest, root, scratch, target};
use vumi_tests::{HostBuilder, Telnet, until};

#[test]
fn a_changed_file_answers_the_next_message() {
    let folder = scratch();
    let app = folder.path().join("app.wasm");
    std::fs::copy(guest("echo"), &app).unwrap();
    let host = HostBuilder::app(&app).start();
    let mut user = Telnet::connect(host.telnet());
    assert_eq!(user.read_line().as_deref(), Some("Enter text to echo:"));
    assert_eq!(user.ask("endpoint"), "endpoint");

    std::fs::write(&app, "no component at all").unwrap();
    until("the failure is told", || host.log().contains("not reloaded, the old version goes on").then_some(()));
    assert_eq!(user.ask("still echo"), "still echo");

    std::fs::copy(guest("probe"), &app).unwrap();
    until("the new one is in place", || host.log().contains("reloaded app=").then_some(()));
    // The same connection, the same session: the probe knows this command, the echo would repeat it.
    assert_eq!(user.ask("endpoint"), "default");
    let events: Vec<String> = host
        .messages("telnet")
        .iter()
        .filter(|record| record["direction"] == "inbound")
        .map(|record| record["payload"]["session_event"].to_string())
        .collect();
    assert_eq!(events, ["\"new\"", "\"resume\"", "\"resume\"", "\"resume\""]);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            if entry.file_name() != "target" {
                copy(&entry.path(), &place);
            }
        } else {
            std::fs::copy(entry.path(), place).unwrap();
        }
    }
}

#[test]
fn a_folder_is_built_and_run() {
    let folder = scratch();
    let project = folder.path().join("echo");
    copy(&root().join("guest-examples/echo"), &project);
    let manifest = std::fs::read_to_string(project.join("Cargo.toml")).unwrap();
    let sdk = root().join("sdk/rust");
    std::fs::write(project.join("Cargo.toml"), manifest.replace("../../sdk/rust", sdk.to_str().unwrap())).unwrap();
    let host = HostBuilder::app(&project).env("CARGO_TARGET_DIR", target().join("guests")).start();
    let mut user = Telnet::connect(host.telnet());
    assert_eq!(user.read_line().as_deref(), Some("Enter text to echo:"));
    assert_eq!(user.ask("built just now"), "built just now");
    assert!(host.log().contains("building "), "{}", host.log());
}
