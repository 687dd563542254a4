//! Checks 1, 2, 5 to 8 and 11: what workers consume and publish, endpoints, and what middleware stops.

use serde_json::json;
use tracing::Level;
use vumi_core::{Direction, Flow, Stack};
use vumi_message::{Event, Message, Status, StatusLevel};
use vumi_transport::TransportShared;

use super::kit::{Bench, on_each_broker};
use super::parts::{at_endpoint, message, only};
use crate::applications::logs::Logs;
use crate::backends::until;

const SWITCH: &str =
    "class: simple\ntransport_names: [sms_1]\nexposed_names: [shop]\nroute_mappings: {sms_1: [shop]}\n";

/// Waits until these are all queues, each with so many consumers.
async fn until_consumed<const N: usize>(bench: &Bench, expected: [(&str, u64); N]) {
    until(&format!("the queues are {expected:?}"), async || {
        let queues = bench.queues().await;
        queues.iter().map(|info| (info.name.as_str(), info.consumers)).eq(expected)
    })
    .await;
}

/// Stops what says `stop` on its way in, with this reason.
fn stops(reason: &'static str) -> Stack {
    only(move |hook, message| {
        let says_stop = matches!(&message, Message::User(user) if user.content() == Some("stop"));
        if hook.direction == Direction::Consume && says_stop {
            Flow::Stop(reason.to_owned())
        } else {
            Flow::Continue(message)
        }
    })
}

/// Sends what comes in from one endpoint to another one.
fn moves(from: &'static str, to: &'static str) -> Stack {
    only(move |hook, mut message| {
        if let Message::User(user) = &mut message
            && hook.direction == Direction::Consume
            && user.endpoint() == from
        {
            user.set_endpoint(Some(to));
        }
        Flow::Continue(message)
    })
}

on_each_broker! {
    async fn check_01_the_queues_of_a_transport(bench: Bench) {
        let shared = TransportShared { publish_status: true, ..TransportShared::default() };
        let transport = bench.transport("sms_1", shared, Stack::default()).await;
        let (event, failures, inbound) = (("sms_1.event", 0), ("sms_1.failures", 0), ("sms_1.inbound", 0));
        let (outbound, status) = (("sms_1.outbound", 1), ("sms_1.status.status", 0));
        until_consumed(&bench, [event, failures, inbound, outbound, status]).await;

        let link = transport.part.link().unwrap();
        let (from_user, to_user, lost) = (message("from a user"), message("to a user"), message("fail"));
        link.inbound(from_user.clone()).await.unwrap();
        link.status(Status::new("c", StatusLevel::Ok, "up", "It works.")).await;
        bench.put("sms_1.outbound", to_user.to_json()).await;
        bench.put("sms_1.outbound", lost.to_json()).await;
        assert_eq!(bench.take("sms_1.inbound").await["message_id"], from_user.message_id());
        let ack = bench.take("sms_1.event").await;
        assert_eq!((&ack["event_type"], &ack["user_message_id"]), (&json!("ack"), &json!(to_user.message_id())));
        assert_eq!(bench.take("sms_1.failures").await["message"]["message_id"], lost.message_id());
        assert_eq!(bench.take("sms_1.status.status").await["component"], "c");
        bench.until_held("sms_1.outbound", (0, 0)).await;
        transport.stop().await;
    }

    async fn check_02_the_queues_of_an_application(bench: Bench) {
        let app = bench.app("sms_1", "", Stack::default()).await;
        until_consumed(&bench, [("sms_1.event", 1), ("sms_1.inbound", 1), ("sms_1.outbound", 0)]).await;
        bench.put("sms_1.inbound", message("reply hello").to_json()).await;
        assert_eq!(bench.take("sms_1.outbound").await["content"], "hello");
        bench.put("sms_1.event", Event::ack("m1", "n1").to_json()).await;
        until("the event is handled", async || app.part.seen() == ["reply hello", "ack m1"]).await;
        app.stop().await;
    }

    async fn the_queues_of_a_dispatcher(bench: Bench) {
        let switch = bench.dispatcher(SWITCH, Stack::default()).await;
        until_consumed(&bench, [("shop.outbound", 1), ("sms_1.event", 1), ("sms_1.inbound", 1)]).await;
        let (there, back) = (message("there"), message("back"));
        bench.put("sms_1.inbound", there.to_json()).await;
        assert_eq!(bench.take("shop.inbound").await["message_id"], there.message_id());
        bench.put("shop.outbound", back.to_json()).await;
        assert_eq!(bench.take("sms_1.outbound").await["message_id"], back.message_id());
        let event = Event::ack(back.message_id(), "n1").with_transport("sms_1", vumi_message::Payload::new());
        bench.put("sms_1.event", event.to_json()).await;
        assert_eq!(bench.take("shop.event").await["user_message_id"], back.message_id());
        switch.stop().await;
    }

    async fn check_05_an_endpoint_that_nobody_handles(bench: Bench) {
        let logs = Logs::watch();
        let every = bench.app("sms_1", "", Stack::default()).await;
        bench.put("sms_1.inbound", at_endpoint("one", "foo").to_json()).await;
        until("the default handler gets it", async || every.part.seen() == ["one"]).await;
        every.stop().await;
        assert!(!logs.hold("No inbound handler"));

        let only_default = bench.app("sms_1", "inbound_endpoints: [default]\n", Stack::default()).await;
        bench.put("sms_1.inbound", at_endpoint("two", "foo").to_json()).await;
        bench.put("sms_1.inbound", message("reply three").to_json()).await;
        assert_eq!(bench.take("sms_1.outbound").await["content"], "three");
        assert_eq!(only_default.part.seen(), ["reply three"]);
        let warnings = logs.at(Level::WARN);
        assert!(warnings.iter().any(|line| line.text.contains("No inbound handler for 'sms_1'")), "{warnings:?}");
        bench.until_held("sms_1.inbound", (0, 0)).await;
        assert_eq!(bench.dead("sms_1.inbound").await, []);
        only_default.stop().await;
    }

    async fn check_05_a_transport_handles_the_default_endpoint(bench: Bench) {
        let logs = Logs::watch();
        let transport = bench.transport("sms_1", TransportShared::default(), Stack::default()).await;
        bench.put("sms_1.outbound", at_endpoint("one", "foo").to_json()).await;
        bench.put("sms_1.outbound", message("two").to_json()).await;
        bench.take("sms_1.event").await;
        assert_eq!(transport.part.sent(), ["two"]);
        let warnings = logs.at(Level::WARN);
        assert!(warnings.iter().any(|line| line.text.contains("No outbound handler for 'sms_1'")), "{warnings:?}");
        bench.until_held("sms_1.outbound", (0, 0)).await;
        transport.stop().await;
    }

    async fn check_06_the_endpoint_is_looked_at_before_middleware(bench: Bench) {
        let keys = "inbound_endpoints: [default]\n";
        let app = bench.app("sms_1", keys, moves("default", "foo")).await;
        bench.put("sms_1.inbound", message("reply one").to_json()).await;
        let reply = bench.take("sms_1.outbound").await;
        assert_eq!((&reply["content"], &reply["routing_metadata"]["endpoint_name"]), (&json!("one"), &json!("foo")));
        app.stop().await;

        let app = bench.app("sms_1", keys, moves("foo", "default")).await;
        bench.put("sms_1.inbound", at_endpoint("two", "foo").to_json()).await;
        bench.put("sms_1.inbound", message("reply three").to_json()).await;
        assert_eq!(bench.take("sms_1.outbound").await["content"], "three");
        assert_eq!(app.part.seen(), ["reply three"]);
        app.stop().await;

        let transport = bench.transport("net", TransportShared::default(), moves("default", "foo")).await;
        bench.put("net.outbound", message("four").to_json()).await;
        bench.take("net.event").await;
        assert_eq!(transport.part.sent(), ["four"]);
        transport.stop().await;
    }

    async fn check_07_an_outbound_message_that_is_stopped(bench: Bench) {
        let mut m9 = message("stop");
        m9.set("message_id", "m9").unwrap();
        let nacks = |event: &serde_json::Value, reason: &str| {
            assert_eq!((&event["event_type"], &event["user_message_id"]), (&json!("nack"), &json!("m9")));
            assert_eq!(event["nack_reason"], reason);
        };
        for reason in ["no credit", ""] {
            let transport = bench.transport("sms_1", TransportShared::default(), stops(reason)).await;
            bench.put("sms_1.outbound", m9.to_json()).await;
            nacks(&bench.take("sms_1.event").await, reason);
            bench.until_held("sms_1.outbound", (0, 0)).await;
            assert_eq!(transport.part.sent(), Vec::<String>::new());
            transport.stop().await;

            let switch = bench.dispatcher(SWITCH, stops(reason)).await;
            bench.put("shop.outbound", m9.to_json()).await;
            nacks(&bench.take("shop.event").await, reason);
            bench.until_held("shop.outbound", (0, 0)).await;
            switch.stop().await;
        }
        assert_eq!(bench.dead("sms_1.outbound").await, []);
    }

    async fn check_08_an_inbound_message_that_is_stopped(bench: Bench) {
        let app = bench.app("shop", "", stops("no credit")).await;
        bench.put("shop.inbound", message("stop").to_json()).await;
        bench.put("shop.inbound", message("reply next").to_json()).await;
        assert_eq!(bench.take("shop.outbound").await["content"], "next");
        assert_eq!(app.part.seen(), ["reply next"]);
        bench.until_held("shop.inbound", (0, 0)).await;
        assert_eq!((bench.held("shop.outbound").await, bench.held("shop.event").await), ((0, 0), (0, 0)));
        app.stop().await;

        let switch = bench.dispatcher(SWITCH, stops("no credit")).await;
        let next = message("next");
        bench.put("sms_1.inbound", message("stop").to_json()).await;
        bench.put("sms_1.inbound", next.to_json()).await;
        assert_eq!(bench.take("shop.inbound").await["message_id"], next.message_id());
        bench.until_held("sms_1.inbound", (0, 0)).await;
        assert_eq!((bench.held("sms_1.event").await, bench.held("sms_1.outbound").await), ((0, 0), (0, 0)));
        assert_eq!((bench.dead("shop.inbound").await, bench.dead("sms_1.inbound").await), (vec![], vec![]));
        switch.stop().await;
    }

    async fn check_11_the_endpoint_on_the_wire(bench: Bench) {
        let app = bench.app("sms_1", "", Stack::default()).await;
        for (order, endpoint) in [
            (message("send ep2"), json!("ep2")),
            (at_endpoint("reply x", "ep1"), json!("ep1")),
            (at_endpoint("send ep2", "ep1"), json!("ep2")),
        ] {
            bench.put("sms_1.inbound", order.to_json()).await;
            assert_eq!(bench.take("sms_1.outbound").await["routing_metadata"]["endpoint_name"], endpoint);
        }
        app.stop().await;
        // What passes through keeps it as well.
        let switch = bench.dispatcher(SWITCH, Stack::default()).await;
        bench.put("shop.outbound", at_endpoint("x", "ep1").to_json()).await;
        assert_eq!(bench.take("sms_1.outbound").await["routing_metadata"]["endpoint_name"], "ep1");
        switch.stop().await;
        let transport = bench.transport("net", TransportShared::default(), Stack::default()).await;
        transport.part.link().unwrap().inbound(at_endpoint("y", "ep1")).await.unwrap();
        assert_eq!(bench.take("net.inbound").await["routing_metadata"]["endpoint_name"], "ep1");
        transport.stop().await;
    }
}
