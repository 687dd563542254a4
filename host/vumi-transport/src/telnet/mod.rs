//! Telnet: a TCP server whose every connection is a session of one user (transport specification "telnet").
//!
//! A connection is the message `new`, each line a `resume`, the end of the connection the message `close`; what the
//! app answers is written back. The user's address is that of the connection, or, in the addressed variant, the one
//! that the user types first.
//!
//! `server` accepts connections and sends; `session` is one connection; `client` is the way back to it; `dialog` asks
//! for addresses.

mod addressed;
mod client;
mod dialog;
mod server;
mod session;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vumi_core::component::Component;
use vumi_core::{ByteSize, Error, Result};

pub use addressed::AddressedTelnetConfig;

use crate::base::Once;
use crate::base::endpoint::{LOOPBACK, Listen};
use crate::base::values::{Positive, optional_whole};
use crate::registry::{Built, Listening, TransportComponent, TransportPlace};
use server::Telnet;

/// A telnet server: one session for each connection, the user's address is the peer's `ip:port`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TelnetConfig {
    /// Where to listen: `tcp:PORT` or `tcp:port=PORT:interface=ADDRESS`. Without an interface, only this machine can
    /// connect. This or `telnet_port` is required.
    pub twisted_endpoint: Option<String>,
    /// The port to listen on, where there is no `twisted_endpoint`. With 0 the system chooses one.
    #[serde(deserialize_with = "optional_whole")]
    pub telnet_port: Option<u16>,
    /// The address to listen on, with `telnet_port`. Only this machine can connect unless it is given.
    pub telnet_host: Option<String>,
    /// The address that users' messages are sent to. The server's own `host:port` unless given. Not used by the
    /// addressed variant, whose users type it.
    pub to_addr: Option<String>,
    /// The `transport_type` of users' messages; `telnet` unless given.
    pub transport_type: Option<String>,
    /// Connections at a time, 1,000 unless given. Whoever comes beyond that is asked to come later.
    #[serde(deserialize_with = "connections")]
    #[schemars(range(min = 1))]
    pub max_connections: usize,
    /// Seconds without input after which a connection is closed; 0 sets no limit.
    #[serde(deserialize_with = "seconds")]
    pub idle_timeout_s: u64,
    /// The longest line, 64 KiB unless given; a longer one comes as several messages.
    pub max_line: ByteSize,
}

impl Default for TelnetConfig {
    fn default() -> Self {
        Self {
            twisted_endpoint: None,
            telnet_port: None,
            telnet_host: None,
            to_addr: None,
            transport_type: None,
            max_connections: 1_000,
            idle_timeout_s: 0,
            max_line: ByteSize::kib(64),
        }
    }
}

fn connections<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let given: Option<Positive<usize>> = optional_whole(deserializer)?;
    Ok(given.map_or_else(|| TelnetConfig::default().max_connections, |given| given.0))
}

fn seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(optional_whole(deserializer)?.unwrap_or_default())
}

impl Component for TelnetConfig {
    const CLASS: &'static str = "telnet";
    const ALIASES: &'static [&'static str] =
        &["vumi.transports.telnet.TelnetServerTransport", "vumi.transports.telnet.transport.TelnetServerTransport"];
    const EXAMPLE: &'static str = "class: telnet\ntelnet_port: 9010\nto_addr: shop\n";
}

impl TransportComponent for TelnetConfig {
    fn check(&self, _: &str) -> Result<Vec<Listening>> {
        let Listen { host, port } = self.listen()?;
        let key = if self.twisted_endpoint.is_some() { "twisted_endpoint" } else { "telnet_port" };
        Ok(vec![Listening { key, host, port, paths: None }])
    }

    fn build(self, _: TransportPlace<'_>) -> Result<Built> {
        self.server(false)
    }
}

impl TelnetConfig {
    /// The server of either variant.
    fn server(self, addressed: bool) -> Result<Built> {
        let listen = self.listen()?;
        let transport = Arc::new(Telnet::new(self, listen, addressed));
        Ok(Built { transport, once: Once::Record, simulator: None })
    }

    fn listen(&self) -> Result<Listen> {
        match (&self.twisted_endpoint, self.telnet_port) {
            (Some(endpoint), _) => Listen::parse(endpoint),
            (None, Some(port)) => {
                let host = self.telnet_host.clone().unwrap_or_else(|| LOOPBACK.to_owned());
                Ok(Listen { host, port })
            }
            (None, None) => Err(Error::permanent(
                "Missing required config field 'twisted_endpoint': say where to listen, e.g. `telnet_port: 9010`",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(yaml: &str) -> Result<String> {
        let config: TelnetConfig = serde_saphyr::from_str(yaml).unwrap();
        config.listen().map(|listen| listen.to_string())
    }

    #[test]
    fn where_to_listen() {
        for (yaml, at) in [
            ("telnet_port: 9010", "127.0.0.1:9010"),
            ("telnet_port: \"0\"", "127.0.0.1:0"),
            ("{telnet_port: 9010, telnet_host: 0.0.0.0}", "0.0.0.0:9010"),
            ("{twisted_endpoint: \"tcp:9011\", telnet_port: 9010, telnet_host: 0.0.0.0}", "127.0.0.1:9011"),
        ] {
            assert_eq!(listen(yaml).unwrap(), at, "{yaml}");
        }
        for yaml in ["{}", "telnet_host: 127.0.0.1", "{twisted_endpoint: null, telnet_port: null}"] {
            let error = listen(yaml).unwrap_err().to_string();
            assert!(error.starts_with("Missing required config field 'twisted_endpoint'"), "{yaml}: {error}");
        }
    }

    #[test]
    fn mistakes_have_a_place() {
        for (yaml, text) in [
            ("telnet_port: 70000", "70000 is out of range"),
            ("telnet_port: 5.5", "a whole number"),
            ("max_connections: 0", "0 is out of range"),
            ("max_lines: 5", "unknown field"),
        ] {
            let error = serde_saphyr::from_str::<TelnetConfig>(yaml).unwrap_err().to_string();
            assert!(error.contains(text) && error.contains("line 1"), "{yaml}: {error}");
        }
    }
}
