//! What a guest may put into a request's head.

use super::super::{Method, WebError, WebRequest};
use super::server::{Server, answer};
use super::{request, send};

fn with_headers(url: &str, headers: &[(&str, &str)]) -> WebRequest {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    WebRequest { headers, ..request(Method::Get, url) }
}

#[tokio::test]
async fn headers_that_would_break_out_are_refused() {
    let server = Server::fixed(answer("200 OK", "", b"")).await;
    let wrong: &[(&str, &str)] = &[
        ("x-a", "1\r\nx-injected: 1"),
        ("x-a", "1\nx-injected: 1"),
        ("x-a", "1\r"),
        ("x-a", "1\0"),
        ("x-a", "\x7f"),
        ("x-a: 1\r\nx-injected", "1"),
        ("x a", "1"),
        ("x-a:", "1"),
        (":authority", "evil.test"),
        ("", "1"),
        ("x-ü", "1"),
        ("Host", "evil.test"),
        ("host", "evil.test"),
        ("Connection", "close"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Connection", "keep-alive"),
        ("Transfer-Encoding", "chunked"),
        ("TE", "trailers"),
        ("Trailer", "x"),
        ("Upgrade", "websocket"),
        ("HTTP2-Settings", "x"),
    ];
    for (name, value) in wrong {
        let error = send(&[&server.entry()], with_headers(&server.url("/"), &[(name, value)])).await.unwrap_err();
        assert!(matches!(error, WebError::Invalid(_)), "{name:?} {value:?}: {error:?}");
        assert!(!error.to_string().contains(['\r', '\n', '\0']), "{error}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn other_headers_arrive() {
    let server = Server::fixed(answer("200 OK", "X-Twice: a\r\nX-Twice: b\r\n", b"")).await;
    let headers = [("X-One", "ü"), ("X-Two", "a"), ("x-two", "b"), ("Content-Length", "999"), ("User-Agent", "me")];
    let response = send(&[&server.entry()], with_headers(&server.url("/"), &headers)).await.unwrap();
    let twice: Vec<_> = response.headers.iter().filter(|(name, _)| name == "x-twice").map(|(_, value)| value).collect();
    assert_eq!(twice, ["a", "b"]);

    let seen = server.requests().concat().to_lowercase();
    for line in ["x-one: ü\r\n", "x-two: a\r\n", "x-two: b\r\n", "user-agent: me\r\n", "accept-encoding: gzip\r\n"] {
        assert!(seen.contains(line), "{line:?} is missing in {seen}");
    }
    assert!(seen.contains(&format!("host: {}\r\n", server.address)), "{seen}");
    for absent in ["999", "referer", "cookie", "authorization"] {
        assert!(!seen.contains(absent), "{absent} in {seen}");
    }
}

#[tokio::test]
async fn response_values_that_are_not_utf8_are_read_as_latin_1() {
    let bytes = b"HTTP/1.1 200 OK\r\nX-Latin: caf\xe9\r\nX-Utf: caf\xc3\xa9\r\nContent-Length: 0\r\n\r\n".to_vec();
    let server = Server::fixed(bytes).await;
    let response = send(&[&server.entry()], request(Method::Get, &server.url("/"))).await.unwrap();
    let value =
        |wanted: &str| response.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    assert_eq!((value("x-latin"), value("x-utf")), (Some("café"), Some("café")));
}

#[tokio::test]
async fn bodies_and_methods_arrive() {
    let server = Server::fixed(answer("201 Created", "", b"made")).await;
    for (method, name) in
        [(Method::Post, "POST"), (Method::Put, "PUT"), (Method::Patch, "PATCH"), (Method::Delete, "DELETE")]
    {
        let request = WebRequest { body: Some(b"{\"a\":1}".to_vec()), ..request(method, &server.url("/x?y=1#z")) };
        let response = send(&[&server.entry()], request).await.unwrap();
        assert_eq!((response.status, response.body.as_slice(), response.bytes_used), (201, b"made".as_slice(), 7 + 4));
        let seen = server.requests().pop().unwrap();
        assert!(seen.starts_with(&format!("{name} /x?y=1 HTTP/1.1\r\n")), "{seen}");
        assert!(seen.contains("content-length: 7\r\n") && seen.ends_with("\r\n\r\n{\"a\":1}"), "{seen}");
    }
}

#[tokio::test]
async fn too_many_headers_and_bad_urls_are_invalid() {
    let many: Vec<(String, String)> = (0..101).map(|i| (format!("x-{i}"), String::new())).collect();
    let large = vec![("x-a".to_owned(), "a".repeat(65 * 1024))];
    for headers in [many, large] {
        let request = WebRequest { headers, ..request(Method::Get, "http://open.test/") };
        let error = send(&["http://open.test"], request).await.unwrap_err();
        assert!(matches!(&error, WebError::Invalid(text) if text.contains("too many headers")), "{error:?}");
    }

    let long = format!("http://open.test/{}", "a".repeat(16 * 1024));
    let matrix = [
        ("", "No URL given"),
        ("nonsense", "must begin with http://"),
        ("//open.test/", "must begin with http://"),
        ("http://", "cannot be read"),
        ("http://open.test:99999/", "cannot be read"),
        ("http://exa mple.test/", "cannot be read"),
        ("ftp://open.test/", "must begin with http://"),
        ("file:///etc/passwd", "must begin with http://"),
        ("http://open.test/\r\nx-injected: 1", "control character"),
        (&long, "longer than 16384 bytes"),
    ];
    for (url, part) in matrix {
        let error = send(&["http://open.test"], request(Method::Get, url)).await.unwrap_err();
        assert!(matches!(&error, WebError::Invalid(text) if text.contains(part)), "{url:?}: {error:?}");
    }
}
