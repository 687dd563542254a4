//! What a user sees at the prompt: help, checks, clear refusals, the banner.

use std::path::Path;
use std::process::ExitStatus;

use serde_json::Value;
use vumi_tests::guests::{guest, scratch};
use vumi_tests::host::run_binary;
use vumi_tests::{HostBuilder, until};

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// A refusal: the exit code, and one report without a stack trace.
fn refused(output: (ExitStatus, String, String), code: i32) -> String {
    let (status, stdout, stderr) = output;
    assert_eq!(status.code(), Some(code), "{stdout}{stderr}");
    assert!(stderr.starts_with("error: "), "{stderr}");
    assert!(!stderr.contains("panicked") && !stderr.contains("backtrace"), "{stderr}");
    stderr
}

#[test]
fn every_command_explains_itself() {
    let commands = "|run|new|build|dev|completions|config|config check|config schema|config explain|worker|dead|dead list|deploy|apps|apps show|apps \
                    activate|apps rollback|apps canary|apps shadow|apps differences|apps settings|apps secret|apps \
                    remove|apps pull|recordings|recordings show|replay|test|token|token create|token list|token revoke|audit|\
                    push|pull";
    for command in commands.split('|').map(|words| words.split_whitespace().collect::<Vec<_>>()) {
        let arguments: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let (status, stdout, stderr) = run_binary(&arguments);
        assert!(status.success() && stdout.contains("Usage: vumi-host"), "{arguments:?}: {stdout}{stderr}");
    }
    let (status, stdout, _) = run_binary(&["--version"]);
    assert!(status.success() && stdout.starts_with("vumi-host "), "{stdout}");
}

#[test]
fn a_right_file_is_right_and_wrong_ones_name_the_place() {
    let folder = scratch();
    let file = folder.path().join("vumi.yaml");
    std::fs::copy(guest("echo"), folder.path().join("echo.wasm")).unwrap();
    let good = "transports:\n  telnet: { class: telnet, telnet_port: 9010 }\napps:\n  echo: { component: echo.wasm, transport_name: telnet }\n";
    std::fs::write(&file, good).unwrap();
    let (status, stdout, stderr) = run_binary(&["config", "check", text(&file)]);
    assert!(status.success(), "{stderr}");
    assert!(stdout.contains("right: 1 transport, 0 dispatchers, 1 app"), "{stdout}");
    for (wrong, place, part) in [
        ("transprots: {}\n", ":1:1: ", "transports"),
        ("log: info\nlog: warn\n", ":2:1: ", "log"),
        ("transports:\n  telnet: { class: tellnet, telnet_port: 1 }\n", ":2:20: ", "telnet"),
        ("transports:\n  telnet: { class: telnet, telnet_port: many }\n", ":2:41: ", "telnet_port"),
        ("apps:\n  echo: { component: ehco.wasm }\n", ":2:22: ", "does not exist"),
        ("admin: { listen: 0.0.0.0:8080 }\n", ":1:18: ", "a token is required"),
        ("apps: [\n", "vumi.yaml:", "error"),
    ] {
        std::fs::write(&file, wrong).unwrap();
        for arguments in [&["config", "check", text(&file)][..], &["run", text(&file)]] {
            let stderr = refused(run_binary(arguments), 64);
            assert!(stderr.contains(place) && stderr.contains(part), "{wrong}{stderr}");
        }
    }
    let stderr = refused(run_binary(&["config", "check", "/nowhere/vumi.yaml"]), 64);
    assert!(stderr.contains("/nowhere/vumi.yaml: the configuration cannot be read"), "{stderr}");
}

#[test]
fn the_schema_is_json_and_keys_are_explained() {
    let (status, stdout, _) = run_binary(&["config", "schema"]);
    let schema: Value = serde_json::from_str(&stdout).expect("the schema is JSON");
    assert!(status.success());
    assert!(
        schema.pointer("/properties/transports").is_some() && schema.pointer("/properties/apps").is_some(),
        "{schema}"
    );
    let (status, stdout, _) = run_binary(&["config", "explain", "apps.limits.memory"]);
    assert!(status.success());
    assert!(stdout.contains("64 MiB") && stdout.contains("memory-limit"), "{stdout}");
    let stderr = refused(run_binary(&["config", "explain", "nope"]), 64);
    assert!(stderr.contains("there is no key and no class called `nope`"), "{stderr}");
}

#[test]
fn what_cannot_be_run_is_refused_in_one_sentence() {
    let stderr = refused(run_binary(&["--app", "nope.wasm"]), 64);
    assert!(stderr.contains("the component nope.wasm does not exist"), "{stderr}");
    let stderr = refused(run_binary(&[]), 64);
    assert!(stderr.contains("nothing to run"), "{stderr}");
    let echo = guest("echo");
    let stderr = refused(run_binary(&["--app", text(&echo), "run", "vumi.yaml"]), 64);
    assert!(stderr.contains("--app is a command of its own"), "{stderr}");
    let stderr = refused(HostBuilder::app(&echo).args(["--log", "a=b=c"]).output(), 64);
    assert!(stderr.contains("the log filter `a=b=c` cannot be read"), "{stderr}");
    assert_eq!(stderr.matches("error parsing").count(), 1, "each cause is said once: {stderr}");
}

#[test]
fn what_another_host_uses_is_refused() {
    let folder = scratch();
    let echo = guest("echo");
    let host = HostBuilder::app(&echo).data_dir(folder.path()).start();
    let stderr = refused(HostBuilder::app(&echo).data_dir(folder.path()).output(), 1);
    assert!(stderr.contains(&format!("in use by process {}", host.pid())), "{stderr}");
    let admin = host.admin.to_string();
    let stderr = refused(run_binary(&["--app", text(&echo), "--telnet-port", "0", "--admin", &admin]), 1);
    assert!(stderr.contains(&format!("cannot listen on {admin}")), "{stderr}");
}

/// A transport that cannot listen is tried again, and says so; the rest of the system works.
#[test]
fn a_telnet_port_in_use_is_told_and_tried_again() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let folder = scratch();
    let file = folder.path().join("vumi.yaml");
    let config = format!(
        "admin: {{ listen: 127.0.0.1:0 }}\ntransports:\n  telnet: {{ class: telnet, telnet_host: 127.0.0.1, telnet_port: {port} }}\napps:\n  echo: {{ component: {}, transport_name: telnet }}\n",
        guest("echo").display()
    );
    std::fs::write(&file, config).unwrap();
    let host = HostBuilder::run(&file).start();
    assert!(host.log().contains(&format!("cannot listen on 127.0.0.1:{port}")), "{}", host.log());
    assert_eq!(vumi_tests::http::get(host.admin, "/health").status, 503);
    drop(taken);
    until("the transport listens once the port is free", || {
        (vumi_tests::http::get(host.admin, "/health").status == 200).then_some(())
    });
}

#[test]
fn the_log_can_be_json() {
    let host = HostBuilder::app(&guest("echo")).args(["--log-format", "json"]).start();
    host.sms("+27820000001", "hello").expect("it is accepted");
    until("a run is in the log", || host.log().contains("\"outcome\"").then_some(()));
    let log = host.log();
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(entry["level"].is_string() && entry["timestamp"].is_string(), "{line}");
    }
}

#[test]
fn the_banner_says_what_listens_where() {
    let host = HostBuilder::app(&guest("echo")).start();
    for part in [
        format!("telnet     {}", host.telnet()),
        format!("http://{}/", host.admin),
        "in memory only: start with --data-dir".into(),
    ] {
        assert!(host.banner.contains(&part), "{part}: {}", host.banner);
    }
    let folder = scratch();
    let host = HostBuilder::app(&guest("echo")).data_dir(folder.path()).start();
    assert!(host.banner.contains(&format!("data       {}", folder.path().display())), "{}", host.banner);
    assert!(!host.banner.contains("in memory only"), "{}", host.banner);
}
