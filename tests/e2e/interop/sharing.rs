//! Old and new on one broker at the same time: a queue that one declared serves the other.

use std::collections::BTreeSet;
use std::time::Duration;

use vumi_tests::{Telnet, until};

use super::apps::app;
use super::capture::Publish;
use super::stage::{Order, Stage};

const MESSAGES: usize = 40;

/// A queue that was there, with Vumi's arguments and a consumer of Vumi's kind, is consumed by the host as well: the two
/// share its messages, as two of Vumi's workers would.
#[test]
fn a_queue_that_vumi_declared_is_shared() {
    let stage = Stage::open("telnet-echo", Order::VumiFirst);
    let at_vumi = stage.peer.consume("telnet.inbound");
    assert_eq!(stage.peer.look("telnet.inbound"), Some((0, 1)));
    let host = stage.system(&app("echo", "echo", ", transport_name: telnet"));
    until("both consume", || (stage.peer.look("telnet.inbound")?.1 == 2).then_some(()));
    let line = stage.capture.step(4).clone();
    let id = |number: usize| format!("{number:032x}");
    for number in 0..MESSAGES {
        stage.peer.publish(&line, &line.body.replace(&line.text("message_id").unwrap(), &id(number)));
    }
    let (mut vumi, mut here) = (BTreeSet::new(), BTreeSet::new());
    until("every message is taken by one of the two", || {
        vumi.extend(at_vumi.try_iter().map(|message: Publish| message.text("message_id").unwrap()));
        here.extend(stage.peer.take("telnet.outbound").map(|reply| reply.text("in_reply_to").unwrap()));
        (vumi.len() + here.len() >= MESSAGES).then_some(())
    });
    assert!(vumi.is_disjoint(&here), "no message twice");
    assert!(!vumi.is_empty() && !here.is_empty(), "{} for Vumi, {} here", vumi.len(), here.len());
    assert_eq!(vumi.union(&here).cloned().collect::<BTreeSet<_>>(), (0..MESSAGES).map(id).collect());
    stage.end(host);
}

/// A queue that the host declared and Vumi never did is consumed by a consumer of Vumi's kind, before and after Vumi's own
/// declaration.
#[test]
fn a_queue_that_the_host_declared_serves_vumi() {
    let mut stage = Stage::open("http-api-no-reply", Order::HostFirst);
    stage.consumes = false;
    let host = stage.worker("vumi.transports.telnet.TelnetServerTransport", "transport_name: telnet\ntelnet_port: 0\n");
    // The capture speaks of other queues: these are the host's alone.
    assert!(!stage.capture.queues().contains("telnet.inbound"));
    let at_vumi = stage.peer.consume("telnet.inbound");
    let declarations = super::capture::consumed("vumi", "telnet.inbound");
    stage.peer.declare(&declarations);
    let mut telnet = Telnet::connect(host.telnet());
    telnet.line("hello");
    for (session, content) in [("new", None), ("resume", Some("hello"))] {
        let message = at_vumi.recv_timeout(Duration::from_secs(60)).expect("a message comes");
        assert_eq!(
            (message.text("session_event").as_deref(), message.text("content").as_deref()),
            (Some(session), content)
        );
    }
    // And the other way: what Vumi publishes to the host's own queue arrives.
    let mut reply = super::capture::Capture::read("telnet-echo").step(5).payload();
    reply["to_addr"] = telnet.address().into();
    let outbound = super::capture::Capture::read("telnet-echo").step(5).with_payload(&reply);
    stage.peer.declare(&super::capture::consumed("vumi", "telnet.outbound"));
    stage.peer.publish(&outbound, &outbound.body);
    assert_eq!(telnet.read_line(), outbound.text("content"));
    let (status, _, log) = host.terminate();
    assert!(status.success() && !log.contains("PRECONDITION"), "{log}");
}
