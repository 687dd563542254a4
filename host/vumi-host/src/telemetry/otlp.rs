//! Traces, metrics and logs for an OpenTelemetry collector, over OTLP (protobuf in HTTP).
//!
//! A trace follows a message: from the transport that took it, through dispatchers, to the app that answers, and back
//! to the transport that sends the answer. Across queues it is carried as a W3C `traceparent` (see
//! [`vumi_core::trace`]), in a header where the broker is RabbitMQ. The exporters work on threads of their own and drop
//! what a collector that is away does not take: telemetry never holds a message up.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;
use vumi_core::{Error, Result};

use super::propagate::W3c;
use crate::config::Telemetry;

/// The exporters of this process.
pub(crate) struct Otlp {
    tracer: SdkTracerProvider,
    meter: SdkMeterProvider,
    logger: SdkLoggerProvider,
}

impl Otlp {
    /// Builds the exporters; `None` when nothing is configured. To be called outside of any runtime.
    ///
    /// # Errors
    /// When the address makes no sense.
    pub(crate) fn start(config: &Telemetry) -> Result<Option<Self>> {
        let Some(endpoint) = &config.otlp_endpoint else { return Ok(None) };
        let base = endpoint.trim_end_matches('/');
        let wrong = |error: opentelemetry_otlp::ExporterBuildError| {
            Error::permanent(format!("telemetry.otlp_endpoint `{}` cannot be used", crate::config::shown_url(base)))
                .because(error)
        };
        let timeout = Duration::from_secs(10);
        let spans = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{base}/v1/traces"))
            .with_timeout(timeout)
            .build()
            .map_err(wrong)?;
        let numbers = MetricExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{base}/v1/metrics"))
            .with_timeout(timeout)
            .build()
            .map_err(wrong)?;
        let lines = LogExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{base}/v1/logs"))
            .with_timeout(timeout)
            .build()
            .map_err(wrong)?;
        let resource = Resource::builder()
            .with_service_name(config.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample_ratio)));
        let tracer = SdkTracerProvider::builder()
            .with_sampler(sampler)
            .with_batch_exporter(spans)
            .with_resource(resource.clone())
            .build();
        let meter = SdkMeterProvider::builder().with_periodic_exporter(numbers).with_resource(resource.clone()).build();
        let logger = SdkLoggerProvider::builder().with_batch_exporter(lines).with_resource(resource).build();
        vumi_core::trace::install(Box::new(W3c));
        Ok(Some(Self { tracer, meter, logger }))
    }

    /// Makes traces of our spans.
    pub(crate) fn traces<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        // Only spans of the house: those of libraries, the exporters' own above all, would trace themselves.
        let ours = Targets::new()
            .with_targets(["vumi_core", "vumi_dispatch", "vumi_transport"].map(|target| (target, LevelFilter::DEBUG)));
        tracing_opentelemetry::layer().with_tracer(self.tracer.tracer("vumi-host")).with_filter(ours)
    }

    /// Makes records of our log lines.
    pub(crate) fn lines<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        const OURS: [&str; 9] = [
            "run",
            "vumi_admin",
            "vumi_broker",
            "vumi_core",
            "vumi_dispatch",
            "vumi_host",
            "vumi_store",
            "vumi_transport",
            "vumi_worker",
        ];
        let ours = Targets::new().with_targets(OURS.map(|target| (target, LevelFilter::INFO)));
        OpenTelemetryTracingBridge::new(&self.logger).with_filter(ours)
    }

    /// Where numbers go.
    pub(crate) fn meter(&self) -> &SdkMeterProvider {
        &self.meter
    }

    /// Sends what is left. To be called outside of any runtime.
    pub(crate) fn stop(self) {
        let patience = Duration::from_secs(5);
        let ends = [
            self.tracer.shutdown_with_timeout(patience),
            self.meter.shutdown_with_timeout(patience),
            self.logger.shutdown_with_timeout(patience),
        ];
        for end in ends {
            if let Err(error) = end {
                eprintln!("the last telemetry could not be sent: {error}");
            }
        }
    }
}
