//! The worker around an app, on the broker of one process: order, side by side, what cannot be read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::{Admission, Broker, Consumer, Feed, Stack, Store, SystemClock, names};
use vumi_core::{AppWorker, QueueOutbox};
use vumi_message::{Event, NewUserMessage, UserMessage};
use vumi_sandbox::{App, AppConfig, MetricSink, Surroundings};
use vumi_store::{MemoryBounds, SqliteStore};

use super::kit::{self, Datapoints, component, eventually, sandbox};

/// An app at work, seen from its queues.
struct Works {
    broker: Arc<dyn Broker>,
    store: Arc<SqliteStore>,
    outbound: Box<dyn Consumer>,
    shutdown: CancellationToken,
    worker: JoinHandle<vumi_core::Result<()>>,
}

impl Works {
    async fn start(change: impl FnOnce(&mut AppConfig)) -> Self {
        let mut config = kit::config();
        change(&mut config);
        let broker: Arc<dyn Broker> = EmbeddedBroker::in_memory(BrokerOptions::default());
        let store = vumi_store::store_in_memory().unwrap();
        let around = Surroundings {
            kv: vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock)),
            store: Arc::clone(&store) as Arc<dyn Store>,
            feed: Feed::default(),
            outbox: Arc::new(QueueOutbox::new(Arc::clone(&broker), "app", Stack::default())),
            metrics: Arc::new(Datapoints::default()) as Arc<dyn MetricSink>,
            io: tokio::runtime::Handle::current(),
            recordings: None,
        };
        let app = Arc::new(App::new(sandbox(), "app", &config, &component("probe"), around).unwrap());
        let worker = Arc::new(AppWorker {
            app,
            connector: "app".into(),
            broker: Arc::clone(&broker),
            feed: Feed::default(),
            stack: Stack::default(),
            prefetch: config.amqp_prefetch_count,
            parallel: config.parallel,
            inbound_endpoints: config.inbound_endpoints,
        });
        let shutdown = CancellationToken::new();
        let worker = tokio::spawn(worker.run(shutdown.clone()));
        let outbound = broker.consume(&names::outbound("app"), 0).await.unwrap();
        Self { broker, store, outbound, shutdown, worker }
    }

    async fn publish(&self, queue: &str, body: impl Into<Bytes>) {
        self.broker.publish(queue, body.into(), Admission::Inside).await.unwrap().await.unwrap();
    }

    async fn inbound(&self, user: &str, text: &str) {
        self.publish(&names::inbound("app"), message(user, text).to_json()).await;
    }

    /// The next message that the app sends.
    async fn next(&mut self) -> UserMessage {
        let next = tokio::time::timeout(vumi_tests::PATIENCE, self.outbound.next()).await;
        let mut delivery = next.expect("a message comes in time").expect("the broker is open");
        let message = UserMessage::from_json(&delivery.body).unwrap();
        delivery.ack().await.unwrap().await.unwrap();
        message
    }

    /// Waits until everything that went into a queue has been settled; then the number of its dead letters.
    async fn settled(&self, queue: &str) -> u64 {
        eventually("the queue is empty", || async {
            let all = self.broker.queues().await.unwrap();
            all.into_iter().find(|info| info.name == queue && info.ready + info.unacked == 0).map(|info| info.dead)
        })
        .await
    }

    async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(vumi_tests::PATIENCE, self.worker).await.expect("it stops in time").unwrap().unwrap();
    }
}

fn message(user: &str, text: &str) -> UserMessage {
    UserMessage::new(NewUserMessage {
        from_addr: Some(user.into()),
        to_addr: Some("8007".into()),
        transport_name: Some("sms_1".into()),
        transport_type: Some("sms".into()),
        content: Some(text.into()),
        ..NewUserMessage::default()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_conversation_keeps_its_order() {
    let mut works = Works::start(|_| {}).await;
    for n in 0..50 {
        for user in ["a", "b", "c", "d"] {
            // Some messages take longer than those behind them.
            let work = if n % 7 == 0 { "innocent 300000".to_owned() } else { format!("echo {n}") };
            works.inbound(user, &work).await;
        }
    }
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for _ in 0..200 {
        let reply = works.next().await;
        let user = reply.to_addr().unwrap_or_default().to_owned();
        seen.entry(user).or_default().push(reply.content().unwrap_or_default().to_owned());
    }
    let expected: Vec<String> = (0..50).map(|n| if n % 7 == 0 { "done".to_owned() } else { n.to_string() }).collect();
    assert_eq!(seen.len(), 4);
    for (user, replies) in seen {
        assert_eq!(replies, expected, "{user}");
    }
    assert_eq!(works.settled("app.inbound").await, 0);
    works.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_conversation_does_not_hold_up_another() {
    let mut works = Works::start(|_| {}).await;
    works.inbound("slow", "sleep 3000").await;
    works.inbound("slow", "echo after").await;
    let began = Instant::now();
    for n in 0..5 {
        works.inbound("quick", &format!("echo {n}")).await;
    }
    for n in 0..5 {
        let reply = works.next().await;
        assert_eq!((reply.to_addr(), reply.content()), (Some("quick"), Some(n.to_string().as_str())));
    }
    assert!(began.elapsed() < Duration::from_millis(3_000), "{:?}", began.elapsed());
    assert_eq!(works.next().await.content(), Some("awake"));
    assert_eq!(works.next().await.content(), Some("after"));
    works.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_goes_to_the_dead_letters() {
    let mut works = Works::start(|_| {}).await;
    let poison: [&[u8]; 5] = [b"", b"not json", b"{}", b"[1]", b"\xff\xfe"];
    for body in poison {
        works.publish("app.inbound", body).await;
        works.publish("app.event", body).await;
    }
    works.inbound("a", "echo next").await;
    assert_eq!(works.next().await.content(), Some("next"));
    assert_eq!((works.settled("app.inbound").await, works.settled("app.event").await), (5, 5));
    for letter in works.broker.dead_letters("app.inbound", 10).await.unwrap() {
        assert!(letter.reason.starts_with("invalid message: "), "{}", letter.reason);
    }
    works.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_fails_is_acknowledged_and_the_next_message_handled() {
    let mut works = Works::start(|config| config.limits.cpu_ms = 200).await;
    for bad in ["panic", "fail no", "loop", "descend", "memory"] {
        works.inbound("a", bad).await;
    }
    works.inbound("a", "echo next").await;
    assert_eq!(works.next().await.content(), Some("next"));
    assert_eq!(works.settled("app.inbound").await, 0, "none goes to the dead letters");
    let runs = eventually("the runs are stored", || async {
        let runs = works.store.runs(Some("app"), 10).await.unwrap();
        (runs.len() >= 6).then_some(runs)
    })
    .await;
    let codes: Vec<&str> = runs.iter().rev().map(|run| run.outcome.code()).collect();
    assert_eq!(codes, ["trap", "handler-error", "cpu-limit", "stack-overflow", "memory-limit", "ok"]);
    works.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_the_broker_never_takes_does_not_turn_the_message_into_a_dead_letter() {
    let mut works = Works::start(|_| {}).await;
    // Larger than a body of the broker may be, smaller than one host call may carry.
    works.inbound("a", "huge-reply 1500000").await;
    works.inbound("a", "echo next").await;
    assert_eq!(works.next().await.content(), Some("next"));
    assert_eq!(works.settled("app.inbound").await, 0);
    works.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_and_endpoints() {
    let mut works = Works::start(|config| config.inbound_endpoints = Some(vec!["default".into()])).await;
    let mut elsewhere = message("a", "echo elsewhere");
    elsewhere.set_endpoint(Some("other"));
    works.publish("app.inbound", elsewhere.to_json()).await;
    let mut ack = Event::ack("m1", "n1");
    ack.set_endpoint(Some("foo"));
    works.publish("app.event", ack.to_json()).await;
    works.inbound("a", "echo here").await;
    assert_eq!(
        works.next().await.content(),
        Some("here"),
        "a message for an endpoint that is not taken is passed over"
    );
    assert_eq!((works.settled("app.inbound").await, works.settled("app.event").await), (0, 0));
    let line =
        eventually("the event was logged", || async { works.store.logs(Some("app"), 10).await.unwrap().pop() }).await;
    assert!(line.text.contains("Ack") && line.text.contains("m1"), "{}", line.text);
    works.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_takes_no_events_is_not_run_for_them() {
    let mut works = Works::start(|config| config.events = false).await;
    works.publish("app.event", Event::ack("m1", "n1").to_json()).await;
    works.publish("app.event", "no event").await;
    works.inbound("a", "kv-get events").await;
    // The probe counts the events that it is given.
    assert_eq!(works.next().await.content(), Some("ok None"));
    assert_eq!((works.settled("app.inbound").await, works.settled("app.event").await), (0, 1));
    let runs = works.store.runs(Some("app"), 10).await.unwrap();
    assert_eq!(runs.len(), 1, "the message alone: {runs:?}");
    works.inbound("a", "kv-get events").await;
    assert_eq!(works.next().await.content(), Some("ok None"));
    works.stop().await;
}
