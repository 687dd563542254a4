//! The server of one listener: accepts connections, bounds them, and leads each request to its transport.
//!
//! HTTP/1.1 with connections that are kept. TLS is left to a proxy in front. What is no HTTP gets a 400 from the
//! library, a head that does not arrive in time a 408.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::body::{self, Response};
use super::reply::Reply;
use super::sites::{Table, Way};

/// Connections at a time; further ones wait in the kernel.
const MAX_CONNECTIONS: usize = 16_384;

/// The longest head of a request.
const MAX_HEAD: usize = 64 << 10;

/// How long connections may take to end when the server does.
const GRACE: Duration = Duration::from_secs(2);

/// How long a client may take to read its last answer and close.
const LINGER: Duration = Duration::from_secs(2);

const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Serves until `stop` ends.
pub(super) async fn serve(listener: TcpListener, table: Arc<Table>, stop: CancellationToken, read: Duration) {
    let seats = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            // The semaphore is never closed; without a seat the connection would merely go uncounted.
            accepted = async { (Arc::clone(&seats).acquire_owned().await.ok(), listener.accept().await) } => accepted,
        };
        let (seat, (stream, peer)) = match accepted {
            (seat, Ok(accepted)) => (seat, accepted),
            (_, Err(error)) => {
                // Out of file descriptors, or a connection that ended before it began: others may still come.
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(100)) => continue,
                    () = stop.cancelled() => break,
                }
            }
        };
        let (table, stop) = (Arc::clone(&table), stop.clone());
        connections.spawn(async move {
            connection(stream, peer, table, stop, read).await;
            drop(seat);
        });
    }
    drop(listener);
    connections.close();
    let _ = tokio::time::timeout(GRACE, connections.wait()).await;
}

/// Closes a connection. What the client is still sending is read and thrown away for a while: otherwise the system
/// resets the connection, and a client that is not done with its request never sees why it was refused.
async fn close(mut stream: TcpStream, stop: &CancellationToken) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut scrap = vec![0; 8 << 10];
    let drain = async { while matches!(stream.read(&mut scrap).await, Ok(read) if read > 0) {} };
    tokio::select! {
        _ = tokio::time::timeout(LINGER, drain) => {}
        () = stop.cancelled() => {}
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, table: Arc<Table>, stop: CancellationToken, read: Duration) {
    // An answer is written in one piece; waiting for more would only delay it.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let table = Arc::clone(&table);
        Box::pin(async move { Ok::<_, std::convert::Infallible>(lead(&table, request, peer).await) })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(read)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = std::future::poll_fn(|cx| connection.poll_without_shutdown(cx)) => ended,
        () = stop.cancelled() => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            std::future::poll_fn(|cx| connection.poll_without_shutdown(cx)).await
        }
    };
    let parts = connection.into_parts();
    let mut stream = parts.io.into_inner();
    match ended {
        // A connection that was kept and is not needed any more ends in silence.
        Err(error) if error.is_timeout() && !parts.read_buf.is_empty() => {
            tracing::warn!(%peer, "a request did not arrive within {read:?}");
            let _ = stream.write_all(TOO_SLOW).await;
        }
        Err(error) if error.is_parse() => tracing::warn!(%peer, "what came is not HTTP: {error}"),
        Err(error) => tracing::debug!(%peer, "a connection ended: {error}"),
        Ok(()) => {}
    }
    close(stream, &stop).await;
}

async fn lead(table: &Table, request: hyper::Request<Incoming>, peer: SocketAddr) -> Response {
    match table.find(request.uri().path()) {
        Way::Handler(handler, found) => handler.serve(request, found, peer).await,
        Way::Health(handler, pending) => handler.health(pending),
        Way::Later => {
            tracing::warn!(%peer, path = request.uri().path(), "a request was refused: its transport is not running yet");
            let reply = Reply::status(503).header("retry-after", "5");
            body::plain(&reply, "text/plain")
        }
        Way::Nobody => {
            tracing::debug!(%peer, path = request.uri().path(), "no transport has this path");
            body::plain(&Reply::status(404).body("Not Found"), "text/plain")
        }
    }
}
