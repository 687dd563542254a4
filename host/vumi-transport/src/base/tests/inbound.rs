//! What a transport publishes.

use serde_json::json;
use vumi_core::Channel;
use vumi_message::{Status, StatusLevel};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_message_gets_the_transport_s_name_and_is_recorded() {
    let stage = Stage::accepting();
    let worker = stage.start();
    let mut inbound = message("m1", "8007", "hi");
    inbound.set("transport_name", serde_json::Value::Null).unwrap();
    inbound.set("from_addr", "+1").unwrap();
    stage.link().await.inbound(inbound).await.unwrap();
    let published = stage.broker.take("t.inbound").await;
    assert_eq!((&published["transport_name"], &published["message_id"]), (&json!("t"), &json!("m1")));
    assert_eq!(stage.recorded(), [("inbound".into(), "m1".into())]);
    assert_eq!(stage.store.records.lock()[0].user.as_deref(), Some("+1"));
    stage.stop(worker).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_is_an_error_and_a_store_that_fails_is_none() {
    let stage = Stage::accepting();
    let worker = stage.start();
    let link = stage.link().await;
    stage.store.trouble.times(1);
    link.inbound(message("m1", "8007", "hi")).await.unwrap();
    stage.broker.full.lock().push("t.inbound".into());
    assert!(link.inbound(message("m2", "8007", "hi")).await.unwrap_err().is_temporary());
    assert_eq!(stage.broker.waiting("t.inbound"), 1);
    assert_eq!(stage.recorded(), []);
    stage.stop(worker).await;
}

#[tokio::test(start_paused = true)]
async fn middleware_drops_silently_or_fails() {
    for (what, ok) in
        [((|| Ok("no".to_owned())) as fn() -> Result<String>, true), (|| Err(Error::permanent("broken")), false)]
    {
        let mut stage = Stage::accepting();
        stage.stack = stack(|hook| hook.channel == Channel::Inbound, what);
        let worker = stage.start();
        assert_eq!(stage.link().await.inbound(message("m1", "8007", "hi")).await.is_ok(), ok);
        assert_eq!(stage.broker.waiting("t.inbound"), 0);
        stage.stop(worker).await;
    }
}

#[tokio::test(start_paused = true)]
async fn states_are_published_only_if_wanted_and_every_time() {
    for (wanted, published) in [(false, 0), (true, 3)] {
        let mut stage = Stage::accepting();
        stage.shared.publish_status = wanted;
        let worker = stage.start();
        let link = stage.link().await;
        for level in [StatusLevel::Ok, StatusLevel::Ok, StatusLevel::Down] {
            link.status(Status::new("c", level, "x", "text")).await;
        }
        assert_eq!(stage.broker.waiting("t.status.status"), published);
        // Of those who watch, nobody wants to see a repetition.
        assert_eq!(stage.recorded().len(), 2);
        stage.stop(worker).await;
    }
}
