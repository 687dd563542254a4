//! The comparison itself: it must find each kind of difference, or passing it would mean nothing.

use serde_json::{Value, json};
use vumi_message::Timestamp;

use super::capture::{Capture, Publish};
use super::compare::{Compare, Made};

const HEX: &str = "00000000000000000000000000000001";

/// A captured reply, and the same as the host might send it.
fn reply() -> (Publish, Publish) {
    let vumi = Capture::read("telnet-echo").step(2).clone();
    let here = changed(&vumi, |payload| {
        payload["message_id"] = json!(HEX);
        payload["timestamp"] = json!(Timestamp::now().to_string());
    });
    (vumi, here)
}

fn changed(publish: &Publish, change: impl FnOnce(&mut Value)) -> Publish {
    let mut payload = publish.payload();
    change(&mut payload);
    publish.with_payload(&payload)
}

#[test]
fn a_reply_with_its_own_id_and_time_is_alike() {
    let (vumi, here) = reply();
    let mut compare = Compare::new();
    compare.alike(&vumi, &here, Made::ByHost);
    assert_eq!(compare.count, 1);
    // Passed on, it would have to keep both.
    let found = Compare::new().differences(&vumi, &here, Made::Elsewhere);
    assert!(found.len() == 2 && found.iter().any(|one| one.starts_with("payload.timestamp: ")), "{found:?}");
}

#[test]
fn every_difference_is_found_and_named() {
    let (vumi, here) = reply();
    type Change = fn(&mut Value);
    let payloads: [(&str, Change); 8] = [
        ("payload.content: ", |payload| payload["content"] = json!("Enter text to echo: ")),
        ("payload.group: null is ", |payload| payload["group"] = json!("")),
        ("payload.provider is missing", |payload| drop(payload.as_object_mut().unwrap().shift_remove("provider"))),
        ("payload.extra = 1 is not there in Vumi", |payload| payload["extra"] = json!(1)),
        ("payload.routing_metadata.endpoint_name: ", |payload| {
            payload["routing_metadata"]["endpoint_name"] = json!("x")
        }),
        ("payload.timestamp: `2026-11-20T17:58:32.436857` is not", |payload| {
            payload["timestamp"] = json!("2026-11-20T17:58:32.436857");
        }),
        ("payload.timestamp: 2026-11-20 17:58:32.436857 is not a time of this test", |payload| {
            payload["timestamp"] = json!("2026-11-20 17:58:32.436857");
        }),
        ("payload.message_id: `x` is no id", |payload| payload["message_id"] = json!("x")),
    ];
    for (expected, change) in payloads {
        let found = Compare::new().differences(&vumi, &changed(&here, change), Made::ByHost);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{expected}: {found:?}");
    }
    for (expected, other) in [
        ("exchange: vumi is x", Publish { exchange: "x".into(), ..here.clone() }),
        ("routing key: telnet.outbound is x", Publish { routing_key: "x".into(), ..here.clone() }),
        ("properties.delivery_mode is missing", Publish { properties: json!({}), ..here.clone() }),
        ("properties.delivery_mode: 2 is 1", Publish { properties: json!({"delivery_mode": 1}), ..here.clone() }),
        (
            "properties.headers = {} is not there in Vumi",
            Publish { properties: json!({"delivery_mode": 2, "headers": {}}), ..here.clone() },
        ),
        ("the body is no JSON", Publish { body: "{".into(), ..here.clone() }),
    ] {
        let found = Compare::new().differences(&vumi, &other, Made::ByHost);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{expected}: {found:?}");
    }
}

#[test]
fn an_id_stands_for_one_id() {
    let (vumi, here) = reply();
    let mut compare = Compare::new();
    compare.alike(&vumi, &here, Made::ByHost);
    let other = changed(&here, |payload| payload["message_id"] = json!(HEX.replace('1', "2")));
    let found = compare.differences(&vumi, &other, Made::ByHost);
    assert!(found.len() == 1 && found[0].contains("was 00000000000000000000000000000001 before"), "{found:?}");
    let next = changed(&vumi, |payload| payload["message_id"] = json!(HEX.replace('1', "3")));
    let found = compare.differences(&next, &here, Made::ByHost);
    assert!(found.len() == 1 && found[0].contains("stood for 24b7dd8a868e4d978c722f8ce3e1d063 before"), "{found:?}");
    // The message that it replies to was published with its captured id: the host must name it so.
    let mut compare = Compare::new();
    compare.same_id(Capture::read("telnet-echo").step(1));
    let astray = changed(&here, |payload| payload["in_reply_to"] = json!(HEX.replace('1', "4")));
    let found = compare.differences(&vumi, &astray, Made::ByHost);
    assert!(found.len() == 1 && found[0].starts_with("payload.in_reply_to: "), "{found:?}");
}

#[test]
fn a_reason_is_compared_by_the_words_of_its_last_line() {
    let vumi = Capture::read("failures-and-events").step(6).clone();
    let because = |reason: &str| {
        changed(&vumi, |payload| {
            payload["timestamp"] = json!(Timestamp::now().to_string());
            payload["reason"] = json!(reason);
        })
    };
    Compare::new().alike(&vumi, &because("the network says: no such subscriber"), Made::ByHost);
    let found = Compare::new().differences(&vumi, &because("no such subscriber\nor so"), Made::ByHost);
    assert!(found.len() == 1 && found[0].starts_with("payload.reason: "), "{found:?}");
}
