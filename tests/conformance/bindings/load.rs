//! The table changes a hundred times while messages pass in both directions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::{Admission, Broker, Context, Outgoing, Stack};
use vumi_message::{Message, Payload, UserMessage};

use super::{from_user, table};
use crate::routers::kit::Rig;
use crate::session::SetClock;

const LIMIT: Duration = Duration::from_secs(120);
const CHANGES: usize = 100;
const USERS: usize = 40;
/// Messages at least.
const LEAST: usize = 2_000;
const APPS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Which app got each message, by the message's id, each time that it came.
type Got = Arc<Mutex<BTreeMap<String, Vec<String>>>>;

/// Answers whatever comes, in one step with taking it, and notes it.
async fn answers(broker: Arc<dyn Broker>, app: &'static str, got: Got) {
    let mut consumer = broker.consume(&format!("{app}.inbound"), 20).await.unwrap();
    while let Some(mut delivery) = consumer.next().await {
        let message = UserMessage::from_json(&delivery.body).unwrap();
        got.lock().entry(message.message_id().to_owned()).or_default().push(app.to_owned());
        let reply = Message::User(message.reply(Some(app), true, Payload::new()).unwrap());
        let outgoing = Outgoing { queue: format!("{app}.outbound"), body: reply.to_json().into() };
        delivery.done(vec![outgoing]).await.unwrap().await.unwrap();
    }
}

/// A reply that has left the system.
#[derive(Clone)]
struct Reply {
    id: String,
    original: String,
    app: String,
}

/// Takes what a network would, notes it, and acks it.
async fn sends(broker: Arc<dyn Broker>, sent: Arc<Mutex<Vec<Reply>>>) {
    let mut consumer = broker.consume("t.outbound", 20).await.unwrap();
    while let Some(mut delivery) = consumer.next().await {
        let message = UserMessage::from_json(&delivery.body).unwrap();
        sent.lock().push(Reply {
            id: message.message_id().to_owned(),
            original: message.in_reply_to().unwrap().to_owned(),
            app: message.content().unwrap().to_owned(),
        });
        let ack = Message::Event(crate::routers::kit::ack("t", message.message_id()));
        let outgoing = Outgoing { queue: "t.event".to_owned(), body: ack.to_json().into() };
        delivery.done(vec![outgoing]).await.unwrap().await.unwrap();
    }
}

/// A table in which each app is there or not, and reached in this way or that, as the number says.
fn nth(n: usize) -> Value {
    let apps = APPS.iter().enumerate().filter(|(at, _)| !(n + at).is_multiple_of(3));
    let bindings = |at: usize| match (n / 3 + at) % 4 {
        0 => json!([{"to_addr": "8007"}]),
        1 => json!([{"keyword": "join"}]),
        2 => json!([{"transport_name": "t", "to_addr": "8008"}]),
        _ => json!([{}]),
    };
    apps.map(|(at, app)| ((*app).to_owned(), bindings(at))).collect::<serde_json::Map<_, _>>().into()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_while_the_table_changes() {
    let (tables, bindings) = watch::channel(table(nth(0)));
    let broker: Arc<dyn Broker> = EmbeddedBroker::in_memory(BrokerOptions::default());
    let clock = SetClock::new();
    let context = Context { bindings, ..vumi_tests::context::context_with(Arc::clone(&broker), clock.clone()) };
    let yaml = "{class: bindings, transport_names: [t], exposed_names: [sorry], fallback: sorry}";
    let rig = Rig::start_in(context, clock, yaml, Stack::default());

    let (got, sent) = (Got::default(), Arc::<Mutex<Vec<Reply>>>::default());
    let mut workers = vec![AbortOnDropHandle::new(tokio::spawn(sends(Arc::clone(&broker), Arc::clone(&sent))))];
    for app in APPS.into_iter().chain(["sorry"]) {
        workers.push(AbortOnDropHandle::new(tokio::spawn(answers(Arc::clone(&broker), app, Arc::clone(&got)))));
    }

    let enough = CancellationToken::new();
    let users = tokio::spawn({
        let (broker, enough) = (Arc::clone(&broker), enough.clone());
        async move {
            let mut n = 0;
            while !enough.is_cancelled() || n < LEAST {
                let session = [Value::Null, json!("new"), json!("resume"), json!("close")];
                let fields = json!({
                    "message_id": format!("m{n}"),
                    "from_addr": format!("+{}", n % USERS),
                    "to_addr": if n % 3 == 0 { "8007" } else { "8008" },
                    "content": if n % 5 == 0 { "join" } else { "hello" },
                    "session_event": session[n / USERS % 4],
                });
                let body = Message::User(from_user("t", fields)).to_json().into();
                broker.publish("t.inbound", body, Admission::Edge(LIMIT)).await.unwrap().await.unwrap();
                n += 1;
                if n % 16 == 0 {
                    tokio::task::yield_now().await;
                }
            }
            n
        }
    });
    for n in 1..=CHANGES {
        // Some messages between each two.
        let seen = sent.lock().len();
        tables.send_replace(table(nth(n)));
        until("messages pass", || sent.lock().len() > seen + 10 || users.is_finished()).await;
    }
    assert!(!users.is_finished(), "the users had nothing to say during the last changes");
    enough.cancel();
    let count = tokio::time::timeout(LIMIT, users).await.unwrap().unwrap();
    // All are back: what an app sent after its queue was let go is taken now.
    let everybody = APPS.iter().map(|app| ((*app).to_owned(), json!([])));
    tables.send_replace(table(everybody.collect::<serde_json::Map<_, _>>().into()));
    until("every message is answered", || sent.lock().len() >= count).await;
    until_empty(&*broker, &["t.inbound", "t.outbound", "t.event"]).await;

    let replied = sent.lock().clone();
    let once: BTreeSet<&String> = replied.iter().map(|reply| &reply.original).collect();
    assert_eq!((replied.len(), once.len()), (count, count));
    let got = got.lock().clone();
    assert_eq!(got.len(), count);
    for (id, apps) in &got {
        assert_eq!(apps.len(), 1, "{id} went to {apps:?}");
    }
    let reached: BTreeSet<&String> = got.values().flatten().collect();
    assert!(reached.len() >= APPS.len(), "only {reached:?} got anything");
    // Every event is with the app that sent the message, or was dropped because that app was gone.
    let sender: BTreeMap<&str, &str> = replied.iter().map(|reply| (reply.id.as_str(), reply.app.as_str())).collect();
    let mut events = 0;
    for info in broker.queues().await.unwrap() {
        assert_eq!(info.dead, 0, "{}", info.name);
        if let Some(app) = info.name.strip_suffix(".event").filter(|app| *app != "t") {
            for event in rig.drain(&info.name).await {
                assert_eq!(sender[event["user_message_id"].as_str().unwrap()], app, "{event}");
                events += 1;
            }
        }
    }
    assert!(events > count / 10 && events <= count, "{events} events of {count} messages");
    assert_eq!((rig.unroutable(), rig.reasons()), (0, Vec::new()));
    drop(workers);
    rig.stop().await;
}

/// Waits until nothing is in these queues.
async fn until_empty(broker: &dyn Broker, queues: &[&str]) {
    let wait = async {
        loop {
            let infos = broker.queues().await.unwrap();
            let held = infos.iter().filter(|info| queues.contains(&info.name.as_str()));
            if held.map(|info| info.ready + info.unacked).sum::<u64>() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("{queues:?} are not emptied"));
}
