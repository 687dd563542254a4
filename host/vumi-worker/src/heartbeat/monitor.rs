//! Watches over the workers of one or more systems (specification: metrics, sections 7 and 8).
//!
//! ```yaml
//! class: heartbeat_monitor
//! deadline: 30
//! redis_manager: {key_prefix: vumi.heartbeats}
//! monitored_systems:
//!   main:
//!     system_id: global
//!     workers:
//!       echo: {name: echo, min_procs: 2}
//! web_port: 9465
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use vumi_core::component::Component;
use vumi_core::{Context, Delivery, Error, RedisManager, Result, Worker, names};

use super::board::{Board, routes};
use super::expected::{MonitoredSystem, expected};
use super::message::Told;
use super::watch::Watch;
use crate::metrics::{Intake, bind, ready, reject, serve, whole};
use crate::registry::{WorkerComponent, WorkerPlace};
use crate::shared::WorkerShared;

/// Counts the processes behind each expected worker, notes in Redis where there are too few, and shows all that on a
/// web page, together with components that report their own status.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatMonitorConfig {
    /// Seconds between checks, and the age at which a heartbeat no longer counts.
    #[serde(deserialize_with = "whole")]
    #[schemars(range(min = 1))]
    pub deadline: u32,
    /// Where the systems and issues are kept.
    pub redis_manager: RedisManager,
    /// Any key → a system and the workers it should have.
    pub monitored_systems: BTreeMap<String, MonitoredSystem>,
    /// Port of the web pages; 0 takes a free one. No pages unless given.
    #[serde(default, deserialize_with = "optional")]
    pub web_port: Option<u16>,
    /// Address to listen on.
    #[serde(default = "loopback")]
    pub web_host: String,
}

fn loopback() -> String {
    "127.0.0.1".to_owned()
}

fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    #[derive(Deserialize)]
    struct Present(#[serde(deserialize_with = "whole")] u16);
    Ok(Option::<Present>::deserialize(deserializer)?.map(|present| present.0))
}

impl Component for HeartbeatMonitorConfig {
    const CLASS: &'static str = "heartbeat_monitor";
    const ALIASES: &'static [&'static str] =
        &["vumi.blinkenlights.heartbeat.monitor.HeartBeatMonitor", "vumi.blinkenlights.heartbeat.HeartBeatMonitor"];
}

impl WorkerComponent for HeartbeatMonitorConfig {
    fn check(&self, _: &WorkerShared) -> Result<()> {
        if self.deadline == 0 {
            return Err(Error::permanent("`deadline` must be at least 1"));
        }
        expected(&self.monitored_systems).map(drop)
    }

    fn build(self, place: WorkerPlace<'_>) -> Result<Arc<dyn Worker>> {
        self.check(place.shared)?;
        let context = place.context.clone();
        let keyspace = context.keyspaces.open(&self.redis_manager)?;
        let watch = Watch::new(self.deadline, expected(&self.monitored_systems)?, keyspace, now(&context));
        Ok(Arc::new(Monitor { config: self, prefetch: place.shared.prefetch(), context, watch: Arc::new(watch) }))
    }
}

/// Seconds since the epoch.
fn now(context: &Context) -> f64 {
    context.clock.now().micros() as f64 / 1e6
}

struct Monitor {
    config: HeartbeatMonitorConfig,
    prefetch: u16,
    context: Context,
    watch: Arc<Watch>,
}

#[async_trait]
impl Worker for Monitor {
    async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        let intake = Intake::open(&self.context, names::HEARTBEATS, self.prefetch).await?;
        let Some(port) = self.config.web_port else {
            ready(&self.context, None);
            return self.watch(intake, &shutdown).await;
        };
        let listener = bind(&self.config.web_host, port).await?;
        ready(&self.context, listener.local_addr().ok().map(|at| at.to_string()));
        let board = Board { watch: Arc::clone(&self.watch), clock: Arc::clone(&self.context.clock) };
        let pages = serve(listener, routes(board), shutdown.clone());
        tokio::try_join!(pages, self.watch(intake, &shutdown)).map(drop)
    }
}

impl Monitor {
    async fn watch(&self, mut intake: Intake, shutdown: &CancellationToken) -> Result<()> {
        let period = Duration::from_secs(u64::from(self.config.deadline));
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                delivery = intake.next(shutdown) => match delivery? {
                    Some(delivery) => self.hear(delivery).await?,
                    None => return Ok(()),
                },
                _ = ticks.tick() => self.watch.check(now(&self.context)).await,
            }
        }
    }

    async fn hear(&self, mut delivery: Delivery) -> Result<()> {
        match Told::parse(&delivery.body).and_then(|told| self.watch.hear(told, now(&self.context))) {
            Ok(()) => delivery.ack().await.map(drop),
            Err(reason) => reject(&self.context.name, delivery, &reason).await,
        }
    }
}
