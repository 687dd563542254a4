//! Checks 14, 18 and 19, with the built binary: what a worker says of itself to its log and to others.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use vumi_broker::{AmqpBroker, AmqpOptions};
use vumi_core::{Broker, Consumer};
use vumi_test_servers::{Redis, shared_rabbitmq};
use vumi_tests::guests::scratch;
use vumi_tests::host::{binary, read};
use vumi_tests::{PATIENCE, Telnet, until};

const TELNET: &str = "vumi.transports.telnet.TelnetServerTransport";

/// `vumi-host worker` at work, until dropped.
struct Worker {
    child: Child,
    folder: TempDir,
}

impl Worker {
    /// Starts one with these keys and options.
    fn start(class: &str, keys: &str, options: &[&str]) -> Self {
        let folder = scratch();
        let config = folder.path().join("worker.yaml");
        std::fs::write(&config, keys).unwrap();
        let into = |name: &str| Stdio::from(File::create(folder.path().join(name)).unwrap());
        let mut command = Command::new(binary());
        command.args(["worker", "--worker-class", class, "--config"]).arg(&config).args(options);
        let child = command.stdin(Stdio::null()).stdout(into("stdout")).stderr(into("stderr")).spawn().unwrap();
        Self { child, folder }
    }

    /// What it wrote to its log so far.
    fn log(&self) -> String {
        read(&self.folder.path().join("stderr"))
    }

    /// What it said to whoever started it, once it said that it runs.
    fn banner(&self) -> String {
        until("the worker runs", || {
            let said = read(&self.folder.path().join("stdout"));
            said.contains("Ctrl-C stops it.").then_some(said)
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the worker's log ---\n{}", self.log());
        }
    }
}

/// The port of a URL such as `redis://127.0.0.1:6379/0`, and what stands behind it.
fn port(url: &str) -> (String, String) {
    let (_, after) = url.split_once("127.0.0.1:").unwrap();
    let (port, path) = after.split_once('/').unwrap();
    (port.to_owned(), path.to_owned())
}

#[test]
fn check_18_no_password_in_the_log() {
    let (amqp, _) = port(&shared_rabbitmq().url("%2f"));
    let server = Redis::with(&["--requirepass", "another"]);
    let redis = server.port();
    let folder = scratch();
    let core = folder.path().join("vumi.yaml");
    let text = format!("{{hostname: 127.0.0.1, port: {amqp}, username: guest, password: hunter2-broker, vhost: /}}");
    std::fs::write(&core, text).unwrap();
    let keys = format!(
        "port: 0\nweb_path: /api\nusername: u\npassword: hunter2-api\nunknown_password: hunter2-unknown\n\
         redis_manager: {{host: 127.0.0.1, port: {redis}, password: hunter2-redis}}\n"
    );
    // With everything that can be said.
    let options = ["--vumi-config", core.to_str().unwrap(), "--log", "trace", "--admin", "127.0.0.1:0"];
    let worker = Worker::start("vumi.components.tagpool_api.TagpoolApiWorker", &keys, &options);
    let banner = worker.banner();
    let log = until("RabbitMQ and Redis have refused the passwords", || {
        let log = worker.log();
        (log.contains("does not accept user `guest`") && log.contains("refuses the user name or password"))
            .then_some(log)
    });
    for said in [&banner, &log] {
        assert!(
            !said.contains("hunter2"),
            "{}",
            said.lines().filter(|line| line.contains("hunter2")).collect::<String>()
        );
    }
}

/// A mistake beside a password: the line is shown, the password is not.
#[test]
fn check_18_no_password_in_a_refusal() {
    let worker = Worker::start("tagpool_api", "{web_path: /api, password: hunter2-api, port: many}", &[]);
    let log = until("the worker is refused", || Some(worker.log()).filter(|log| log.contains("many")));
    assert!(!log.contains("hunter2"), "{log}");
}

/// A MultiWorker with a child of no known class, one that has a name for heartbeats, and one that has none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_14_heartbeats_and_check_19_a_child_of_no_known_class() {
    let url = tokio::task::spawn_blocking(|| shared_rabbitmq().vhost("workers")).await.unwrap();
    let broker = AmqpBroker::open(&AmqpOptions::new(url.as_str())).unwrap();
    let mut beats = broker.consume("heartbeat.inbound", 20).await.unwrap();
    let mut inbound = broker.consume("a.inbound", 20).await.unwrap();
    let (amqp, vhost) = port(&url);
    let keys = format!(
        "workers: {{a: {TELNET}, b: {TELNET}, c: vumi.nonsense.Worker}}\ndefaults: {{telnet_port: 0}}\n\
         a: {{transport_name: a, worker_name: w}}\nb: {{transport_name: b}}\nc: {{x: 1}}\n"
    );
    let options = ["--hostname", "127.0.0.1", "--port", &amqp, "--username", "guest", "--password", "guest"];
    let more = ["--vhost", &vhost, "--system-id", "s"];
    let worker = Worker::start("vumi.multiworker.MultiWorker", &keys, &[&options[..], &more].concat());
    let (worker, banner) = tokio::task::spawn_blocking(move || {
        let banner = worker.banner();
        (worker, banner)
    })
    .await
    .unwrap();

    let at = banner.lines().find_map(|line| line.trim().strip_prefix("a ")).expect("a listens").trim();
    let user = Telnet::connect(at.parse().unwrap());
    let message = next(&mut *inbound).await;
    assert_eq!((&message["session_event"], &message["from_addr"]), (&"new".into(), &user.address().into()));
    let log = worker.log();
    assert!(log.contains("the worker `c` is left out") && log.contains("vumi.nonsense.Worker"), "{log}");

    // All workers of a process beat at the same moments: between two beats of one, each other one has beaten.
    for _ in 0..2 {
        let beat = next(&mut *beats).await;
        assert_eq!((&beat["worker_id"], &beat["worker_name"]), (&"s:w".into(), &"w".into()), "{beat}");
        assert_eq!((&beat["system_id"], &beat["pid"]), (&"s".into(), &worker.child.id().into()), "{beat}");
    }
    broker.close().await;
}

async fn next(consumer: &mut dyn Consumer) -> Value {
    let mut delivery = tokio::time::timeout(PATIENCE, consumer.next()).await.expect("in time").unwrap();
    delivery.ack().await.unwrap().await.unwrap();
    serde_json::from_slice(&delivery.body).unwrap()
}
