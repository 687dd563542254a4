//! What the specification's text says beside its checks, and its `Host:` rules: lines, telnet commands, the end.

use tokio::io::AsyncWriteExt;
use vumi_broker::BrokerOptions;
use vumi_core::Happening;

use super::*;

#[tokio::test]
async fn several_lines_in_one_segment_are_several_messages_in_order() {
    let mut rig = Rig::start(PLAIN).await;
    let mut client = rig.connect_new().await;
    client.send(b"one\r\ntwo\n\nthree\r\n").await;
    for content in ["one", "two", "", "three"] {
        assert_eq!(rig.inbound().await["content"], content);
    }
    let many: String = (0..1_000).map(|n| format!("{n}\n")).collect();
    client.send(many.as_bytes()).await;
    let mut got = String::new();
    while got.len() < many.len() {
        // Where TCP cut a line in two, the pieces are two messages.
        let content = rig.inbound().await["content"].as_str().unwrap().to_owned();
        let end = got.len() + content.len();
        got.push_str(&content);
        if many.as_bytes().get(end) == Some(&b'\n') {
            got.push('\n');
        }
    }
    assert_eq!(got, many);
    rig.stop().await;
}

#[tokio::test]
async fn offers_are_refused_and_bytes_that_are_no_text_replaced() {
    let mut rig = Rig::start(PLAIN).await;
    let mut client = rig.connect_new().await;
    // DO ECHO is answered by WONT ECHO, WILL window size by DONT, and no message comes of either.
    client.send(b"\xFF\xFD\x01\xFF\xFB\x1F").await;
    let mut answer = [0; 6];
    rig::soon("the refusals", tokio::io::AsyncReadExt::read_exact(&mut client.stream, &mut answer)).await.unwrap();
    assert_eq!(answer, *b"\xFF\xFC\x01\xFF\xFE\x1F");
    client.send(b"zo\xEB\n").await;
    assert_eq!(rig.inbound().await["content"], "zo\u{FFFD}");
    rig.stop().await;
}

#[tokio::test]
async fn a_client_that_leaves_closes_its_session() {
    let mut rig = Rig::start(PLAIN).await;
    let polite = rig.connect_new().await;
    let address = polite.address();
    drop(polite);
    let message = rig.inbound().await;
    assert_eq!((&message["session_event"], &message["from_addr"]), (&json!("close"), &json!(address)));
    // One that vanishes: the connection is reset.
    let rude = rig.connect_new().await;
    let address = rude.address();
    rude.stream.set_zero_linger().unwrap();
    drop(rude);
    let message = rig.inbound().await;
    assert_eq!((&message["session_event"], &message["from_addr"]), (&json!("close"), &json!(address)));
    // Nobody is there any more.
    rig.put(&address, Some("x"), None).await;
    assert_eq!(rig.event().await["nack_reason"], "Unknown address.");
    rig.stop().await;
}

#[tokio::test]
async fn to_nobody_goes_to_everybody_and_may_close_them_all() {
    let mut rig = Rig::start(PLAIN).await;
    let mut clients = [rig.connect_new().await, rig.connect_new().await];
    rig.put("nowhere", Some("a\nb"), Some("close")).await;
    for client in &mut clients {
        assert_eq!(client.rest().await, "UNKNOWN ADDR [nowhere]: a\r\nb\r\n");
    }
    assert_eq!(rig.inbound().await["session_event"], "close");
    assert_eq!(rig.inbound().await["session_event"], "close");
    rig.stop().await;
}

#[tokio::test]
async fn stopping_closes_every_session_while_the_broker_still_works() {
    let mut rig = Rig::start(PLAIN).await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(rig.connect_new().await);
    }
    let mut addresses: Vec<String> = clients.iter().map(rig::Client::address).collect();
    rig.shut();
    for _ in 0..5 {
        let message = rig.inbound().await;
        assert_eq!(message["session_event"], "close");
        addresses.retain(|address| message["from_addr"] != *address);
    }
    assert_eq!(addresses, Vec::<String>::new());
    for client in &mut clients {
        assert_eq!(client.rest().await, "");
    }
    let at = rig.at();
    rig.stop().await;
    assert!(tokio::net::TcpStream::connect(at).await.is_err());
}

#[tokio::test]
async fn a_port_that_is_taken_is_tried_again() {
    let holder = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = holder.local_addr().unwrap().port();
    let yaml = format!("class: telnet\ntelnet_port: {port}\n");
    let mut rig = Rig::launch(&yaml, BrokerOptions::default()).await;
    let reason = rig::soon("a failed start", async {
        loop {
            if let Happening::Worker { state, reason, .. } = &rig.feed.recv().await.unwrap().happening
                && state == "waiting"
            {
                return reason.clone().unwrap();
            }
        }
    })
    .await;
    assert!(reason.starts_with(&format!("cannot listen on 127.0.0.1:{port}: ")), "{reason}");
    assert_eq!(rig.readiness.at(), None);
    drop(holder);
    let at = rig::soon("the port is free", rig.readiness.wait()).await;
    assert_eq!(at, format!("127.0.0.1:{port}"));
    rig.stop().await;
}

#[tokio::test]
async fn what_passes_is_recorded() {
    let mut rig = Rig::start(PLAIN).await;
    let mut client = rig.connect_new().await;
    let address = client.address();
    rig.put(&address, Some("hi"), None).await;
    client.expect("hi\r\n").await;
    rig.event().await;
    client.stream.shutdown().await.unwrap();
    rig.inbound().await;
    let store = std::sync::Arc::clone(&rig.store);
    rig.stop().await;
    let records = store.messages(vumi_core::MessageQuery::default()).await.unwrap();
    let mut directions: Vec<&str> = records.iter().map(|record| record.direction.as_str()).collect();
    directions.sort_unstable();
    assert_eq!(directions, ["event", "inbound", "inbound", "outbound"]);
    assert!(records.iter().all(|record| record.user.as_deref() == Some(&address)));
}
