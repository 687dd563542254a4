//! Components on their way in and out. They are a thousand times as large as everything else that passes here, so
//! they have bounds of their own: in bytes, in time, and in how many of them are in memory at once.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::problem::Problem;

/// How many components may be on their way in at a time.
const MAX_INCOMING: usize = 2;
/// How many components may be on their way out at a time.
const MAX_OUTGOING: usize = 4;
/// When it makes sense to try again if there are more.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// A component goes out in pieces of so many bytes.
const PIECE: usize = 64 * 1024;

/// What an upload may be like.
pub(crate) struct Bounds {
    /// The largest component, in bytes.
    pub(crate) bytes: usize,
    /// How long nothing may come.
    pub(crate) stall: Duration,
    /// How long the whole component may take to come.
    pub(crate) whole: Duration,
}

/// The bounds of the API. What is left of the request's five minutes is for checking and compiling.
pub(crate) const UPLOAD: Bounds =
    Bounds { bytes: 64 << 20, stall: Duration::from_secs(30), whole: Duration::from_secs(240) };

/// Counts the components that are in memory.
#[derive(Clone)]
pub(crate) struct Transfers {
    incoming: Arc<Semaphore>,
    outgoing: Arc<Semaphore>,
}

impl Transfers {
    pub(crate) fn new() -> Self {
        Self { incoming: Arc::new(Semaphore::new(MAX_INCOMING)), outgoing: Arc::new(Semaphore::new(MAX_OUTGOING)) }
    }

    /// Leave to read a component; to be held until it is dealt with.
    pub(crate) fn incoming(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.incoming).try_acquire_owned().map_err(|_| {
            Problem::busy(format!("{MAX_INCOMING} components are being uploaded; wait until one is done"), RETRY_AFTER)
        })
    }

    /// Leave to load a component and send it; see [`send`].
    pub(crate) fn outgoing(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.outgoing).try_acquire_owned().map_err(|_| {
            Problem::busy(format!("{MAX_OUTGOING} components are being fetched; wait until one is done"), RETRY_AFTER)
        })
    }
}

/// Reads a body to its end. One that is announced (as a number of bytes) as too large is refused before a byte of it
/// is read.
pub(crate) async fn receive(body: Body, announced: Option<usize>, bounds: &Bounds) -> Result<Bytes, Problem> {
    let announced = announced.unwrap_or(0);
    if announced > bounds.bytes {
        return Err(too_large(bounds));
    }
    let mut component = BytesMut::with_capacity(announced);
    let mut pieces = body.into_data_stream();
    let begun = Instant::now();
    let mut moved = begun;
    loop {
        let deadline = (moved + bounds.stall).min(begun + bounds.whole);
        let Ok(piece) = timeout_at(deadline, pieces.next()).await else { return Err(too_slow(bounds)) };
        let Some(piece) = piece else { break };
        let piece = piece.map_err(|error| Problem::invalid(format!("the body broke off: {error}; send it again")))?;
        if piece.len() > bounds.bytes.saturating_sub(component.len()) {
            return Err(too_large(bounds));
        }
        component.extend_from_slice(&piece);
        // A piece without bytes is no progress.
        if !piece.is_empty() {
            moved = Instant::now();
        }
    }
    if component.is_empty() {
        return Err(Problem::invalid("the body is empty; send the component's bytes"));
    }
    Ok(component.freeze())
}

/// A body that goes out in pieces and holds its permit until the last one is taken.
pub(crate) fn send(component: Bytes, permit: OwnedSemaphorePermit) -> Body {
    let pieces = stream::unfold((component, permit), |(mut rest, permit)| async move {
        if rest.is_empty() {
            return None;
        }
        let piece = rest.split_to(rest.len().min(PIECE));
        Some((Ok::<_, Infallible>(piece), (rest, permit)))
    });
    Body::from_stream(pieces)
}

fn too_large(bounds: &Bounds) -> Problem {
    let detail = format!(
        "a component may have at most {} MiB; build it for release and without debug information",
        bounds.bytes >> 20
    );
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

fn too_slow(bounds: &Bounds) -> Problem {
    let detail = format!(
        "the component came too slowly and nothing was kept: something must come every {} s, and all of it within {} s",
        bounds.stall.as_secs(),
        bounds.whole.as_secs()
    );
    Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    const SMALL: Bounds = Bounds { bytes: 8, stall: Duration::from_millis(40), whole: Duration::from_secs(10) };

    fn body(pieces: &[&'static str]) -> Body {
        let pieces: Vec<_> =
            pieces.iter().map(|piece| Ok::<_, io::Error>(Bytes::from_static(piece.as_bytes()))).collect();
        Body::from_stream(stream::iter(pieces))
    }

    #[tokio::test]
    async fn the_largest_passes_and_one_byte_more_does_not() {
        assert_eq!(receive(body(&["abcd", "", "efgh"]), None, &SMALL).await.unwrap(), "abcdefgh");
        assert_eq!(receive(body(&["abcd", "efghi"]), None, &SMALL).await.unwrap_err().status, 413);
        // Announced: refused although nothing of it is ever read.
        assert_eq!(
            receive(Body::from_stream(stream::pending::<io::Result<Bytes>>()), Some(9), &SMALL)
                .await
                .unwrap_err()
                .status,
            413
        );
        assert!(receive(Body::empty(), None, &SMALL).await.unwrap_err().detail.contains("empty"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stands_still_is_given_up() {
        let begun = Instant::now();
        let first = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"ab"))]);
        let silent = Body::from_stream(first.chain(stream::pending()));
        assert_eq!(receive(silent, None, &SMALL).await.unwrap_err().status, 408);
        // Pieces without bytes keep nobody waiting.
        let hollow = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Some((Ok::<_, io::Error>(Bytes::new()), ()))
        });
        assert_eq!(receive(Body::from_stream(hollow), None, &SMALL).await.unwrap_err().status, 408);
        assert!(begun.elapsed() < SMALL.whole, "what counts is that nothing came");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_ends_at_the_whole_time() {
        let bounds = Bounds { bytes: 1 << 20, stall: Duration::from_secs(10), whole: Duration::from_millis(40) };
        let trickle = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Some((Ok::<_, io::Error>(Bytes::from_static(b"x")), ()))
        });
        assert_eq!(receive(Body::from_stream(trickle), None, &bounds).await.unwrap_err().status, 408);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_said_to() {
        let broken = stream::iter([Ok(Bytes::from_static(b"ab")), Err(io::Error::other("gone"))]);
        let problem = receive(Body::from_stream(broken), None, &SMALL).await.unwrap_err();
        assert_eq!(problem.status, 400);
        assert!(problem.detail.contains("broke off"), "{}", problem.detail);
    }

    #[tokio::test]
    async fn what_goes_out_is_counted_until_its_end() {
        let transfers = Transfers::new();
        let component = Bytes::from(vec![7; PIECE + 1]);
        let mut bodies: Vec<_> =
            (0..MAX_OUTGOING).map(|_| send(component.clone(), transfers.outgoing().unwrap())).collect();
        let problem = transfers.outgoing().unwrap_err();
        assert_eq!((problem.status, problem.retry_after_seconds), (503, Some(5)));
        let sent = axum::body::to_bytes(bodies.pop().unwrap(), usize::MAX).await.unwrap();
        assert_eq!(sent, component);
        drop(transfers.outgoing().unwrap());
    }
}
