//! Start, restart, stop.

use super::*;

#[tokio::test(start_paused = true)]
async fn outbound_messages_wait_until_the_transport_is_ready_again() {
    let stage = Stage::accepting();
    stage.transport.run_trouble.times(3);
    let worker = stage.start();
    stage.put(&message("m1", "+1", "hi"));
    assert_eq!(stage.readiness.at(), None);
    stage.finish(worker).await;
    assert_eq!(stage.sent(), ["hi"]);
    assert_eq!(stage.readiness.at(), None);
}

#[tokio::test(start_paused = true)]
async fn stopping_finishes_what_is_being_sent_and_returns_the_rest() {
    let mut transport = FakeTransport::new(|_| Ok(Sent::Accepted("r".into())));
    transport.gate = Some(tokio::sync::Semaphore::new(0));
    transport.goodbye = Some(message("bye", "8007", "bye"));
    let stage = Stage::new(transport);
    let worker = stage.start();
    stage.put(&message("m1", "+1", "one"));
    stage.put(&message("m2", "+1", "two"));
    stage.transport.begun.notified().await;
    stage.shutdown.cancel();
    let link = stage.link().await;
    tokio::time::advance(Duration::from_secs(1)).await;
    // The transport goes on while a message is being sent.
    assert!(!link.shutdown().is_cancelled());
    stage.transport.gate.as_ref().unwrap().add_permits(2);
    stage.stop(worker).await;
    assert!(link.shutdown().is_cancelled());
    assert_eq!(stage.sent(), ["one"]);
    assert_eq!(stage.broker.waiting("t.outbound"), 1);
    assert_eq!(stage.broker.waiting("t.event"), 1);
    assert_eq!(stage.broker.take("t.inbound").await["message_id"], "bye");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_hangs_does_not_hang_the_stop() {
    let mut transport = FakeTransport::new(|_| Ok(Sent::Accepted("r".into())));
    transport.gate = Some(tokio::sync::Semaphore::new(0));
    let stage = Stage::new(transport);
    let worker = stage.start();
    stage.put(&message("m1", "+1", "one"));
    stage.transport.begun.notified().await;
    stage.stop(worker).await;
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_ends_by_itself_ends_the_worker_with_an_error() {
    let stage = Stage::accepting();
    let worker = stage.start();
    // The transport of this test ends when its own token does, which nobody but the worker should cancel.
    stage.link().await.shutdown().cancel();
    let error = worker.await.unwrap().unwrap_err();
    assert!(error.is_temporary());
    assert_eq!(error.to_string(), "the transport `t` ended although nobody asked it to");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_worker_ends_the_transport() {
    let stage = Stage::accepting();
    let worker = stage.start();
    let link = stage.link().await;
    worker.abort();
    link.shutdown().cancelled().await;
}

#[tokio::test]
async fn a_name_must_be_a_name() {
    let stage = Stage::accepting();
    let worker = TransportWorker {
        name: "SMS_1".into(),
        transport: Arc::<FakeTransport>::clone(&stage.transport),
        once: Once::Record,
        shared: TransportShared::default(),
        broker: Arc::new(Handle(Arc::clone(&stage.broker))),
        kv: Arc::<FakeKv>::clone(&stage.kv),
        store: Arc::<FakeStore>::clone(&stage.store),
        feed: Feed::default(),
        stack: Stack::default(),
        clock: Arc::new(SystemClock),
        readiness: Readiness::default(),
    };
    let error = Arc::new(worker).run(CancellationToken::new()).await.unwrap_err();
    assert!(error.to_string().contains("lower case"), "{error}");
    assert!(stage.broker.waiting(&names::outbound("SMS_1")) == 0);
}
