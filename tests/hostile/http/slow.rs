//! Clients that take their time.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use super::{Setup, Site, code};

/// Begins a request and goes on a byte at a time; what comes back, and when.
fn trickle(site: &Site, beginning: &str) -> (String, Duration) {
    let mut stream = site.connect();
    let began = Instant::now();
    stream.write_all(beginning.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut heard = Vec::new();
    loop {
        assert!(began.elapsed() < Duration::from_secs(20), "no answer: {:?}", String::from_utf8_lossy(&heard));
        // It fails once the host has closed.
        let _ = stream.write_all(b"a");
        let mut part = [0; 4_096];
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(read) => heard.extend(&part[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => drop(site.good()),
            Err(_) if !heard.is_empty() => break,
            Err(error) => panic!("the connection broke without an answer: {error}"),
        }
    }
    (String::from_utf8_lossy(&heard).into_owned(), began.elapsed())
}

#[test]
fn slow_heads_and_bodies_end_in_time_and_others_are_served() {
    let site = Setup::new("", "").start();
    for (beginning, line) in [
        ("GET /web?content=", "a request did not arrive within 1s"),
        ("POST /web HTTP/1.1\r\nHost: h\r\nX-A: ", "a request did not arrive within 1s"),
        ("POST /sms HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nto_msisdn=", "its body did not arrive in time"),
        (
            "POST /web HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
            "its body did not arrive in time",
        ),
    ] {
        let (response, took) = trickle(&site, beginning);
        assert_eq!(code(&response), 408, "{beginning:?}: {response}");
        assert!(response.to_ascii_lowercase().contains("connection: close"), "{response}");
        assert!(took > Duration::from_millis(900) && took < Duration::from_secs(10), "{beginning:?}: {took:?}");
        site.logged(&["WARN", line]);
    }
    site.good();
    site.pending_is("/health", 0);
}

#[test]
fn a_connection_that_asks_for_nothing_is_closed_in_silence() {
    let site = Setup::new("", "").start();
    let mut stream = site.connect();
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"");
    assert!(!site.host.log().contains("did not arrive"), "{}", site.host.log());
}
