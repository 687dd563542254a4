//! Many clients at a time, and more than there is room for.

use std::net::TcpStream;
use std::time::Duration;

use vumi_tests::http;

use super::{Setup, code, heard, queue_of};

/// Clients that connect and say nothing.
const IDLE: usize = 2_000;
/// Requests that are held open at a time.
const HELD: u64 = 200;

#[test]
fn idle_connections_do_not_keep_others_from_being_served() {
    let site = Setup::new("", "").start();
    let mut idle: Vec<TcpStream> = Vec::new();
    let mut slowest = Duration::ZERO;
    for number in 0..IDLE {
        idle.push(site.connect());
        if number % 100 == 0 {
            slowest = slowest.max(site.good());
        }
    }
    for _ in 0..20 {
        slowest = slowest.max(site.good());
    }
    println!("{IDLE} idle connections; the slowest of 40 good requests took {slowest:?}");
    // They asked for nothing, so they are told nothing.
    for stream in &mut idle {
        assert_eq!(heard(stream), "");
    }
}

#[test]
fn clients_that_vanish_leave_nothing() {
    let site = Setup::new("", ", request_timeout: 600").start();
    let mut sizes = Vec::new();
    for _ in 0..10 {
        let held: Vec<TcpStream> = (0..HELD).map(|_| site.hold("/held?content=x")).collect();
        site.pending_is("/open", HELD);
        drop(held);
        site.pending_is("/open", 0);
        sizes.push(site.memory());
    }
    let mib: Vec<u64> = sizes.iter().map(|size| size >> 20).collect();
    println!("memory after each {HELD} clients that vanished, MiB: {mib:?}");
    // The messages themselves wait in the queue, a few hundred bytes each.
    assert!(sizes[9] < sizes[2] + (48 << 20), "the host grows: {mib:?} MiB");
    assert_eq!(queue_of(&site.host, "held.inbound")["ready"], 10 * HELD);
    site.good();
}

#[test]
fn replies_to_clients_that_vanished_have_no_effect() {
    let site = Setup::new("", "").start();
    let held: Vec<TcpStream> =
        (0..HELD).map(|user| site.hold(&format!("/web?content=sleep+3000&from_addr={user}"))).collect();
    site.pending_is("/health", HELD);
    drop(held);
    site.pending_is("/health", 0);
    let log = site.logged(&["the user's request is not open any more"]);
    assert!(log.contains("INFO"), "{log}");
    site.settled("web.inbound");
    vumi_tests::until("each reply is acknowledged", || {
        let records = site.host.messages("web");
        let acks = records.iter().filter(|record| record["payload"]["event_type"] == "ack").count() as u64;
        (acks == HELD).then_some(())
    });
    site.settled("web.outbound");
    site.good();
}

#[test]
fn further_requests_are_told_to_come_back() {
    let site = Setup::new("", ", max_pending_requests: 3").start();
    let held: Vec<TcpStream> = (0..3).map(|_| site.hold("/held?content=x")).collect();
    site.pending_is("/open", 3);
    let response = heard(&mut site.hold("/held?content=x"));
    assert_eq!(code(&response), 503, "{response}");
    assert!(response.contains("retry-after: 5"), "{response}");
    site.logged(&["WARN", "held", "3 requests are open, see `max_pending_requests`"]);
    // Each transport has a bound of its own.
    site.good();
    drop(held);
    site.pending_is("/open", 0);
    let _again = site.hold("/held?content=x");
    site.pending_is("/open", 1);
    assert_eq!(queue_of(&site.host, "held.inbound")["ready"], 4);
}

#[test]
fn a_full_queue_is_told_to_the_network() {
    const ROOM: u64 = 5;
    let site = Setup::new("queues: { max_messages: 5 }\n", ", inbound_wait_ms: 50").start();
    let _held: Vec<TcpStream> = (0..ROOM).map(|_| site.hold("/held?content=x")).collect();
    site.pending_is("/open", ROOM);
    vumi_tests::until("the queue is full", || (queue_of(&site.host, "held.inbound")["ready"] == ROOM).then_some(()));
    for _ in 0..3 {
        let response = heard(&mut site.hold("/held?content=y"));
        assert_eq!(code(&response), 503, "{response}");
        assert!(response.contains("retry-after: 5"), "{response}");
    }
    site.logged(&["WARN", "held", "503", "a request was refused"]);
    assert_eq!(queue_of(&site.host, "held.inbound")["ready"], ROOM, "what was refused is not in the queue");
    assert_eq!(http::get(site.at, "/open").json()["pending_requests"], ROOM);
    site.good();
}
