//! A dispatcher whose router is hostile: what it attacks with is given up, with a reason, and the next message goes its
//! way.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::{Admission, Broker, Consumer, Feed, Result, Stack, SystemClock};
use vumi_dispatch::{Dispatcher, DispatcherShared, Passed};
use vumi_message::{Event, Message};
use vumi_sandbox::{GuestRouter, PartSurroundings};
use vumi_store::MemoryBounds;
use vumi_tests::{PATIENCE, guests};

use crate::kit::{Datapoints, cache, eventually, message, sandbox};

/// A dispatcher between the transport `t1` and the app `a1`, with the bad router.
struct Rig {
    broker: Arc<dyn Broker>,
    dispatcher: Arc<Dispatcher>,
    shutdown: CancellationToken,
    worker: JoinHandle<Result<()>>,
}

impl Rig {
    fn start() -> Self {
        Self::with_timeout(2)
    }

    /// Each call of the router may take so many seconds.
    fn with_timeout(seconds: u64) -> Self {
        let broker: Arc<dyn Broker> = EmbeddedBroker::in_memory(BrokerOptions::default());
        let around = PartSurroundings {
            kv: vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock)),
            store: vumi_store::store_in_memory().expect("a store"),
            feed: Feed::default(),
            metrics: Arc::new(Datapoints::default()),
            io: Handle::current(),
            guests: Handle::current(),
        };
        let config = json!({"component": guests::guest("bad-router"), "limits": {"cpu_ms": 300}, "timeout": seconds});
        let config = serde_json::from_value(config).expect("a configuration");
        let router = GuestRouter::new(sandbox(), &cache(), "switch.router", &config, around).expect("a router");
        let shared = DispatcherShared {
            transport_names: vec!["t1".into()],
            exposed_names: vec!["a1".into()],
            ..DispatcherShared::default()
        };
        let dispatcher = Arc::new(Dispatcher {
            name: "switch".into(),
            shared,
            router: Arc::new(router),
            stack: Stack::default(),
            broker: Arc::clone(&broker),
            feed: Feed::default(),
            passed: Passed::default(),
        });
        let shutdown = CancellationToken::new();
        let worker = tokio::spawn(Arc::clone(&dispatcher).run(shutdown.clone()));
        Self { broker, dispatcher, shutdown, worker }
    }

    async fn publish(&self, queue: &str, message: impl Into<Message>) {
        let body = message.into().to_json().into();
        self.broker.publish(queue, body, Admission::Edge(PATIENCE)).await.unwrap().await.unwrap();
    }

    async fn consume(&self, queue: &str) -> Box<dyn Consumer> {
        self.broker.consume(queue, 0).await.unwrap()
    }

    /// The reasons of the dead letters of a queue, once there are so many.
    async fn dead(&self, queue: &str, count: usize) -> Vec<String> {
        eventually("the dead letters are there", || async {
            let dead = self.broker.dead_letters(queue, 100).await.unwrap();
            (dead.len() == count).then(|| dead.into_iter().map(|letter| letter.reason).collect())
        })
        .await
    }

    /// Every queue that has ever held something, apart from those that the dispatcher consumes.
    async fn filled(&self) -> Vec<String> {
        let queues = self.broker.queues().await.unwrap();
        queues.into_iter().map(|queue| queue.name).filter(|name| !CONSUMED.contains(&name.as_str())).collect()
    }

    fn unroutable(&self) -> u64 {
        self.dispatcher.passed.unroutable.load(Ordering::Relaxed)
    }

    async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, self.worker).await.expect("it ends").unwrap().expect("it ends well");
    }
}

const CONSUMED: [&str; 3] = ["t1.inbound", "t1.event", "a1.outbound"];

/// The next message of a queue.
async fn next(queue: &mut Box<dyn Consumer>) -> Message {
    let mut delivery =
        tokio::time::timeout(PATIENCE, queue.next()).await.expect("the good message passes").expect("an open broker");
    delivery.ack().await.unwrap().await.unwrap();
    let fields = serde_json::from_slice::<serde_json::Value>(&delivery.body).unwrap();
    Message::from_payload(fields.as_object().unwrap().clone()).unwrap()
}

/// What the router is told to do, and the code of how that ends.
const FAILS: [(&str, &str); 9] = [
    ("trap", "trap"),
    ("loop", "cpu-limit"),
    ("memory", "memory-limit"),
    ("sleep", "deadline"),
    ("fail with\na reason", "handler-error"),
    ("set message-id m9", "handler-error"),
    ("set helper-metadata no", "handler-error"),
    ("many 101", "handler-error"),
    ("long 4000000", "transfer-limit"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_attack_is_given_up_and_the_next_message_passes() {
    let rig = Rig::start();
    let mut app = rig.consume("a1.inbound").await;
    for (count, (attack, code)) in FAILS.into_iter().enumerate() {
        rig.publish("t1.inbound", message(attack)).await;
        let good = Message::User(message(&format!("after {attack}")));
        rig.publish("t1.inbound", good.clone()).await;
        assert_eq!(next(&mut app).await, good, "{attack}");
        let dead = rig.dead("t1.inbound", count + 1).await;
        let text = format!("switch.router stopped ({code}): ");
        assert!(dead.iter().any(|reason| reason.starts_with(&text)), "{attack}: {dead:?}");
    }
    assert_eq!((rig.unroutable(), rig.filled().await), (0, vec!["a1.inbound".to_owned()]));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attacks_of_events_and_from_apps() {
    let rig = Rig::start();
    let (mut app, mut network) = (rig.consume("a1.event").await, rig.consume("t1.outbound").await);
    for (count, attack) in ["trap", "loop", "fail", "many 101"].into_iter().enumerate() {
        rig.publish("t1.event", Event::ack(attack, "s1")).await;
        let good = Message::Event(Event::ack("m1", attack));
        rig.publish("t1.event", good.clone()).await;
        assert_eq!(next(&mut app).await, good, "{attack}");
        rig.dead("t1.event", count + 1).await;

        let answer = |content: &str| {
            let mut message = message(content);
            message.set("transport_name", "t1").unwrap();
            message
        };
        rig.publish("a1.outbound", answer(attack)).await;
        let good = Message::User(answer("good"));
        rig.publish("a1.outbound", good.clone()).await;
        assert_eq!(next(&mut network).await, good, "{attack}");
        rig.dead("a1.outbound", count + 1).await;
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sleeper_holds_up_its_own_queue_only() {
    let rig = Rig::with_timeout(600);
    let mut app = rig.consume("a1.event").await;
    rig.publish("t1.inbound", message("sleep")).await;
    for n in 0..10 {
        rig.publish("t1.event", Event::ack("m1", &n.to_string())).await;
        assert_eq!(next(&mut app).await.payload()["sent_message_id"], n.to_string());
    }
    let queues = rig.broker.queues().await.unwrap();
    let sleeps = queues.iter().find(|queue| queue.name == "t1.inbound").expect("it has a queue");
    assert_eq!((sleeps.unacked, sleeps.dead), (1, 0), "it still sleeps");
    // Ten minutes are not waited for: whoever drops the worker drops the call.
    rig.worker.abort();
    assert!(rig.worker.await.unwrap_err().is_cancelled());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_queue_of_others_is_reached() {
    let rig = Rig::start();
    let (mut inbound, mut events) = (rig.consume("a1.inbound").await, rig.consume("a1.event").await);
    let attacks =
        ["to a2", "to t1", "to a1.inbound", "to ", "to *", "to vumi.metrics", "out a1", "out t2", "out heartbeat"];
    for attack in attacks {
        rig.publish("t1.inbound", message(attack)).await;
    }
    // Of several targets the right ones are served.
    rig.publish("t1.inbound", message("to a2 a1 t1")).await;
    assert_eq!(next(&mut inbound).await.payload()["content"], "to a2 a1 t1");
    for attack in ["to a2", "to t1"] {
        rig.publish("t1.event", Event::ack(attack, "s1")).await;
    }
    let good = Message::Event(Event::ack("m1", "s1"));
    rig.publish("t1.event", good.clone()).await;
    assert_eq!(next(&mut events).await, good);
    assert_eq!(rig.unroutable(), attacks.len() as u64 + 2 + 2);
    assert_eq!(rig.filled().await, ["a1.event", "a1.inbound"]);
    for queue in CONSUMED {
        assert_eq!(rig.dead(queue, 0).await, Vec::<String>::new());
    }
    rig.stop().await;
}
