//! A whole system of a file: apps beside each other that share nothing, and reach only what they may.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use vumi_tests::guests::{guest, scratch};
use vumi_tests::{Host, HostBuilder, Telnet, http, until};

/// A web server of the test's own that counts its connections.
struct Web {
    address: SocketAddr,
    seen: Arc<AtomicUsize>,
}

impl Web {
    fn start(answer: impl Fn() -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                count.fetch_add(1, Ordering::SeqCst);
                let mut request = Vec::new();
                let mut chunk = [0; 4096];
                while !request.windows(4).any(|four| four == b"\r\n\r\n") {
                    match stream.read(&mut chunk) {
                        Ok(read) if read > 0 => request.extend_from_slice(&chunk[..read]),
                        _ => break,
                    }
                }
                let _ = stream.write_all(answer().as_bytes());
            }
        });
        Self { address, seen }
    }

    fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

/// A system of telnet transports, each with a probe app of the same name behind it; `apps` gives name and options.
fn system(apps: &[(&str, &str)]) -> (Host, tempfile::TempDir) {
    let folder = scratch();
    let mut text = "admin: { listen: 127.0.0.1:0 }\ntransports:\n".to_owned();
    for (name, _) in apps {
        text += &format!("  {name}: {{ class: telnet, telnet_host: 127.0.0.1, telnet_port: 0 }}\n");
    }
    text += "apps:\n";
    for (name, options) in apps {
        text += &format!("  {name}: {{ component: {}, transport_name: {name}{options} }}\n", guest("probe").display());
    }
    let file = folder.path().join("vumi.yaml");
    std::fs::write(&file, text).unwrap();
    (HostBuilder::run(&file).start(), folder)
}

/// A user of a transport, past the empty greeting of the probe.
fn user(host: &Host, transport: &str) -> Telnet {
    let mut user = Telnet::connect(host.listening(transport));
    assert_eq!(user.read_line().as_deref(), Some(""));
    user
}

#[test]
fn two_apps_share_no_values() {
    let (host, _folder) = system(&[("one", ""), ("two", "")]);
    let (mut one, mut two) = (user(&host, "one"), user(&host, "two"));
    assert_eq!(one.ask("kv-set secret 1"), "ok ()");
    assert_eq!(one.ask("kv-get secret"), "ok Some(\"1\")");
    for key in ["secret", "one#secret", "#secret", "../one#secret", "sandboxes#one#secret"] {
        assert_eq!(two.ask(&format!("kv-get {key}")), "ok None", "{key}");
    }
    assert_eq!(two.ask("kv-delete secret"), "ok false");
    assert_eq!(two.ask("kv-set secret 2"), "ok ()");
    assert_eq!(one.ask("kv-get secret"), "ok Some(\"1\")");
    let keys = |app: &str| {
        let listing = host.get(&format!("/api/v1/apps/{app}/kv"));
        let items = listing["items"].as_array().expect("items").clone();
        items.iter().find(|item| item["key"] == "secret").map(|item| item["value"].clone())
    };
    assert_eq!((keys("one"), keys("two")), (Some("1".into()), Some("2".into())));
    let (one, two) = (host.get("/api/v1/apps/one"), host.get("/api/v1/apps/two"));
    assert_eq!((&one["sandbox_id"], &two["sandbox_id"]), (&"one".into(), &"two".into()));
}

#[test]
fn an_app_reaches_only_what_it_may() {
    let open = Web::start(|| {
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nConnection: close\r\n\r\ndown".to_owned()
    });
    let closed = Web::start(|| "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".to_owned());
    let target = closed.address;
    let redirecting = Web::start(move || {
        format!(
            "HTTP/1.1 302 Found\r\nLocation: http://{target}/inner\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
    });
    let allow = format!(
        ", http: {{ allow: [\"http://{}\", \"http://{}\", \"http://*:*\"] }}",
        open.address, redirecting.address
    );
    let (host, _folder) = system(&[("shut", ""), ("some", &allow)]);
    let (mut shut, mut some) = (user(&host, "shut"), user(&host, "some"));

    let answer = shut.ask(&format!("http GET http://{}/", closed.address));
    assert!(answer.starts_with("error Denied(\"Blocked: "), "{answer}");
    assert_eq!(some.ask(&format!("http GET http://{}/", open.address)), "503 4 down");
    assert_eq!(open.seen(), 1);
    let answer = some.ask(&format!("http GET http://{}/", redirecting.address));
    assert!(answer.starts_with("error Denied(\"Blocked: "), "{answer}");
    assert_eq!(redirecting.seen(), 1);
    // The wildcard opens public hosts, never this machine, a neighbour, or a cloud's metadata service.
    let closed_port = closed.address.port();
    let places = [
        format!("127.0.0.1:{closed_port}"),
        format!("localhost:{closed_port}"),
        format!("[::1]:{closed_port}"),
        format!("[::ffff:127.0.0.1]:{closed_port}"),
        format!("0.0.0.0:{closed_port}"),
        format!("2130706433:{closed_port}"),
        "169.254.169.254".to_owned(),
        "10.0.0.1".to_owned(),
        "192.168.0.1".to_owned(),
        "172.16.0.1".to_owned(),
        "[fe80::1]".to_owned(),
        "[fd00::1]".to_owned(),
    ];
    for place in places {
        let answer = some.ask(&format!("http GET http://{place}/"));
        assert!(answer.starts_with("error Denied(\"Blocked: "), "{place}: {answer}");
    }
    assert_eq!(closed.seen(), 0, "nothing connected to the place that is not allowed");
}

#[test]
fn options_of_an_app_reach_it() {
    let options = ", config: { greeting: hello }, allowed_helper_metadata: [colour], send_to: { default: { transport_name: one } }";
    let (host, _folder) = system(&[("one", options)]);
    let mut user = user(&host, "one");
    assert_eq!(user.ask("config greeting"), "Some(\"hello\")");
    assert_eq!(user.ask("config other"), "None");
    assert_eq!(user.ask("endpoint"), "default");
    assert_eq!(user.ask("metadata {\"colour\":\"red\"}"), "with metadata");
    let colour = until("the reply is recorded with its metadata", || {
        let records = host.messages("one");
        let reply = records.iter().find(|record| record["payload"]["content"] == "with metadata")?;
        Some(reply["payload"]["helper_metadata"]["colour"].clone())
    });
    assert_eq!(colour, "red");
    let answer = user.ask("metadata {\"size\":1}");
    assert!(answer.contains("may only contain the following keys: colour"), "{answer}");
    let answer = user.ask("send +27 nowhere hello");
    assert!(answer.contains("Endpoint 'nowhere' not configured"), "{answer}");
    let address = user.address();
    assert_eq!(user.ask(&format!("send {address} - unasked")), "unasked", "a message that is no reply");
    assert_eq!(user.ask("metric hits 2"), "ok ()");
    let metrics = http::get(host.admin, "/metrics").text();
    assert!(metrics.contains("vumi_app_metric_total{app=\"one\",metric=\"one.stores.default.hits\"} 2"), "{metrics}");
}
