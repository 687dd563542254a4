//! Checks 9, 12 and 13: what comes again, what nobody can read, and handlers that fail.

use std::sync::atomic::Ordering;

use serde_json::json;
use vumi_core::Stack;
use vumi_message::UserMessage;
use vumi_transport::TransportShared;

use super::kit::{Bench, on_each_broker};
use super::parts::message;
use crate::backends::until;

const SWITCH: &str =
    "class: simple\ntransport_names: [sms_1]\nexposed_names: [shop]\nroute_mappings: {sms_1: [shop]}\n";

/// What no queue of user messages carries: no JSON, no message, and a message with a field that makes no sense.
fn unreadable() -> [String; 3] {
    let mut broken = message("x").payload().clone();
    broken.insert("session_event".to_owned(), json!("sideways"));
    assert!(UserMessage::from_payload(broken.clone()).is_err());
    ["not json".to_owned(), "{}".to_owned(), json!(broken).to_string()]
}

/// Messages that were given up, counted on this thread from now on.
struct Counted {
    handle: metrics_exporter_prometheus::PrometheusHandle,
    _guard: metrics::LocalRecorderGuard<'static>,
}

impl Counted {
    fn from_now() -> Self {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        // It must outlive its guard; a test can spare the memory.
        let guard = metrics::set_default_local_recorder(Box::leak(Box::new(recorder)));
        Self { handle, _guard: guard }
    }

    /// Of this queue.
    fn so_far(&self, queue: &str) -> u64 {
        let text = self.handle.render();
        let start = format!("vumi_queue_dead_total{{queue=\"{queue}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&start)).map_or(0, |count| count.parse().unwrap())
    }
}

/// Puts what nobody can read into a queue, with a message behind it.
async fn spoil(bench: &Bench, queue: &str, behind: &UserMessage) -> [String; 3] {
    let bodies = unreadable();
    for body in &bodies {
        bench.put(queue, body.clone()).await;
    }
    bench.put(queue, behind.to_json()).await;
    bodies
}

/// The queue is empty, and these are its dead letters, with a reason each, and counted.
async fn given_up(bench: &Bench, counted: &Counted, queue: &str, bodies: &[String; 3]) {
    bench.until_held(queue, (0, 0)).await;
    until("all are dead letters", async || bench.dead(queue).await.len() == 3).await;
    let letters = bench.dead(queue).await;
    assert!(letters.iter().map(|letter| letter.body.as_ref()).eq(bodies.iter().map(String::as_bytes)), "{letters:?}");
    assert!(letters.iter().all(|letter| letter.reason.starts_with("invalid message: ")), "{letters:?}");
    assert!(letters[2].reason.contains("session_event"), "{letters:?}");
    assert_eq!(counted.so_far(queue), 3);
}

on_each_broker! {
    async fn check_09_what_is_not_acknowledged_comes_again(bench: Bench) {
        let app = bench.app("sms_1", "", Stack::default()).await;
        bench.put("sms_1.inbound", message("away").to_json()).await;
        until("it is tried", async || !app.part.seen().is_empty()).await;
        app.stop().await;
        bench.until_held("sms_1.inbound", (1, 0)).await;

        let bench = bench.reconnected().await;
        let app = bench.app("sms_1", "", Stack::default()).await;
        until("it is tried again, and once more", async || app.part.seen() == ["away", "away"]).await;
        app.part.back.store(true, Ordering::SeqCst);
        bench.until_held("sms_1.inbound", (0, 0)).await;
        assert_eq!(bench.dead("sms_1.inbound").await, []);
        app.stop().await;
    }

    async fn check_12_an_application_and_what_nobody_can_read(bench: Bench) {
        let counted = Counted::from_now();
        let app = bench.app("sms_1", "", Stack::default()).await;
        let bodies = spoil(&bench, "sms_1.inbound", &message("reply next")).await;
        assert_eq!(bench.take("sms_1.outbound").await["content"], "next");
        assert_eq!(app.part.seen(), ["reply next"]);
        given_up(&bench, &counted, "sms_1.inbound", &bodies).await;
        app.stop().await;
    }

    async fn check_12_a_transport_and_what_nobody_can_read(bench: Bench) {
        let counted = Counted::from_now();
        let transport = bench.transport("sms_1", TransportShared::default(), Stack::default()).await;
        let next = message("next");
        let bodies = spoil(&bench, "sms_1.outbound", &next).await;
        assert_eq!(bench.take("sms_1.event").await["user_message_id"], next.message_id());
        assert_eq!(transport.part.sent(), ["next"]);
        given_up(&bench, &counted, "sms_1.outbound", &bodies).await;
        transport.stop().await;
    }

    async fn check_12_a_dispatcher_and_what_nobody_can_read(bench: Bench) {
        let counted = Counted::from_now();
        let switch = bench.dispatcher(SWITCH, Stack::default()).await;
        for (queue, target) in [("sms_1.inbound", "shop.inbound"), ("shop.outbound", "sms_1.outbound")] {
            let next = message("next");
            let bodies = spoil(&bench, queue, &next).await;
            assert_eq!(bench.take(target).await["message_id"], next.message_id());
            given_up(&bench, &counted, queue, &bodies).await;
        }
        switch.stop().await;
    }

    async fn check_13_an_application_that_fails(bench: Bench) {
        let app = bench.app("sms_1", "", Stack::default()).await;
        bench.put("sms_1.inbound", message("fail").to_json()).await;
        bench.put("sms_1.inbound", message("reply next").to_json()).await;
        assert_eq!(bench.take("sms_1.outbound").await["content"], "next");
        assert_eq!(app.part.seen(), ["fail", "reply next"]);
        bench.until_held("sms_1.inbound", (0, 0)).await;
        assert_eq!(bench.dead("sms_1.inbound").await, []);
        app.stop().await;
    }

    async fn check_13_a_transport_that_fails(bench: Bench) {
        let transport = bench.transport("sms_1", TransportShared::default(), Stack::default()).await;
        let (lost, next) = (message("fail"), message("next"));
        bench.put("sms_1.outbound", lost.to_json()).await;
        bench.put("sms_1.outbound", next.to_json()).await;
        let failure = bench.take("sms_1.failures").await;
        assert_eq!(failure["failure_code"], "permanent");
        assert_eq!(failure["reason"], "the network refuses");
        assert_eq!(failure["message"]["message_id"], lost.message_id());
        assert_eq!(bench.take("sms_1.event").await["user_message_id"], next.message_id());
        bench.until_held("sms_1.outbound", (0, 0)).await;
        assert_eq!(bench.dead("sms_1.outbound").await, []);
        transport.stop().await;
    }
}
