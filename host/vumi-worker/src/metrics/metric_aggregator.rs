//! Makes one value of all that one metric had within one stretch of time (specification: metrics, section 5).
//!
//! ```yaml
//! class: metric_aggregator
//! bucket: 0
//! bucket_size: 5
//! ```
//!
//! Values are acknowledged when they are in the tally, as Vumi did: a crash loses the open stretches of time, an
//! orderly stop publishes them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;
use vumi_core::component::Component;
use vumi_core::{Admission, Context, Delivery, Result, Worker, names};

use super::aggregators::Aggregators;
use super::intake::{Intake, ready, reject};
use super::message::MetricMessage;
use super::settings::{seconds, whole};
use super::tally::{Closed, Tally};
use super::time_bucket::at_least_one;
use crate::registry::{WorkerComponent, WorkerPlace};
use crate::shared::WorkerShared;

/// Aggregates kept while the broker is away, oldest dropped first.
const MAX_WAITING: usize = 100_000;
/// How long a publication may wait for room.
const ROOM: Duration = Duration::from_secs(1);
/// How long the last publication may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// Aggregates the metrics of one bucket: for each metric and each of its aggregators, one value per stretch of time.
/// One of these workers runs for each bucket number.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricAggregatorConfig {
    /// Number of the bucket, from 0.
    #[serde(deserialize_with = "whole")]
    pub bucket: u32,
    /// Seconds that become one value; the same as the time bucket workers'.
    #[serde(deserialize_with = "whole")]
    #[schemars(range(min = 1))]
    pub bucket_size: u32,
    /// Seconds that values may be late.
    #[serde(default = "five", deserialize_with = "seconds")]
    pub lag: f64,
}

fn five() -> f64 {
    5.0
}

impl Component for MetricAggregatorConfig {
    const CLASS: &'static str = "metric_aggregator";
    const ALIASES: &'static [&'static str] = &["vumi.blinkenlights.metrics_workers.MetricAggregator"];
}

impl WorkerComponent for MetricAggregatorConfig {
    fn check(&self, _: &WorkerShared) -> Result<()> {
        at_least_one("bucket_size", self.bucket_size)
    }

    fn build(self, place: WorkerPlace<'_>) -> Result<Arc<dyn Worker>> {
        self.check(place.shared)?;
        Ok(Arc::new(Aggregate { config: self, prefetch: place.shared.prefetch(), context: place.context.clone() }))
    }
}

struct Aggregate {
    config: MetricAggregatorConfig,
    prefetch: u16,
    context: Context,
}

#[async_trait]
impl Worker for Aggregate {
    async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        let MetricAggregatorConfig { bucket, bucket_size, lag } = self.config;
        let mut tally = Tally::new(bucket_size, lag, self.now(), Aggregators::default());
        let mut waiting = VecDeque::new();
        let ended = self.gather(bucket, &mut tally, &mut waiting, &shutdown).await;
        self.take(tally.check(self.now()), &mut waiting);
        self.take(tally.flush(), &mut waiting);
        if timeout(FAREWELL, self.publish(&mut waiting)).await.is_err() || !waiting.is_empty() {
            tracing::error!(worker = self.context.name, lost = waiting.len(), "aggregates could not be published");
        }
        ended
    }
}

impl Aggregate {
    /// Seconds since the epoch.
    fn now(&self) -> f64 {
        self.context.clock.now().micros() as f64 / 1e6
    }

    async fn gather(
        &self,
        bucket: u32,
        tally: &mut Tally,
        waiting: &mut VecDeque<Bytes>,
        shutdown: &CancellationToken,
    ) -> Result<()> {
        let mut intake = Intake::open(&self.context, &names::metric_bucket(bucket), self.prefetch).await?;
        ready(&self.context, None);
        let period = Duration::from_secs(u64::from(self.config.bucket_size));
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                delivery = intake.next(shutdown) => match delivery? {
                    Some(delivery) => self.add(delivery, tally).await?,
                    None => return Ok(()),
                },
                _ = ticks.tick() => {
                    self.take(tally.check(self.now()), waiting);
                    self.publish(waiting).await;
                }
            }
        }
    }

    async fn add(&self, mut delivery: Delivery, tally: &mut Tally) -> Result<()> {
        match MetricMessage::parse(&delivery.body).and_then(|message| tally.add(message.datapoints)) {
            Ok(()) => delivery.ack().await.map(drop),
            Err(reason) => reject(&self.context.name, delivery, &reason).await,
        }
    }

    fn take(&self, closed: Closed, waiting: &mut VecDeque<Bytes>) {
        for sentence in closed.thrown {
            tracing::error!(worker = self.context.name, "{sentence}");
            ::metrics::counter!("vumi_metric_data_thrown_total").increment(1);
        }
        waiting.extend(closed.aggregates.into_iter().map(|point| MetricMessage::from(point).body()));
        let beyond = waiting.len().saturating_sub(MAX_WAITING);
        if beyond > 0 {
            waiting.drain(..beyond);
            tracing::error!(worker = self.context.name, dropped = beyond, "too many aggregates wait for the broker");
            ::metrics::counter!("vumi_metric_aggregates_dropped_total").increment(beyond as u64);
        }
    }

    /// Publishes what waits, one message each, as far as the broker takes it.
    async fn publish(&self, waiting: &mut VecDeque<Bytes>) {
        let broker = &self.context.broker;
        while let Some(body) = waiting.front() {
            let published = match broker.publish(names::METRIC_AGGREGATES, body.clone(), Admission::Edge(ROOM)).await {
                Ok(confirm) => confirm.await,
                Err(error) => Err(error),
            };
            match published {
                Ok(()) => {}
                Err(error) if error.is_temporary() => {
                    let (worker, count) = (&self.context.name, waiting.len());
                    tracing::warn!(worker, count, "aggregates wait for the next time: {}", error.report());
                    return;
                }
                Err(error) => {
                    tracing::error!(worker = self.context.name, "an aggregate is dropped: {}", error.report());
                }
            }
            waiting.pop_front();
        }
    }
}
