//! The host's own log, numbers and traces.

mod lines;
mod otlp;
mod propagate;
mod recorder;

use std::io::IsTerminal;
use std::sync::Arc;

use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer as _};
use vumi_core::Error;
use vumi_sandbox::{Aggregator, Datapoint, MetricSink};
use vumi_worker::metrics::MetricManager;

use lines::Lines;
pub(crate) use otlp::Otlp;
use recorder::Both;

use crate::cli::LogFormat;
use crate::commands::Failure;

/// Times, in seconds: from a fresh instance (10 µs) to the longest message (a minute).
const SECONDS: &[f64] = &[
    0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
    0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// Sizes, in bytes: from one page of memory to the largest.
const BYTES: &[f64] = &[65_536.0, 262_144.0, 1_048_576.0, 4_194_304.0, 16_777_216.0, 67_108_864.0, 268_435_456.0];

/// Starts the log.
///
/// # Errors
/// [`Failure::Usage`] for a filter that cannot be read.
pub(crate) fn start_log(format: LogFormat, filter: &str, otlp: Option<&Otlp>) -> Result<(), Failure> {
    // The AMQP library logs as an error what the broker expects and handles, such as a queue that is not there yet.
    let quiet = if filter.contains("lapin") { "" } else { ",lapin=off" };
    let filter = EnvFilter::try_new(format!("{filter}{quiet}"))
        .map_err(|error| Failure::Usage(format!("the log filter `{filter}` cannot be read: {error}")))?;
    let registry = tracing_subscriber::registry().with(otlp.map(Otlp::traces)).with(otlp.map(Otlp::lines));
    let layer = tracing_subscriber::fmt::layer().with_ansi(std::io::stderr().is_terminal());
    // The filter is for what is written; what is exported has one of its own.
    let started = match format {
        LogFormat::Text => registry.with(layer.with_writer(Lines(std::io::stderr)).with_filter(filter)).try_init(),
        LogFormat::Json => {
            let layer = layer.with_writer(std::io::stderr).json().flatten_event(true);
            registry.with(layer.with_filter(filter)).try_init()
        }
    };
    started.map_err(|error| Failure::Work(Error::permanent("the log could not be started").because(error)))
}

/// Starts the collection of numbers.
///
/// # Errors
/// When another collection is running in this process.
pub(crate) fn start_metrics(otlp: Option<&Otlp>) -> Result<PrometheusHandle, Error> {
    let failed = |error: metrics_exporter_prometheus::BuildError| {
        Error::permanent("the metrics could not be started").because(error)
    };
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_bytes".into()), BYTES))
        .and_then(|builder| {
            builder.set_buckets_for_metric(
                Matcher::Suffix("_calls".into()),
                &[1.0, 3.0, 10.0, 30.0, 100.0, 1_000.0, 10_000.0],
            )
        })
        .map_err(failed)?;
    let Some(otlp) = otlp else { return builder.install_recorder().map_err(failed) };
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    let both = Both::new(recorder, otlp.meter());
    metrics::set_global_recorder(both)
        .map_err(|error| Error::permanent("the metrics could not be started").because(error.to_string()))?;
    Ok(handle)
}

/// Time between two clean-ups of the metrics.
const UPKEEP: std::time::Duration = std::time::Duration::from_secs(5);

/// Sorts the values of histograms into their buckets now and then: otherwise they pile up until somebody asks for the
/// metrics, which may be never.
pub(crate) async fn keep_metrics_small(metrics: &PrometheusHandle, stop: &tokio_util::sync::CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(UPKEEP) => metrics.run_upkeep(),
            () = stop.cancelled() => return,
        }
    }
}

/// Brings the metrics that apps fire to Prometheus.
pub(crate) fn app_metrics() -> Arc<dyn MetricSink> {
    Arc::new(ToPrometheus)
}

/// Brings the metrics that apps fire to two places: Prometheus, and Vumi's own stream of metrics.
pub(crate) struct ToAll {
    pub(crate) first: Arc<dyn MetricSink>,
    pub(crate) numbers: Arc<MetricManager>,
}

impl MetricSink for ToAll {
    fn fire(&self, point: Datapoint) {
        let aggregator = match point.aggregator {
            Aggregator::Sum => "sum",
            Aggregator::Avg => "avg",
            Aggregator::Min => "min",
            Aggregator::Max => "max",
            Aggregator::Last => "last",
        };
        self.numbers.fire(&point.name, aggregator, point.value);
        self.first.fire(point);
    }
}

struct ToPrometheus;

impl MetricSink for ToPrometheus {
    fn fire(&self, point: Datapoint) {
        let labels = [("app", point.app), ("metric", point.name)];
        match point.aggregator {
            // Prometheus sums by itself, but only upwards; what goes down is kept as a gauge.
            Aggregator::Sum if point.value >= 0.0 && point.value.fract() == 0.0 && point.value < 1e15 => {
                counter!("vumi_app_metric_total", &labels).increment(point.value as u64);
            }
            Aggregator::Sum => gauge!("vumi_app_metric_sum", &labels).increment(point.value),
            Aggregator::Last => gauge!("vumi_app_metric", &labels).set(point.value),
            Aggregator::Avg | Aggregator::Min | Aggregator::Max => {
                histogram!("vumi_app_metric_values", &labels).record(point.value);
            }
        }
    }
}
