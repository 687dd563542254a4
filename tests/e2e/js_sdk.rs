//! Apps made with the JavaScript SDK, on the script engine that the host ships: their conversation tests, and the short
//! form with an app of one file.

use std::path::PathBuf;

use serde_json::Value;
use vumi_tests::guests::root;
use vumi_tests::host::run_binary;
use vumi_tests::wait::until;
use vumi_tests::{HostBuilder, Telnet};

/// An app as `cargo xtask test --only js` bundled it.
fn script(name: &str) -> PathBuf {
    let path = root().join("target/guests").join(name).with_extension("mjs");
    assert!(path.is_file(), "{} is missing; run `cargo xtask test --only js` first", path.display());
    path
}

/// Plays the conversations of a folder against an app, and gives what was printed.
fn play(name: &str, folder: &str) -> String {
    let (app, tests) = (script(name), root().join(folder));
    let words = ["test", "--app", app.to_str().expect("UTF-8"), tests.to_str().expect("UTF-8")];
    let (status, stdout, stderr) = run_binary(&words);
    assert!(status.success() && !stderr.contains("panicked"), "{stdout}{stderr}");
    stdout
}

/// Handlers that wait, kv, fetch within and outside of what is allowed, errors with their place, events, a dialogue.
#[test]
fn the_sdk_does_on_the_engine_what_it_promises() {
    let printed = play("js-probe", "tests/scripts/js-probe/tests");
    assert!(printed.contains("12 conversations"), "{printed}");
}

/// The Rust echo passes the same file.
#[test]
fn the_echo_passes_its_tests() {
    let printed = play("js-echo", "guest-examples/js/echo/tests");
    assert!(printed.contains("4 conversations"), "{printed}");
}

#[test]
fn an_app_of_one_file_answers_over_telnet() {
    let host = HostBuilder::app(&script("js-echo")).start();
    let mut user = Telnet::connect(host.telnet());
    assert_eq!(user.read_line().as_deref(), Some("Enter text to echo:"));
    assert_eq!(user.ask("hello"), "hello");
    assert_eq!(user.ask("héllo ☃"), "héllo ☃");
    until("the app's log has its line", || {
        let is_second = |line: &Value| line["text"].as_str().is_some_and(|text| text.starts_with("message 2 of "));
        host.logs("js-echo").into_iter().find(is_second)
    });
    let (status, _, log) = host.terminate();
    assert!(status.success(), "{log}");
}
