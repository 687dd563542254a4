//! Components as parts of a system: a router that chooses the app by the first word, and a middleware on a transport.

use serde_json::Value;
use vumi_tests::guests::{guest, scratch};
use vumi_tests::{Host, HostBuilder, Telnet, http, until};

/// Telnet and simulated phones, a router between them and two apps, and a middleware on the phones.
fn system() -> (Host, tempfile::TempDir) {
    let folder = scratch();
    let file = folder.path().join("vumi.yaml");
    for name in ["keyword-router", "blocklist", "echo", "reverse"] {
        std::fs::copy(guest(name), folder.path().join(format!("{name}.wasm"))).unwrap();
    }
    let text = r#"
admin: { listen: 127.0.0.1:0 }
transports:
  telnet: { class: telnet, telnet_host: 127.0.0.1, telnet_port: 0 }
  phones:
    class: simulator
    middleware:
      - blocklist: wasm
    blocklist: { component: blocklist.wasm, config: { blocked: "+27820000666" } }
dispatchers:
  main:
    class: wasm
    transport_names: [telnet, phones]
    exposed_names: [echo, reverse]
    component: keyword-router.wasm
    config: { words: "back=reverse forth=echo", fallback: echo }
    limits: { kv_keys: 1000 }
apps:
  echo: { component: echo.wasm }
  reverse: { component: reverse.wasm }
"#;
    std::fs::write(&file, text).unwrap();
    (HostBuilder::run(&file).start(), folder)
}

#[test]
fn a_conversation_goes_from_app_to_app_by_its_words() {
    let (host, _folder) = system();
    let mut user = Telnet::connect(host.listening("telnet"));
    assert_eq!(user.read_line().as_deref(), Some("Enter text to echo:"));
    assert_eq!(user.ask("hello"), "hello");
    assert_eq!(user.ask("back to front"), "tnorf ot kcab");
    assert_eq!(user.ask("hello"), "olleh", "the user stays with the app");
    let mut other = Telnet::connect(host.listening("telnet"));
    other.read_line();
    assert_eq!(other.ask("hello"), "hello", "another user is not meant");
    assert_eq!(user.ask("Forth now"), "Forth now");
    assert_eq!(user.ask("hello"), "hello");
    let metrics = http::get(host.admin, "/metrics").text();
    assert!(metrics.contains("vumi_app_runs_total{app=\"main.router\",outcome=\"ok\"}"), "{metrics}");
}

/// A reply's ack goes back to the app that sent it.
#[test]
fn acks_reach_the_app_that_sent_the_message() {
    let (host, _folder) = system();
    host.sms("+27820000001", "back").expect("it is accepted");
    until("the ack reached the app", || {
        let runs = host.runs("reverse");
        // One for the message, one for the ack of the answer.
        (runs.len() == 2 && runs.iter().all(|run| run["outcome"] == "ok")).then_some(())
    });
    let echo = host.runs("echo");
    assert!(echo.is_empty(), "the other app saw nothing of it: {echo:?}");
}

#[test]
fn the_blocked_are_not_heard_and_all_others_are_noted() {
    let (host, _folder) = system();
    host.sms("+27820000666", "let me in").expect("the network took it");
    host.sms("+27820000001", "hello").expect("it is accepted");
    let seen: Value = until("the good message is recorded", || {
        let records = host.messages("phones");
        records.into_iter().find(|record| record["direction"] == "inbound")
    });
    assert_eq!(seen["payload"]["content"], "hello");
    assert_eq!(seen["payload"]["helper_metadata"]["blocklist"], "checked");
    until("the answer came to the phone", || {
        let texts: Vec<Value> = host.phone("+27820000001").iter().map(|message| message["content"].clone()).collect();
        (texts == ["hello", "hello"]).then_some(())
    });
    let metrics = http::get(host.admin, "/metrics").text();
    assert!(metrics.contains("metric=\"phones.blocklist.stores.default.blocked\"} 1"), "{metrics}");
    assert!(host.log().contains("stopped a message of +27820000666"), "{}", host.log());
}

#[test]
fn a_component_of_the_wrong_world_is_refused_at_the_start() {
    let (good, folder) = system();
    drop(good);
    let file = folder.path().join("vumi.yaml");
    let right = std::fs::read_to_string(&file).unwrap();
    for (old, new, sentence) in [
        ("component: keyword-router.wasm", "component: echo.wasm", "error: dispatcher `main`: "),
        ("component: blocklist.wasm", "component: keyword-router.wasm", "error: middleware `blocklist`: "),
        ("{ component: echo.wasm }", "{ component: blocklist.wasm }", "error: "),
        ("component: keyword-router.wasm", "component: no-such.wasm", "error: dispatcher `main`: "),
    ] {
        std::fs::write(&file, right.replace(old, new)).unwrap();
        let (status, stdout, stderr) = HostBuilder::run(&file).output();
        assert!(!status.success(), "{stdout}");
        assert!(stderr.contains(sentence), "{stderr}");
        let reason = if new.contains("no-such") { "there is no such file" } else { "does not fit the world vumi:app/" };
        assert!(stderr.contains(reason) && !stderr.contains("panicked"), "{stderr}");
    }
}
