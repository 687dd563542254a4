//! `kill -9` in the middle of the work: what was accepted is answered, and answered once.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Value, json};
use vumi_tests::guests::{guest, scratch};
use vumi_tests::{Host, HostBuilder, http, until};

const PHONES: usize = 20;
const EACH: usize = 50;
/// The host is killed when so many messages were accepted.
const KILLS: [usize; 3] = [250, 500, 750];

/// An accepted message.
#[derive(Clone)]
struct Sent {
    id: String,
    phone: String,
    text: String,
}

/// What the phones know.
#[derive(Default)]
struct Ledger {
    /// Where the running host is.
    host: Mutex<Option<SocketAddr>>,
    /// What the host confirmed, in that order.
    accepted: Mutex<Vec<Sent>>,
    /// Texts of which it is not known whether they were accepted.
    unknown: Mutex<Vec<String>>,
}

impl Ledger {
    fn count(&self) -> usize {
        self.accepted.lock().unwrap().len()
    }

    /// One phone writes until so many of its messages were accepted, one after the other.
    fn write(&self, phone: usize, text: impl Fn(usize) -> String) {
        let (mut mine, mut number) = (0, 0);
        let address = format!("+2782{phone:07}");
        let mut lost: Option<SocketAddr> = None;
        while mine < EACH {
            let host = until("a host that is not the killed one", || {
                let host = *self.host.lock().unwrap();
                host.filter(|host| Some(*host) != lost)
            });
            let text = text(number);
            let body = json!({"kind": "sms", "content": text, "to_addr": "8007"});
            let path = format!("/api/v1/simulator/phones/{}/messages", address.replace('+', "%2B"));
            match http::request(host, "POST", &path, Some(&body)) {
                Ok(answer) if answer.status == 202 => {
                    let id = answer.json()["message_id"].as_str().expect("an id").to_owned();
                    self.accepted.lock().unwrap().push(Sent { id, phone: address.clone(), text });
                    mine += 1;
                    number += 1;
                }
                // Full for a moment: nothing was taken.
                Ok(answer) => assert_eq!(answer.status, 503, "{}", answer.text()),
                // The connection broke: perhaps it was accepted. The phone does not send this text again.
                Err(_) => {
                    self.unknown.lock().unwrap().push(text);
                    lost = Some(host);
                    number += 1;
                }
            }
        }
    }
}

fn start(component: &Path, data: &Path) -> Host {
    HostBuilder::app(component).data_dir(data).args(["--log", "warn"]).start()
}

/// Ids that the outbound records answer, each with the number of different answers.
fn answers(records: &[Value]) -> HashMap<String, usize> {
    let mut answers = HashMap::new();
    for record in records.iter().filter(|record| record["direction"] == "outbound") {
        let to = record["payload"]["in_reply_to"].as_str().expect("every message of these apps is a reply").to_owned();
        *answers.entry(to).or_default() += 1;
    }
    answers
}

fn kill_and_count(component: &Path, text: impl Fn(usize, usize) -> String + Sync, check_text: bool) {
    let folder = scratch();
    let ledger = Ledger::default();
    let mut host = start(component, folder.path());
    *ledger.host.lock().unwrap() = Some(host.admin);
    let mut runs_at_kill = Vec::new();
    let host = std::thread::scope(|scope| {
        for phone in 0..PHONES {
            let (ledger, text) = (&ledger, &text);
            scope.spawn(move || ledger.write(phone, |number| text(phone, number)));
        }
        for at in KILLS {
            until("enough messages were accepted", || (ledger.count() >= at).then_some(()));
            runs_at_kill.push(host.get("/api/v1/apps")[0]["counters"]["runs"].as_u64().unwrap_or_default());
            host.kill();
            host = start(component, folder.path());
            *ledger.host.lock().unwrap() = Some(host.admin);
        }
        host
    });
    let accepted = ledger.accepted.lock().unwrap().clone();
    let unknown = ledger.unknown.lock().unwrap().clone();
    assert_eq!(accepted.len(), PHONES * EACH);

    until("every accepted message is answered", || {
        let answers = answers(&host.messages("simulator"));
        accepted.iter().all(|sent| answers.contains_key(&sent.id)).then_some(())
    });
    // Whatever could still come, a second answer among it, has come once nothing is on its way any more.
    until("nothing is on its way", || {
        let queues = host.get("/api/v1/queues");
        queues.as_array()?.iter().all(|queue| queue["ready"] == 0 && queue["unacked"] == 0).then_some(())
    });
    let records = host.messages("simulator");
    let answers = answers(&records);
    let answered = accepted.iter().filter(|sent| answers.contains_key(&sent.id)).count();
    let doubled = answers.values().filter(|count| **count > 1).count();
    let inbound = records.iter().filter(|record| record["direction"] == "inbound");
    let inbound: HashSet<&str> = inbound.filter_map(|record| record["payload"]["message_id"].as_str()).collect();
    let ids: HashMap<&str, &Sent> = accepted.iter().map(|sent| (sent.id.as_str(), sent)).collect();
    let extra = answers.keys().filter(|id| !ids.contains_key(id.as_str())).count();
    println!(
        "accepted {} answered {answered} doubled {doubled}; connection broke {} times, {extra} of those were answered; \
         killed after {runs_at_kill:?} runs",
        accepted.len(),
        unknown.len(),
    );
    assert_eq!((answered, doubled), (accepted.len(), 0));
    assert!(extra <= unknown.len(), "only what a phone sent is answered");

    let mut order: HashMap<&str, Vec<&str>> = HashMap::new();
    for record in records.iter().filter(|record| record["direction"] == "outbound") {
        let payload = &record["payload"];
        // Answers to messages whose acceptance is unknown are counted above.
        let Some(sent) = payload["in_reply_to"].as_str().and_then(|id| ids.get(id)) else { continue };
        assert!(inbound.contains(sent.id.as_str()), "the phone shows what it sent: {}", sent.id);
        assert_eq!(payload["to_addr"], sent.phone);
        if check_text {
            assert_eq!(payload["content"], sent.text);
        }
        order.entry(&sent.phone).or_default().push(&sent.id);
    }
    for (phone, got) in order {
        let sent: Vec<&str> = accepted.iter().filter(|sent| sent.phone == phone).map(|sent| sent.id.as_str()).collect();
        assert_eq!(got, sent, "the answers to {phone} are in the order of its messages");
    }
}

/// The common case: the app answers at once, so that the kill hits the broker and the transport at work.
#[test]
fn a_killed_host_loses_and_doubles_nothing() {
    kill_and_count(&guest("echo"), |phone, number| format!("phone {phone} message {number}"), true);
}

/// Each run takes a while, so that the kill hits many of them between their beginning and their end.
#[test]
fn runs_that_are_cut_off_are_repeated_and_answered_once() {
    kill_and_count(&guest("probe"), |_, _| "sleep 15".to_owned(), false);
}
