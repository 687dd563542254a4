//! Bodies and time: what is too much ends early, what just fits is let through.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::body::{Fault, Sink};
use super::super::{DATA_LIMIT, Method, WebBudget, WebClient, WebError, WebRequest, WebResponse};
use super::server::{Answer, Server, answer, redirect, unmeasured};
use super::{budget, get, policy, request, send};

const LIMIT: usize = DATA_LIMIT as usize;
const GZIP: &str = "Content-Encoding: gzip\r\n";

/// Far above what sockets buffer on the way, far below endless.
const SOON: u64 = 32 << 20;

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Bytes that gzip cannot make smaller.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

async fn fetch(server: &Server) -> Result<WebResponse, WebError> {
    get(&[&server.entry()], &server.url("/")).await
}

async fn fetch_within(server: &Server, budget: &mut WebBudget) -> Result<WebResponse, WebError> {
    let client = WebClient::new(policy(&[&server.entry()]));
    client.request(request(Method::Get, &server.url("/")), budget).await
}

fn too_large(received: usize) -> WebError {
    WebError::TooLarge(format!("Received {received} bytes, maximum of 131072 bytes allowed."))
}

#[tokio::test]
async fn any_status_is_a_response() {
    let server = Server::fixed(answer("503 Service Unavailable", "X-A: b\r\n", b"down")).await;
    let response = fetch(&server).await.unwrap();
    assert_eq!((response.status, response.body.as_slice(), response.bytes_used), (503, b"down".as_slice(), 4));
    assert!(response.headers.contains(&("x-a".to_owned(), "b".to_owned())));
}

#[tokio::test]
async fn exactly_the_limit_is_allowed() {
    let chunk = format!("{LIMIT:x}\r\n{}\r\n0\r\n\r\n", "a".repeat(LIMIT));
    for bytes in [
        answer("200 OK", "", &vec![b'a'; LIMIT]),
        unmeasured("", &vec![b'a'; LIMIT]),
        unmeasured("Transfer-Encoding: chunked\r\n", chunk.as_bytes()),
        answer("200 OK", GZIP, &gzipped(&vec![b'a'; LIMIT])),
    ] {
        let response = fetch(&Server::fixed(bytes).await).await.unwrap();
        assert_eq!(response.body, vec![b'a'; LIMIT]);
        assert_eq!(response.bytes_used, DATA_LIMIT);
    }
}

#[tokio::test]
async fn one_byte_more_is_too_large() {
    let body = vec![b'a'; LIMIT + 1];
    let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", LIMIT + 1, "a".repeat(LIMIT + 1));
    for bytes in [
        answer("200 OK", "", &body),
        unmeasured("", &body),
        unmeasured("Transfer-Encoding: chunked\r\n", chunk.as_bytes()),
        answer("200 OK", GZIP, &gzipped(&body)),
        unmeasured(GZIP, &gzipped(&body)),
    ] {
        assert_eq!(fetch(&Server::fixed(bytes).await).await.unwrap_err(), too_large(LIMIT + 1));
    }
}

#[tokio::test]
async fn a_long_content_length_fails_before_the_body() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 131073\r\n\r\n".to_vec();
    let server = Server::start(move |_| Answer::Stall(head.clone())).await;
    let mut budget = budget();
    assert_eq!(fetch_within(&server, &mut budget).await.unwrap_err(), too_large(131_073));
    assert_eq!(budget, super::budget(), "nothing was read");
}

#[tokio::test]
async fn a_content_length_without_a_body_is_no_matter() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\nContent-Encoding: gzip\r\n\r\n".to_vec();
    let server = Server::fixed(head).await;
    let response = send(&[&server.entry()], request(Method::Head, &server.url("/"))).await.unwrap();
    assert_eq!((response.status, response.body.len(), response.bytes_used), (200, 0, 0));
    assert!(response.headers.contains(&("content-length".to_owned(), "99999999".to_owned())));
    assert!(response.headers.contains(&("content-encoding".to_owned(), "gzip".to_owned())));

    let server = Server::fixed(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99999999\r\n\r\n".to_vec()).await;
    assert_eq!(fetch(&server).await.unwrap().status, 304);
}

#[tokio::test]
async fn an_endless_body_stops_early() {
    let chunk = format!("1000\r\n{}\r\n", "a".repeat(0x1000)).into_bytes();
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let server = Server::start(move |_| Answer::Endless(head.clone(), chunk.clone())).await;
    let mut budget = budget();
    let error = fetch_within(&server, &mut budget).await.unwrap_err();
    assert!(error.to_string().ends_with(" bytes, maximum of 131072 bytes allowed."), "{error}");
    server.ended(1).await;
    assert!(server.written() < SOON, "the server wrote {} bytes", server.written());
    let used = super::budget().bytes_left - budget.bytes_left;
    assert!(used > DATA_LIMIT && used < 1 << 20, "{used} bytes counted");
}

#[tokio::test]
async fn a_gzip_bomb_stops_early() {
    let server = Server::fixed(answer("200 OK", GZIP, &gzipped(&vec![0; 64 << 20]))).await;
    let mut budget = budget();
    let error = fetch_within(&server, &mut budget).await.unwrap_err();
    assert!(error.to_string().ends_with(" bytes, maximum of 131072 bytes allowed."), "{error}");
    let used = super::budget().bytes_left - budget.bytes_left;
    assert!(used < DATA_LIMIT + (64 << 10), "{used} bytes were decoded");
}

#[tokio::test]
async fn endless_gzip_that_decodes_to_nothing_stops_early() {
    let mut head = unmeasured(GZIP, &gzipped(b"")[..10]);
    head.extend_from_slice(&[0, 0, 0, 0xff, 0xff]);
    let empty_blocks = [0, 0, 0, 0xff, 0xff].repeat(1000);
    let server = Server::start(move |_| Answer::Endless(head.clone(), empty_blocks.clone())).await;
    let error = fetch(&server).await.unwrap_err();
    assert!(error.to_string().ends_with(" bytes, maximum of 131072 bytes allowed."), "{error}");
    server.ended(1).await;
    assert!(server.written() < SOON, "the server wrote {} bytes", server.written());
}

#[tokio::test]
async fn gzip_is_decoded_and_its_headers_go() {
    let two = [gzipped(b"hello "), gzipped(b"world")].concat();
    for (headers, body, text) in [
        (GZIP, gzipped(b"hello"), "hello"),
        ("Content-Encoding: X-GZip\r\n", gzipped(b"hello"), "hello"),
        (GZIP, two, "hello world"),
        (GZIP, gzipped(b""), ""),
    ] {
        let response = fetch(&Server::fixed(answer("200 OK", headers, &body)).await).await.unwrap();
        assert_eq!(String::from_utf8(response.body).unwrap(), text);
        let untrue = |(name, _): &(String, String)| name == "content-encoding" || name == "content-length";
        assert!(!response.headers.iter().any(untrue), "{:?}", response.headers);
    }
}

#[tokio::test]
async fn what_is_not_plain_gzip_is_handed_on() {
    let body = gzipped(b"hello");
    let mut partial = b"HTTP/1.1 206 Partial Content\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n".to_vec();
    partial.extend_from_slice(&body[..3]);
    for (bytes, kept) in [
        (answer("200 OK", "Content-Encoding: br\r\n", &body), body.as_slice()),
        (answer("200 OK", "Content-Encoding: gzip, br\r\n", &body), body.as_slice()),
        (answer("200 OK", "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", &body), body.as_slice()),
        (partial, &body[..3]),
        (answer("200 OK", GZIP, b""), b"".as_slice()),
    ] {
        let response = fetch(&Server::fixed(bytes).await).await.unwrap();
        assert_eq!(response.body, kept);
        assert!(response.headers.iter().any(|(name, _)| name == "content-encoding"));
    }
}

#[tokio::test]
async fn broken_bodies_are_network_failures() {
    let whole = gzipped(b"hello");
    let short = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".to_vec();
    for bytes in [
        answer("200 OK", GZIP, b"plain text"),
        answer("200 OK", GZIP, &whole[..whole.len() - 1]),
        answer("200 OK", GZIP, &[whole.as_slice(), b"rubbish at the end"].concat()),
        short,
        b"this is not HTTP\r\n\r\n".to_vec(),
        Vec::new(),
    ] {
        let error = fetch(&Server::fixed(bytes).await).await.unwrap_err();
        assert!(matches!(error, WebError::Network(_)), "{error:?}");
    }
}

/// Every truncation and many corruptions of a gzip stream, in pieces of every size: an error or a body, no panic.
#[test]
fn no_gzip_input_panics() {
    let whole = gzipped(&noise(300));
    let decode = |bytes: &[u8], piece: usize| -> Result<Vec<u8>, Fault> {
        let mut sink = Sink::new(true, 400);
        for chunk in bytes.chunks(piece) {
            sink.push(chunk)?;
        }
        sink.finish()?;
        Ok(sink.into_bytes())
    };
    for piece in [1, 2, 7, 64, 1000] {
        assert_eq!(decode(&whole, piece), Ok(noise(300)));
        for end in 1..whole.len() {
            assert_eq!(decode(&whole[..end], piece), Err(Fault::NotGzip), "cut at {end}");
        }
        for at in 0..whole.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] ^= change;
                // Some bits mean nothing (times in the header, padding of blocks); no other change goes unnoticed.
                if let Ok(body) = decode(&bytes, piece) {
                    assert_eq!(body, noise(300), "byte {at} changed by {change}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_bytes_of_a_run_are_counted_and_limited() {
    let server = Server::start(|_| Answer::Keep(answer("200 OK", "", &[b'a'; 100]))).await;
    let client = WebClient::new(policy(&[&server.entry()]));
    let post = || WebRequest { body: Some(vec![b'b'; 50]), ..request(Method::Post, &server.url("/")) };
    let mut budget = WebBudget { bytes_left: 400, ..budget() };
    for left in [250, 100] {
        assert_eq!(client.request(post(), &mut budget).await.unwrap().bytes_used, 150);
        assert_eq!(budget.bytes_left, left);
    }
    let error = client.request(post(), &mut budget).await.unwrap_err();
    assert_eq!(error.to_string(), "Received 100 bytes, 50 bytes were left for this run's HTTP bodies.");
    assert_eq!(budget.bytes_left, 50);
    budget.bytes_left = 49;
    let asked = server.requests().len();
    let error = client.request(post(), &mut budget).await.unwrap_err();
    assert_eq!(error.to_string(), "The request body has 50 bytes, 49 bytes are left for this run's HTTP bodies.");
    assert_eq!((budget.bytes_left, server.requests().len()), (49, asked), "nothing was sent");
}

#[tokio::test]
async fn time_covers_the_whole_exchange() {
    let timeout = Duration::from_millis(150);
    let part = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".to_vec();
    let silent = Server::start(|_| Answer::Stall(Vec::new())).await;
    let half = Server::start(move |_| Answer::Stall(part.clone())).await;
    // Each hop is quick enough; all together they are not.
    let hops = Server::start(|_| Answer::Late(Duration::from_millis(40), redirect("302 Found", "/"))).await;
    for (server, used) in [(silent, 0), (half, 4), (hops, 0)] {
        let started = Instant::now();
        let mut budget = WebBudget { timeout, ..budget() };
        let error = fetch_within(&server, &mut budget).await.unwrap_err();
        assert_eq!(error, WebError::Timeout("The exchange did not end within 150 ms.".to_owned()));
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert_eq!(super::budget().bytes_left - budget.bytes_left, used, "what arrived before counts");
        server.ended(1).await;
    }
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let server = Server::start(|_| {
        Answer::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), format!("X-A: {}\r\n", "a".repeat(1000)).into_bytes())
    })
    .await;
    let error = fetch(&server).await.unwrap_err();
    assert!(matches!(error, WebError::Network(_)), "{error:?}");
    server.ended(1).await;
    assert!(server.written() < SOON, "the server wrote {} bytes", server.written());
}

#[tokio::test]
async fn failures_to_connect_name_the_origin_only() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let origin = format!("http://127.0.0.1:{port}");
    let error = get(&[&origin], &format!("{origin}/token/x?key=secret")).await.unwrap_err();
    let WebError::Network(text) = &error else { panic!("{error:?}") };
    assert!(text.starts_with(&format!("The exchange with {origin} failed: ")), "{text}");
    assert!(!text.contains("token") && !text.contains("secret"), "{text}");
}

#[tokio::test]
async fn connections_are_kept_for_named_origins_only() {
    let server = Server::start(|_| Answer::Keep(answer("200 OK", "", b"ok"))).await;
    let twice = async |allow: &[&str]| {
        let before = server.connections();
        let client = WebClient::new(policy(allow));
        for _ in 0..2 {
            client.request(request(Method::Get, &server.url("/")), &mut budget()).await.unwrap();
        }
        server.connections() - before
    };
    assert_eq!(twice(&[&server.entry()]).await, 1);
    assert_eq!(twice(&["http://*:*", "127.0.0.0/8"]).await, 2, "a guest could open any number of origins");
}

/// The library's client is as costly to build as the certificates of the system are many; printed with `--nocapture`.
#[tokio::test]
async fn the_client_is_built_once() {
    let server = Server::start(|_| Answer::Keep(answer("200 OK", "", b"ok"))).await;
    for allow in [vec![server.entry()], vec![server.entry(), "https://unused.test".to_owned()]] {
        let client = WebClient::new(super::super::WebPolicy::parse(&allow).unwrap());
        let mut times = Vec::new();
        for _ in 0..3 {
            let started = Instant::now();
            let result = client.request(request(Method::Get, &server.url("/")), &mut budget()).await;
            times.push(started.elapsed());
            assert!(result.is_ok(), "{result:?}");
        }
        println!("first and following requests under {allow:?}: {times:?}");
    }
    assert_eq!(server.connections(), 2, "each client kept its connection");
}
