//! What does a router cost? One inbound message is routed by `simple`, by `bindings` with the bindings of a thousand
//! apps (by its address; and where keywords fit too, so that a conversation is looked up in memory), by the component
//! `bad-router` (which only answers: the price of a fresh instance and the two conversions), and by the component
//! `keyword-router` (which also asks for a configuration and a key in memory): once the decision alone, once through a
//! dispatcher from queue to queue, in memory.
//!
//! Run: `cargo bench -p vumi-tests --bench router`, after `cargo xtask guests`. Options after `--`: `--rounds N`
//! (default 5), `--messages N` per round and kind (default 2000).

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::{
    Admission, Binding, BindingTable, BoundApp, Broker, Channel, Context, Feed, Route, Router, Stack, SystemClock,
};
use vumi_dispatch::registry::RouterComponent;
use vumi_dispatch::routers::{BindingsConfig, SimpleConfig};
use vumi_dispatch::{Dispatcher, DispatcherShared, Passed, Place};
use vumi_message::{Message, NewUserMessage, UserMessage};
use vumi_sandbox::{ComponentCache, Datapoint, EngineOptions, GuestRouter, MetricSink, PartSurroundings, Sandbox};
use vumi_store::MemoryBounds;
use vumi_tests::guests::guest;

const PATIENCE: Duration = Duration::from_secs(60);

/// A kind of router and its medians, in microseconds for one message.
struct Kind {
    name: &'static str,
    router: Arc<dyn Router>,
    alone: Vec<f64>,
    dispatched: Vec<f64>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let (rounds, messages) = plan();
    let guests = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
    let sandbox = Sandbox::new(&EngineOptions::default()).expect("an engine");
    let wasm = |name: &str| -> Arc<dyn Router> { component(&sandbox, &guest(name), guests.handle().clone()) };
    let routers = [
        ("simple", simple()),
        ("bindings", bindings(false)),
        ("bindings + get", bindings(true)),
        ("bad-router", wasm("bad-router")),
        ("keyword-router", wasm("keyword-router")),
    ];
    let mut kinds = routers.map(|(name, router)| Kind { name, router, alone: Vec::new(), dispatched: Vec::new() });
    for round in 0..=rounds {
        for kind in &mut kinds {
            let (alone, dispatched) = (alone(&*kind.router, messages).await, dispatched(&kind.router, messages).await);
            // The first round warms up.
            if round > 0 {
                kind.alone.push(alone);
                kind.dispatched.push(dispatched);
            }
        }
    }
    println!("\none inbound message, microseconds; medians over {rounds} rounds of {messages} messages\n");
    println!("| {:<14} | {:>13} | {:>16} |", "router", "decision", "queue to queue");
    println!("| {:-<14} | {:->13} | {:->16} |", "", ":", ":");
    for kind in kinds {
        println!("| {:<14} | {:>13.1} | {:>16.1} |", kind.name, median(kind.alone), median(kind.dispatched));
    }
    guests.shutdown_background();
}

/// The decision alone, one after another.
async fn alone(router: &dyn Router, messages: usize) -> f64 {
    let message = message();
    let began = Instant::now();
    for _ in 0..messages {
        let route = router.route("t1", Channel::Inbound, &message).await.expect("a decision");
        assert!(
            matches!(&route, Route::To(targets) if targets.len() == 1 && targets[0].connector == "a1"),
            "{route:?}"
        );
    }
    per_message(began, messages)
}

/// From queue to queue; the time counts from the start of the dispatcher, before which the queue is filled.
async fn dispatched(router: &Arc<dyn Router>, messages: usize) -> f64 {
    let options = BrokerOptions { bound: messages as u64 + 1, ..BrokerOptions::default() };
    let broker: Arc<dyn Broker> = EmbeddedBroker::in_memory(options);
    let body = message().to_json();
    for _ in 0..messages {
        let published = broker.publish("t1.inbound", body.clone().into(), Admission::Edge(PATIENCE)).await;
        published.expect("room").await.expect("it is kept");
    }
    let mut app = broker.consume("a1.inbound", 0).await.expect("a queue");
    let dispatcher = Arc::new(Dispatcher {
        name: "switch".into(),
        shared: shared(),
        router: Arc::clone(router),
        stack: Stack::default(),
        broker: Arc::clone(&broker),
        feed: Feed::default(),
        passed: Passed::default(),
    });
    let shutdown = CancellationToken::new();
    let began = Instant::now();
    let worker = tokio::spawn(dispatcher.run(shutdown.clone()));
    for _ in 0..messages {
        let mut delivery = tokio::time::timeout(PATIENCE, app.next()).await.expect("a message").expect("an open queue");
        delivery.ack().await.expect("it is settled");
    }
    let time = per_message(began, messages);
    shutdown.cancel();
    worker.await.expect("no panic").expect("it ends well");
    time
}

fn per_message(began: Instant, messages: usize) -> f64 {
    began.elapsed().as_secs_f64() * 1e6 / messages as f64
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn shared() -> DispatcherShared {
    let (transport_names, exposed_names) = (vec!["t1".to_owned()], vec!["a1".to_owned()]);
    DispatcherShared { transport_names, exposed_names, ..DispatcherShared::default() }
}

fn simple() -> Arc<dyn Router> {
    let simple = SimpleConfig {
        route_mappings: [("t1".to_owned(), vec!["a1".to_owned()])].into(),
        transport_mappings: [].into(),
    };
    simple.build(Place { shared: &shared(), context: &vumi_tests::context::context() }).expect("a router")
}

/// A thousand apps, each with an address of its own, and with a keyword, if they are to have one.
fn bindings(keywords: bool) -> Arc<dyn Router> {
    let app = |n: usize| {
        let address = Binding { to_addr: Some((8006 + n).to_string()), ..Binding::default() };
        let keyword = keywords.then(|| Binding { keyword: Some(format!("word{n}")), ..Binding::default() });
        BoundApp { connector: format!("a{n}"), bindings: keyword.into_iter().chain([address]).collect() }
    };
    let mut apps: Vec<BoundApp> = (1..=1_000).map(app).collect();
    apps.sort_by(|one, other| one.connector.cmp(&other.connector));
    let table = Arc::new(BindingTable { apps });
    let context = Context { bindings: tokio::sync::watch::channel(table).1, ..vumi_tests::context::context() };
    BindingsConfig::default().build(Place { shared: &shared(), context: &context }).expect("a router")
}

fn component(sandbox: &Arc<Sandbox>, path: &Path, guests: Handle) -> Arc<dyn Router> {
    struct NoMetrics;
    impl MetricSink for NoMetrics {
        fn fire(&self, _: Datapoint) {}
    }
    let around = PartSurroundings {
        kv: vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock)),
        store: vumi_store::store_in_memory().expect("a store"),
        feed: Feed::default(),
        metrics: Arc::new(NoMetrics),
        io: Handle::current(),
        guests,
    };
    let config = json!({"component": path, "config": {"words": "bench=a1", "fallback": "a1"}});
    let config = serde_json::from_value(config).expect("a configuration");
    Arc::new(GuestRouter::new(sandbox, &ComponentCache::none(), "switch.router", &config, around).expect("a router"))
}

/// Its word chooses no app, so the router asks for the user's.
fn message() -> Message {
    Message::User(UserMessage::new(NewUserMessage {
        from_addr: Some("+27831234567".into()),
        to_addr: Some("8007".into()),
        transport_name: Some("t1".into()),
        transport_type: Some("sms".into()),
        content: Some("hello".into()),
        ..NewUserMessage::default()
    }))
}

fn plan() -> (usize, usize) {
    let (mut rounds, mut messages) = (5, 2_000);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number =
            || words.next().and_then(|text| text.parse::<usize>().ok()).expect("a number after the option");
        match word.as_str() {
            "--rounds" => rounds = number().max(1),
            "--messages" => messages = number().max(1),
            // Cargo adds this one.
            "--bench" => {}
            other => panic!("unknown option {other}: known are --rounds, --messages"),
        }
    }
    (rounds, messages)
}
