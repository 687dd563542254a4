//! Queues that are taken up and let go. Seconds pass at once here: the clock jumps when everybody waits.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::{
    Admission, BindingsWatch, BoundApp, Broker, Confirm, Consumer, DeadLetter, Direction, Error, Feed, Flow, Hook,
    Middleware, Placed, QueueInfo, Route, Router, Stack, Target,
};
use vumi_message::Message;

use super::*;
use crate::testing::{changed, message};
use crate::{DispatcherShared, Passed};

/// Messages go to the transport `t` and to the first app of the table, but for some texts: that of a panic, that of a
/// refusal, and two of apps that go at an awkward moment.
struct ToTransport {
    watch: BindingsWatch,
    tables: watch::Sender<Arc<BindingTable>>,
}

#[async_trait]
impl Router for ToTransport {
    async fn route(&self, _: &str, channel: Channel, message: &Message) -> Result<Route> {
        let Message::User(user) = message else { return Ok(Route::Discarded) };
        if channel == Channel::Outbound {
            return match user.content() {
                Some("panic") => panic!("on purpose"),
                Some("refuse") => Ok(Route::Refused("no".to_owned())),
                _ => Ok(Route::one("t", Channel::Outbound, message.clone())),
            };
        }
        if user.content() == Some("goes after") {
            let to = |app: &str| Target { connector: app.to_owned(), channel, message: message.clone() };
            return Ok(Route::To(vec![to("a"), to("b")]));
        }
        let app = self.watch.borrow().apps.first().map(|app| app.connector.clone());
        if user.content() == Some("goes meanwhile") && app.as_deref() == Some("a") {
            self.tables.send_replace(table(&["b"]));
        }
        Ok(app.map_or(Route::Discarded, |app| Route::one(app, Channel::Inbound, message.clone())))
    }

    fn bindings(&self) -> Option<&BindingsWatch> {
        Some(&self.watch)
    }
}

/// Takes all apps out of the table when a copy for the first one is written.
struct Goes(watch::Sender<Arc<BindingTable>>);

#[async_trait]
impl Middleware for Goes {
    async fn handle(&self, hook: Hook, connector: &str, message: Message) -> Result<Flow> {
        if hook.direction == Direction::Publish && connector == "a" {
            self.0.send_replace(table(&[]));
        }
        Ok(Flow::Continue(message))
    }
}

/// A broker that refuses to have `bad.outbound` consumed, for a number of times.
struct Grudging {
    inner: Arc<EmbeddedBroker>,
    refusals: AtomicU32,
}

#[async_trait]
impl Broker for Grudging {
    async fn declare(&self, queue: &str) -> Result<()> {
        self.inner.declare(queue).await
    }

    async fn publish(&self, queue: &str, body: Bytes, admission: Admission) -> Result<Confirm> {
        self.inner.publish(queue, body, admission).await
    }

    fn has_room(&self, queue: &str) -> bool {
        self.inner.has_room(queue)
    }

    async fn room(&self, queue: &str) {
        self.inner.room(queue).await;
    }

    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Box<dyn Consumer>> {
        let left = self.refusals.load(Ordering::SeqCst);
        if queue == "bad.outbound" && left > 0 {
            self.refusals.store(left - 1, Ordering::SeqCst);
            return Err(Error::temporary("not now"));
        }
        self.inner.consume(queue, prefetch).await
    }

    async fn queues(&self) -> Result<Vec<QueueInfo>> {
        self.inner.queues().await
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>> {
        self.inner.dead_letters(queue, limit).await
    }

    async fn revive(&self, queue: &str, id: u64) -> Result<bool> {
        self.inner.revive(queue, id).await
    }

    async fn bury(&self, queue: &str, id: u64) -> Result<bool> {
        self.inner.bury(queue, id).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

fn table(apps: &[&str]) -> Arc<BindingTable> {
    let bound = |app: &&str| BoundApp { connector: (*app).to_owned(), bindings: Vec::new() };
    Arc::new(BindingTable { apps: apps.iter().map(bound).collect() })
}

/// A dispatcher at work between the transport `t`, the static app `static`, and those of the table.
struct Rig {
    tables: watch::Sender<Arc<BindingTable>>,
    broker: Arc<Grudging>,
    shutdown: CancellationToken,
    worker: JoinHandle<Result<()>>,
}

impl Rig {
    fn new(options: BrokerOptions, refusals: u32) -> Self {
        Self::with(options, refusals, |_| Stack::default())
    }

    fn with(
        options: BrokerOptions,
        refusals: u32,
        stack: impl FnOnce(&watch::Sender<Arc<BindingTable>>) -> Stack,
    ) -> Self {
        let (tables, watch) = watch::channel(table(&[]));
        let broker =
            Arc::new(Grudging { inner: EmbeddedBroker::in_memory(options), refusals: AtomicU32::new(refusals) });
        let dispatcher = Arc::new(Dispatcher {
            name: "d".to_owned(),
            shared: DispatcherShared {
                transport_names: vec!["t".to_owned()],
                exposed_names: vec!["static".to_owned()],
                ..DispatcherShared::default()
            },
            router: Arc::new(ToTransport { watch, tables: tables.clone() }),
            stack: stack(&tables),
            broker: broker.clone(),
            feed: Feed::default(),
            passed: Passed::default(),
        });
        let shutdown = CancellationToken::new();
        let worker = tokio::spawn(dispatcher.run(shutdown.clone()));
        Self { tables, broker, shutdown, worker }
    }

    fn deployed(&self, apps: &[&str]) {
        self.tables.send_replace(table(apps));
    }

    async fn says(&self, queue: &str, content: &str) {
        let body = changed(&message("t"), "content", content.into()).to_json().into();
        self.broker.publish(queue, body, Admission::Edge(Duration::from_secs(600))).await.unwrap().await.unwrap();
    }

    async fn queue(&self, name: &str) -> Option<QueueInfo> {
        self.broker.queues().await.unwrap().into_iter().find(|info| info.name == name)
    }

    async fn consumers(&self, queue: &str) -> u64 {
        self.queue(queue).await.map_or(0, |info| info.consumers)
    }

    async fn held(&self, queue: &str) -> u64 {
        self.queue(queue).await.map_or(0, |info| info.ready + info.unacked)
    }

    /// Waits until so many consumers have a queue, and tells how many seconds that took.
    async fn until_consumers(&self, queue: &str, count: u64) -> u64 {
        let began = Instant::now();
        while self.consumers(queue).await != count {
            assert!(began.elapsed() < Duration::from_secs(300), "{queue} does not come to {count} consumers");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        began.elapsed().as_secs()
    }

    async fn until_held(&self, queue: &str, count: u64) {
        let began = Instant::now();
        while self.held(queue).await != count {
            assert!(began.elapsed() < Duration::from_secs(300), "{queue} does not come to {count} messages");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.worker.await.unwrap().unwrap();
        for queue in ["t.inbound", "static.outbound", "a.outbound", "b.outbound", "bad.outbound"] {
            let queues = self.broker.queues().await.unwrap();
            assert!(queues.iter().all(|info| info.name != queue || info.consumers == 0), "{queue}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_app_is_consumed_while_it_is_there_and_until_it_has_been_quiet() {
    let rig = Rig::new(BrokerOptions::default(), 0);
    rig.says("a.outbound", "before").await;
    rig.deployed(&["a", "b"]);
    rig.until_held("t.outbound", 1).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    rig.deployed(&["b"]);
    tokio::time::sleep(Duration::from_secs(4)).await;
    rig.says("a.outbound", "one that was on its way").await;
    rig.until_held("t.outbound", 2).await;
    assert_eq!(rig.until_consumers("a.outbound", 0).await, 5);
    rig.says("a.outbound", "afterwards").await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!((rig.held("a.outbound").await, rig.consumers("b.outbound").await), (1, 1));
    // It comes back, goes, and is back before its queue is let go.
    rig.deployed(&["a", "b"]);
    rig.until_held("t.outbound", 3).await;
    rig.deployed(&[]);
    tokio::time::sleep(Duration::from_secs(4)).await;
    rig.deployed(&["a"]);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!((rig.consumers("a.outbound").await, rig.consumers("b.outbound").await), (1, 0));
    rig.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_app_that_goes_and_does_not_end_is_let_go() {
    let rig = Rig::new(BrokerOptions::default(), 0);
    rig.deployed(&["a"]);
    rig.until_consumers("a.outbound", 1).await;
    rig.deployed(&[]);
    let mut sent = 0;
    let began = Instant::now();
    while rig.consumers("a.outbound").await == 1 {
        rig.says("a.outbound", "more").await;
        sent += 1;
        assert!(sent < 200, "it is never let go");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!((60..=62).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert_eq!(rig.held("a.outbound").await + rig.held("t.outbound").await, sent);
    rig.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_room_is_not_lost_when_its_app_is_let_go() {
    let rig = Rig::new(BrokerOptions { bound: 2, ..BrokerOptions::default() }, 0);
    rig.deployed(&["a"]);
    for _ in 0..3 {
        rig.says("a.outbound", "x").await;
    }
    rig.until_held("t.outbound", 2).await;
    rig.deployed(&[]);
    // It has a message in its hands all the while.
    assert_eq!(rig.until_consumers("a.outbound", 0).await, 60);
    let left = rig.queue("a.outbound").await.unwrap();
    assert_eq!((left.ready, left.unacked, left.dead), (1, 0, 0));
    rig.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_failures_of_one_app_are_its_own() {
    let rig = Rig::new(BrokerOptions::default(), 5);
    rig.deployed(&["a", "bad"]);
    rig.says("bad.outbound", "late").await;
    rig.says("a.outbound", "panic").await;
    rig.until_consumers("bad.outbound", 1).await;
    rig.until_held("t.outbound", 1).await;
    assert_eq!(rig.broker.refusals.load(Ordering::SeqCst), 0);
    for app in ["static", "bad"] {
        rig.says(&format!("{app}.outbound"), "x").await;
    }
    rig.until_held("t.outbound", 3).await;
    assert_eq!(rig.held("a.outbound").await, 1);
    // It may even go while it fails.
    rig.deployed(&["bad"]);
    rig.until_consumers("a.outbound", 0).await;
    assert!(!rig.worker.is_finished());
    rig.stop().await;
}

#[tokio::test(start_paused = true)]
async fn apps_and_transports_of_the_configuration_are_left_alone() {
    let rig = Rig::new(BrokerOptions::default(), 0);
    rig.deployed(&["a", "static", "t"]);
    rig.until_consumers("a.outbound", 1).await;
    assert_eq!((rig.consumers("static.outbound").await, rig.consumers("t.outbound").await), (1, 0));
    rig.deployed(&[]);
    rig.until_consumers("a.outbound", 0).await;
    assert_eq!(rig.consumers("static.outbound").await, 1);
    // A router that names an app which is called like a transport reaches nothing.
    rig.deployed(&["t"]);
    rig.says("t.inbound", "x").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(rig.held("t.inbound").await, 0);
    rig.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_app_that_goes_while_a_message_is_routed_does_not_lose_it() {
    let rig = Rig::new(BrokerOptions::default(), 0);
    rig.deployed(&["a"]);
    rig.says("t.inbound", "goes meanwhile").await;
    rig.until_held("b.inbound", 1).await;
    assert_eq!(rig.held("a.inbound").await, 0);
    rig.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_decided_is_done_though_its_app_goes() {
    let rig = Rig::with(BrokerOptions::default(), 0, |tables| {
        let middleware = Arc::new(Goes(tables.clone()));
        Stack::new(vec![Placed { middleware, consume_priority: 0, publish_priority: 0 }])
    });
    rig.deployed(&["a", "b"]);
    rig.says("t.inbound", "goes after").await;
    rig.until_held("a.inbound", 1).await;
    rig.until_held("b.inbound", 1).await;
    rig.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_gone_is_told_nothing() {
    let rig = Rig::new(BrokerOptions::default(), 0);
    rig.deployed(&["a"]);
    rig.says("a.outbound", "refuse").await;
    rig.until_held("a.event", 1).await;
    rig.deployed(&[]);
    rig.says("a.outbound", "refuse").await;
    rig.until_held("a.outbound", 0).await;
    assert_eq!(rig.held("a.event").await, 1);
    rig.stop().await;
}
