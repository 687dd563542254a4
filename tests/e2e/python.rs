//! A guest that is not in Rust: the contract is the same for every language that can make a component. This one was made
//! by componentize-py, with all of CPython inside.

use std::path::Path;

use serde_json::Value;
use vumi_tests::guests::{guest, root, scratch};
use vumi_tests::host::run_binary;
use vumi_tests::{Host, HostBuilder, until};

const PHONE: &str = "+27820000001";

/// A host with simulated phones and the echo in Python, whose app has these further options. It keeps no data, so that
/// the compiled component is taken from the user's cache: compiling CPython anew takes seconds.
fn host(folder: &Path, options: &str) -> Host {
    let file = folder.join("vumi.yaml");
    std::fs::copy(guest("python-echo"), folder.join("echo.wasm")).unwrap();
    let text = format!(
        "
admin: {{ listen: 127.0.0.1:0 }}
transports:
  phones: {{ class: simulator }}
dispatchers:
  main: {{ class: simple, transport_names: [phones], exposed_names: [echo], route_mappings: {{ phones: [echo] }} }}
apps:
  echo: {{ component: echo.wasm{options} }}
"
    );
    std::fs::write(&file, text).unwrap();
    HostBuilder::run(&file).start()
}

/// Sends texts one after another; each comes back before the next is sent.
fn converse(host: &Host, texts: &[&str]) {
    for (index, text) in texts.iter().enumerate() {
        host.sms(PHONE, text).expect("it is accepted");
        until("the answer came to the phone", || (host.phone(PHONE).len() == 2 * (index + 1)).then_some(()));
    }
    let seen: Vec<Value> = host.phone(PHONE).iter().map(|message| message["content"].clone()).collect();
    let expected: Vec<&str> = texts.iter().flat_map(|text| [*text, *text]).collect();
    assert_eq!(seen, expected);
}

/// The log lines about counted messages, oldest first.
fn counted(host: &Host, times: usize) {
    let expected: Vec<String> = (1..=times).map(|number| format!("message {number} of {PHONE}")).collect();
    until("the messages were counted", || {
        let logs = host.logs("echo");
        let lines: Vec<&str> = logs.iter().rev().filter_map(|line| line["text"].as_str()).collect();
        (lines == expected).then_some(())
    });
}

#[test]
fn a_guest_in_python_answers_with_fresh_instances_and_with_reused_ones() {
    let folder = scratch();
    for options in ["", ", instances: reuse"] {
        let host = host(folder.path(), options);
        converse(&host, &["hello", "héllo ☃", ""]);
        counted(&host, 3);
        // A run for each message and one for the ack of each answer, within the default limits.
        let runs = until("all runs have ended", || Some(host.runs("echo")).filter(|runs| runs.len() == 6));
        for run in &runs {
            assert_eq!(run["outcome"], "ok", "{run}");
        }
        let (status, _, log) = host.terminate();
        assert!(status.success(), "{log}");
    }

    // It does what the echo in Rust does: the same conversations pass.
    let (component, tests) = (guest("python-echo"), root().join("guest-examples/echo/tests"));
    let (component, tests) = (component.to_string_lossy(), tests.to_string_lossy());
    let (status, stdout, stderr) = run_binary(&["test", "--app", &component, &tests]);
    assert!(status.success() && stdout.contains("all as expected"), "{stdout}{stderr}");
}
