//! A reply as the server library wants it, whose body tells when the connection has it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::StatusCode;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use tokio::sync::oneshot;

use super::reply::Reply;

/// What a connection writes.
pub(super) type Response = hyper::Response<Tracked>;

/// A body in one piece.
pub(super) struct Tracked {
    data: Option<Bytes>,
    written: Option<oneshot::Sender<()>>,
}

impl Body for Tracked {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let data = self.data.take();
        if let Some(written) = self.written.take() {
            // Nobody may wait for it.
            let _ = written.send(());
        }
        Poll::Ready(data.map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        // While somebody waits to hear that it is written, it is asked for, even if it is empty.
        self.data.is_none() && self.written.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}

/// A reply; without a content type of its own it gets this one.
pub(super) fn plain(reply: &Reply, content_type: &str) -> Response {
    tracked(reply, content_type, None)
}

/// [`plain`], which tells when the connection has the body.
pub(super) fn tracked(reply: &Reply, content_type: &str, mut written: Option<oneshot::Sender<()>>) -> Response {
    let empty = reply.body.is_empty() || matches!(reply.status, 204 | 304);
    if empty && let Some(written) = written.take() {
        // The library does not ask for an empty body.
        let _ = written.send(());
    }
    let data = (!empty).then(|| reply.body.clone());
    let mut response = hyper::Response::new(Tracked { data, written });
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    for (name, value) in &reply.headers {
        headers.append(name, value.clone());
    }
    if !headers.contains_key(CONTENT_TYPE)
        && let Ok(value) = HeaderValue::from_str(content_type)
    {
        headers.insert(CONTENT_TYPE, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Transport specification "httprpc", check 11.
    #[test]
    fn a_header_may_have_several_lines() {
        let response = plain(&Reply::ok("x").header("X-A", "1").header("X-A", "2"), "text/plain");
        let lines: Vec<&HeaderValue> = response.headers().get_all("x-a").iter().collect();
        assert_eq!(lines, ["1", "2"]);
        assert_eq!(response.headers()[CONTENT_TYPE], "text/plain");
    }
}
