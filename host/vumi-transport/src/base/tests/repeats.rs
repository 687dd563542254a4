//! Messages that come again, and a host that fails in between.

use super::*;
use crate::base::WhenUnsure;

#[tokio::test(start_paused = true)]
async fn what_was_reported_is_settled_silently() {
    let stage = Stage::accepting();
    let worker = stage.start();
    for _ in 0..3 {
        stage.put(&message("m1", "+1", "hi"));
    }
    stage.finish(worker).await;
    assert_eq!(stage.sent(), ["hi"]);
    assert_eq!(stage.broker.waiting("t.event"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_but_not_reported_is_reported_with_the_same_id() {
    let stage = Stage::accepting();
    stage.kv.map.lock().insert("sent:t:m1".into(), "sent:r:7".into());
    let worker = stage.start();
    stage.broker.put("t.outbound", Bytes::from(message("m1", "+1", "hi").to_json()), 1);
    let event = stage.broker.take("t.event").await;
    assert_eq!(event["sent_message_id"], "r:7");
    assert_eq!(event["event_id"], vumi_message::derived_id("m1", "t", 0));
    stage.finish(worker).await;
    assert_eq!(stage.sent(), Vec::<String>::new());
    assert_eq!(stage.record("m1").as_deref(), Some("reported:r:7"));
}

#[tokio::test(start_paused = true)]
async fn a_settlement_that_fails_sends_nothing_twice() {
    let stage = Stage::accepting();
    stage.broker.done_trouble.times(3);
    let worker = stage.start();
    stage.put(&message("m1", "+1", "hi"));
    stage.finish(worker).await;
    assert_eq!(stage.sent(), ["hi"]);
    assert_eq!(stage.broker.waiting("t.event"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_report_that_has_no_place_at_all_leaves_the_message_among_the_dead_letters() {
    let stage = Stage::accepting();
    stage.broker.done_trouble.times(u32::MAX);
    let worker = stage.start();
    stage.put(&message("m1", "+1", "hi"));
    stage.finish(worker).await;
    assert_eq!(stage.sent(), ["hi"]);
    assert_eq!(stage.dead(), ["the queue of reports could not be reached: the broker is away"]);
    // Revived, it is reported, not sent again.
    assert_eq!(stage.record("m1").as_deref(), Some("sent:remote"));
}

#[tokio::test(start_paused = true)]
async fn when_unsure_resend() {
    let stage = Stage::accepting();
    stage.kv.map.lock().insert("sent:t:m1".into(), "sending".into());
    let worker = stage.start();
    stage.broker.put("t.outbound", Bytes::from(message("m1", "+1", "hi").to_json()), 1);
    stage.finish(worker).await;
    assert_eq!(stage.sent(), ["hi"]);
    assert_eq!(stage.broker.waiting("t.event"), 1);
}

#[tokio::test(start_paused = true)]
async fn when_unsure_fail() {
    let mut stage = Stage::accepting();
    stage.shared.when_unsure = WhenUnsure::Fail;
    stage.kv.map.lock().insert("sent:t:m1".into(), "sending".into());
    let worker = stage.start();
    stage.broker.put("t.outbound", Bytes::from(message("m1", "+1", "hi").to_json()), 1);
    let failure = stage.broker.take("t.failures").await;
    assert_eq!(failure["failure_code"], serde_json::Value::Null);
    assert!(failure["reason"].as_str().unwrap().contains("unknown whether it arrived"));
    stage.broker.settled("t.outbound").await;
    assert_eq!(stage.sent(), Vec::<String>::new());
    assert_eq!(stage.broker.waiting("t.event"), 0);
    // Whoever sends it again on purpose gets his way.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(stage.record("m1"), None);
    stage.put(&message("m1", "+1", "hi"));
    stage.finish(worker).await;
    assert_eq!(stage.sent(), ["hi"]);
}

#[tokio::test(start_paused = true)]
async fn when_unsure_fail_and_nobody_takes_the_failures_away() {
    let mut stage = Stage::accepting();
    stage.shared.when_unsure = WhenUnsure::Fail;
    stage.kv.map.lock().insert("sent:t:m1".into(), "sending".into());
    stage.broker.full.lock().push("t.failures".into());
    let worker = stage.start();
    stage.broker.put("t.outbound", Bytes::from(message("m1", "+1", "hi").to_json()), 1);
    stage.finish(worker).await;
    assert!(stage.dead()[0].contains("unknown whether it arrived"));
    // Revived, it is sent.
    assert_eq!(stage.record("m1"), None);
}

#[tokio::test(start_paused = true)]
async fn with_fail_the_attempt_is_recorded_first_and_a_failure_forgets_it() {
    let mut transport = FakeTransport::new(|_| Err(Error::temporary("later")));
    transport.gate = Some(tokio::sync::Semaphore::new(0));
    let mut stage = Stage::new(transport);
    stage.shared.when_unsure = WhenUnsure::Fail;
    let worker = stage.start();
    stage.put(&message("m1", "+1", "hi"));
    stage.transport.begun.notified().await;
    assert_eq!(stage.record("m1").as_deref(), Some("sending"));
    stage.transport.gate.as_ref().unwrap().add_permits(1);
    stage.finish(worker).await;
    assert_eq!(stage.record("m1"), None);
}

#[tokio::test(start_paused = true)]
async fn kv_that_is_away_for_a_while_delays() {
    let stage = Stage::accepting();
    stage.kv.read_trouble.times(3);
    stage.kv.write_trouble.times(3);
    let worker = stage.start();
    stage.put(&message("m1", "+1", "hi"));
    stage.finish(worker).await;
    assert_eq!(stage.sent(), ["hi"]);
    assert_eq!(stage.broker.waiting("t.event"), 1);
    assert_eq!(stage.record("m1").as_deref(), Some("reported:remote"));
}

#[tokio::test(start_paused = true)]
async fn without_knowing_whether_it_was_sent_a_message_is_given_up() {
    let stage = Stage::accepting();
    stage.kv.read_trouble.times(u32::MAX);
    let worker = stage.start();
    stage.put(&message("m1", "+1", "hi"));
    stage.finish(worker).await;
    assert_eq!(stage.sent(), Vec::<String>::new());
    assert_eq!(stage.dead(), ["the record of sent messages could not be reached: kv is away"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_out_is_reported_whether_recorded_or_not() {
    let stage = Stage::accepting();
    stage.kv.write_trouble.times(u32::MAX);
    let worker = stage.start();
    stage.put(&message("m1", "+1", "one"));
    stage.broker.settled("t.outbound").await;
    assert_eq!(stage.broker.waiting("t.event"), 1);
    // The first waited in vain; the others do not wait.
    let began = tokio::time::Instant::now();
    for n in 2..10 {
        stage.put(&message(&format!("m{n}"), "+1", "more"));
    }
    stage.broker.settled("t.outbound").await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(stage.broker.waiting("t.event"), 9);
    // And once kv is back, everything is as before.
    stage.kv.write_trouble.times(0);
    for _ in 0..2 {
        stage.put(&message("m10", "+1", "last"));
    }
    stage.finish(worker).await;
    assert_eq!(stage.sent().len(), 10);
    assert_eq!(stage.record("m10").as_deref(), Some("reported:remote"));
}

#[tokio::test(start_paused = true)]
async fn what_never_ends_is_given_up() {
    let stage = Stage::accepting();
    let worker = stage.start();
    stage.broker.put("t.outbound", Bytes::from(message("m1", "+1", "hi").to_json()), 10);
    stage.finish(worker).await;
    assert_eq!(stage.sent(), Vec::<String>::new());
    assert_eq!(stage.dead(), ["delivered 10 times without an end"]);
}

#[tokio::test(start_paused = true)]
async fn with_the_store_as_the_record_a_message_is_there_before_its_ack_and_only_once() {
    let mut stage = Stage::accepting();
    stage.once = Once::Store;
    stage.store.trouble.times(3);
    let worker = stage.start();
    for _ in 0..2 {
        stage.put(&message("m1", "+1", "hi"));
    }
    stage.broker.take("t.event").await;
    assert!(stage.recorded().contains(&("outbound".into(), "m1".into())));
    stage.finish(worker).await;
    let outbound = stage.recorded().iter().filter(|(direction, _)| direction == "outbound").count();
    assert_eq!(outbound, 1);
    assert!(stage.kv.map.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn with_the_store_as_the_record_nothing_is_acknowledged_without_it() {
    let mut stage = Stage::accepting();
    stage.once = Once::Store;
    stage.store.trouble.times(u32::MAX);
    let worker = stage.start();
    stage.put(&message("m1", "+1", "hi"));
    stage.finish(worker).await;
    assert_eq!(stage.broker.waiting("t.event"), 0);
    assert_eq!(stage.dead(), ["the store could not be reached: the store is away"]);
}
