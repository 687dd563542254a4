//! Requests to places that an app may not reach: this machine, private networks, and what leads there by another
//! spelling. Nothing but loopback is ever connected to, and that only if a check fails.

use std::time::Duration;

use tokio::net::TcpListener;
use vumi_core::Outcome;

use crate::kit::Rig;

/// Hosts that are never public, in many spellings.
const CLOSED: [&str; 34] = [
    "127.0.0.1",
    "127.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "0",
    "0.0.0.0",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "%6cocalhost",
    "①②⑦.0.0.1",
    "127。0。0。1",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fd00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.2.1",
    "224.0.0.1",
    "255.255.255.255",
];

#[tokio::test]
async fn addresses_that_are_not_public() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // Every public place is open to this app, on every port.
    let mut rig = Rig::with("hostile", |config| {
        config.http.allow = vec!["http://*:*".into(), "https://*:*".into()];
        config.http.timeout = 5;
    });
    for host in CLOSED {
        for scheme in ["http", "https"] {
            let answer = rig.ask(&format!("http GET {scheme}://{host}:{port}/")).await;
            answer.ended(Outcome::Ok);
            assert!(answer.text().starts_with("error Denied(\"Blocked"), "{scheme}://{host}: {}", answer.text());
        }
    }
    let came = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
    assert!(came.is_err(), "a connection came to this machine");
}

#[tokio::test]
async fn without_an_allow_list_nothing_is_open() {
    let mut rig = Rig::with("hostile", |_| {});
    for url in ["http://example.invalid/", "https://example.invalid:8443/x", "http://127.0.0.1/", "http://[::1]/"] {
        let answer = rig.ask(&format!("http GET {url}")).await;
        assert!(answer.text().starts_with("error Denied(\"Blocked"), "{url}: {}", answer.text());
    }
}

#[tokio::test]
async fn urls_that_are_none() {
    let mut rig = Rig::with("hostile", |config| config.http.allow = vec!["*".into()]);
    let urls = [
        "",
        "x",
        "//",
        "http://",
        "http:///",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "ftp://127.0.0.1/",
        "javascript:1",
        "http://user:secret@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://[::1/",
        "http://\u{0}/",
        "unix:/run/x",
    ];
    for url in urls {
        let answer = rig.ask(&format!("http GET {url}")).await;
        answer.ended(Outcome::Ok);
        let refused = answer.text().starts_with("error Denied") || answer.text().starts_with("error Invalid");
        assert!(refused && !answer.text().contains("secret"), "{url:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_redirect_into_this_machine() {
    let inner = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = inner.local_addr().unwrap();
    let outer = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let open = outer.local_addr().unwrap();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        while let Ok((mut stream, _)) = outer.accept().await {
            let mut request = [0; 1_024];
            let _ = stream.read(&mut request).await;
            let head = format!(
                "HTTP/1.1 302 x\r\nLocation: http://{target}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all(head.as_bytes()).await;
        }
    });
    // This one port is open by name; where it leads to is not.
    let mut rig = Rig::with("hostile", |config| config.http.allow = vec![format!("http://{open}")]);
    let answer = rig.ask(&format!("http GET http://{open}/")).await;
    assert!(answer.text().starts_with("error Denied(\"Blocked"), "{}", answer.text());
    let came = tokio::time::timeout(Duration::ZERO, inner.accept()).await;
    assert!(came.is_err(), "the redirect was followed");
}
