//! JavaScript: apps of Vumi's sandbox and modules, from the command line, from a file, as one of Vumi's workers, and
//! uploaded.

use std::path::{Path, PathBuf};

use serde_json::Value;
use vumi_tests::guests::scratch;
use vumi_tests::host::run_binary;
use vumi_tests::{HostBuilder, Telnet, until};

/// Answers each message with what it said and how many have come.
const ECHO: &str = r#"
api.on_inbound_message = function (command) {
    var self = this, msg = command.msg;
    self.request('kv.incr', {key: msg.from_addr.split(':')[0]}, function (reply) {
        var content = msg.content === null ? 'Say something:' : GREETING + msg.content + ' ' + reply.value;
        self.request('outbound.reply_to', {content: content, in_reply_to: msg.message_id}, function () { self.done(); });
    });
};
api.on_inbound_event = function () { this.done(); };
"#;

fn echo(greeting: &str) -> String {
    format!("var GREETING = {};{ECHO}", Value::from(greeting))
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn greeted(address: std::net::SocketAddr) -> Telnet {
    let mut user = Telnet::connect(address);
    assert_eq!(user.read_line().as_deref(), Some("Say something:"));
    user
}

#[test]
fn an_app_of_vumis_sandbox_answers_over_telnet_and_follows_its_file() {
    let folder = scratch();
    let app = file(folder.path(), "echo.js", &echo(""));
    let host = HostBuilder::app(&app).start();
    let mut user = greeted(host.telnet());
    assert_eq!(user.ask("hello"), "hello 2");
    assert_eq!(user.ask("héllo ☃"), "héllo ☃ 3");
    file(folder.path(), "echo.js", &echo("now "));
    let log = until("the new code is in place", || {
        let log = host.log();
        log.contains("reloaded").then_some(log)
    });
    assert!(!log.contains("not reloaded"), "{log}");
    assert!(user.ask("hello").starts_with("now hello"));
    let (status, _, log) = host.terminate();
    assert!(status.success(), "{log}");
}

#[test]
fn a_worker_of_vumis_sandbox_from_a_file() {
    let folder = scratch();
    file(folder.path(), "echo.js.txt", ECHO);
    let yaml = file(
        folder.path(),
        "vumi.yaml",
        r#"
admin: { listen: 127.0.0.1:0 }
transports:
  telnet: { class: telnet, telnet_host: 127.0.0.1, telnet_port: 0 }
dispatchers:
  main: { class: simple, transport_names: [telnet], exposed_names: [box], route_mappings: { telnet: [box] } }
apps:
  box:
    class: vumi.application.sandbox.JsFileSandbox
    javascript_file: echo.js.txt
    app_context: '{GREETING: "box: "}'
    sandbox_id: s1
    rlimits: { RLIMIT_AS: [1, 2] }
    sandbox:
      kv: { cls: vumi.application.sandbox.RedisResource, keys_per_user: 10 }
      outbound: { cls: vumi.application.sandbox.OutboundResource }
"#,
    );
    let (status, text, errors) = run_binary(&["config", "check", yaml.to_str().unwrap()]);
    assert!(status.success() && text.contains("`rlimits` has no meaning here"), "{text}{errors}");
    let host = HostBuilder::run(&yaml).start();
    let mut user = greeted(host.listening("telnet"));
    assert_eq!(user.ask("hello"), "box: hello 2");
    let lines = host.logs("box");
    assert!(lines.iter().any(|line| line["text"] == "Loading sandboxed code ..."), "{lines:?}");
}

#[test]
fn a_script_is_uploaded_and_its_traces_name_its_sources() {
    let folder = scratch();
    let yaml = file(
        folder.path(),
        "vumi.yaml",
        "
admin: { listen: 127.0.0.1:0 }
transports:
  telnet: { class: telnet, telnet_host: 127.0.0.1, telnet_port: 0 }
dispatchers:
  main: { class: simple, transport_names: [telnet], exposed_names: [shop], route_mappings: { telnet: [shop] } }
",
    );
    let host = HostBuilder::run(&yaml).start();
    let url = format!("http://{}", host.admin);
    let deploy = |path: &Path| run_binary(&["deploy", "shop", path.to_str().unwrap(), "--url", &url]);
    let broken = file(folder.path(), "broken.js", "api.on_inbound_message = function ( {");
    let (status, _, errors) = deploy(&broken);
    assert!(
        !status.success() && errors.contains("is no JavaScript that can be run") && errors.contains(":1:"),
        "{errors}"
    );

    let (status, text, errors) = deploy(&file(folder.path(), "echo.js", &echo("one ")));
    assert!(status.success() && text.contains("version 1 answers"), "{text}{errors}");
    let mut user = greeted(host.listening("telnet"));
    assert_eq!(user.ask("hello"), "one hello 2");

    // Line 1, column 1 of the bundle is line 7 of the source.
    let module = "export function onMessage(message) { throw new TypeError('no ' + message.content); }\n";
    let path = file(folder.path(), "app.mjs", module);
    file(folder.path(), "app.mjs.map", r#"{"version":3,"sources":["../src/app.ts"],"mappings":"AAMA"}"#);
    let (status, text, errors) = deploy(&path);
    assert!(status.success() && text.contains("version 2 answers"), "{text}{errors}");
    user.line("way");
    let run = until("the run has failed", || host.runs("shop").into_iter().find(|run| run["outcome"] != "ok"));
    let error = run["error"].as_str().unwrap();
    assert!(error.contains("TypeError: no way") && error.contains("src/app.ts:7:"), "{error}");
    let (status, text, errors) = run_binary(&["apps", "rollback", "shop", "--url", &url]);
    assert!(status.success(), "{text}{errors}");
    assert_eq!(user.ask("back"), "one back 3");
}

#[test]
fn without_an_engine_that_is_said() {
    let folder = scratch();
    let app = file(folder.path(), "echo.js", ECHO);
    let (status, _, errors) =
        HostBuilder::app(&app).env("VUMI_SCRIPT_ENGINE", folder.path().join("none.wasm")).output();
    assert!(
        !status.success() && errors.contains("needs the script engine") && errors.contains("cargo xtask engine"),
        "{errors}"
    );
}
