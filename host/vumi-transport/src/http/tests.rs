//! The server with a handler that reads nothing, over real sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::body::{self, Response};
use super::site::Site;
use super::sites::{Found, Handler, Place, Sites};
use super::{Reply, reply};
use crate::base::endpoint::Listen;

const READ: Duration = Duration::from_millis(200);

/// Answers with the path's last segment and leaves the body where it is.
struct Deaf;

#[async_trait]
impl Handler for Deaf {
    async fn serve(self: Arc<Self>, _: hyper::Request<Incoming>, found: Found, _: SocketAddr) -> Response {
        let reply = Reply::status(413).body(found.rest.last().cloned().unwrap_or_default());
        body::plain(&reply, "text/plain")
    }

    fn health(&self, pending: usize) -> Response {
        body::plain(&Reply::ok(pending.to_string()), "text/html")
    }

    fn pending(&self) -> usize {
        7
    }
}

async fn open(sites: &Sites, listen: Listen, path: &str) -> vumi_core::Result<Place> {
    let mut site = Site::new("web_port", listen, &[path]);
    site.health = Some("health".to_owned());
    sites.open(&site, Arc::new(Deaf), READ).await
}

async fn served() -> Place {
    open(&Sites::default(), Listen::at(None, 0), "/a").await.unwrap()
}

/// Everything that comes back.
async fn told(at: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    heard
}

#[tokio::test]
async fn a_client_that_is_not_done_sees_the_answer() {
    let place = served().await;
    let mut request = b"POST /a/x HTTP/1.1\r\nHost: h\r\nContent-Length: 6000000\r\n\r\n".to_vec();
    request.extend(vec![b'a'; 6_000_000]);
    let heard = told(place.at, &request).await;
    assert!(heard.starts_with("HTTP/1.1 413") && heard.ends_with("\r\n\r\nx"), "{heard}");
    place.close().await;
}

#[tokio::test]
async fn a_head_that_does_not_end_is_told_so_and_one_that_does_not_begin_is_not() {
    let place = served().await;
    let heard = told(place.at, b"GET /a/x HTTP/1.1\r\nHo").await;
    assert!(heard.starts_with("HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n"), "{heard}");
    assert_eq!(told(place.at, b"").await, "");
    place.close().await;
}

#[tokio::test]
async fn requests_behind_each_other_are_answered_in_order() {
    let place = served().await;
    let request = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nHost: h\r\n{more}\r\n");
    let all =
        [request("/a/1", ""), request("/health", ""), request("/b", ""), request("/a/2", "Connection: close\r\n")];
    let heard = told(place.at, all.concat().as_bytes()).await;
    let bodies: Vec<&str> = heard.split("HTTP/1.1 ").filter_map(|one| one.split("\r\n\r\n").nth(1)).collect();
    assert_eq!(bodies, ["1", "7", "Not Found", "2"], "{heard}");
    place.close().await;
}

#[tokio::test]
async fn clients_that_do_not_close_do_not_hold_up_the_end() {
    let place = served().await;
    let mut streams = Vec::new();
    for request in ["", "GET /a/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "no HTTP\r\n\r\n"] {
        let mut stream = TcpStream::connect(place.at).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        if !request.is_empty() {
            // It has its answer, and does not read on to the end.
            assert_eq!(stream.read_u8().await.unwrap(), b'H');
        }
        streams.push(stream);
    }
    let began = Instant::now();
    place.close().await;
    assert!(began.elapsed() < Duration::from_millis(1_500), "{:?}", began.elapsed());
    assert!(streams.len() == 3);
}

#[tokio::test]
async fn a_path_is_free_again_when_its_transport_has_ended() {
    let sites = Sites::default();
    let first = open(&sites, Listen::at(None, 0), "/a").await.unwrap();
    let here = Listen::at(None, first.at.port());
    // The port is taken by somebody who does not share it.
    let taken = open(&sites, here.clone(), "/b").await.err().unwrap();
    assert!(taken.is_temporary() && taken.report().contains("cannot listen on"), "{}", taken.report());
    let at = first.at;
    first.close().await;
    let second = open(&sites, here.clone(), "/a").await.unwrap();
    let doubled = open(&sites, here.clone(), "a/").await.err().unwrap();
    assert!(!doubled.is_temporary() && doubled.report().contains("another transport serves the path /a"));
    let third = open(&sites, here, "/b").await.unwrap();
    assert_eq!((second.at, third.at), (at, at));
    second.close().await;
    let request = "GET /b/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    assert!(told(at, request.as_bytes()).await.ends_with("x"));
    assert!(told(at, request.replace("/b", "/a").as_bytes()).await.starts_with("HTTP/1.1 404"));
    third.close().await;
    assert!(TcpStream::connect(at).await.is_err(), "nobody listens any more");
}

#[test]
fn what_a_stranger_sends_stays_on_its_line() {
    assert!(!reply::shown("a\r\nb\u{7f}\0").chars().any(char::is_control));
}
