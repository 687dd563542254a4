//! Apps that fail: what their owners are told, and that others are not harmed.

use std::path::Path;

use vumi_tests::guests::{guest, scratch};
use vumi_tests::{HostBuilder, until};

#[test]
fn failures_show_in_runs_and_logs() {
    let host = HostBuilder::app(&guest("probe")).start();
    for (text, code, part) in [("panic", "trap", "trapped"), ("fail the reason why", "handler-error", "the reason why")]
    {
        let id = host.sms("+27820000001", text).expect("it is accepted");
        let run = until("its run is recorded", || {
            host.runs("probe").into_iter().find(|run| run["message_id"] == id.as_str())
        });
        assert_eq!((&run["outcome"], &run["reason"]), (&"failed".into(), &code.into()), "{run}");
        assert!(run["error"].as_str().is_some_and(|error| error.contains(part)), "{run}");
        let line = until("it is logged", || {
            host.logs("probe").into_iter().find(|line| {
                line["message_id"] == id.as_str() && line["text"].as_str().is_some_and(|text| text.contains(code))
            })
        });
        assert_eq!(line["level"], "error", "{line}");
    }
    let failures = &host.get("/api/v1/apps/probe")["counters"]["failures"];
    assert_eq!((&failures["trap"], &failures["handler-error"]), (&1.into(), &1.into()), "{failures}");
    host.sms("+27820000001", "echo still here").expect("it is accepted");
    until("the same user is served again", || {
        host.phone("+27820000001").iter().any(|message| message["content"] == "still here").then_some(())
    });
}

#[test]
fn a_guest_that_traps_at_its_start_fails_each_message() {
    let host = HostBuilder::app(&guest("trap-at-start")).start();
    for phone in ["+27820000001", "+27820000002"] {
        let id = host.sms(phone, "hello").expect("it is accepted");
        let run = until("its run is recorded", || {
            host.runs("trap-at-start").into_iter().find(|run| run["message_id"] == id.as_str())
        });
        assert_eq!((&run["outcome"], &run["reason"]), (&"failed".into(), &"instantiate".into()), "{run}");
        assert!(run["error"].as_str().is_some_and(|error| error.contains("unreachable")), "{run}");
    }
}

fn refused(component: &Path) -> String {
    let (status, _, stderr) = HostBuilder::app(component).output();
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert!(stderr.starts_with("error: ") && !stderr.contains("panicked"), "{stderr}");
    stderr
}

#[test]
fn what_is_no_app_is_refused_with_its_reason() {
    let stderr = refused(&guest("unknown-import"));
    assert!(stderr.contains("imports `nobody:offers/this@1.0.0`, which this host does not offer"), "{stderr}");
    let folder = scratch();
    let (core, text) = (folder.path().join("core.wasm"), folder.path().join("text.wasm"));
    std::fs::write(&core, b"\0asm\x01\0\0\0").unwrap();
    std::fs::write(&text, "hello").unwrap();
    for (file, reason) in [(core, "is a core WebAssembly module, not a component"), (text, "is not WebAssembly")] {
        let stderr = refused(&file);
        assert!(stderr.contains(&format!("{}: {reason}", file.display())), "{stderr}");
    }
}
