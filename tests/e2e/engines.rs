//! RabbitMQ and Redis under a system, and each of them, or a host, going away in the middle of 5,000 messages: nothing
//! that was accepted is lost, and nothing reaches the network twice.
//!
//! The network is telnet: twenty users write numbered lines, a few ahead of their answers, and read what comes back.
//! An echo that is missing, doubled or out of order shows at once. Where the host that holds the connections is itself
//! killed, the network is that of the simulated phones, whose record survives it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;
use vumi_test_servers::{RabbitMq, Redis};
use vumi_tests::guests::{guest, scratch};
use vumi_tests::{Host, HostBuilder, Telnet, until};

const USERS: usize = 20;
const EACH: usize = 250;
const ALL: usize = USERS * EACH;
/// Lines that a user writes ahead of their echoes.
const AHEAD: usize = 4;

/// The engines of a system.
struct Engines {
    rabbitmq: RabbitMq,
    redis: Redis,
}

impl Engines {
    fn start() -> Self {
        Self { rabbitmq: RabbitMq::start(), redis: Redis::start() }
    }

    /// The head of a configuration that uses them.
    fn head(&self) -> String {
        format!(
            "broker: \"{}\"\nkv: \"{}\"\nadmin: {{ listen: 127.0.0.1:0 }}\n",
            self.rabbitmq.url("%2f"),
            self.redis.url(0)
        )
    }
}

const TRANSPORT: &str = "transports:\n  telnet: { class: telnet, telnet_port: 0, inbound_wait_ms: 60000 }\n";

fn dispatch_and_app() -> String {
    format!(
        "dispatchers:\n  main: {{ class: simple, transport_names: [telnet], exposed_names: [echo], route_mappings: {{ \
         telnet: [echo] }} }}\napps:\n  echo: {{ component: \"{}\", limits: {{ kv_keys: 10000 }} }}\n",
        guest("echo").display()
    )
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("the file can be written");
    path
}

fn start(file: &Path) -> Host {
    HostBuilder::run(file).args(["--log", "warn"]).start()
}

/// Twenty users talk; `disturb` is called with the number of echoes so far, again and again, until all are there.
fn talk(host: &Host, mut disturb: impl FnMut(usize)) {
    let echoed = AtomicUsize::new(0);
    let (done, finished) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        for user in 0..USERS {
            let (echoed, done, address) = (&echoed, done.clone(), host.telnet());
            scope.spawn(move || {
                let mut telnet = Telnet::connect(address);
                assert_eq!(telnet.read_line().as_deref(), Some("Enter text to echo:"));
                for number in 0..EACH + AHEAD {
                    if number < EACH {
                        telnet.line(&format!("user {user} line {number}"));
                    }
                    if number >= AHEAD {
                        let expected = format!("user {user} line {}", number - AHEAD);
                        assert_eq!(telnet.read_line(), Some(expected), "user {user}");
                        echoed.fetch_add(1, Ordering::SeqCst);
                    }
                }
                // Nothing comes twice.
                assert!(telnet.is_silent_for(Duration::from_millis(300)), "user {user} hears more than was said");
                drop(done);
            });
        }
        drop(done);
        // The channel ends when every user is done, also by a panic.
        while finished.recv_timeout(Duration::from_millis(5)) == Err(mpsc::RecvTimeoutError::Timeout) {
            disturb(echoed.load(Ordering::SeqCst));
        }
    });
    assert_eq!(echoed.load(Ordering::SeqCst), ALL);
}

/// What the host itself counted.
fn report(what: &str, host: &Host, disturbed_at: &[usize]) {
    let queues = host.get("/api/v1/queues");
    let dead: u64 = queues.as_array().into_iter().flatten().filter_map(|queue| queue["dead"].as_u64()).sum();
    println!(
        "{what}: {ALL} lines sent, {ALL} echoed in order, none twice; after {disturbed_at:?} echoes; dead letters {dead}"
    );
    assert_eq!(dead, 0, "{queues}");
}

#[test]
fn rabbitmq_restarts_and_is_killed_in_the_middle() {
    let (engines, folder) = (Engines::start(), scratch());
    let host = start(&file(folder.path(), "all.yaml", &format!("{}{TRANSPORT}{}", engines.head(), dispatch_and_app())));
    let mut engines = engines;
    let mut at = Vec::new();
    talk(&host, |echoed| match at.len() {
        0 if echoed >= ALL / 4 => {
            at.push(echoed);
            engines.rabbitmq.restart();
        }
        1 if echoed >= ALL / 2 => {
            at.push(echoed);
            engines.rabbitmq.kill();
            engines.rabbitmq.start_again();
        }
        _ => {}
    });
    assert_eq!(at.len(), 2);
    report("RabbitMQ restarted, then killed", &host, &at);
}

#[test]
fn redis_restarts_and_is_killed_in_the_middle() {
    let (engines, folder) = (Engines::start(), scratch());
    let host = start(&file(folder.path(), "all.yaml", &format!("{}{TRANSPORT}{}", engines.head(), dispatch_and_app())));
    let mut engines = engines;
    let mut at = Vec::new();
    talk(&host, |echoed| match at.len() {
        0 if echoed >= ALL / 4 => {
            at.push(echoed);
            engines.redis.restart();
        }
        1 if echoed >= ALL / 2 => {
            at.push(echoed);
            engines.redis.kill();
            engines.redis.start_again();
        }
        _ => {}
    });
    assert_eq!(at.len(), 2);
    report("Redis restarted, then killed", &host, &at);
}

/// The connections are held by one host, the dispatcher and the app by another, which is killed three times.
#[test]
fn the_host_of_the_app_is_killed_in_the_middle() {
    let (engines, folder) = (Engines::start(), scratch());
    let network = start(&file(folder.path(), "network.yaml", &format!("{}{TRANSPORT}", engines.head())));
    let apps = file(folder.path(), "apps.yaml", &format!("{}{}", engines.head(), dispatch_and_app()));
    let mut app = Some(start(&apps));
    let mut at = Vec::new();
    talk(&network, |echoed| {
        if at.len() < 3 && echoed >= ALL * (at.len() + 1) / 4 {
            at.push(echoed);
            app.take().expect("it runs").kill();
            app = Some(start(&apps));
        }
    });
    assert_eq!(at.len(), 3);
    report("the app's host killed", &network, &at);
}

/// One host with everything in it, killed; the phones' record is in its data folder, the queues are in RabbitMQ.
#[test]
fn a_host_with_everything_is_killed_in_the_middle() {
    const PHONES: usize = 50;
    const MESSAGES: usize = 100;
    let (engines, folder) = (Engines::start(), scratch());
    let text = format!(
        "{}transports:\n  phones: {{ class: simulator }}\ndispatchers:\n  main: {{ class: simple, transport_names: \
         [phones], exposed_names: [echo], route_mappings: {{ phones: [echo] }} }}\napps:\n  echo: {{ component: \"{}\", \
         limits: {{ kv_keys: 10000 }} }}\n",
        engines.head(),
        guest("echo").display()
    );
    let config = file(folder.path(), "all.yaml", &text);
    let data = folder.path().join("data");
    let begin = || HostBuilder::run(&config).data_dir(&data).args(["--log", "warn"]).start();
    let host = std::sync::Mutex::new(Some(begin()));
    let accepted = std::sync::Mutex::new(Vec::new());
    let mut killed_at = Vec::new();
    std::thread::scope(|scope| {
        for phone in 0..PHONES {
            let (host, accepted) = (&host, &accepted);
            scope.spawn(move || {
                let address = format!("+2783{phone:07}");
                let mut mine = 0;
                while mine < MESSAGES {
                    let admin = host.lock().expect("no panic").as_ref().map(|host| host.admin);
                    // A text whose acceptance is not known is not sent again.
                    let body =
                        serde_json::json!({"kind": "sms", "content": format!("{phone}/{mine}"), "to_addr": "8007"});
                    let path = format!("/api/v1/simulator/phones/{}/messages", address.replace('+', "%2B"));
                    let answer = admin.and_then(|to| vumi_tests::http::request(to, "POST", &path, Some(&body)).ok());
                    match answer {
                        Some(answer) if answer.status == 202 => {
                            let id = answer.json()["message_id"].as_str().expect("an id").to_owned();
                            accepted.lock().expect("no panic").push(id);
                            mine += 1;
                        }
                        _ => std::thread::sleep(Duration::from_millis(5)),
                    }
                }
            });
        }
        for part in 1..=3 {
            let goal = PHONES * MESSAGES * part / 4;
            until("enough messages were accepted", || {
                let count = accepted.lock().expect("no panic").len();
                (count >= goal).then_some(count)
            });
            killed_at.push(accepted.lock().expect("no panic").len());
            let old = host.lock().expect("no panic").take();
            old.expect("it runs").kill();
            *host.lock().expect("no panic") = Some(begin());
        }
    });
    let host = host.into_inner().expect("no panic").expect("it runs");
    let accepted = accepted.into_inner().expect("no panic");
    assert_eq!(accepted.len(), PHONES * MESSAGES);
    let answers = |records: &[Value]| {
        let mut answers = std::collections::HashMap::<String, usize>::new();
        for record in records.iter().filter(|record| record["direction"] == "outbound") {
            let to = record["payload"]["in_reply_to"].as_str().expect("a reply").to_owned();
            *answers.entry(to).or_default() += 1;
        }
        answers
    };
    until("every accepted message is answered", || {
        let answers = answers(&host.messages("phones"));
        accepted.iter().all(|id| answers.contains_key(id)).then_some(())
    });
    until("nothing is on its way", || {
        let queues = host.get("/api/v1/queues");
        queues.as_array()?.iter().all(|queue| queue["ready"] == 0 && queue["unacked"] == 0).then_some(())
    });
    let answers = answers(&host.messages("phones"));
    let answered = accepted.iter().filter(|id| answers.contains_key(*id)).count();
    let doubled = answers.values().filter(|count| **count > 1).count();
    println!(
        "a host with everything killed after {killed_at:?} messages: accepted {}, answered {answered}, doubled {doubled}",
        accepted.len()
    );
    assert_eq!((answered, doubled), (accepted.len(), 0));
}
