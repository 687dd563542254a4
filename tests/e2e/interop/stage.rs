//! A conversation that is held again: its vhost, the other parties, and the host.

use std::fmt::Write as _;

use serde_json::Value;
use tempfile::TempDir;
use vumi_test_servers::shared_rabbitmq;
use vumi_tests::guests::scratch;
use vumi_tests::{Host, HostBuilder, until};

use super::capture::{Capture, Declaration, Publish};
use super::compare::{Compare, Made};
use super::peer::Peer;

/// Who declares exchanges and queues first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    VumiFirst,
    HostFirst,
}

/// See the module's text.
pub(crate) struct Stage {
    pub(crate) capture: Capture,
    pub(crate) peer: Peer,
    pub(crate) compare: Compare,
    /// Whether the worker takes messages off one of the capture's queues.
    pub(crate) consumes: bool,
    order: Order,
    url: String,
    folder: TempDir,
}

/// Holds a conversation in both orders.
pub(crate) fn in_both_orders(capture: &str, conversation: impl Fn(Stage)) {
    for order in [Order::VumiFirst, Order::HostFirst] {
        conversation(Stage::open(capture, order));
    }
}

impl Stage {
    /// A fresh vhost; with Vumi's declarations on it if Vumi is first.
    pub(crate) fn open(capture: &str, order: Order) -> Self {
        let capture = Capture::read(capture);
        // As Vumi's default: with a slash.
        let url = shared_rabbitmq().vhost("/develop");
        let peer = Peer::connect(&url);
        if order == Order::VumiFirst {
            peer.declare(&capture.declarations);
        }
        Self { capture, peer, compare: Compare::new(), consumes: true, order, url, folder: scratch() }
    }

    /// Declarations of further parties, who were not recorded: made where the recorded ones are made.
    pub(crate) fn also(&mut self, declarations: impl IntoIterator<Item = Declaration>) {
        let declarations: Vec<Declaration> = declarations.into_iter().collect();
        if self.order == Order::VumiFirst {
            self.peer.declare(&declarations);
        }
        self.capture.declarations.extend(declarations);
    }

    /// `vumi-host worker`, with the worker's file and the file of core options that Vumi had.
    pub(crate) fn worker(&self, class: &str, yaml: &str) -> Host {
        let (worker, core) = (self.folder.path().join("worker.yaml"), self.folder.path().join("vumi.yaml"));
        std::fs::write(&worker, yaml).expect("the worker's file can be written");
        std::fs::write(&core, core_options(&self.url)).expect("the file of core options can be written");
        self.started(HostBuilder::worker(class).arg_file("--config", &worker).arg_file("--vumi-config", &core))
    }

    /// `vumi-host run`, with all but the broker and the admin server.
    pub(crate) fn system(&self, yaml: &str) -> Host {
        let path = self.folder.path().join("system.yaml");
        let text = format!("broker: \"{}\"\nadmin: {{ listen: 127.0.0.1:0 }}\n{yaml}", self.url);
        std::fs::write(&path, text).expect("the system's file can be written");
        self.started(HostBuilder::run(&path))
    }

    /// Whoever was first, Vumi declares once more when the host has declared its queues.
    fn started(&self, host: HostBuilder) -> Host {
        let host = host.start();
        if self.consumes {
            let queues = self.capture.queues();
            until("the host consumes", || {
                queues.iter().find(|queue| self.peer.look(queue).is_some_and(|(_, all)| all > 0))
            });
        } else {
            let exchanges = self.capture.exchanges();
            until("the host has declared its exchange", || exchanges.iter().find(|name| self.peer.has_exchange(name)));
        }
        self.peer.declare(&self.capture.declarations);
        host
    }

    /// Publishes a captured message as it was captured.
    pub(crate) fn publish(&mut self, message: &Publish) {
        self.compare.same_id(message);
        let body = self.compare.in_our_terms(&message.body);
        self.peer.publish(message, &body);
    }

    /// The next message of the host on the captured one's queue must be that.
    #[track_caller]
    pub(crate) fn expect(&mut self, vumi: &Publish, made: Made) -> Publish {
        let here = self.peer.next(&vumi.routing_key);
        self.compare.alike(vumi, &here, made);
        here
    }

    /// Stops the host in order. Nothing may be left in the conversation's queues: the host has taken all that was for
    /// it and sent nothing beyond what was compared.
    #[track_caller]
    pub(crate) fn end(self, host: Host) {
        until("the host has settled everything", || {
            let queues = host.get("/api/v1/queues");
            queues.as_array()?.iter().all(|queue| self.is_settled(queue)).then_some(())
        });
        let (status, _, log) = host.terminate();
        assert!(status.success(), "{status}\n{log}");
        assert!(!log.contains("PRECONDITION"), "{log}");
        for queue in self.capture.queues() {
            if let Some(more) = self.peer.take(&queue) {
                panic!("{}: one more on {queue}: {}", self.capture.name, more.body);
            }
        }
        println!("{} ({:?}): {} publishes compared", self.capture.name, self.order, self.compare.count);
    }

    /// Whether the host is done with a queue, as its API shows it.
    fn is_settled(&self, queue: &Value) -> bool {
        assert_eq!(queue["dead"], 0, "a message was given up: {queue}");
        let consumed = || queue["name"].as_str().and_then(|name| self.peer.look(name)).is_some_and(|(_, all)| all > 0);
        queue["unacked"] == 0 && (queue["ready"] == 0 || !consumed())
    }

    /// Waits until the host has taken everything that a queue held.
    pub(crate) fn drained(&self, queue: &str) {
        until(&format!("{queue} is empty"), || (self.peer.look(queue)?.0 == 0).then_some(()));
    }
}

/// The parts of the broker's URL as the keys of Vumi's file.
fn core_options(url: &str) -> String {
    let parts = || {
        let (login, place) = url.strip_prefix("amqp://")?.split_once('@')?;
        let ((username, password), (place, vhost)) = (login.split_once(':')?, place.split_once('/')?);
        let (hostname, port) = place.rsplit_once(':')?;
        let mut text = String::new();
        for (key, value) in [("hostname", hostname), ("username", username), ("password", password)] {
            writeln!(text, "{key}: \"{value}\"").ok()?;
        }
        writeln!(text, "port: {port}\nvhost: \"{}\"", vhost.replace("%2F", "/").replace("%2f", "/")).ok()?;
        Some(text)
    };
    parts().unwrap_or_else(|| panic!("{url} is not amqp://user:password@host:port/vhost"))
}
