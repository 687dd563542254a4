//! Metrics ("blinkenlights"): from a counter in a worker to a line in Graphite (specification: metrics).
//!
//! ```text
//! MetricManager → vumi.metrics → metric_time_bucket → bucket.<n> → metric_aggregator
//!                                                      → vumi.metrics.aggregates → a collector
//! ```
//!
//! A [`MetricManager`] gathers what a process measures and publishes it every few seconds. Time bucket workers spread
//! the values over numbered buckets, so that all values of one metric and one stretch of time meet in the same
//! aggregator; that one makes them one value, and a collector hands it to Graphite, a UDP socket or Prometheus.

mod aggregators;
mod collect;
mod graphite;
mod graphite_line;
mod heard;
mod intake;
mod manager;
mod message;
mod metric;
mod metric_aggregator;
mod number;
mod prometheus;
mod random;
mod settings;
mod spread;
mod strftime;
mod tally;
mod template;
mod time_bucket;
mod udp;
mod web;

pub use aggregators::{Aggregator, Aggregators};
pub use graphite::{GraphiteConfig, carbon_value};
pub use manager::MetricManager;
pub use message::{Datapoint, MetricMessage};
pub use metric::{Count, Metric, Timer, Timing};
pub use metric_aggregator::MetricAggregatorConfig;
pub use number::Number;
pub use prometheus::PrometheusConfig;
pub use random::RandomMetricsConfig;
pub use spread::{bucket_of, spread};
pub use tally::{Closed, Tally};
pub use time_bucket::TimeBucketConfig;
pub use udp::{UdpCollectorConfig, UdpFormat};

pub(crate) use heard::publish_if_heard;
pub(crate) use intake::{Intake, ready, reject};
pub(crate) use settings::whole;
pub(crate) use web::{bind, serve};
