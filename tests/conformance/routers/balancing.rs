//! The load balancer.

use serde_json::{Value, json};
use vumi_message::UserMessage;

use super::kit::{Rig, ack, of, user};

/// The reply of an application to a message as it came to it.
fn reply_to(inbound: Value) -> UserMessage {
    let inbound = UserMessage::from_payload(inbound.as_object().cloned().unwrap()).unwrap();
    inbound.reply(Some("yes"), true, vumi_message::Payload::new()).unwrap()
}

#[tokio::test]
async fn check_11_load_balancing() {
    let rig =
        Rig::start("{class: load_balancing, transport_names: [t1, t2], exposed_names: [a], reply_affinity: false}");
    for transport in ["t1", "t2", "t1"] {
        rig.put("a.outbound", of("a")).await;
        assert_eq!(rig.only(&format!("{transport}.outbound")).await["transport_name"], transport);
    }
    rig.stop().await;

    let rig = Rig::start("{class: load_balancing, transport_names: [t1, t2], exposed_names: [a]}");
    // Twice, so that it is not the transports' turn that makes it so.
    for _ in 0..2 {
        rig.put("t2.inbound", of("t2")).await;
        let inbound = rig.only("a.inbound").await;
        assert_eq!(inbound["transport_name"], "a");
        assert_eq!(inbound["helper_metadata"], json!({"load_balancer": {"transport_names": ["t2"]}}));
        rig.put("a.outbound", reply_to(inbound)).await;
        let reply = rig.only("t2.outbound").await;
        assert_eq!(reply["transport_name"], "t2");
        assert_eq!(reply["helper_metadata"], json!({"load_balancer": {"transport_names": []}}));
    }
    for transport in ["t1", "t2"] {
        let metadata = json!({"load_balancer": {"transport_names": ["tz"]}});
        let fields = json!({"transport_name": "a", "in_reply_to": "m1", "helper_metadata": metadata});
        rig.put("a.outbound", user(fields)).await;
        let reply = rig.only(&format!("{transport}.outbound")).await;
        assert_eq!(reply["helper_metadata"], json!({"load_balancer": {"transport_names": []}}));
    }
    rig.put("t1.event", ack("t1", "m1")).await;
    assert_eq!(rig.only("a.event").await["transport_name"], "a");
    assert_eq!(rig.unroutable(), 0);
    rig.stop().await;
}

#[tokio::test]
async fn check_12_load_balancing_without_rewriting() {
    let rig = Rig::start(
        "{class: vumi.dispatchers.load_balancer.LoadBalancingRouter, transport_names: [t1, t2], exposed_names: [a],
          rewrite_transport_names: false}",
    );
    rig.put("t1.inbound", of("t1")).await;
    assert_eq!(rig.only("a.inbound").await["transport_name"], "t1");
    rig.put("t1.event", ack("t1", "m1")).await;
    assert_eq!(rig.only("a.event").await["transport_name"], "t1");
    rig.put("a.outbound", of("own")).await;
    assert_eq!(rig.only("t1.outbound").await["transport_name"], "own");
    rig.stop().await;
}
