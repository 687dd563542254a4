//! Engines that are away, refuse, or are full, messages that nobody can read, and handlers that fail: what the log and
//! `/health` say, that the host stays up, and that it goes on by itself once the trouble is over.

mod broker;
mod kv;
mod messages;

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;
use vumi_test_servers::RabbitMq;
use vumi_tests::guests::{guest, scratch};
use vumi_tests::{Host, HostBuilder, Telnet, http, until};

/// The RabbitMQ of the tests that do not stop it.
fn rabbitmq() -> &'static RabbitMq {
    static SERVER: OnceLock<RabbitMq> = OnceLock::new();
    SERVER.get_or_init(RabbitMq::start)
}

/// A configuration file in a folder of its own.
struct Setup {
    file: PathBuf,
    _folder: TempDir,
}

impl Setup {
    /// Telnet and echo, with this head.
    fn echo(head: &str) -> Self {
        let echo = guest("echo");
        Self::with(&format!(
            "{head}transports:\n  telnet: {{ class: telnet, telnet_port: 0 }}\napps:\n  echo: {{ component: \"{}\", \
             transport_name: telnet }}\n",
            echo.display()
        ))
    }

    fn with(text: &str) -> Self {
        let folder = scratch();
        let file = folder.path().join("vumi.yaml");
        std::fs::write(&file, format!("admin: {{ listen: 127.0.0.1:0 }}\n{text}")).expect("the file can be written");
        Self { file, _folder: folder }
    }

    /// Starts a host, and waits until it says that it runs; not all of its workers may.
    fn start(&self) -> Host {
        HostBuilder::run(&self.file).start()
    }
}

/// The lines of the log that hold all of these parts.
fn lines(host: &Host, parts: &[&str]) -> Vec<String> {
    let log = host.log();
    let held = log.lines().filter(|line| parts.iter().all(|part| line.contains(part)));
    held.map(str::to_owned).collect()
}

/// Waits until the engine itself says what is wrong, in one sentence and not again and again, and that `/health` names
/// it.
fn troubled(host: &mut Host, of: &str, engine: &str, sentence: &str) {
    let said = until(&format!("the log says: {sentence}"), || {
        let said = lines(host, &[of, sentence]);
        (!said.is_empty()).then_some(said)
    });
    assert_eq!(said.len(), 1, "once: {said:#?}");
    let health =
        until("it is not well", || Some(http::get(host.admin, "/health")).filter(|health| health.status == 503));
    let health = health.json();
    let down = health["down"].as_array().into_iter().flatten().filter_map(Value::as_str);
    assert_eq!(down.filter(|name| name.starts_with(engine)).count(), 1, "{health}");
    assert!(host.is_alive());
}

/// Waits until all is well again.
fn well(host: &Host) {
    until("it is well again", || (http::get(host.admin, "/health").status == 200).then_some(()));
}

/// A user at a telnet transport, once that listens.
fn user(host: &Host, transport: &str) -> Telnet {
    let address = until("the transport listens", || {
        let system = host.get("/api/v1/system");
        let places = system["listening"].as_array()?.iter();
        places.filter(|place| place["name"] == transport).find_map(|place| place["address"].as_str()?.parse().ok())
    });
    Telnet::connect(address)
}

/// A conversation with the echo behind `telnet`.
fn converse(host: &Host) {
    let mut user = user(host, "telnet");
    assert_eq!(user.read_line().as_deref(), Some("Enter text to echo:"));
    assert_eq!(user.ask("hello"), "hello");
}

/// Nothing that was said holds the secret.
fn keeps(host: &Host, secret: &str) {
    assert!(!host.log().contains(secret) && !host.banner.contains(secret), "{}{}", host.banner, host.log());
    let health = http::get(host.admin, "/health").text();
    assert!(!health.contains(secret), "{health}");
}
