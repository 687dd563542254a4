//! What happens as time passes, with a clock that stands still in tests.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use vumi_broker::{BrokerOptions, EmbeddedBroker};
use vumi_core::{Clock, Context, Feed, Happening, Keyspace, Keyspaces, NoGuests, RedisManager, Result, names};
use vumi_message::Timestamp;

use super::{HEARTBEAT_INTERVAL, HeartbeatMonitorConfig, HeartbeatPublisher};
use crate::registry::{WorkerComponent, WorkerPlace};
use crate::shared::WorkerShared;

/// Tells the time of tokio, which tests can stop.
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_000_000_000 + i64::try_from(self.0.elapsed().as_micros()).unwrap())
    }
}

struct OneKeyspace(Keyspace);

impl Keyspaces for OneKeyspace {
    fn open(&self, _: &RedisManager) -> Result<Keyspace> {
        Ok(self.0.clone())
    }
}

fn context() -> Context {
    let clock: Arc<dyn Clock> = Arc::new(TokioClock(Instant::now()));
    let kv = vumi_store::kv_in_memory(vumi_store::MemoryBounds::default(), Arc::clone(&clock));
    let keyspace = Keyspace::new(kv, vumi_store::collections_in_memory(Arc::clone(&clock)));
    Context {
        name: "monitor".to_owned(),
        system_id: "s".to_owned(),
        broker: EmbeddedBroker::in_memory(BrokerOptions::default()),
        keyspaces: Arc::new(OneKeyspace(keyspace)),
        store: vumi_store::store_in_memory().unwrap(),
        feed: Feed::default(),
        clock,
        guests: Arc::new(NoGuests),
        bindings: vumi_core::bindings::no_bindings(),
    }
}

fn publish(context: &Context, stop: &CancellationToken) -> tokio::task::JoinHandle<()> {
    let (broker, clock, stop) = (Arc::clone(&context.broker), Arc::clone(&context.clock), stop.clone());
    tokio::spawn(async move { HeartbeatPublisher::new("s", "w").run(broker, clock, stop).await })
}

#[tokio::test(start_paused = true)]
async fn heartbeats_come_every_ten_seconds() {
    let (context, stop, began) = (context(), CancellationToken::new(), Instant::now());
    let mut consumer = context.broker.consume(names::HEARTBEATS, 0).await.unwrap();
    let run = publish(&context, &stop);
    for n in 1..4 {
        let mut delivery = consumer.next().await.unwrap();
        assert_eq!(began.elapsed().as_secs(), n * HEARTBEAT_INTERVAL.as_secs());
        let heartbeat: Value = serde_json::from_slice(&delivery.body).unwrap();
        // The runtime's timer ticks in milliseconds.
        let at = heartbeat["timestamp"].as_f64().unwrap();
        assert!((at - 1_000.0 - 10.0 * n as f64).abs() < 0.1, "{at}");
        assert_eq!(heartbeat["worker_id"], "s:w");
        delivery.ack().await.unwrap();
    }
    stop.cancel();
    run.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn where_nobody_ever_listened_no_heartbeat_is_kept() {
    let (context, stop) = (context(), CancellationToken::new());
    let run = publish(&context, &stop);
    tokio::time::sleep(HEARTBEAT_INTERVAL * 3).await;
    stop.cancel();
    run.await.unwrap();
    assert_eq!(context.broker.queues().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_monitor_checks_once_a_deadline() {
    let (context, stop) = (context(), CancellationToken::new());
    let config: HeartbeatMonitorConfig = serde_json::from_value(json!({
        "deadline": 30, "redis_manager": {},
        "monitored_systems": {"x": {"system_id": "s", "workers": {"y": {"name": "w", "min_procs": 1}}}},
    }))
    .unwrap();
    let worker = config.build(WorkerPlace { shared: &WorkerShared::default(), context: &context }).unwrap();
    let mut feed = context.feed.watch();
    let monitor = tokio::spawn(worker.run(stop.clone()));
    let Happening::Ready { name, at } = feed.recv().await.unwrap().happening.clone() else { panic!("ready") };
    assert_eq!((name.as_str(), at), ("worker:monitor", None));
    let beats = CancellationToken::new();
    let publisher = publish(&context, &beats);
    let collections = context.keyspaces.open(&RedisManager::default()).unwrap().collections;
    let system = async || {
        let text = collections.text("system:s").await.unwrap()?;
        let system: Value = serde_json::from_str(&text).unwrap();
        let hosts = system["workers"][0]["hosts"].as_array().unwrap().len();
        Some((system["timestamp"].as_i64().unwrap(), hosts))
    };
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert_eq!(system().await, None);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(system().await, Some((1030, 1)));
    assert_eq!(collections.text("worker:s:w:issue").await.unwrap(), None);
    beats.cancel();
    publisher.await.unwrap();
    // What was said in the second interval, up to here, is nothing or one heartbeat; in the third there is none.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(system().await, Some((1090, 0)));
    let issue: Value = serde_json::from_str(&collections.text("worker:s:w:issue").await.unwrap().unwrap()).unwrap();
    assert_eq!((&issue["issue_type"], &issue["procs_count"]), (&json!("min-procs-fail"), &json!(0)));
    stop.cancel();
    monitor.await.unwrap().unwrap();
}
