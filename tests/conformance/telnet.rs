//! specs/transports/telnet.md, its numbered checks in order, over real sockets: the transport in its worker, with the
//! embedded broker and stores.

mod addressed;
mod host;
mod hostile;
mod recorded;
pub(crate) mod rig;

use serde_json::{Value, json};

use rig::Rig;

const PLAIN: &str = "class: telnet\ntelnet_port: 0\n";
const ADDRESSED: &str = "class: vumi.transports.telnet.AddressedTelnetServerTransport\ntwisted_endpoint: tcp:0\n";

#[tokio::test]
async fn check_01_connecting_begins_a_session() {
    let mut rig = Rig::start(PLAIN).await;
    let client = rig.connect().await;
    let message = rig.inbound().await;
    assert_eq!(message["session_event"], "new");
    assert_eq!(message["content"], Value::Null);
    assert_eq!(message["from_addr"], client.address());
    assert_eq!(message["to_addr"], format!("127.0.0.1:{}", rig.at().port()));
    assert_eq!(message["transport_name"], "telnet");
    assert_eq!(message["transport_type"], "telnet");
    rig.stop().await;
}

#[tokio::test]
async fn check_02_lines_and_text_without_a_line_break() {
    let mut rig = Rig::start(PLAIN).await;
    let mut client = rig.connect_new().await;
    for (bytes, content) in [("foo\n", "foo"), ("foo\r\n", "foo"), ("zoë", "zoë")] {
        client.send(bytes.as_bytes()).await;
        let message = rig.inbound().await;
        assert_eq!((&message["session_event"], &message["content"]), (&json!("resume"), &json!(content)), "{bytes:?}");
        assert_eq!(message["from_addr"], client.address());
    }
    rig.stop().await;
}

#[tokio::test]
async fn check_03_quit_closes_the_connection() {
    let mut rig = Rig::start(PLAIN).await;
    let mut client = rig.connect_new().await;
    client.send(b"/QUIT\r\n").await;
    assert_eq!(client.rest().await, "");
    let message = rig.inbound().await;
    assert_eq!((&message["session_event"], &message["content"]), (&json!("close"), &Value::Null));
    rig.stop().await;
}

#[tokio::test]
async fn check_04_line_breaks_of_a_reply() {
    let mut rig = Rig::start(PLAIN).await;
    let mut client = rig.connect_new().await;
    let id = rig.put(&client.address(), Some("a\r\nb"), None).await;
    client.expect("a\r\nb\r\n").await;
    let event = rig.event().await;
    assert_eq!(event["event_type"], "ack");
    assert_eq!((&event["user_message_id"], &event["sent_message_id"]), (&json!(id), &json!(id)));
    rig.stop().await;
}

#[tokio::test]
async fn check_05_a_reply_that_closes() {
    let mut rig = Rig::start(PLAIN).await;
    let mut client = rig.connect_new().await;
    rig.put(&client.address(), Some("bye"), Some("close")).await;
    assert_eq!(client.rest().await, "bye\r\n");
    assert_eq!(rig.event().await["event_type"], "ack");
    assert_eq!(rig.inbound().await["session_event"], "close");
    rig.stop().await;
}

#[tokio::test]
async fn check_06_an_unknown_address() {
    let mut rig = Rig::start(PLAIN).await;
    let mut client = rig.connect_new().await;
    let id = rig.put("nowhere", Some("x"), None).await;
    client.expect("UNKNOWN ADDR [nowhere]: x\r\n").await;
    let event = rig.event().await;
    assert_eq!((&event["event_type"], &event["nack_reason"]), (&json!("nack"), &json!("Unknown address.")));
    assert_eq!(event["user_message_id"], id);
    assert_eq!(event.get("sent_message_id"), None);
    rig.stop().await;
}

#[tokio::test]
async fn check_07_no_content() {
    let mut rig = Rig::start(PLAIN).await;
    let mut client = rig.connect_new().await;
    rig.put(&client.address(), None, None).await;
    client.expect("\r\n").await;
    assert_eq!(rig.event().await["event_type"], "ack");
    rig.stop().await;
}

#[tokio::test]
async fn check_08_configured_address_and_type() {
    let mut rig = Rig::start(&format!("{PLAIN}to_addr: shop\ntransport_type: demo\n")).await;
    let mut client = rig.connect().await;
    client.send(b"hi\n").await;
    for _ in 0..2 {
        let message = rig.inbound().await;
        assert_eq!((&message["to_addr"], &message["transport_type"]), (&json!("shop"), &json!("demo")));
    }
    rig.stop().await;
}

#[tokio::test]
async fn check_09_addressed() {
    let mut rig = Rig::start(ADDRESSED).await;
    let mut client = rig.connect().await;
    client.expect("Please provide \"to_addr\":\r\n").await;
    client.send(b"t1\n").await;
    client.expect("Please provide \"from_addr\":\r\n").await;
    client.send(b"f1\n").await;
    client.expect("[Sending all messages to: t1 and from: f1]\r\n").await;
    client.send(b"hi\n").await;
    for (event, content) in [("new", Value::Null), ("resume", json!("hi"))] {
        let message = rig.inbound().await;
        assert_eq!((&message["session_event"], &message["content"]), (&json!(event), &content));
        assert_eq!((&message["from_addr"], &message["to_addr"]), (&json!("f1"), &json!("t1")));
    }
    rig.stop().await;
}

#[tokio::test]
async fn check_10_addressed_and_an_empty_line() {
    let mut rig = Rig::start(ADDRESSED).await;
    let mut client = rig.connect().await;
    client.send(b"\n\r\nt1\n\nf1\n").await;
    client
        .expect(concat!(
            "Please provide \"to_addr\":\r\n",
            "Please provide \"from_addr\":\r\n",
            "[Sending all messages to: t1 and from: f1]\r\n",
        ))
        .await;
    assert_eq!(rig.inbound().await["session_event"], "new");
    rig.stop().await;
}
