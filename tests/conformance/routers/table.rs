//! The routing table.

use serde_json::{Value, json};
use vumi_message::UserMessage;

use super::kit::{Rig, ack, of, refusal};

const TABLE: &str = "class: vumi.dispatchers.endpoint_dispatchers.RoutingTableDispatcher
receive_inbound_connectors: [t1]
receive_outbound_connectors: [a1]
routing_table: {t1: {default: [a1, sms]}, a1: {sms: [t1, default]}}
";

/// A message at an endpoint.
fn at(endpoint: &str) -> UserMessage {
    let mut message = of("t1");
    message.set("message_id", "m1").unwrap();
    message.set_endpoint(Some(endpoint));
    message
}

#[tokio::test]
async fn check_13_routing_table() {
    let rig = Rig::start(TABLE);
    let endpoint = |message: Value| message["routing_metadata"]["endpoint_name"].clone();
    let message = of("t1");
    rig.put("t1.inbound", message.clone()).await;
    let mut arrived = rig.only("a1.inbound").await;
    assert_eq!(endpoint(arrived.clone()), "sms");
    // Nothing else has changed.
    arrived["routing_metadata"] = json!({});
    assert_eq!(arrived, Value::Object(message.into_payload()));
    rig.put("t1.event", ack("t1", "m1")).await;
    assert_eq!(endpoint(rig.only("a1.event").await), "sms");
    rig.put("a1.outbound", at("sms")).await;
    assert_eq!(endpoint(rig.only("t1.outbound").await), "default");
    assert_eq!(rig.unroutable(), 0);

    rig.put("a1.outbound", at("x")).await;
    let text = "No routing information for endpoint 'x' on 'a1'";
    let nack = rig.only("a1.event").await;
    assert_eq!((&nack["event_type"], &nack["user_message_id"]), (&json!("nack"), &json!("m1")));
    assert_eq!(nack["nack_reason"], text);
    assert_eq!(rig.reasons(), [text]);
    rig.put("t1.inbound", at("x")).await;
    assert_eq!(rig.queues().await, Vec::<String>::new());
    assert_eq!(rig.unroutable(), 2);
    rig.stop().await;

    let rig = Rig::start(&format!("{TABLE}nack_unroutable: false\n"));
    rig.put("a1.outbound", at("x")).await;
    assert_eq!(rig.queues().await, Vec::<String>::new());
    assert_eq!((rig.reasons(), rig.unroutable()), (vec![text.to_owned()], 1));
    rig.stop().await;

    let unknown = refusal(&TABLE.replace("[a1, sms]", "[zz, sms]"));
    assert!(unknown.contains("`zz`, which is not among receive_outbound_connectors"), "{unknown}");
}
