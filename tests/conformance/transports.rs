//! Those of the checks of specs/transports/common.md that concern what stands around every transport (the others are
//! with the messages), and the phone simulator.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use vumi_broker::BrokerOptions;
use vumi_core::{Error, Link, Result, Sent, Transport};
use vumi_message::{SessionEvent, Status, StatusLevel, UserMessage};
use vumi_transport::simulator::Simulator;
use vumi_transport::{Built, Once, PhoneMessage, TransportShared};

use crate::telnet::rig::{Read, Rig, soon};

/// Fails for the time being, and reports a state when it starts.
struct Failing;

#[async_trait]
impl Transport for Failing {
    async fn run(self: Arc<Self>, link: Arc<dyn Link>) -> Result<()> {
        link.status(Status::new("c", StatusLevel::Ok, "up", "It works.")).await;
        link.ready("127.0.0.1:0");
        link.shutdown().cancelled().await;
        Ok(())
    }

    async fn send(&self, _: &UserMessage) -> Result<Sent> {
        Err(Error::temporary("x"))
    }
}

async fn failing(shared: TransportShared) -> Rig {
    let built = Built { transport: Arc::new(Failing), once: Once::Record, simulator: None };
    let rig = Rig::run(built, shared, BrokerOptions::default()).await;
    soon("the transport is ready", rig.readiness.wait()).await;
    rig
}

fn shared(yaml: &str) -> TransportShared {
    let yaml = format!("class: telnet\n{yaml}\n");
    serde_saphyr::from_str::<Read>(&yaml).unwrap().0.shared
}

#[tokio::test]
async fn check_08_a_temporary_failure() {
    let rig = failing(TransportShared::default()).await;
    rig.put("+27", Some("hi"), None).await;
    let failure = rig.next_of("telnet.failures").await;
    assert_eq!(failure["failure_code"], "temporary");
    assert!(failure["reason"].as_str().unwrap().ends_with('x'));
    assert_eq!(failure["message"]["content"], "hi");
    assert_eq!(rig.waiting("telnet.event").await, 0);
    assert_eq!(rig.waiting("telnet.outbound").await, 0);
    rig.stop().await;
}

#[test]
fn check_09_flags() {
    for (text, value) in [("\"False \"", false), ("\"no\"", true), ("0", false)] {
        assert_eq!(shared(&format!("publish_status: {text}")).publish_status, value, "{text}");
    }
}

#[tokio::test]
async fn check_10_states_are_published_only_when_wanted() {
    let rig = failing(shared("publish_status: false")).await;
    assert_eq!(rig.waiting("telnet.status.status").await, 0);
    rig.stop().await;
    let rig = failing(shared("publish_status: true")).await;
    let status = rig.next_of("telnet.status.status").await;
    assert_eq!((&status["component"], &status["status"], &status["type"]), (&json!("c"), &json!("ok"), &json!("up")));
    rig.stop().await;
}

#[tokio::test]
async fn a_simulated_phone_sends_and_gets() {
    let built = Simulator::built();
    let phones = built.simulator.clone().unwrap();
    let dial = PhoneMessage {
        from_addr: "+27".into(),
        to_addr: "*120#".into(),
        transport_type: "ussd".into(),
        content: None,
        session_event: Some(SessionEvent::New),
    };
    assert!(phones.inject(dial.clone()).await.unwrap_err().is_temporary());
    let mut rig = Rig::run(built, TransportShared::default(), BrokerOptions::default()).await;
    soon("the simulator is ready", rig.readiness.wait()).await;

    let id = phones.inject(dial.clone()).await.unwrap();
    let message = rig.inbound().await;
    assert_eq!(message["message_id"], id);
    assert_eq!((&message["from_addr"], &message["to_addr"]), (&json!("+27"), &json!("*120#")));
    assert_eq!((&message["transport_type"], &message["session_event"]), (&json!("ussd"), &json!("new")));
    assert_eq!((&message["transport_name"], &message["content"]), (&json!("telnet"), &Value::Null));

    // The reply comes twice, as after a crash of the app that sent it: the phone shows it once.
    let reply = UserMessage::from_payload(message.as_object().unwrap().clone()).unwrap();
    let reply = reply.reply(Some("Your name?"), true, vumi_message::Payload::new()).unwrap();
    for _ in 0..2 {
        rig.put_body(reply.to_json()).await;
        let event = rig.event().await;
        assert_eq!((&event["event_type"], &event["sent_message_id"]), (&json!("ack"), &json!(reply.message_id())));
    }
    let outbound: Vec<_> = rig.records().await.into_iter().filter(|record| record.direction == "outbound").collect();
    let [shown] = outbound.as_slice() else { panic!("{outbound:?}") };
    assert_eq!((shown.user.as_deref(), shown.id.as_str()), (Some("+27"), reply.message_id()));

    rig.stop().await;
    assert!(phones.inject(dial).await.unwrap_err().is_temporary());
}
