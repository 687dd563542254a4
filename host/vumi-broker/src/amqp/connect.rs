//! One TCP connection to RabbitMQ, with a way to end it that always works.
//!
//! `lapin` gives each connection a thread, which ends when the socket does. Ours keeps a second handle of the socket:
//! an attempt that takes too long, or a connection that cannot be closed in an orderly way because RabbitMQ reads
//! nothing from it at the moment, is ended by shutting the socket down, so that no thread stays behind.

use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use lapin::tcp::{AMQPUriTcpExt, OwnedTLSConfig, TLSConfig};
use lapin::uri::AMQPScheme;
use lapin::{Channel, Connection, ConnectionProperties, Event};
use parking_lot::Mutex;

use super::options::Plan;
use super::sentences::{self, Stage};

/// How long an orderly end may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// See the module's text.
pub(crate) struct Wire {
    connection: Connection,
    socket: Socket,
}

/// What an attempt to connect has come to, seen from outside the connection's thread.
#[derive(Clone)]
struct Socket(Arc<Mutex<(Stage, Option<TcpStream>)>>);

impl Socket {
    fn at(&self, stage: Stage) {
        self.0.lock().0 = stage;
    }

    fn stage(&self) -> Stage {
        self.0.lock().0
    }

    fn keep(&self, socket: TcpStream) {
        self.0.lock().1 = Some(socket);
    }

    fn end(&self) {
        if let Some(socket) = self.0.lock().1.take() {
            // An error means that it is ended already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Wire {
    /// Connects. The error is a sentence for the user.
    pub(crate) async fn open(plan: &Plan, name: &str) -> Result<Self, String> {
        let socket = Socket(Arc::new(Mutex::new((Stage::Reaching, None))));
        let opened = tokio::time::timeout(plan.connect_timeout, dial(plan, name, socket.clone())).await;
        let late = || std::io::Error::from(std::io::ErrorKind::TimedOut).into();
        match opened.unwrap_or_else(|_| Err(late())) {
            Ok(connection) => Ok(Self { connection, socket }),
            Err(error) => {
                socket.end();
                Err(sentences::not_connected(plan, socket.stage(), &error))
            }
        }
    }

    pub(crate) async fn channel(&self) -> lapin::Result<Channel> {
        self.connection.create_channel().await
    }

    /// What happens to the connection from now on.
    pub(crate) fn events(&self) -> impl Stream<Item = Event> + Send + Unpin + 'static {
        self.connection.events_listener().boxed()
    }

    /// False once the connection is lost or closed.
    pub(crate) fn is_up(&self) -> bool {
        self.connection.status().connected()
    }

    /// Ends the connection, in an orderly way if RabbitMQ listens. What is not settled goes back to its queue there.
    pub(crate) async fn close(&self) {
        if self.is_up() {
            // Errors mean that it ended by itself.
            let _ = tokio::time::timeout(FAREWELL, self.connection.close(200, "OK".into())).await;
        }
        self.socket.end();
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.socket.end();
    }
}

async fn dial(plan: &Plan, name: &str, socket: Socket) -> lapin::Result<Connection> {
    let tls = OwnedTLSConfig { identity: None, cert_chain: plan.trusted.clone() };
    let properties = ConnectionProperties::default()
        .with_connection_name(name.into())
        .with_client_property("product".into(), "vumi-host".into())
        .with_client_property("version".into(), env!("CARGO_PKG_VERSION").into());
    let patience = plan.connect_timeout;
    Connection::connector(
        plan.uri.clone(),
        lapin::runtime::default_runtime()?,
        async move |uri, runtime| {
            // In two steps, so as to have the socket before TLS is wrapped around it. The patience is needed here as
            // well: this runs on the connection's thread, which is not ended by giving up the attempt.
            let mut plain = uri.clone();
            plain.scheme = AMQPScheme::AMQP;
            let reaching = plain.connect_with_config_async(TLSConfig::default(), &runtime);
            let reached = tokio::time::timeout(patience, reaching).await;
            let stream = reached.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))?;
            if let lapin::AsyncTcpStream::Plain(stream) = &stream {
                socket.keep(stream.get_ref().as_fd().try_clone_to_owned()?.into());
            }
            let stream = match uri.scheme {
                AMQPScheme::AMQP => stream,
                AMQPScheme::AMQPS => {
                    socket.at(Stage::Securing);
                    let securing = stream.into_tls(&uri.authority.host, tls.as_ref());
                    let secured = tokio::time::timeout(patience, securing).await;
                    secured.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))?
                }
            };
            socket.at(Stage::Greeting);
            Ok(stream)
        },
        properties,
    )
    .await
}
