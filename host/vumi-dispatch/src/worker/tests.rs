//! The dispatcher at its queues: what is handed on, dropped, answered and given up.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use vumi_core::{Admission, Middleware, Placed};

use super::*;
use crate::testing::{Logged, changed, context, message};

/// Decides as it is told.
struct Told(fn(&Message) -> Result<Route>);

#[async_trait]
impl Router for Told {
    async fn route(&self, _: &str, _: Channel, message: &Message) -> Result<Route> {
        (self.0)(message)
    }
}

/// Stops what is consumed, and signs what is published.
struct Stops;

#[async_trait]
impl Middleware for Stops {
    async fn handle(&self, hook: Hook, connector: &str, message: Message) -> Result<Flow> {
        Ok(match hook.direction {
            Direction::Consume => Flow::Stop("no credit".to_owned()),
            Direction::Publish => {
                Flow::Continue(changed(&message, "signed", format!("{:?} {connector}", hook.channel).into()))
            }
        })
    }
}

fn dispatcher(route: fn(&Message) -> Result<Route>, stack: Stack) -> Arc<Dispatcher> {
    let shared = DispatcherShared {
        transport_names: vec!["t1".to_owned()],
        exposed_names: vec!["a1".to_owned()],
        ..DispatcherShared::default()
    };
    let context = context();
    Arc::new(Dispatcher {
        name: "d".to_owned(),
        shared,
        router: Arc::new(Told(route)),
        stack,
        broker: context.broker,
        feed: context.feed,
        passed: Passed::default(),
    })
}

/// Publishes a message to a queue, and lets the dispatcher work until it has taken it.
async fn run(dispatcher: &Arc<Dispatcher>, queue: &str, message: &Message) {
    let wait = Admission::Edge(Duration::from_secs(5));
    dispatcher.broker.publish(queue, message.to_json().into(), wait).await.unwrap().await.unwrap();
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn(Arc::clone(dispatcher).run(shutdown.clone()));
    let taken = async {
        while held(dispatcher, queue).await != 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), taken).await.expect("the dispatcher takes the message");
    shutdown.cancel();
    worker.await.unwrap().unwrap();
}

async fn held(dispatcher: &Dispatcher, queue: &str) -> u64 {
    let queues = dispatcher.broker.queues().await.unwrap();
    queues.iter().find(|info| info.name == queue).map_or(0, |info| info.ready + info.unacked)
}

async fn next(dispatcher: &Dispatcher, queue: &str) -> Value {
    let mut consumer = dispatcher.broker.consume(queue, 0).await.unwrap();
    let next = tokio::time::timeout(Duration::from_secs(20), consumer.next());
    let mut delivery = next.await.expect("a message").expect("the broker is open");
    delivery.ack().await.unwrap();
    serde_json::from_slice(&delivery.body).unwrap()
}

#[tokio::test]
async fn a_message_without_way_is_logged_with_its_id_and_counted() {
    let log = Logged::start();
    let dispatcher = dispatcher(|_| Ok(Route::Nowhere("Unknown transport_name: zz".into())), Stack::default());
    run(&dispatcher, "a1.outbound", &changed(&message("zz"), "message_id", "m1".into())).await;
    let errors: Vec<String> = log.lines().into_iter().filter(|line| line.starts_with("ERROR")).collect();
    assert!(
        matches!(errors.as_slice(), [one] if one.contains("Unknown transport_name: zz") && one.contains("\"m1\"")),
        "{errors:?}"
    );
    assert_eq!(dispatcher.passed.unroutable.load(Ordering::Relaxed), 1);
    assert_eq!(held(&dispatcher, "a1.event").await, 0);
}

#[tokio::test]
async fn a_refusal_is_a_warning_and_a_nack_for_the_sender_alone() {
    let log = Logged::start();
    let dispatcher = dispatcher(|_| Ok(Route::Refused("No routing information".into())), Stack::default());
    run(&dispatcher, "t1.inbound", &message("t1")).await;
    assert_eq!(held(&dispatcher, "t1.event").await, 0);
    run(&dispatcher, "a1.outbound", &changed(&message("t1"), "message_id", "m1".into())).await;
    let nack = next(&dispatcher, "a1.event").await;
    assert_eq!((&nack["event_type"], &nack["user_message_id"]), (&"nack".into(), &"m1".into()));
    assert_eq!(nack["nack_reason"], "No routing information");
    assert_eq!(log.lines().iter().filter(|line| line.starts_with("WARN No routing information")).count(), 2);
    assert_eq!(dispatcher.passed.unroutable.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_nack_passes_the_middleware_on_its_way() {
    let placed = Placed { middleware: Arc::new(Stops), consume_priority: 0, publish_priority: 0 };
    let dispatcher = dispatcher(|_| Ok(Route::Discarded), Stack::new(vec![placed]));
    run(&dispatcher, "a1.outbound", &message("t1")).await;
    let nack = next(&dispatcher, "a1.event").await;
    assert_eq!((&nack["nack_reason"], &nack["signed"]), (&"no credit".into(), &"Event a1".into()));
}

#[tokio::test]
async fn a_permanent_error_sends_the_message_to_the_dead_letters() {
    let log = Logged::start();
    let dispatcher = dispatcher(|_| Err(Error::permanent("nonsense")), Stack::default());
    run(&dispatcher, "t1.inbound", &message("t1")).await;
    let dead = dispatcher.broker.dead_letters("t1.inbound", 10).await.unwrap();
    assert_eq!(dead.iter().map(|letter| letter.reason.as_str()).collect::<Vec<_>>(), ["nonsense"]);
    assert!(log.lines().iter().any(|line| line.starts_with("ERROR Error routing message for t1: nonsense")));
    assert_eq!(dispatcher.passed.inbound.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_router_reaches_no_queue_but_its_dispatchers() {
    fn everywhere(message: &Message) -> Result<Route> {
        let to = |(connector, channel): (&str, Channel)| Target {
            connector: connector.to_owned(),
            channel,
            message: message.clone(),
        };
        let all = [
            ("a1", Channel::Inbound),
            ("t1", Channel::Outbound),
            ("t1", Channel::Inbound),
            ("a1", Channel::Outbound),
            ("a2", Channel::Inbound),
            ("t1", Channel::Event),
            ("t1", Channel::Failure),
            ("a1", Channel::Status),
            ("a1.inbound", Channel::Inbound),
            ("", Channel::Inbound),
        ];
        Ok(Route::To(all.map(to).into()))
    }
    let log = Logged::start();
    let dispatcher = dispatcher(everywhere, Stack::default());
    run(&dispatcher, "t1.inbound", &message("t1")).await;
    let queues = dispatcher.broker.queues().await.unwrap();
    let filled: Vec<&str> =
        queues.iter().filter(|info| info.ready + info.dead > 0).map(|info| info.name.as_str()).collect();
    assert_eq!(filled, ["a1.inbound", "t1.outbound"]);
    assert_eq!(dispatcher.passed.unroutable.load(Ordering::Relaxed), 8);
    let errors = log.lines().into_iter().filter(|line| line.starts_with("ERROR no route for a copy")).count();
    assert_eq!(errors, 8);
}
