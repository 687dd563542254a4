//! The HTTP API transport in the place of Vumi's; the test is the client and the application behind it.

use serde_json::Value;
use vumi_tests::http::{self, Answer};

use super::capture::Publish;
use super::compare::Made;
use super::stage::{Stage, in_both_orders};

const CLASS: &str = "vumi.transports.api.HttpApiTransport";

/// The captured client asks what it asked, the captured application answers, and client and queues get what they got.
fn conversation(capture: &str, keys: &str, compared: usize) {
    in_both_orders(capture, |mut stage: Stage| {
        let host = stage.worker(CLASS, &format!("transport_name: http\nweb_path: /api\nweb_port: 0\n{keys}"));
        let at = host.listening("http");
        let mut steps = stage.capture.publishes.clone().into_iter().peekable();
        for asked in stage.capture.client() {
            let target = target(&asked);
            let answer = std::thread::spawn(move || http::request(at, "GET", &target, None));
            // A 400 and the health page make no messages.
            let makes = asked["status"] != 400 && asked["query"].is_object();
            let mut id = None;
            if makes {
                let inbound = steps.next().unwrap();
                assert_eq!(inbound.kind(), "inbound");
                id = stage.expect(&inbound, Made::ByHost).text("message_id");
            }
            let replied = |step: &Publish| step.kind() != "inbound";
            while let Some(step) = steps.next_if(replied) {
                if step.kind() == "outbound" { stage.publish(&step) } else { drop(stage.expect(&step, Made::ByHost)) }
            }
            same(&asked, &answer.join().unwrap().unwrap(), id.as_deref());
        }
        assert!(steps.next().is_none());
        assert_eq!(stage.compare.count, compared);
        stage.end(host);
    });
}

fn target(asked: &Value) -> String {
    let Some(query) = asked["query"].as_object() else { return asked["path"].as_str().unwrap().to_owned() };
    let pairs = query.iter().map(|(name, value)| (name, value.as_str().unwrap()));
    format!("/api?{}", vumi_transport::http::form::encode(pairs))
}

/// The answer is the captured one: JSON by its values, with the id of our message in the place of Vumi's.
fn same(asked: &Value, answer: &Answer, id: Option<&str>) {
    assert_eq!(asked["status"], answer.status, "{asked}");
    if let Some(kind) = asked["content_type"].as_str() {
        assert!(answer.head.to_lowercase().contains(&format!("content-type: {kind}")), "{}", answer.head);
    }
    let body = asked["body"].as_str().unwrap();
    match serde_json::from_str::<Value>(body) {
        Ok(mut json) => {
            if let (Some(of_vumi), Some(ours)) = (json.get_mut("message_id"), id) {
                *of_vumi = ours.into();
            }
            assert_eq!(answer.json(), json);
        }
        Err(_) => assert_eq!(answer.text(), body),
    }
}

#[test]
fn http_api_transport_waits_for_the_reply_as_vumis_did() {
    conversation("http-api-reply-expected", "reply_expected: true\n", 4);
}

#[test]
fn http_api_transport_gives_the_id_as_vumis_did() {
    conversation("http-api-no-reply", "", 1);
}

#[test]
fn http_api_transport_gives_up_as_vumis_did() {
    conversation("http-api-timeout", "reply_expected: true\nrequest_timeout: 1\n", 1);
}
