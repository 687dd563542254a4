//! Bad clients at a running host whose HTTP transports share one port: each gets its clear answer and its line in the
//! log, and everybody else goes on being served.

mod bad;
mod crowd;
mod documents;
mod ends;
mod pair;
mod secrets;
mod slow;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use vumi_tests::guests::{guest, scratch};
use vumi_tests::http::{self, Answer};
use vumi_tests::{Host, HostBuilder, PATIENCE, until};

/// How a transport of these tests begins: what it takes is a message to the app, and the app's reply the answer.
const ASK: &str = "class: http-api, reply_expected: true, field_defaults: { to_addr: app, from_addr: user }";

/// A configuration file in a folder of its own, and the port of its transports.
struct Setup {
    file: PathBuf,
    at: SocketAddr,
    folder: TempDir,
}

/// A running host.
struct Site {
    host: Host,
    at: SocketAddr,
    _folder: TempDir,
}

impl Setup {
    /// The probe behind `/web`, nobody behind `/held`, and an SMS interface at `/sms`, on one port. `keys` are further
    /// keys of each transport, `head` of the file.
    fn new(head: &str, keys: &str) -> Self {
        let port = free_port();
        let shared = format!("web_port: {port}, request_read_timeout_s: 1{keys}");
        Self::with(
            port,
            &format!(
                "{head}transports:\n  web: {{ {ASK}, web_path: /web, {shared} }}\n  held: {{ {ASK}, web_path: /held, \
                 health_path: open, {shared} }}\n  sms: {{ class: old-simple-http, web_path: /sms, health_path: sms-health, {shared} }}\napps:\n  \
                 probe: {{ component: \"{}\", transport_name: web, parallel: 50, limits: {{ kv_keys: 10000 }} }}\n",
                guest("probe").display()
            ),
        )
    }

    fn with(port: u16, text: &str) -> Self {
        let folder = scratch();
        let file = folder.path().join("vumi.yaml");
        let text =
            if text.contains("admin:") { text.to_owned() } else { format!("admin: {{ listen: 127.0.0.1:0 }}\n{text}") };
        std::fs::write(&file, text).expect("the file can be written");
        Self { file, at: SocketAddr::from(([127, 0, 0, 1], port)), folder }
    }

    fn start(self) -> Site {
        let host = HostBuilder::run(&self.file).start();
        let site = Site { host, at: self.at, _folder: self.folder };
        site.serves(&self.file);
        site
    }
}

impl Site {
    /// Waits until every transport serves; one may be ready a moment after the host and the others.
    fn serves(&self, file: &Path) {
        let text = vumi_tests::host::read(file);
        for path in text.split("web_path: ").skip(1).filter_map(|rest| rest.split([',', ' ', '}']).next()) {
            until(&format!("{path} is served"), || {
                // A method that none of them takes.
                http::send(self.at, "DELETE", path, "", b"").ok().filter(|answer| answer.status == 405)
            });
        }
    }

    /// A request of somebody who does everything right.
    fn good(&self) -> Duration {
        let began = Instant::now();
        let answer = self.ask("echo hello");
        assert_eq!((answer.status, answer.text().as_str()), (200, "hello"), "{}", answer.head);
        began.elapsed()
    }

    /// What the probe answers to a command.
    fn ask(&self, command: &str) -> Answer {
        let path = format!("/web?content={}", command.replace(' ', "+"));
        http::send(self.at, "GET", &path, "text/plain", b"").expect("an answer")
    }

    /// Sends bytes, and gives back everything that comes until the end of the connection.
    fn talk(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // The host may answer before it has everything, and read no more.
        let _ = stream.write_all(bytes);
        heard(&mut stream)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.at).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit can be set");
        stream
    }

    /// A request that nobody answers, with its connection.
    fn hold(&self, path: &str) -> TcpStream {
        let mut stream = self.connect();
        let head = format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("the request can be sent");
        stream
    }

    /// Open requests, as the health page says.
    fn pending(&self, page: &str) -> u64 {
        let answer = http::get(self.at, page);
        answer.json()["pending_requests"].as_u64().expect("a number")
    }

    fn pending_is(&self, page: &str, count: u64) {
        until(&format!("{count} requests are open"), || (self.pending(page) == count).then_some(()));
    }

    /// The line of the log that has all of these parts.
    fn logged(&self, parts: &[&str]) -> String {
        until(&format!("the log has {parts:?}"), || {
            let log = self.host.log();
            log.lines().find(|line| parts.iter().all(|part| line.contains(part))).map(str::to_owned)
        })
    }

    /// Waits until nothing is in a queue; nothing may have gone to the dead letters.
    fn settled(&self, queue: &str) {
        until(&format!("{queue} is empty"), || {
            let there = queue_of(&self.host, queue);
            (there["ready"] == 0 && there["unacked"] == 0).then_some(())
        });
        assert_eq!(queue_of(&self.host, queue)["dead"], 0);
    }

    /// Bytes of memory that the host has.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.host.pid())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line for memory");
        line.trim().trim_end_matches("kB").trim().parse::<u64>().expect("a number") << 10
    }
}

fn queue_of(host: &Host, name: &str) -> Value {
    let queues = host.get("/api/v1/queues");
    let found = queues.as_array().into_iter().flatten().find(|queue| queue["name"] == name);
    found.unwrap_or_else(|| panic!("there is no queue {name}: {queues}")).clone()
}

/// Everything until the end of the connection.
fn heard(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    if let Err(error) = stream.read_to_end(&mut all) {
        let heard = String::from_utf8_lossy(&all);
        panic!("the answer did not come to its end: {error}; so far {heard:?}");
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// The code of a response.
#[track_caller]
fn code(response: &str) -> u16 {
    let code = response.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    code.unwrap_or_else(|| panic!("no response: {response:?}"))
}

/// A port that nobody listens on at this moment.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}
