//! The rest of what the specification says of the addressed variant, its `Host:` rules included.

use tokio::io::AsyncWriteExt;

use super::rig::{Client, Rig};
use super::*;

async fn register(rig: &mut Rig, to: &str, from: &str) -> Client {
    let mut client = rig.connect().await;
    client.send(format!("{to}\r\n{from}\r\n").as_bytes()).await;
    client
        .expect(&format!(
            "Please provide \"to_addr\":\r\nPlease provide \"from_addr\":\r\n\
             [Sending all messages to: {to} and from: {from}]\r\n"
        ))
        .await;
    let message = rig.inbound().await;
    assert_eq!((&message["from_addr"], &message["to_addr"]), (&json!(from), &json!(to)));
    client
}

#[tokio::test]
async fn each_connection_has_its_own_to_addr() {
    let mut rig = Rig::start(ADDRESSED).await;
    let mut one = register(&mut rig, "t1", "f1").await;
    let _two = register(&mut rig, "t2", "f2").await;
    one.send(b"hi\n").await;
    assert_eq!(rig.inbound().await["to_addr"], "t1");
    rig.stop().await;
}

#[tokio::test]
async fn the_last_client_of_an_address_gets_its_messages() {
    let mut rig = Rig::start(ADDRESSED).await;
    let mut one = register(&mut rig, "t", "f").await;
    let mut two = register(&mut rig, "t", "f").await;
    rig.put("f", Some("hi"), None).await;
    two.expect("hi\r\n").await;
    // The end of the first does not take the address from the second.
    one.stream.shutdown().await.unwrap();
    assert_eq!(one.rest().await, "");
    assert_eq!(rig.inbound().await["session_event"], "close");
    rig.put("f", Some("ho"), None).await;
    two.expect("ho\r\n").await;
    rig.stop().await;
}

#[tokio::test]
async fn quit_is_text_and_text_waits_for_the_end_of_its_line() {
    let mut rig = Rig::start(ADDRESSED).await;
    let mut client = register(&mut rig, "t", "f").await;
    client.send(b"/quit\nhalf").await;
    assert_eq!(rig.inbound().await["content"], "/quit");
    client.send(b" a line\n").await;
    assert_eq!(rig.inbound().await["content"], "half a line");
    rig.stop().await;
}

#[tokio::test]
async fn who_leaves_before_the_session_begins_is_not_mentioned() {
    let mut rig = Rig::start(ADDRESSED).await;
    let mut shy = rig.connect().await;
    shy.send(b"t1\n").await;
    shy.stream.shutdown().await.unwrap();
    shy.rest().await;
    register(&mut rig, "t", "f").await;
    rig.stop().await;
}

#[tokio::test]
async fn the_last_words_count_without_a_line_end() {
    let mut rig = Rig::start(ADDRESSED).await;
    let mut client = register(&mut rig, "t", "f").await;
    client.send(b"last").await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(rig.inbound().await["content"], "last");
    assert_eq!(rig.inbound().await["session_event"], "close");
    rig.stop().await;
}
