//! Calls that fail: the guest's own faults are permanent, those of the host temporary, and each is recorded.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use vumi_core::{Channel, Direction, Flow, Hook, KvStore, LogLevel, Middleware, Outcome, Route, Router, Store, Target};
use vumi_message::{Event, Message};

use super::{Place, eventually, says, to};
use crate::sandbox::faults::Shaky;

const INBOUND: Hook = Hook { direction: Direction::Consume, channel: Channel::Inbound };

/// Limits that a bad guest passes soon.
fn limits() -> Value {
    json!({"limits": {"cpu_ms": 500, "memory": "16MiB", "log_bytes": 1000}, "timeout": 20})
}

/// What the bad guest is told, and how that ends.
fn attacks() -> [(String, Outcome); 5] {
    [
        ("trap".into(), Outcome::Trap),
        ("loop".into(), Outcome::CpuLimit),
        ("memory".into(), Outcome::MemoryLimit),
        ("fail for this reason".into(), Outcome::HandlerError),
        (format!("log {}", "x".repeat(1001)), Outcome::LogLimit),
    ]
}

#[tokio::test]
async fn each_way_to_fail_has_its_code() {
    let place = Place::new();
    let (router, part) = (place.router("bad-router", limits()), place.middleware("bad-router", limits()));
    let mut count = 0;
    for (attack, outcome) in attacks() {
        let (message, event) = (Message::User(says(&attack)), Message::Event(Event::ack(attack.as_str(), "s1")));
        let hook = Hook { direction: Direction::Publish, channel: Channel::Event };
        let errors = [
            ("main.router", router.route("t1", Channel::Inbound, &message).await.unwrap_err()),
            ("main.router", router.route("t1", Channel::Event, &event).await.unwrap_err()),
            ("sms.part", part.handle(INBOUND, "t1", message).await.unwrap_err()),
            ("sms.part", part.handle(hook, "t1", event).await.unwrap_err()),
        ];
        for (name, error) in errors {
            let report = error.report();
            assert!(!error.is_temporary(), "{attack}: it would fail again");
            assert!(report.starts_with(&format!("{name} stopped ({}): ", outcome.code())), "{attack}: {report}");
        }
        count += 4;
        assert_eq!(place.outcome(count).await, outcome, "{attack}");
    }
    // All the others are as they were.
    assert_eq!(to(&router, "t1", Channel::Inbound, says("hello")).await, ["a1"]);
    let lines = eventually("the lines are stored", || async {
        let lines = place.store.logs(Some("main.router"), 100).await.unwrap();
        (lines.iter().filter(|line| line.source == "host").count() >= 10).then_some(lines)
    })
    .await;
    let text = "Sandbox 'main.router' stopped (handler-error): for this reason";
    assert!(lines.iter().any(|line| line.text == text && line.level == LogLevel::Error), "{lines:?}");
}

#[tokio::test]
async fn a_sleeper_meets_its_deadline() {
    let place = Place::new();
    let router = place.router("bad-router", json!({"timeout": 1}));
    let error = router.route("t1", Channel::Inbound, &says("sleep").into()).await.unwrap_err();
    assert!(!error.is_temporary() && error.report().contains("stopped (deadline)"), "{}", error.report());
}

#[tokio::test]
async fn a_guest_that_traps_before_it_is_called() {
    let refused = Place::new().try_router("trap-at-start", json!({})).err().expect("it is an app").report();
    assert!(refused.contains("it is an app"), "{refused}");
}

#[tokio::test]
async fn a_store_that_is_away_means_again() {
    let kv = Shaky::new();
    let place = Place::on(Arc::clone(&kv) as Arc<dyn KvStore>);
    let (router, part) = (place.router("bad-router", json!({})), place.middleware("bad-router", json!({})));
    kv.away.store(true, Ordering::SeqCst);
    let error = router.route("t1", Channel::Inbound, &says("kv").into()).await.unwrap_err();
    let text = "main.router could not do its work: the store is away";
    assert!(error.is_temporary() && error.report() == text, "{}", error.report());
    let error = part.handle(INBOUND, "t1", says("kv").into()).await.unwrap_err();
    assert!(error.is_temporary(), "{}", error.report());
    assert_eq!(place.outcome(2).await, Outcome::HostFault);
    kv.away.store(false, Ordering::SeqCst);
    assert_eq!(to(&router, "t1", Channel::Inbound, says("kv")).await, ["a1"]);
}

#[tokio::test]
async fn targets_have_a_limit() {
    let router = Place::new().router("bad-router", json!({"limits": {"cpu_ms": 10_000, "outbound_messages": 7}}));
    assert_eq!(to(&router, "t1", Channel::Inbound, says("many 7")).await.len(), 7);
    assert_eq!(to(&router, "t1", Channel::Event, Event::ack("many 7", "s")).await.len(), 7);
    let text =
        "main.router stopped (handler-error): it named 8 targets for one message, the limit outbound_messages is 7";
    for message in [Message::User(says("many 8")), Message::Event(Event::ack("many 8", "s"))] {
        let channel = if matches!(message, Message::User(_)) { Channel::Inbound } else { Channel::Event };
        assert_eq!(router.route("t1", channel, &message).await.unwrap_err().report(), text);
    }
    assert_eq!(to(&router, "t1", Channel::Inbound, says("long 200")).await, ["x".repeat(200)]);
    let error = router.route("t1", Channel::Inbound, &says("long 201").into()).await.unwrap_err();
    assert!(error.report().ends_with("it named a connector of 201 bytes, the longest names have 200"));
    let error = router.route("t1", Channel::Inbound, &says("long 4000000").into()).await.unwrap_err();
    assert!(error.report().contains("(transfer-limit)"), "{}", error.report());
}

#[tokio::test]
async fn a_reason_stays_on_its_line() {
    let place = Place::new();
    let (router, part) = (place.router("bad-router", json!({})), place.middleware("bad-router", json!({})));
    let forged = "no way\n2026-01-01T00:00:00Z ERROR forged \u{1b}[31m";
    let clean = "no way 2026-01-01T00:00:00Z ERROR forged \\u{1b}[31m";
    let route = |text: String| {
        let router = &router;
        async move { router.route("t1", Channel::Inbound, &says(&text).into()).await }
    };
    assert_eq!(route(format!("nowhere {forged}")).await.unwrap(), Route::Nowhere(clean.into()));
    assert_eq!(route(format!("refuse {forged}")).await.unwrap(), Route::Refused(clean.into()));
    let event = Event::ack(format!("nowhere {forged}").as_str(), "s").into();
    assert_eq!(router.route("t1", Channel::Event, &event).await.unwrap(), Route::Nowhere(clean.into()));
    let stopped = part.handle(INBOUND, "t1", says(&format!("stop {forged}")).into()).await.unwrap();
    assert_eq!(stopped, Flow::Stop(clean.into()));
    let report = route(format!("fail {forged}")).await.unwrap_err().report();
    assert_eq!(report, format!("main.router stopped (handler-error): {clean}"));
    let long = route(format!("refuse {}", "x".repeat(100_000))).await.unwrap();
    assert!(matches!(&long, Route::Refused(text) if text.len() < 5_000), "{long:?}");
}

#[tokio::test]
async fn the_other_answers() {
    let router = Place::new().router("bad-router", json!({}));
    let route = |text: &str| {
        let message = Message::User(says(text));
        let router = &router;
        async move { (router.route("t1", Channel::Inbound, &message).await.unwrap(), message) }
    };
    assert_eq!(route("discard").await.0, Route::Discarded);
    let (found, message) = route("out t2").await;
    let target = Target { connector: "t2".into(), channel: Channel::Outbound, message };
    assert_eq!(found, Route::To(vec![target]));
    let (found, message) = route("to a2 a1 a2").await;
    let target =
        |connector: &str| Target { connector: connector.into(), channel: Channel::Inbound, message: message.clone() };
    assert_eq!(found, Route::To(["a2", "a1", "a2"].map(target).into()));
    let event = |text: &str| Message::Event(Event::ack(text, "s"));
    assert_eq!(router.route("t1", Channel::Event, &event("discard")).await.unwrap(), Route::Discarded);
    assert_eq!(to(&router, "t1", Channel::Event, event("to a2 a1")).await, ["a2", "a1"]);
}
