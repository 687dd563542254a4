//! The lists of native applications and of workers. Adding one is a file and a line here.

use std::sync::Arc;

use vumi_core::component::Component;
use vumi_core::{Application, Context, Result, Worker};

use crate::app;
use crate::failure;
use crate::heartbeat;
use crate::metrics;
use crate::schedule;
use crate::shared::{AppPlace, ApplicationShared, WorkerShared};
use crate::tagpool;

/// A native application's configuration becomes the application.
pub trait AppComponent: Component {
    /// Looks for mistakes.
    ///
    /// # Errors
    /// One sentence for a configuration that makes no sense.
    fn check(&self, shared: &ApplicationShared) -> Result<()> {
        let _ = shared;
        Ok(())
    }

    /// Builds it. Checks first.
    ///
    /// # Errors
    /// One sentence for a configuration that makes no sense.
    fn build(self, place: AppPlace) -> Result<Arc<dyn Application>>;
}

/// The worker that a configuration is built for.
#[derive(Clone, Copy, Debug)]
pub struct WorkerPlace<'a> {
    /// The keys that all workers share.
    pub shared: &'a WorkerShared,
    /// What it may reach.
    pub context: &'a Context,
}

/// A worker's configuration becomes the worker.
pub trait WorkerComponent: Component {
    /// Looks for mistakes.
    ///
    /// # Errors
    /// One sentence for a configuration that makes no sense.
    fn check(&self, shared: &WorkerShared) -> Result<()> {
        let _ = shared;
        Ok(())
    }

    /// Builds it. Checks first.
    ///
    /// # Errors
    /// One sentence for a configuration that makes no sense.
    fn build(self, place: WorkerPlace<'_>) -> Result<Arc<dyn Worker>>;
}

vumi_core::registry! {
    /// Every native application.
    pub enum NativeAppConfig("app"), shared ApplicationShared, checked by (&ApplicationShared) -> (), built by AppComponent(AppPlace) -> Arc<dyn Application> {
        /// Forwards messages to an HTTP server, whose answer may be the reply.
        HttpRelay => app::HttpRelayConfig,
        /// A bridge to a RapidSMS server.
        RapidSmsRelay => app::RapidSmsRelayConfig,
        /// Answers every message with the same text.
        StaticReply => app::StaticReplyConfig,
    }
}

vumi_core::registry! {
    /// Every worker.
    pub enum WorkerConfig("worker"), shared WorkerShared, checked by (&WorkerShared) -> (), built by WorkerComponent(WorkerPlace<'_>) -> Arc<dyn Worker> {
        /// Keeps messages that a transport could not handle, and sends those again whose failure may pass.
        Failure => failure::FailureConfig,
        /// Sends messages at a later time.
        Scheduler => schedule::SchedulerConfig,
        /// Offers tag pools to other programs, by JSON-RPC.
        TagpoolApi => tagpool::TagpoolApiConfig,
        /// Watches over the workers of one or more systems.
        HeartbeatMonitor => heartbeat::HeartbeatMonitorConfig,
        /// Spreads metrics over the buckets of the aggregators.
        MetricTimeBucket => metrics::TimeBucketConfig,
        /// Makes one value of all that one metric had within one stretch of time.
        MetricAggregator => metrics::MetricAggregatorConfig,
        /// Brings aggregated metrics to Graphite.
        GraphiteMetricsCollector => metrics::GraphiteConfig,
        /// Sends aggregated metrics as UDP datagrams.
        UdpMetricsCollector => metrics::UdpCollectorConfig,
        /// Shows aggregated metrics to Prometheus.
        PrometheusMetricsCollector => metrics::PrometheusConfig,
        /// Makes up metrics, for demonstrations.
        RandomMetricsGenerator => metrics::RandomMetricsConfig,
    }
}
