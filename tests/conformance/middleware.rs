//! The checks of specs/core/middleware.md. What concerns whole workers is checked with whole workers: a transport and
//! an application on a broker in memory.

mod builtin;
mod rig;
mod session;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use vumi_core::{Channel, Direction, Error, Flow, Hook, Middleware, Placed, Result, Stack};
use vumi_message::Message;

use rig::{At, Log, Stage, build, list, only, user, with};

/// Writes its name down and lets everything pass.
struct Named(String, Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Middleware for Named {
    async fn handle(&self, _: Hook, _: &str, message: Message) -> Result<Flow> {
        self.1.lock().unwrap().push(self.0.clone());
        Ok(Flow::Continue(message))
    }
}

/// The names in the order in which a worker with these keys asks them, on consume and on publish.
async fn order(keys: &str) -> [Vec<String>; 2] {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let list = list(keys).unwrap();
    let placed = list.entries().iter().map(|entry| Placed {
        middleware: Arc::new(Named(entry.name.clone(), Arc::clone(&asked))),
        consume_priority: entry.consume_priority,
        publish_priority: entry.publish_priority,
    });
    let stack = Stack::new(placed.collect());
    let mut orders = Vec::new();
    for direction in [Direction::Consume, Direction::Publish] {
        let hook = Hook { direction, channel: Channel::Inbound };
        stack.pass(hook, "t1", user(None, None).into()).await.unwrap();
        orders.push(std::mem::take(&mut *asked.lock().unwrap()));
    }
    orders.try_into().unwrap()
}

#[tokio::test]
async fn check_01_the_order() {
    let [consume, publish] = order("middleware: [m1: logging, m2: logging, m3: logging]").await;
    assert_eq!(consume, ["m1", "m2", "m3"]);
    assert_eq!(publish, ["m3", "m2", "m1"]);
}

#[tokio::test]
async fn check_02_the_order_by_priority() {
    let [consume, publish] = order(
        "middleware:
  - a: {class: logging, consume_priority: 3, publish_priority: 3}
  - b: logging
  - c: {class: logging, consume_priority: 2, publish_priority: 2}
  - d: {class: logging, consume_priority: 2, publish_priority: 2}
  - e: {class: logging, consume_priority: 1, publish_priority: 4}",
    )
    .await;
    assert_eq!(consume, ["b", "e", "c", "d", "a"]);
    assert_eq!(publish, ["b", "d", "c", "a", "e"]);
}

#[test]
fn check_03_mistakes_in_the_list() {
    for (keys, text) in [
        ("middleware: [{a: logging, b: logging}]", "exactly one key"),
        ("middleware: [a: 5]", "expected a class name"),
        ("middleware: [a: {class: logging, consume_priority: x}]", "Middleware priority level must be an integer"),
    ] {
        let error = list(keys).unwrap_err();
        assert!(error.contains(text), "{keys}: {error}");
    }
    let list = list("middleware: [a: {class: logging, consume_priority: \"2\"}]").unwrap();
    assert_eq!((list.entries()[0].consume_priority, list.entries()[0].publish_priority), (2, 0));
}

/// A hook here cannot return nothing; what can go wrong in its place is an error, or a message of another kind.
#[tokio::test]
async fn check_04_errors_abort_the_chain() {
    struct Turns;

    #[async_trait]
    impl Middleware for Turns {
        async fn handle(&self, hook: Hook, _: &str, message: Message) -> Result<Flow> {
            Ok(Flow::Continue(match hook.direction {
                Direction::Consume => vumi_message::Event::ack("m1", "s1").into(),
                Direction::Publish => message,
            }))
        }
    }

    let on_consume = |hook: Hook| hook.direction == Direction::Consume;
    for stack in [only(At(on_consume, || Err(Error::permanent("broken")))), only(Turns)] {
        let mut stage = Stage::new();
        let app = stage.app(stack.clone());
        stage.put("a1.inbound", &user(Some("+1"), Some("8007"))).await;
        assert_eq!(app.seen.lock().unwrap().len(), 0, "the handler is not called");
        assert_eq!(stage.dead().await, 0);
        // A transport's handler error is a failure.
        let network = stage.transport(stack).await;
        stage.put("t1.outbound", &user(Some("8007"), Some("+1"))).await;
        assert_eq!(network.sent.lock().unwrap().len(), 0);
        let failure = stage.next("t1.failures").await;
        assert_eq!(failure["failure_code"], "permanent");
        stage.stop().await;
    }
}

#[tokio::test]
async fn check_04_errors_on_publish_reach_the_caller() {
    let on_publish = |hook: Hook| hook.direction == Direction::Publish;
    let mut stage = Stage::new();
    let stack = only(At(on_publish, || Err(Error::permanent("broken"))));
    let app = stage.app(stack.clone());
    let network = stage.transport(stack).await;
    stage.put("a1.inbound", &user(Some("+1"), Some("8007"))).await;
    assert_eq!(*app.told.lock().unwrap(), [Err("broken".to_owned())]);
    let error = network.comes(user(Some("+1"), Some("8007"))).await.unwrap_err();
    assert_eq!(error.report(), "broken");
    assert_eq!((stage.held("a1.outbound").await, stage.held("t1.inbound").await), (0, 0));
    stage.stop().await;
}

#[tokio::test]
async fn check_05_a_message_is_stopped() {
    let stop = || Ok("dup".to_owned());
    let on_consume = |hook: Hook| hook.direction == Direction::Consume;
    let mut stage = Stage::new();
    let app = stage.app(only(At(on_consume, stop)));
    stage.put("a1.inbound", &user(Some("+1"), Some("8007"))).await;
    assert_eq!(app.seen.lock().unwrap().len(), 0);
    assert_eq!((stage.held("a1.event").await, stage.held("a1.outbound").await, stage.dead().await), (0, 0, 0));

    let network = stage.transport(only(At(on_consume, stop))).await;
    let outbound = user(Some("8007"), Some("+1"));
    stage.put("t1.outbound", &outbound).await;
    let event = stage.next("t1.event").await;
    assert_eq!((&event["event_type"], &event["nack_reason"]), (&json!("nack"), &json!("dup")));
    assert_eq!(event["user_message_id"], outbound.message_id());
    let sent = network.sent.lock().unwrap().len();
    assert_eq!((sent, stage.held("t1.failures").await), (0, 0));
    stage.stop().await;
}

/// On publish, a stop is silent: the caller is told that all is well.
#[tokio::test]
async fn check_05_a_message_is_dropped_on_publish() {
    let stack = only(At(|hook| hook.direction == Direction::Publish, || Ok("dup".to_owned())));
    let mut stage = Stage::new();
    let app = stage.app(stack.clone());
    let network = stage.transport(stack).await;
    stage.put("a1.inbound", &user(Some("+1"), Some("8007"))).await;
    assert_eq!(*app.told.lock().unwrap(), [Ok(false)]);
    network.comes(user(Some("+1"), Some("8007"))).await.unwrap();
    stage.put("t1.outbound", &with(user(Some("8007"), Some("+1")), "content", "fail")).await;
    for queue in ["a1.outbound", "t1.inbound", "t1.event", "t1.failures"] {
        assert_eq!(stage.held(queue).await, 0, "{queue}");
    }
    assert_eq!(stage.dead().await, 0);
    stage.stop().await;
}

#[tokio::test]
async fn check_06_logging() {
    let (log, _guard) = Log::start();
    let mut stage = Stage::new();
    let stack = build("middleware: [log: vumi.middleware.logging.LoggingMiddleware]", &stage.context).unwrap();
    let network = stage.transport(stack).await;
    let message = user(Some("+1"), Some("8007"));
    network.comes(message.clone()).await.unwrap();
    let lines = log.with("Processed");
    let expected =
        format!(" INFO vumi_dispatch::middleware::logging: Processed inbound message for t1: {}", message.to_json());
    assert_eq!(lines, [expected]);

    stage.put("t1.outbound", &with(user(Some("8007"), Some("+1")), "content", "fail")).await;
    let failures = log.with("Processed failure message for t1: {");
    assert!(matches!(failures.as_slice(), [line] if line.starts_with("ERROR ")), "{failures:?}");
    let logged: Value = serde_json::from_str(failures[0].split_once("t1: ").unwrap().1).unwrap();
    assert_eq!(logged, stage.next("t1.failures").await);
    assert_eq!(log.with(" INFO vumi_dispatch::middleware::logging: Processed outbound message for t1: {").len(), 1);
    stage.stop().await;

    let debug = build("middleware: [log: logging]\nlog: {log_level: debug}", &vumi_tests::context::context()).unwrap();
    debug.pass(Hook { direction: Direction::Consume, channel: Channel::Event }, "t1", event()).await.unwrap();
    assert_eq!(log.with("Processed event message").len(), 0, "below the log's level");
    let unknown = build("middleware: [log: logging]\nlog: {log_level: loud}", &vumi_tests::context::context());
    assert!(unknown.err().unwrap().contains("unknown variant `loud`, expected one of `debug`, `info`, `warning`"));
}

fn event() -> Message {
    vumi_message::Event::ack("m1", "s1").into()
}

#[tokio::test]
async fn check_18_storing_what_is_published_only() {
    for (store_on_consume, directions) in
        [(false, vec!["inbound", "event"]), (true, vec!["inbound", "outbound", "event"])]
    {
        let mut stage = Stage::new();
        let keys = format!("middleware: [store: storing]\nstore: {{store_on_consume: {store_on_consume}}}");
        let network = stage.transport(build(&keys, &stage.context).unwrap()).await;
        let mut changes = stage.context.feed.watch();
        let inbound = user(Some("+1"), Some("8007"));
        network.comes(inbound.clone()).await.unwrap();
        let outbound = user(Some("8007"), Some("+1"));
        stage.put("t1.outbound", &outbound).await;
        let event = stage.next("t1.event").await;
        let stored = stage.stored("message_store").await;
        let ids = |direction: &str| match direction {
            "inbound" => inbound.message_id().to_owned(),
            "outbound" => outbound.message_id().to_owned(),
            _ => event["event_id"].as_str().unwrap().to_owned(),
        };
        let expected: Vec<_> = directions.into_iter().map(|direction| (direction.to_owned(), ids(direction))).collect();
        assert_eq!(stored, expected);
        // The transport's own records are not touched by it, and neither are those who watch.
        stage.stop().await;
        let mut told = Vec::new();
        while let Ok(happening) = changes.try_recv() {
            if let vumi_core::Happening::Message(record) = &happening.happening {
                told.push(record.direction.clone());
            }
        }
        told.sort();
        assert_eq!(told, ["event", "inbound", "outbound"]);
    }
}
