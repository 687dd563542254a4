//! One set of numbers, two readers: Prometheus, and OpenTelemetry where it is configured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use metrics_exporter_prometheus::PrometheusRecorder;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_sdk::metrics::SdkMeterProvider;

/// Hands every number to both.
pub(super) struct Both {
    prometheus: PrometheusRecorder,
    meter: Meter,
}

impl Both {
    pub(super) fn new(prometheus: PrometheusRecorder, provider: &SdkMeterProvider) -> Self {
        Self { prometheus, meter: provider.meter("vumi-host") }
    }
}

fn attributes(key: &Key) -> Vec<KeyValue> {
    key.labels().map(|label| KeyValue::new(label.key().to_owned(), label.value().to_owned())).collect()
}

impl Recorder for Both {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.prometheus.describe_counter(key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.prometheus.describe_gauge(key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.prometheus.describe_histogram(key, unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(BothCounters {
            prometheus: self.prometheus.register_counter(key, metadata),
            other: self.meter.u64_counter(key.name().to_owned()).build(),
            attributes: attributes(key),
            last: AtomicU64::new(0),
        }))
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(BothGauges {
            prometheus: self.prometheus.register_gauge(key, metadata),
            other: self.meter.f64_gauge(key.name().to_owned()).build(),
            attributes: attributes(key),
            value: parking_lot::Mutex::new(0.0),
        }))
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(BothHistograms {
            prometheus: self.prometheus.register_histogram(key, metadata),
            other: self.meter.f64_histogram(key.name().to_owned()).build(),
            attributes: attributes(key),
        }))
    }
}

struct BothCounters {
    prometheus: Counter,
    other: opentelemetry::metrics::Counter<u64>,
    attributes: Vec<KeyValue>,
    /// What `absolute` said last.
    last: AtomicU64,
}

impl CounterFn for BothCounters {
    fn increment(&self, value: u64) {
        self.prometheus.increment(value);
        self.other.add(value, &self.attributes);
    }

    fn absolute(&self, value: u64) {
        self.prometheus.absolute(value);
        let before = self.last.fetch_max(value, Ordering::Relaxed);
        self.other.add(value.saturating_sub(before), &self.attributes);
    }
}

struct BothGauges {
    prometheus: Gauge,
    other: opentelemetry::metrics::Gauge<f64>,
    attributes: Vec<KeyValue>,
    value: parking_lot::Mutex<f64>,
}

impl BothGauges {
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut value = self.value.lock();
        *value = change(*value);
        self.other.record(*value, &self.attributes);
    }
}

impl GaugeFn for BothGauges {
    fn increment(&self, value: f64) {
        self.prometheus.increment(value);
        self.change(|before| before + value);
    }

    fn decrement(&self, value: f64) {
        self.prometheus.decrement(value);
        self.change(|before| before - value);
    }

    fn set(&self, value: f64) {
        self.prometheus.set(value);
        self.change(|_| value);
    }
}

struct BothHistograms {
    prometheus: Histogram,
    other: opentelemetry::metrics::Histogram<f64>,
    attributes: Vec<KeyValue>,
}

impl HistogramFn for BothHistograms {
    fn record(&self, value: f64) {
        self.prometheus.record(value);
        self.other.record(value, &self.attributes);
    }
}
