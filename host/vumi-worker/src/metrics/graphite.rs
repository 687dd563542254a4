//! Brings aggregates to Graphite (specification: metrics, section 6).
//!
//! ```yaml
//! class: graphite_metrics_collector
//! graphite_host: carbon.example.org   # without it: over RabbitMQ
//! ```
//!
//! Without `graphite_host` each value is a message on the topic exchange `graphite`, whose key is the metric's name:
//! Carbon must then run with AMQP on and with the metric name not in the body. With it, Carbon's plain line protocol
//! is spoken over TCP.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use vumi_core::component::Component;
use vumi_core::{Broker, Context, Error, Result, Worker, names};

use super::collect::{Destination, collect};
use super::graphite_line::LineClient;
use super::message::Datapoint;
use super::number::Number;
use super::settings::whole;
use crate::registry::{WorkerComponent, WorkerPlace};
use crate::shared::WorkerShared;

/// The longest routing key of AMQP, in bytes.
const MAX_KEY: usize = 255;

/// Brings aggregates to Graphite's Carbon: over RabbitMQ as Vumi did, or over TCP.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphiteConfig {
    /// Host of Carbon's plain line protocol; values go over the broker unless given.
    #[serde(default)]
    pub graphite_host: Option<String>,
    /// Its port.
    #[serde(default = "carbon", deserialize_with = "whole")]
    #[schemars(range(min = 1))]
    pub graphite_port: u16,
}

fn carbon() -> u16 {
    2003
}

impl Component for GraphiteConfig {
    const CLASS: &'static str = "graphite_metrics_collector";
    const ALIASES: &'static [&'static str] = &["vumi.blinkenlights.metrics_workers.GraphiteMetricsCollector"];
}

impl WorkerComponent for GraphiteConfig {
    fn check(&self, _: &WorkerShared) -> Result<()> {
        if self.graphite_port == 0 {
            return Err(Error::permanent("`graphite_port` must be at least 1"));
        }
        match self.graphite_host.as_deref() {
            Some("") => Err(Error::permanent("`graphite_host` is empty: name Carbon's host, or leave the key out")),
            None if self.graphite_port != carbon() => Err(Error::permanent(
                "`graphite_port` is of use only with `graphite_host`: add it, or leave the port out",
            )),
            _ => Ok(()),
        }
    }

    fn build(self, place: WorkerPlace<'_>) -> Result<Arc<dyn Worker>> {
        self.check(place.shared)?;
        if self.graphite_host.is_none() && !place.context.broker.is_shared() {
            return Err(Error::permanent(
                "Graphite cannot be reached through the embedded broker: set `graphite_host`, or `broker` to amqp://…",
            ));
        }
        Ok(Arc::new(Graphite { config: self, prefetch: place.shared.prefetch(), context: place.context.clone() }))
    }
}

struct Graphite {
    config: GraphiteConfig,
    prefetch: u16,
    context: Context,
}

#[async_trait]
impl Worker for Graphite {
    async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        let (context, prefetch) = (&self.context, self.prefetch);
        match &self.config.graphite_host {
            Some(host) => collect(context, prefetch, LineClient::new(host, self.config.graphite_port), &shutdown).await,
            None => collect(context, prefetch, Exchange(Arc::clone(&context.broker)), &shutdown).await,
        }
    }
}

/// A value and its time as Carbon reads them: `"%f %d" % (value, timestamp)`.
pub fn carbon_value(at: Number, value: Number) -> String {
    format!("{} {}", value.fixed(6), at.trunc())
}

/// Carbon behind a topic exchange.
struct Exchange(Arc<dyn Broker>);

#[async_trait]
impl Destination for Exchange {
    async fn deliver(&mut self, points: &[Datapoint]) -> Result<()> {
        if let Some(point) = points.iter().find(|point| point.name.len() > MAX_KEY) {
            let length = point.name.len();
            return Err(Error::permanent(format!("a metric name of {length} bytes is too long for a routing key")));
        }
        for point in points {
            for (at, value) in &point.values {
                let body = carbon_value(*at, *value).into();
                self.0.announce(names::GRAPHITE, &point.name, body).await?.await?;
            }
        }
        Ok(())
    }
}
