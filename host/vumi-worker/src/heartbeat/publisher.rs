//! Says every ten seconds that a worker works (specification: metrics, section 7).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use vumi_core::{Broker, Clock, names};
use vumi_message::Timestamp;

use super::host;
use super::message::Heartbeat;
use crate::metrics::publish_if_heard;

/// Time between heartbeats; the first comes after one interval.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);

/// Sends the heartbeats of one worker.
#[derive(Clone, Debug)]
pub struct HeartbeatPublisher {
    system_id: String,
    worker_name: String,
    hostname: String,
    pid: u32,
    extras: Map<String, Value>,
}

#[derive(Serialize)]
struct Payload<'a> {
    #[serde(flatten)]
    heartbeat: Heartbeat,
    #[serde(flatten)]
    extras: &'a Map<String, Value>,
}

impl HeartbeatPublisher {
    /// For a worker of this process; `system_id` is `global` unless the user gave one.
    pub fn new(system_id: impl Into<String>, worker_name: impl Into<String>) -> Self {
        Self {
            system_id: system_id.into(),
            worker_name: worker_name.into(),
            hostname: host::name(),
            pid: std::process::id(),
            extras: Map::new(),
        }
    }

    /// Adds a field of the worker's own to each heartbeat. The names of a heartbeat's fields are taken.
    #[must_use]
    pub fn with(mut self, key: &str, value: Value) -> Self {
        const TAKEN: [&str; 7] = ["worker_name", "timestamp", "hostname", "pid", "version", "system_id", "worker_id"];
        if !TAKEN.contains(&key) {
            self.extras.insert(key.to_owned(), value);
        }
        self
    }

    /// `<system_id>:<worker_name>`
    pub fn worker_id(&self) -> String {
        format!("{}:{}", self.system_id, self.worker_name)
    }

    /// The heartbeat of this moment.
    pub fn payload(&self, now: Timestamp) -> Bytes {
        let heartbeat = Heartbeat {
            worker_name: self.worker_name.clone(),
            timestamp: Some(now.micros() as f64 / 1e6),
            hostname: self.hostname.clone(),
            pid: i64::from(self.pid),
            version: "20130319".to_owned(),
            system_id: self.system_id.clone(),
            worker_id: self.worker_id(),
        };
        // There is nothing in it that JSON cannot hold.
        let payload = serde_json::to_value(Payload { heartbeat, extras: &self.extras }).unwrap_or_default();
        vumi_message::json::to_text(&payload).into()
    }

    /// Sends heartbeats until `stop` ends. One that cannot be sent is left out: late it would be of no use.
    pub async fn run(&self, broker: Arc<dyn Broker>, clock: Arc<dyn Clock>, stop: CancellationToken) {
        let mut ticks = interval_at(Instant::now() + HEARTBEAT_INTERVAL, HEARTBEAT_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut away = false;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            let sent = tokio::select! {
                sent = publish_if_heard(&*broker, names::HEARTBEATS, self.payload(clock.now())) => sent,
                () = stop.cancelled() => return,
            };
            if let Err(error) = &sent
                && !away
            {
                tracing::warn!(worker = self.worker_id(), "heartbeats cannot be sent: {}", error.report());
            }
            away = sent.is_err();
        }
    }
}
