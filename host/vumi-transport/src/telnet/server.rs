//! The server: accepts connections, and sends to those that are there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use vumi_codec::telnet::encode;
use vumi_core::{Error, Link, Result, Sent, Transport};
use vumi_message::{SessionEvent, UserMessage};

use super::TelnetConfig;
use super::client::{Client, Clients, Unwritable};
use super::session::Session;
use crate::base::endpoint::Listen;

/// Connections that the system may keep for us before we accept them.
const BACKLOG: u32 = 1024;

/// Clients that are being told that there is no room for them, at a time; further ones are just closed.
const MAX_FAREWELLS: usize = 64;

/// How long such a client may take to hear it.
const FAREWELL: Duration = Duration::from_secs(1);

const FULL: &str = "There are too many connections, please try again later.\n";

/// The reason of a nack for an address that is not connected.
const UNKNOWN: &str = "Unknown address.";

/// The reason of a nack for a client that was dropped.
const SLOW: &str = "The client does not read what it is sent.";

/// The telnet transport, in both variants.
pub(super) struct Telnet {
    config: TelnetConfig,
    listen: Listen,
    addressed: bool,
    clients: Arc<Clients>,
}

impl Telnet {
    pub(super) fn new(config: TelnetConfig, listen: Listen, addressed: bool) -> Self {
        Self { config, listen, addressed, clients: Arc::default() }
    }

    async fn bind(&self) -> Result<TcpListener> {
        let failed = |error: std::io::Error| {
            let text = format!(
                "cannot listen on {}: another program may use the port, or the address is not one of this machine",
                self.listen
            );
            Error::temporary(text).because(error)
        };
        let mut addresses =
            tokio::net::lookup_host((self.listen.host.as_str(), self.listen.port)).await.map_err(failed)?;
        let address = addresses.next().ok_or_else(|| failed(std::io::ErrorKind::AddrNotAvailable.into()))?;
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(failed)?;
        socket.set_reuseaddr(true).map_err(failed)?;
        // Inherited by each connection: one whose client has vanished without a word ends some day.
        socket.set_keepalive(true).map_err(failed)?;
        socket.bind(address).map_err(failed)?;
        socket.listen(BACKLOG).map_err(failed)
    }

    fn session(&self, link: &Arc<dyn Link>, to_addr: &str, peer: SocketAddr) -> Session {
        Session {
            link: Arc::clone(link),
            clients: Arc::clone(&self.clients),
            client: Client::new(),
            from_addr: format!("{}:{}", peer.ip().to_canonical(), peer.port()),
            to_addr: to_addr.to_owned(),
            transport_type: self.config.transport_type.clone().unwrap_or_else(|| "telnet".to_owned()),
            addressed: self.addressed,
            max_line: self.config.max_line.as_usize(),
            idle_timeout: match self.config.idle_timeout_s {
                0 => None,
                seconds => Some(Duration::from_secs(seconds)),
            },
        }
    }

    /// To nobody in particular: everybody gets it (transport specification "telnet", Outbound).
    fn broadcast(&self, text: &str, close: bool) {
        for client in self.clients.all() {
            // Who cannot be written to has its own session to end.
            let _ = client.say(text);
            if close {
                client.close();
            }
        }
    }
}

#[async_trait]
impl Transport for Telnet {
    async fn run(self: Arc<Self>, link: Arc<dyn Link>) -> Result<()> {
        let listener = self.bind().await?;
        let local =
            listener.local_addr().map_err(|error| Error::temporary("the listener has no address").because(error))?;
        let to_addr = self.config.to_addr.clone().unwrap_or_else(|| format!("{}:{}", local.ip(), local.port()));
        link.ready(&local.to_string());

        let seats = Arc::new(Semaphore::new(self.config.max_connections.min(Semaphore::MAX_PERMITS)));
        let farewells = Arc::new(Semaphore::new(MAX_FAREWELLS));
        let connections = metrics::gauge!("vumi_transport_connections", "transport" => link.name().to_owned());
        let tasks = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = link.shutdown().cancelled() => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, or a connection that ended before it began: others may still come.
                    tracing::warn!(transport = link.name(), "a connection could not be accepted: {error}");
                    tokio::select! {
                        () = tokio::time::sleep(Duration::from_millis(100)) => continue,
                        () = link.shutdown().cancelled() => break,
                    }
                }
            };
            if let Ok(seat) = Arc::clone(&seats).try_acquire_owned() {
                let session = self.session(&link, &to_addr, peer);
                let connections = connections.clone();
                tasks.spawn(async move {
                    connections.increment(1);
                    session.run(stream).await;
                    connections.decrement(1);
                    drop(seat);
                });
            } else {
                tracing::warn!(transport = link.name(), %peer, "a connection was refused: there are too many");
                if let Ok(permit) = Arc::clone(&farewells).try_acquire_owned() {
                    tasks.spawn(async move {
                        let _ = tokio::time::timeout(FAREWELL, turn_away(stream)).await;
                        drop(permit);
                    });
                }
            }
        }
        drop(listener);
        tasks.close();
        tasks.wait().await;
        Ok(())
    }

    async fn send(&self, message: &UserMessage) -> Result<Sent> {
        let text = lines(message.content().unwrap_or_default());
        let close = message.session_event() == Some(SessionEvent::Close);
        let refused = |reason: &str| Ok(Sent::Refused { reason: reason.to_owned(), sent_message_id: None });
        let Some(client) = message.to_addr().and_then(|address| self.clients.get(address)) else {
            let address = message.to_addr().unwrap_or("None");
            self.broadcast(&format!("UNKNOWN ADDR [{address}]: {text}\n"), close);
            return refused(UNKNOWN);
        };
        match client.say(&format!("{text}\n")) {
            Ok(()) => {
                if close {
                    client.close();
                }
                Ok(Sent::Accepted(message.message_id().to_owned()))
            }
            Err(Unwritable::Gone) => refused(UNKNOWN),
            Err(Unwritable::Slow) => {
                tracing::warn!(address = message.to_addr(), "a client that does not read was dropped");
                refused(SLOW)
            }
        }
    }
}

/// Tells a client that there is no room, and waits until it has heard it: closed at once, with input unread, the
/// connection would be reset and the text lost.
async fn turn_away(mut stream: TcpStream) {
    if stream.write_all(&encode(FULL)).await.is_ok() && stream.shutdown().await.is_ok() {
        let mut ignored = [0; 512];
        while matches!(stream.read(&mut ignored).await, Ok(read) if read > 0) {}
    }
}

/// Text with its line breaks, of whatever kind, as LF. One at the very end ends the last line and begins no new one.
fn lines(text: &str) -> String {
    const BREAKS: &[char] =
        &['\n', '\r', '\u{0B}', '\u{0C}', '\u{1C}', '\u{1D}', '\u{1E}', '\u{85}', '\u{2028}', '\u{2029}'];
    let text = text.replace("\r\n", "\n").replace(BREAKS, "\n");
    match text.strip_suffix('\n') {
        Some(text) => text.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn line_breaks_of_any_kind() {
        for (text, expected) in [
            ("", ""),
            ("a", "a"),
            ("a\r\nb", "a\nb"),
            ("a\rb\nc\u{2028}d\u{85}e\u{0B}f", "a\nb\nc\nd\ne\nf"),
            ("a\n", "a"),
            ("a\r\n\r\n", "a\n"),
            ("\n", ""),
        ] {
            assert_eq!(lines(text), expected, "{text:?}");
        }
    }
}
