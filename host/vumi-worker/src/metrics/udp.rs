//! Sends each aggregate as a UDP datagram (specification: metrics, section 6).
//!
//! ```yaml
//! class: udp_metrics_collector
//! metrics_host: 127.0.0.1
//! metrics_port: 8125
//! ```

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::net::{UdpSocket, lookup_host};
use tokio_util::sync::CancellationToken;
use vumi_core::component::Component;
use vumi_core::{Context, Error, Result, Worker};

use super::collect::{Destination, collect};
use super::message::Datapoint;
use super::number::Number;
use super::settings::whole;
use super::strftime::TimeFormat;
use super::template::Template;
use crate::registry::{WorkerComponent, WorkerPlace};
use crate::shared::WorkerShared;

/// The largest datagram over IPv4.
const MAX_DATAGRAM: usize = 65_507;

/// Sends each aggregate as one UDP datagram.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UdpCollectorConfig {
    /// Where to; the name is resolved once, at the start.
    pub metrics_host: String,
    /// Its port.
    #[serde(deserialize_with = "whole")]
    #[schemars(range(min = 1))]
    pub metrics_port: u16,
    /// What a datagram says, in Python's formatting with the names `timestamp`, `metric_name` and `value`.
    #[serde(default = "default_format")]
    pub format_string: String,
    /// How the timestamp is written, as Python's `strftime` does it: in UTC, with an empty zone.
    #[serde(default = "default_time")]
    pub timestamp_format: String,
}

fn default_format() -> String {
    "%(timestamp)s %(metric_name)s %(value)s\n".to_owned()
}

fn default_time() -> String {
    "%Y-%m-%d %H:%M:%S%z".to_owned()
}

impl Component for UdpCollectorConfig {
    const CLASS: &'static str = "udp_metrics_collector";
    const ALIASES: &'static [&'static str] = &["vumi.blinkenlights.metrics_workers.UDPMetricsCollector"];
}

impl WorkerComponent for UdpCollectorConfig {
    fn check(&self, _: &WorkerShared) -> Result<()> {
        if self.metrics_port == 0 {
            return Err(Error::permanent("`metrics_port` must be at least 1"));
        }
        UdpFormat::new(&self.format_string, &self.timestamp_format).map(drop)
    }

    fn build(self, place: WorkerPlace<'_>) -> Result<Arc<dyn Worker>> {
        self.check(place.shared)?;
        let format = UdpFormat::new(&self.format_string, &self.timestamp_format)?;
        let (prefetch, context) = (place.shared.prefetch(), place.context.clone());
        Ok(Arc::new(UdpCollector { config: self, format, prefetch, context }))
    }
}

/// How a datagram is written.
#[derive(Clone, Debug)]
pub struct UdpFormat {
    template: Template,
    time: TimeFormat,
}

impl UdpFormat {
    /// Checks both formats.
    ///
    /// # Errors
    /// One sentence that names the key and what is wrong with its value.
    pub fn new(format_string: &str, timestamp_format: &str) -> Result<Self> {
        let wrong = |key: &str, what: String| Error::permanent(format!("`{key}` {what}"));
        let template = Template::parse(format_string).map_err(|what| wrong("format_string", what))?;
        let time = TimeFormat::parse(timestamp_format).map_err(|what| wrong("timestamp_format", what))?;
        Ok(Self { template, time })
    }

    /// One datagram; `None` for a time that no calendar has.
    pub fn render(&self, name: &str, at: Number, value: Number) -> Option<String> {
        Some(self.template.render(&self.time.render(at)?, name, value))
    }
}

struct UdpCollector {
    config: UdpCollectorConfig,
    format: UdpFormat,
    prefetch: u16,
    context: Context,
}

#[async_trait]
impl Worker for UdpCollector {
    async fn run(self: Arc<Self>, shutdown: CancellationToken) -> Result<()> {
        let (host, port) = (self.config.metrics_host.as_str(), self.config.metrics_port);
        let unknown = || Error::temporary(format!("`metrics_host` {host} cannot be resolved"));
        let found = lookup_host((host, port)).await.map_err(|error| unknown().because(error))?.next();
        let to = found.ok_or_else(unknown)?;
        let from = match to {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let socket = UdpSocket::bind(from).await;
        let socket = socket.map_err(|error| Error::temporary("there is no UDP socket to send from").because(error))?;
        let destination = Datagrams { socket, to, format: self.format.clone() };
        collect(&self.context, self.prefetch, destination, &shutdown).await
    }
}

struct Datagrams {
    socket: UdpSocket,
    to: SocketAddr,
    format: UdpFormat,
}

#[async_trait]
impl Destination for Datagrams {
    async fn deliver(&mut self, points: &[Datapoint]) -> Result<()> {
        // All are written before the first is sent: a message that is given up has sent nothing.
        let mut datagrams = Vec::new();
        for point in points {
            for (at, value) in &point.values {
                let datagram = self
                    .format
                    .render(&point.name, *at, *value)
                    .ok_or_else(|| Error::permanent(format!("{} is no time that a calendar has", at.text())))?;
                if datagram.len() > MAX_DATAGRAM {
                    return Err(Error::permanent(format!("{} bytes do not fit into a datagram", datagram.len())));
                }
                datagrams.push(datagram);
            }
        }
        for datagram in datagrams {
            match self.socket.send_to(datagram.as_bytes(), self.to).await {
                Ok(_) => {}
                // An earlier datagram found nobody: nothing that a sender of datagrams can mend.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => {
                    return Err(Error::temporary(format!("a datagram to {} was not sent", self.to)).because(error));
                }
            }
        }
        Ok(())
    }
}
