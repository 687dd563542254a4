//! The echo app in the place of Vumi's EchoWorker; the test is the transport that users reach it through.

use serde_json::json;
use vumi_tests::guests::guest;

use super::capture::{Capture, Publish};
use super::compare::Made;
use super::stage::{Order, Stage, in_both_orders};

/// A system of one app.
pub(crate) fn app(name: &str, component: &str, more: &str) -> String {
    format!("apps:\n  {name}: {{ component: \"{}\"{more} }}\n", guest(component).display())
}

/// The captured transport says what it said, and the app must answer what EchoWorker answered.
fn echo_answers(capture: &str, transport_name: &str, replies: usize) {
    in_both_orders(capture, |mut stage: Stage| {
        let host = stage.system(&app("echo", "echo", &format!(", transport_name: {transport_name}")));
        for step in stage.capture.publishes.clone() {
            if step.kind() == "outbound" {
                stage.expect(&step, Made::ByHost);
            } else {
                stage.publish(&step);
            }
        }
        assert_eq!(stage.compare.count, replies);
        // Of statuses, neither Vumi's application nor ours takes any.
        while stage.capture.name == "dmark-status" && stage.peer.take("dmark.status.status").is_some() {}
        stage.end(host);
    });
}

#[test]
fn echo_app_answers_a_telnet_transport() {
    echo_answers("telnet-echo", "telnet", 3);
}

#[test]
fn echo_app_answers_an_http_transport() {
    echo_answers("http-api-reply-expected", "http", 2);
}

#[test]
fn echo_app_answers_a_ussd_transport() {
    echo_answers("dmark-status", "dmark", 2);
}

/// Two conversations in which Vumi had no application: ours takes their messages, too, and answers as EchoWorker did to
/// the same user on the same transport, but for the text.
#[test]
fn echo_app_answers_where_vumi_had_no_application() {
    let answered = Capture::read("http-api-reply-expected");
    for capture in ["http-api-no-reply", "http-api-timeout"] {
        let mut stage = Stage::open(capture, Order::VumiFirst);
        let host = stage.system(&app("echo", "echo", ", transport_name: http"));
        let inbound = stage.capture.step(1).clone();
        assert_eq!((inbound.by, stage.capture.publishes.len()), (1, 1), "no application was there");
        let mut reply = answered.step(2).payload();
        reply["content"] = json!(inbound.text("content").unwrap());
        reply["in_reply_to"] = json!(inbound.text("message_id").unwrap());
        let reply = Publish { step: format!("{capture}, answered"), ..answered.step(2).with_payload(&reply) };
        stage.publish(&inbound);
        stage.expect(&reply, Made::ByHost);
        stage.end(host);
    }
}
