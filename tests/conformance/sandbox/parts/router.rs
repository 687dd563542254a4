//! The example `keyword-router`.

use std::time::Duration;

use serde_json::{Value, json};
use vumi_core::{Channel, Outcome, Route, Router, Target};
use vumi_message::{Event, Message};
use vumi_store::MemoryBounds;

use super::{Place, says, to, user};
use crate::session::SetClock;

const INBOUND: Channel = Channel::Inbound;

fn options() -> Value {
    json!({"config": {"words": "BUY=shop NEWS=news ŽENA=news", "fallback": "help"}})
}

#[tokio::test]
async fn the_first_word_chooses_and_the_user_stays() {
    let place = Place::new();
    let router = place.router("keyword-router", options());
    assert_eq!(to(&router, "t1", INBOUND, says("hello")).await, ["help"]);
    assert_eq!(to(&router, "t1", INBOUND, says("buy a boat")).await, ["shop"]);
    assert_eq!(to(&router, "t1", INBOUND, says("red, please")).await, ["shop"]);
    assert_eq!(to(&router, "t1", INBOUND, user(json!({"content": null, "session_event": "close"}))).await, ["shop"]);
    // Neither another user nor the same address on another network is meant.
    assert_eq!(to(&router, "t1", INBOUND, user(json!({"content": "red", "from_addr": "+2"}))).await, ["help"]);
    assert_eq!(to(&router, "t2", INBOUND, says("red")).await, ["help"]);
    assert_eq!(to(&router, "t1", INBOUND, says("  \n News")).await, ["news"]);
    assert_eq!(to(&router, "t1", INBOUND, says("buying")).await, ["news"]);
    assert_eq!(to(&router, "t1", INBOUND, user(json!({"content": "žena", "from_addr": "+3"}))).await, ["news"]);
    assert_eq!(place.kv.get("sandboxes#main.router#app:t1:+1").await.unwrap().as_deref(), Some("\"news\""));
    // A new router of the same dispatcher goes on where the old one ended.
    let router = place.router("keyword-router", options());
    assert_eq!(to(&router, "t1", INBOUND, says("and then?")).await, ["news"]);
}

#[tokio::test]
async fn who_gave_no_address_is_nobody_to_remember() {
    let router = Place::new().router("keyword-router", options());
    let nobody = |content: &str| user(json!({"content": content, "from_addr": null}));
    assert_eq!(to(&router, "t1", INBOUND, nobody("buy")).await, ["shop"]);
    assert_eq!(to(&router, "t1", INBOUND, nobody("red")).await, ["help"]);
}

#[tokio::test]
async fn a_day_later_it_is_forgotten() {
    let clock = SetClock::new();
    let place = Place::on(vumi_store::kv_in_memory(MemoryBounds::default(), clock.clone()));
    let router = place.router("keyword-router", options());
    assert_eq!(to(&router, "t1", INBOUND, says("buy")).await, ["shop"]);
    clock.forward(Duration::from_secs(86_399));
    assert_eq!(to(&router, "t1", INBOUND, says("red")).await, ["shop"]);
    clock.forward(Duration::from_secs(2));
    assert_eq!(to(&router, "t1", INBOUND, says("red")).await, ["help"]);
}

#[tokio::test]
async fn replies_find_their_transport_and_events_their_app() {
    let router = Place::new().router("keyword-router", options());
    let reply = user(json!({"message_id": "m1", "transport_name": "t2"}));
    let route = router.route("shop", Channel::Outbound, &reply.clone().into()).await.unwrap();
    let target = Target { connector: "t2".into(), channel: Channel::Outbound, message: reply.into() };
    assert_eq!(route, Route::To(vec![target]));
    let ack = Message::Event(Event::ack("m1", "s1"));
    let route = router.route("t2", Channel::Event, &ack).await.unwrap();
    let target = Target { connector: "shop".into(), channel: Channel::Event, message: ack };
    assert_eq!(route, Route::To(vec![target]));
    for unknown in [Event::ack("m2", "s1"), Event::ack(None, "s1")] {
        let route = router.route("t2", Channel::Event, &unknown.into()).await.unwrap();
        assert_eq!(route, Route::Nowhere("nobody here sent the message that the event is about".into()));
    }
    let lost = user(json!({"transport_name": null}));
    let route = router.route("shop", Channel::Outbound, &lost.into()).await.unwrap();
    assert_eq!(route, Route::Refused("the message names no transport".into()));
}

#[tokio::test]
async fn without_words_and_fallback_there_is_no_way() {
    let router = Place::new().router("keyword-router", json!({}));
    let route = router.route("t1", INBOUND, &says("buy").into()).await.unwrap();
    assert_eq!(route, Route::Nowhere("no word chose an app, and there is no fallback".into()));
}

#[tokio::test]
async fn a_full_kv_holds_up_nobody() {
    let place = Place::new();
    let mut options = options();
    options["limits"] = json!({"kv_keys": 3, "cpu_ms": 10_000});
    let router = place.router("keyword-router", options);
    for n in 0..5 {
        let message = user(json!({"content": "buy", "from_addr": format!("+{n}")}));
        assert_eq!(to(&router, "t1", INBOUND, message).await, ["shop"]);
        assert_eq!(to(&router, "shop", Channel::Outbound, user(json!({}))).await, ["t1"]);
    }
    // The first two keys have a place, as the limit says.
    assert_eq!(to(&router, "t1", INBOUND, user(json!({"content": "red", "from_addr": "+0"}))).await, ["shop"]);
    assert_eq!(to(&router, "t1", INBOUND, user(json!({"content": "red", "from_addr": "+4"}))).await, ["help"]);
}

#[tokio::test]
async fn each_call_is_recorded() {
    let place = Place::new();
    let router = place.router("keyword-router", options());
    let (question, answer) = (says("buy"), user(json!({"from_addr": "8007", "to_addr": "+9"})));
    to(&router, "t1", INBOUND, question.clone()).await;
    to(&router, "shop", Channel::Outbound, answer.clone()).await;
    let runs = place.runs(2).await;
    let seen: Vec<_> = runs
        .iter()
        .map(|run| (run.app.as_str(), run.message_id.as_str(), run.user.as_deref().unwrap_or_default(), run.outcome))
        .collect();
    let (ok, name) = (Outcome::Ok, "main.router");
    assert_eq!(seen, [(name, answer.message_id(), "+9", ok), (name, question.message_id(), "+1", ok)]);
    assert!(runs.iter().all(|run| run.cpu_us > 0 && run.host_calls > 0 && run.sent == 0), "{runs:?}");
}
