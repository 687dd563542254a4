//! Spreads metrics over the buckets of the aggregators (specification: metrics, section 4).
//!
//! ```yaml
//! class: metric_time_bucket
//! buckets: 4
//! bucket_size: 5
//! ```

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use vumi_core::component::Component;
use vumi_core::{Context, Error, Outgoing, Result, Worker, names};

use super::intake::{Intake, pass_on, ready, reject};
use super::message::MetricMessage;
use super::settings::whole;
use super::spread::spread;
use crate::registry::{WorkerComponent, WorkerPlace};
use crate::shared::WorkerShared;

/// Takes what all workers measured and spreads it over buckets by name and time, one aggregator for each bucket. Any
/// number of these workers may run; all need the same settings.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeBucketConfig {
    /// Number of buckets, and so of aggregators.
    #[serde(deserialize_with = "whole")]
    #[schemars(range(min = 1))]
    pub buckets: u32,
    /// Seconds that become one value.
    #[serde(deserialize_with = "whole")]
    #[schemars(range(min = 1))]
    pub bucket_size: u32,
}

impl Component for TimeBucketConfig {
    const CLASS: &'static str = "metric_time_bucket";
    const ALIASES: &'static [&'static str] = &["vumi.blinkenlights.metrics_workers.MetricTimeBucket"];
}

/// A number that must not be 0.
pub(super) fn at_least_one(key: &str, number: u32) -> Result<()> {
    if number == 0 { Err(Error::permanent(format!("`{key}` must be at least 1"))) } else { Ok(()) }
}

impl WorkerComponent for TimeBucketConfig {
    fn check(&self, _: &WorkerShared) -> Result<()> {
        at_least_one("buckets", self.buckets)?;
        at_least_one("bucket_size", self.bucket_size)
    }

    fn build(self, place: WorkerPlace<'_>) -> Result<Arc<dyn Worker>> {
        self.check(place.shared)?;
        Ok(Arc::new(TimeBucket { config: self, prefetch: place.shared.prefetch(), context: place.context.clone() }))
    }
}

struct TimeBucket {
    config: TimeBucketConfig,
    prefetch: u16,
    context: Context,
}

impl TimeBucket {
    fn spread(&self, message: MetricMessage) -> Vec<Outgoing> {
        let TimeBucketConfig { buckets, bucket_size } = self.config;
        let parts = message.datapoints.into_iter().flat_map(|point| spread(point, bucket_size, buckets));
        let outgoing = parts.map(|(bucket, part)| Outgoing {
            queue: names::metric_bucket(bucket),
            body: MetricMessage::from(part).body(),
        });
        outgoing.collect()
    }
}

#[async_trait]
impl Worker for TimeBucket {
    async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        let mut intake = Intake::open(&self.context, names::METRICS, self.prefetch).await?;
        ready(&self.context, None);
        while let Some(delivery) = intake.next(&shutdown).await? {
            match MetricMessage::parse(&delivery.body) {
                Ok(message) => pass_on(&self.context, delivery, self.spread(message), &shutdown).await?,
                Err(reason) => reject(&self.context.name, delivery, &reason).await?,
            }
        }
        Ok(())
    }
}
