//! What becomes of an outbound message.

use serde_json::{Value, json};
use vumi_core::{Channel, Direction};

use super::*;

fn consume(hook: Hook) -> bool {
    hook.direction == Direction::Consume && hook.channel == Channel::Outbound
}

#[tokio::test(start_paused = true)]
async fn accepted_is_an_ack_and_recorded() {
    let stage = Stage::accepting();
    let mut watch = stage.feed.watch();
    let worker = stage.start();
    stage.put(&message("m1", "+1", "hi"));
    let event = stage.broker.take("t.event").await;
    assert_eq!(event["event_type"], "ack");
    assert_eq!(event["user_message_id"], "m1");
    assert_eq!(event["sent_message_id"], "remote");
    assert_eq!(event["transport_name"], "t");
    assert_eq!(event["transport_metadata"], json!({}));
    assert_eq!(event["event_id"], vumi_message::derived_id("m1", "t", 0));
    stage.finish(worker).await;
    assert_eq!(stage.record("m1").as_deref(), Some("reported:remote"));
    let id = event["event_id"].as_str().unwrap().to_owned();
    let mut recorded = stage.recorded();
    recorded.sort();
    assert_eq!(recorded, [("event".into(), id), ("outbound".into(), "m1".into())]);
    assert!(stage.store.records.lock().iter().all(|record| record.user.as_deref() == Some("+1")));
    let mut told = 0;
    while let Ok(entry) = watch.try_recv() {
        told += usize::from(matches!(entry.happening, vumi_core::Happening::Message(_)));
    }
    assert_eq!(told, 2);
}

#[tokio::test(start_paused = true)]
async fn refused_is_a_nack_with_an_id_where_there_is_one() {
    let stage = Stage::new(FakeTransport::new(|message| {
        let sent_message_id = (message.content() == Some("sid")).then(|| message.message_id().to_owned());
        Ok(Sent::Refused { reason: "no".into(), sent_message_id })
    }));
    let worker = stage.start();
    stage.put(&message("m1", "+1", "sid"));
    stage.put(&message("m2", "+1", ""));
    let (one, two) = (stage.broker.take("t.event").await, stage.broker.take("t.event").await);
    for (event, id) in [(&one, "m1"), (&two, "m2")] {
        assert_eq!((&event["event_type"], &event["nack_reason"]), (&json!("nack"), &json!("no")));
        assert_eq!(event["user_message_id"], id);
    }
    assert_eq!(one["sent_message_id"], "m1");
    assert_eq!(two.get("sent_message_id"), None);
    stage.finish(worker).await;
    // It did not go out: should it come again, it may be tried again.
    assert_eq!(stage.record("m1"), None);
}

#[tokio::test(start_paused = true)]
async fn pending_is_reported_by_the_transport() {
    let stage = Stage::new(FakeTransport::new(|_| Ok(Sent::Pending)));
    let worker = stage.start();
    stage.put(&message("m1", "+1", "hi"));
    stage.broker.settled("t.outbound").await;
    assert_eq!(stage.broker.waiting("t.event"), 0);
    assert_eq!(stage.record("m1").as_deref(), Some("reported:"));
    stage.link().await.event(vumi_message::Event::ack("m1", "r1")).await.unwrap();
    let event = stage.broker.take("t.event").await;
    assert_eq!((&event["sent_message_id"], &event["transport_name"]), (&json!("r1"), &json!("t")));
    assert_eq!(event["transport_metadata"], json!({}));
    stage.finish(worker).await;
}

#[tokio::test(start_paused = true)]
async fn errors_are_failures_without_an_event() {
    let stage = Stage::new(FakeTransport::new(|message| match message.content() {
        Some("temporary") => Err(Error::temporary("later").because(std::io::Error::other("x"))),
        Some("permanent") => Err(Error::permanent("never")),
        _ => panic!("on purpose"),
    }));
    let worker = stage.start();
    for (content, code, end) in [
        ("temporary", json!("temporary"), "later: x"),
        ("permanent", json!("permanent"), "never"),
        ("panic", Value::Null, "on purpose\""),
    ] {
        stage.put(&message(content, "+1", content));
        let failure = stage.broker.take("t.failures").await;
        assert_eq!(failure["message_type"], "failure_message");
        assert_eq!(failure["failure_code"], code);
        assert_eq!(failure["message"]["message_id"], content);
        assert!(failure["reason"].as_str().unwrap().ends_with(end), "{failure}");
    }
    stage.finish(worker).await;
    assert_eq!(stage.broker.waiting("t.event"), 0);
    assert_eq!(stage.dead(), Vec::<String>::new());
    assert!(stage.recorded().contains(&("failure".into(), "temporary".into())));
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_nobody_takes_away_is_kept_among_the_dead_letters() {
    let stage = Stage::new(FakeTransport::new(|_| Err(Error::permanent("never"))));
    stage.broker.full.lock().push("t.failures".into());
    let worker = stage.start();
    stage.put(&message("m1", "+1", "hi"));
    stage.finish(worker).await;
    assert_eq!(stage.dead(), ["never"]);
    assert_eq!(stage.broker.waiting("t.failures"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_goes_to_the_dead_letters_and_the_next_is_sent() {
    let stage = Stage::accepting();
    let worker = stage.start();
    for body in ["not json", "{}", "[]", "\u{0}"] {
        stage.broker.put("t.outbound", Bytes::from(body), 0);
    }
    stage.put(&message("m1", "+1", "hi"));
    stage.finish(worker).await;
    assert_eq!(stage.sent(), ["hi"]);
    assert_eq!(stage.dead().len(), 4);
    assert!(stage.dead().iter().all(|reason| reason.starts_with("invalid message: ")));
}

#[tokio::test(start_paused = true)]
async fn another_endpoint_has_no_handler() {
    let stage = Stage::accepting();
    let worker = stage.start();
    let mut other = message("m1", "+1", "hi");
    other.set_endpoint(Some("other"));
    stage.put(&other);
    let mut default = message("m2", "+1", "ho");
    default.set_endpoint(Some("default"));
    stage.put(&default);
    stage.finish(worker).await;
    assert_eq!(stage.sent(), ["ho"]);
    assert_eq!(stage.broker.waiting("t.event"), 1);
    assert_eq!(stage.dead(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn middleware_that_stops_a_message_makes_a_nack() {
    let mut stage = Stage::accepting();
    stage.stack = stack(consume, || Ok("no credit".into()));
    let worker = stage.start();
    stage.put(&message("m9", "+1", "hi"));
    let event = stage.broker.take("t.event").await;
    assert_eq!((&event["user_message_id"], &event["nack_reason"]), (&json!("m9"), &json!("no credit")));
    stage.finish(worker).await;
    assert_eq!(stage.sent(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn middleware_that_fails_is_a_failure() {
    let mut stage = Stage::accepting();
    stage.stack = stack(consume, || Err(Error::permanent("broken")));
    let worker = stage.start();
    stage.put(&message("m1", "+1", "hi"));
    let failure = stage.broker.take("t.failures").await;
    assert_eq!((&failure["failure_code"], &failure["reason"]), (&json!("permanent"), &json!("broken")));
    stage.finish(worker).await;
    assert_eq!(stage.sent(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn middleware_that_fails_on_a_failure_leaves_the_message_among_the_dead_letters() {
    let mut stage = Stage::new(FakeTransport::new(|_| Err(Error::permanent("never"))));
    stage.stack = stack(|hook| hook.channel == Channel::Failure, || Err(Error::permanent("broken")));
    let worker = stage.start();
    stage.put(&message("m1", "+1", "hi"));
    stage.finish(worker).await;
    assert_eq!(stage.broker.waiting("t.failures"), 0);
    assert_eq!(stage.dead(), ["never"]);
}

#[tokio::test(start_paused = true)]
async fn publish_middleware_sees_events_and_failures() {
    let mut stage = Stage::new(FakeTransport::new(|message| match message.content() {
        Some("fail") => Err(Error::permanent("never")),
        _ => Ok(Sent::Accepted("r".into())),
    }));
    stage.stack = stack(|hook| hook.direction == Direction::Publish, || Ok("dropped".into()));
    let worker = stage.start();
    stage.put(&message("m1", "+1", "hi"));
    stage.put(&message("m2", "+1", "fail"));
    stage.finish(worker).await;
    assert_eq!(stage.sent(), ["hi", "fail"]);
    assert_eq!((stage.broker.waiting("t.event"), stage.broker.waiting("t.failures")), (0, 0));
    assert_eq!(stage.dead(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn one_user_in_order_and_users_side_by_side() {
    let mut transport = FakeTransport::new(|_| Ok(Sent::Accepted("r".into())));
    transport.gate = Some(tokio::sync::Semaphore::new(0));
    let mut stage = Stage::new(transport);
    stage.shared.amqp_prefetch_count = Some(2);
    let worker = stage.start();
    for n in 0..3 {
        stage.put(&message(&format!("a{n}"), "+1", &format!("a{n}")));
    }
    stage.put(&message("b0", "+2", "b0"));
    // Two messages are being sent at once although nothing has ended: the first of each user.
    stage.transport.begun.notified().await;
    stage.transport.begun.notified().await;
    assert_eq!(stage.sent(), Vec::<String>::new());
    stage.transport.gate.as_ref().unwrap().add_permits(4);
    stage.finish(worker).await;
    let sent = stage.sent();
    let first: Vec<_> = sent.iter().filter(|content| content.starts_with('a')).collect();
    assert_eq!(first, ["a0", "a1", "a2"]);
    assert_eq!(sent.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn messages_wait_while_the_events_have_no_room() {
    let stage = Stage::accepting();
    stage.broker.full.lock().push("t.event".into());
    let worker = stage.start();
    stage.link().await;
    stage.put(&message("m1", "+1", "hi"));
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(stage.broker.waiting("t.outbound"), 1);
    stage.broker.full.lock().clear();
    stage.put(&message("m2", "+1", "ho"));
    stage.finish(worker).await;
    assert_eq!(stage.sent(), ["hi", "ho"]);
}
