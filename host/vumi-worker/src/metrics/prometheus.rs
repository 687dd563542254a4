//! Shows the latest aggregates to Prometheus (specification: metrics, section 6).
//!
//! ```yaml
//! class: prometheus_metrics_collector
//! web_port: 9464
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use vumi_core::component::Component;
use vumi_core::{Context, Delivery, Result, Worker, names};

use super::intake::{Intake, ready, reject};
use super::message::MetricMessage;
use super::number::Number;
use super::settings::whole;
use super::web::{bind, serve};
use crate::registry::{WorkerComponent, WorkerPlace};

/// Metrics shown; further ones are refused.
const MAX_METRICS: usize = 50_000;

/// Shows the latest value of each aggregate as `vumi_metric{name="…"}` under `/metrics`, for Prometheus to read.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrometheusConfig {
    /// Port to listen on; 0 takes a free one.
    #[serde(deserialize_with = "whole")]
    pub web_port: u16,
    /// Address to listen on.
    #[serde(default = "loopback")]
    pub web_host: String,
}

fn loopback() -> String {
    "127.0.0.1".to_owned()
}

impl Component for PrometheusConfig {
    const CLASS: &'static str = "prometheus_metrics_collector";
    const ALIASES: &'static [&'static str] = &[];
}

impl WorkerComponent for PrometheusConfig {
    fn build(self, place: WorkerPlace<'_>) -> Result<Arc<dyn Worker>> {
        let (prefetch, context) = (place.shared.prefetch(), place.context.clone());
        Ok(Arc::new(Prometheus { config: self, prefetch, context, latest: Arc::default() }))
    }
}

/// Name → time and value.
type Latest = BTreeMap<String, (Number, Number)>;

struct Prometheus {
    config: PrometheusConfig,
    prefetch: u16,
    context: Context,
    latest: Arc<Mutex<Latest>>,
}

#[async_trait]
impl Worker for Prometheus {
    async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        let listener = bind(&self.config.web_host, self.config.web_port).await?;
        let at = listener.local_addr().ok().map(|at| at.to_string());
        let latest = Arc::clone(&self.latest);
        let content_type = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
        let routes = Router::new()
            .route("/metrics", get(move || async move { (content_type, page(&latest.lock())) }))
            .route("/health", get(|| async { "OK" }));
        let mut intake = Intake::open(&self.context, names::METRIC_AGGREGATES, self.prefetch).await?;
        ready(&self.context, at);
        let collect = async {
            while let Some(delivery) = intake.next(&shutdown).await? {
                self.take(delivery).await?;
            }
            Ok(())
        };
        tokio::try_join!(serve(listener, routes, shutdown.clone()), collect).map(drop)
    }
}

impl Prometheus {
    async fn take(&self, mut delivery: Delivery) -> Result<()> {
        match MetricMessage::parse(&delivery.body).and_then(|message| keep(&mut self.latest.lock(), message)) {
            Ok(()) => delivery.ack().await.map(drop),
            Err(reason) => reject(&self.context.name, delivery, &reason).await,
        }
    }
}

/// Keeps the latest value of each metric.
fn keep(latest: &mut Latest, message: MetricMessage) -> Result<(), String> {
    for point in message.datapoints {
        if latest.len() >= MAX_METRICS && !latest.contains_key(&point.name) {
            return Err(format!("{MAX_METRICS} metrics are shown already"));
        }
        for new in point.values {
            let kept = latest.entry(point.name.clone()).or_insert(new);
            if kept.0.order(&new.0).is_le() {
                *kept = new;
            }
        }
    }
    Ok(())
}

/// Prometheus' text format.
fn page(latest: &Latest) -> String {
    let mut page = String::from("# HELP vumi_metric Latest aggregate of each metric.\n# TYPE vumi_metric gauge\n");
    for (name, (at, value)) in latest {
        let name = name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let millis = at.trunc().saturating_mul(1000);
        page.push_str(&format!("vumi_metric{{name=\"{name}\"}} {} {millis}\n", value.exact()));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_value_stands_on_the_page() {
        let mut latest = Latest::new();
        for body in [
            r#"{"datapoints": [["a.sum", [], [[10, 2.5]]], ["x\"\n", [], [[10, 1]]]]}"#,
            r#"{"datapoints": [["a.sum", [], [[15, 3.0]]]]}"#,
            r#"{"datapoints": [["a.sum", [], [[5, 9.0]]]]}"#,
        ] {
            keep(&mut latest, MetricMessage::parse(body.as_bytes()).unwrap()).unwrap();
        }
        let lines: Vec<String> = page(&latest).lines().skip(2).map(str::to_owned).collect();
        assert_eq!(lines, [r#"vumi_metric{name="a.sum"} 3.0 15000"#, r#"vumi_metric{name="x\"\n"} 1 10000"#]);
    }
}
