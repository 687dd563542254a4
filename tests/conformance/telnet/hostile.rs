//! Clients that do not behave, and a host that is full: the others are served all the same.

use vumi_broker::BrokerOptions;

use super::*;

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped_and_holds_up_nobody() {
    let mut rig = Rig::start(PLAIN).await;
    let slow = rig.connect_new().await;
    let mut other = rig.connect_new().await;
    // More than the buffers of both systems and of the host can take.
    let text = "x".repeat(200 * 1024);
    let mut sent = 0;
    loop {
        rig.put(&slow.address(), Some(&text), None).await;
        sent += 1;
        let event = rig.event().await;
        if event["event_type"] == "nack" {
            assert_eq!(event["nack_reason"], "The client does not read what it is sent.");
            break;
        }
        assert!(sent < 1_000, "the client is never dropped");
    }
    rig.put(&other.address(), Some("hi"), None).await;
    other.expect("hi\r\n").await;
    let message = rig.inbound().await;
    assert_eq!((&message["session_event"], &message["from_addr"]), (&json!("close"), &json!(slow.address())));
    rig.stop().await;
}

#[tokio::test]
async fn beyond_the_limit_a_client_is_asked_to_come_later() {
    let mut rig = Rig::start(&format!("{PLAIN}max_connections: 2\n")).await;
    let one = rig.connect_new().await;
    let _two = rig.connect_new().await;
    let mut three = rig.connect().await;
    three.send(b"is there room?\n").await;
    assert_eq!(three.rest().await, "There are too many connections, please try again later.\r\n");
    drop(one);
    assert_eq!(rig.inbound().await["session_event"], "close");
    // The place is free once the session has ended, which is shortly after its last message.
    let mut tries = 0;
    loop {
        let mut four = rig.connect().await;
        four.send(b"/quit\n").await;
        if four.rest().await.is_empty() {
            break;
        }
        tries += 1;
        assert!(tries < 1_000, "the place is never free");
    }
    assert_eq!(rig.inbound().await["session_event"], "new");
    rig.stop().await;
}

#[tokio::test]
async fn silence_beyond_the_limit_ends_a_session() {
    let mut rig = Rig::start(&format!("{PLAIN}idle_timeout_s: 1\n")).await;
    let mut client = rig.connect_new().await;
    assert_eq!(client.rest().await, "The connection is closed because nothing was sent for a while.\r\n");
    assert_eq!(rig.inbound().await["session_event"], "close");
    rig.stop().await;
}

#[tokio::test]
async fn noise_harms_nobody() {
    let mut rig = Rig::start(PLAIN).await;
    let mut seed: u64 = 0x9E37_79B9_7F4A_7C15;
    for _ in 0..8 {
        let mut client = rig.connect_new().await;
        let mut noise = Vec::with_capacity(20_000);
        while noise.len() < 20_000 {
            // xorshift64: the same noise in every run.
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            noise.extend(seed.to_le_bytes());
        }
        // The noise holds telnet offers, whose refusals are not read: the client may be dropped, which is no error.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut client.stream, &noise).await;
        drop(client);
        while rig.inbound().await["session_event"] != "close" {}
    }
    let mut client = rig.connect_new().await;
    client.send(b"still there?\n").await;
    assert_eq!(rig.inbound().await["content"], "still there?");
    rig.stop().await;
}

#[tokio::test]
async fn a_line_without_end_comes_in_pieces() {
    let mut rig = Rig::start(&format!("{ADDRESSED}max_line: 1KiB\n")).await;
    let mut client = rig.connect().await;
    client.send(b"t\nf\n").await;
    assert_eq!(rig.inbound().await["session_event"], "new");
    client.send(&vec![b'x'; 100 * 1024]).await;
    // The last piece waits for its end.
    for _ in 0..99 {
        assert_eq!(rig.inbound().await["content"].as_str().unwrap().len(), 1024);
    }
    client.send(b"\n").await;
    assert_eq!(rig.inbound().await["content"].as_str().unwrap().len(), 1024);
    rig.stop().await;
}

#[tokio::test]
async fn a_host_that_is_full_says_so_and_the_session_goes_on() {
    let options = BrokerOptions { bound: 2, ..BrokerOptions::default() };
    let mut rig = Rig::start_with(&format!("{PLAIN}inbound_wait_ms: 20\n"), options).await;
    let mut client = rig.connect().await;
    // `new` and the first line fill the queue.
    client.send(b"one\n").await;
    rig::soon("a full queue", async {
        while rig.waiting("telnet.inbound").await < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    client.send(b"two\n").await;
    client.expect("The service is busy, please try again.\r\n").await;
    assert_eq!(rig.inbound().await["session_event"], "new");
    assert_eq!(rig.inbound().await["content"], "one");
    client.send(b"three\n").await;
    assert_eq!(rig.inbound().await["content"], "three");
    rig.stop().await;
}

#[tokio::test]
async fn without_room_for_its_first_message_a_session_does_not_begin() {
    let options = BrokerOptions { bound: 1, ..BrokerOptions::default() };
    let mut rig = Rig::start_with(&format!("{PLAIN}inbound_wait_ms: 20\n"), options).await;
    let _first = rig.connect().await;
    rig::soon("a full queue", async {
        while rig.waiting("telnet.inbound").await < 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut second = rig.connect().await;
    assert_eq!(second.rest().await, "The service is busy, please try again.\r\n");
    assert_eq!(rig.inbound().await["session_event"], "new");
    // Had there been a session, its end would come next.
    let third = rig.connect().await;
    assert_eq!(rig.inbound().await["from_addr"], third.address());
    rig.stop().await;
}
