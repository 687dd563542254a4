//! Refusals that arrive. A request whose body is large may be refused before the body is read: for want of a token,
//! or of room. Were the connection closed at once, a caller that is still sending would see it reset and never read
//! why. So what is left of such a body is read and thrown away, for a while, beside the answer.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use futures_util::stream::{Stream, StreamExt};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// For how long the rest is read.
const PATIENCE: Duration = Duration::from_secs(30);

/// Gives a request a body that may be dropped unread.
pub(crate) async fn hold(request: Request) -> Request {
    request.map(|body| if body.is_end_stream() { body } else { Body::from_stream(Held(Some(body.into_data_stream()))) })
}

/// A body whose rest is thrown away when nobody wants it any more; nothing is in it once it has ended.
struct Held(Option<BodyDataStream>);

impl Stream for Held {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let polled = body.poll_next_unpin(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.0 = None;
        }
        polled
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let (Some(rest), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(timeout(PATIENCE, rest.for_each(|_| std::future::ready(()))));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tokio_stream::wrappers::ReceiverStream;

    use super::*;

    fn body() -> (mpsc::Sender<Result<Bytes, axum::Error>>, Body) {
        let (sender, receiver) = mpsc::channel(1);
        (sender, Body::from_stream(ReceiverStream::new(receiver)))
    }

    #[tokio::test]
    async fn the_rest_of_a_dropped_body_is_taken() {
        let (sender, body) = body();
        let request = hold(Request::new(body)).await;
        drop(request);
        // The channel has room for one: all of these are only taken when somebody reads.
        for _ in 0..100 {
            sender.send(Ok(Bytes::from_static(b"x"))).await.expect("somebody reads");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn but_not_for_ever() {
        let (sender, body) = body();
        drop(hold(Request::new(body)).await);
        sender.closed().await;
    }

    #[tokio::test]
    async fn a_body_passes_unchanged() {
        let request = hold(Request::new(Body::from("a body"))).await;
        let passed = axum::body::to_bytes(request.into_body(), 100).await.unwrap();
        assert_eq!(passed, "a body");
    }
}
