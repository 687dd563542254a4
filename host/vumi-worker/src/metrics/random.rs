//! Makes up metrics, for demonstrations (specification: metrics, section 6).

use std::f64::consts::TAU;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};
use tokio_util::sync::CancellationToken;
use vumi_core::component::Component;
use vumi_core::{Context, Error, Result, Worker};

use super::intake::ready;
use super::manager::MetricManager;
use super::metric::{Count, Metric, Timer};
use super::settings::seconds;
use crate::registry::{WorkerComponent, WorkerPlace};
use crate::shared::WorkerShared;

/// Makes up three metrics under `vumi.random.`: `count`, incremented every other time; `value`, about 2.0; `timer`, up
/// to a tenth of a second.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RandomMetricsConfig {
    /// Seconds between publications.
    #[serde(deserialize_with = "seconds")]
    pub manager_period: f64,
    /// Seconds between values.
    #[serde(deserialize_with = "seconds")]
    pub generator_period: f64,
}

impl Default for RandomMetricsConfig {
    fn default() -> Self {
        Self { manager_period: 5.0, generator_period: 1.0 }
    }
}

impl Component for RandomMetricsConfig {
    const CLASS: &'static str = "random_metrics_generator";
    const ALIASES: &'static [&'static str] = &["vumi.blinkenlights.metrics_workers.RandomMetricsGenerator"];
}

impl WorkerComponent for RandomMetricsConfig {
    fn check(&self, _: &WorkerShared) -> Result<()> {
        for (key, period) in [("manager_period", self.manager_period), ("generator_period", self.generator_period)] {
            if period < 0.001 {
                return Err(Error::permanent(format!("`{key}` must be at least 0.001 seconds")));
            }
        }
        Ok(())
    }

    fn build(self, place: WorkerPlace<'_>) -> Result<Arc<dyn Worker>> {
        self.check(place.shared)?;
        Ok(Arc::new(RandomMetrics { config: self, context: place.context.clone() }))
    }
}

struct RandomMetrics {
    config: RandomMetricsConfig,
    context: Context,
}

#[async_trait]
impl Worker for RandomMetrics {
    async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        let clock = Arc::clone(&self.context.clock);
        let period = Duration::from_secs_f64(self.config.manager_period);
        let manager = MetricManager::new("vumi.random.", clock).every(period);
        let (count, value, timer) = (Count::new("count"), Metric::new("value"), Timer::new("timer"));
        manager.register(&count)?;
        manager.register(&value)?;
        manager.register(&timer)?;
        ready(&self.context, None);
        let broker = Arc::clone(&self.context.broker);
        let ((), made) =
            tokio::join!(manager.run(broker, shutdown.clone()), self.generate(&count, &value, &timer, &shutdown));
        made
    }
}

impl RandomMetrics {
    async fn generate(&self, count: &Count, value: &Metric, timer: &Timer, stop: &CancellationToken) -> Result<()> {
        let period = Duration::from_secs_f64(self.config.generator_period);
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return Ok(()),
            }
            if unit() < 0.5 {
                count.inc();
            }
            value.set(normal(2.0, 0.1));
            let mut timing = timer.timeit();
            timing.start()?;
            tokio::select! {
                () = sleep(Duration::from_secs_f64(unit() / 10.0)) => { timing.stop()?; }
                () = stop.cancelled() => return Ok(()),
            }
        }
    }
}

/// A random number from 0 (included) to 1. A fresh id is random enough for a demonstration.
fn unit() -> f64 {
    // 53 bits: what a float holds. The low bits of a random id are all random.
    (uuid::Uuid::new_v4().as_u128() & ((1 << 53) - 1)) as f64 / (1_u64 << 53) as f64
}

/// A random number of the normal distribution, by Box and Muller.
fn normal(mean: f64, deviation: f64) -> f64 {
    mean + deviation * (-2.0 * (1.0 - unit()).ln()).sqrt() * (TAU * unit()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_distributed_as_promised() {
        let n = 20_000;
        let values: Vec<f64> = (0..n).map(|_| normal(2.0, 0.1)).collect();
        let mean = values.iter().sum::<f64>() / f64::from(n);
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / f64::from(n);
        // Ten times the standard error of each.
        assert!((mean - 2.0).abs() < 0.008, "{mean}");
        assert!((variance.sqrt() - 0.1).abs() < 0.006, "{variance}");
        let low = (0..n).filter(|_| unit() < 0.5).count();
        assert!((9_200..10_800).contains(&low), "{low}");
    }
}
