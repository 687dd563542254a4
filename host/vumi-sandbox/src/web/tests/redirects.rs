//! Redirects: what is followed, what goes along, where it must not lead.

use super::super::{Method, WebError, WebRequest, WebResponse};
use super::server::{Answer, Server, answer, redirect};
use super::{get, request, send};

/// Answers `/` with `first` and everything else with `ok`.
async fn leading(first: Vec<u8>) -> Server {
    let ok = answer("200 OK", "", b"arrived");
    Server::start(move |request| Answer::Close(if request.contains(" / HTTP") { first.clone() } else { ok.clone() }))
        .await
}

async fn ask(server: &Server, method: Method) -> Result<WebResponse, WebError> {
    send(&[&server.entry()], request(method, &server.url("/"))).await
}

fn lines(server: &Server) -> Vec<String> {
    server.requests().iter().map(|request| request.lines().next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn get_and_head_follow() {
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent", "303 See Other"] {
        for target in ["/there?x=1", "there?x=1", "/a/../there?x=1#part"] {
            let server = leading(redirect(status, target)).await;
            let response = ask(&server, Method::Get).await.unwrap();
            assert_eq!((response.status, response.body.as_slice()), (200, b"arrived".as_slice()));
            assert_eq!(lines(&server), ["GET / HTTP/1.1", "GET /there?x=1 HTTP/1.1"]);
        }
        let server = leading(redirect(status, "/there")).await;
        ask(&server, Method::Head).await.unwrap();
        let then = if status.starts_with("303") { "GET /there HTTP/1.1" } else { "HEAD /there HTTP/1.1" };
        assert_eq!(lines(&server), ["HEAD / HTTP/1.1", then]);
    }
}

#[tokio::test]
async fn other_methods_follow_303_only_and_as_get() {
    for method in [Method::Post, Method::Put, Method::Patch, Method::Delete] {
        for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
            let server = leading(redirect(status, "/there")).await;
            let error = ask(&server, method).await.unwrap_err();
            assert!(matches!(error, WebError::RedirectRefused(_)), "{error:?}");
            assert_eq!(server.requests().len(), 1);
        }
        let server = leading(redirect("303 See Other", "/there")).await;
        let headers =
            vec![("Content-Type".to_owned(), "text/x-mine".to_owned()), ("X-Mine".to_owned(), "1".to_owned())];
        let body = Some(b"the body".to_vec());
        let request = WebRequest { headers, body, ..request(method, &server.url("/")) };
        assert_eq!(send(&[&server.entry()], request).await.unwrap().bytes_used, 8 + 7);
        let second = server.requests().pop().unwrap();
        assert!(second.starts_with("GET /there HTTP/1.1\r\n"), "{second}");
        assert!(second.contains("x-mine: 1\r\n"), "{second}");
        assert!(!second.contains("text/x-mine") && !second.contains("the body"), "{second}");
    }
}

#[tokio::test]
async fn redirects_without_a_target_are_responses() {
    for status in ["302 Found", "303 See Other", "304 Not Modified", "300 Multiple Choices"] {
        for method in [Method::Get, Method::Post] {
            let server = leading(answer(status, "", b"")).await;
            let response = ask(&server, method).await.unwrap();
            assert!(status.starts_with(&response.status.to_string()));
        }
    }
    let server = leading(redirect("300 Multiple Choices", "/there")).await;
    assert_eq!(ask(&server, Method::Get).await.unwrap().status, 300);
}

#[tokio::test]
async fn targets_that_are_no_urls_are_refused() {
    let not_text = b"HTTP/1.1 302 Found\r\nLocation: /\xff\xfe\r\nContent-Length: 0\r\n\r\n".to_vec();
    let mut answers = vec![not_text, redirect("302 Found", &format!("/{}", "a".repeat(17_000)))];
    answers
        .extend(["http://", "http://[::1", "http://a b/", "http://h.test:99999/"].map(|to| redirect("302 Found", to)));
    for answer in answers {
        let server = leading(answer).await;
        let error = ask(&server, Method::Get).await.unwrap_err();
        assert!(matches!(error, WebError::RedirectRefused(_)), "{error:?}");
    }
}

#[tokio::test]
async fn twenty_redirects_and_no_more() {
    // /5 leads to /4 and so on; /0 is the end.
    let server = Server::start(|request| {
        let count: u32 = request.split(['/', ' ']).nth(2).unwrap().parse().unwrap();
        Answer::Close(match count {
            0 => answer("200 OK", "", b"end"),
            more => redirect("302 Found", &format!("/{}", more - 1)),
        })
    })
    .await;
    assert_eq!(get(&[&server.entry()], &server.url("/20")).await.unwrap().body, b"end");
    assert_eq!(server.requests().len(), 21);
    let error = get(&[&server.entry()], &server.url("/21")).await.unwrap_err();
    assert_eq!(error, WebError::TooManyRedirects("More than 20 redirects.".to_owned()));
    assert_eq!(server.requests().len(), 42, "the request after the twentieth redirect was the last");

    let endless = Server::fixed(redirect("302 Found", "/")).await;
    let error = get(&[&endless.entry()], &endless.url("/")).await.unwrap_err();
    assert!(matches!(error, WebError::TooManyRedirects(_)), "{error:?}");
}

#[tokio::test]
async fn credentials_stay_behind_when_the_origin_changes() {
    let other = Server::fixed(answer("200 OK", "", b"")).await;
    let there = other.url("/there");
    let server = Server::start(move |request| {
        Answer::Close(redirect("302 Found", if request.contains(" / ") { "/same" } else { &there }))
    })
    .await;
    let secrets = ["Authorization", "Cookie", "Proxy-Authorization"];
    let mut headers: Vec<_> = secrets.map(|name| (name.to_owned(), "key=secret".to_owned())).to_vec();
    headers.push(("X-Mine".to_owned(), "1".to_owned()));
    let request = WebRequest { headers, ..request(Method::Get, &server.url("/")) };
    send(&[&server.entry(), &other.entry()], request).await.unwrap();

    for request in server.requests() {
        assert_eq!(request.matches("key=secret").count(), 3, "the same origin gets them: {request}");
    }
    let [request] = other.requests().try_into().unwrap();
    assert!(!request.contains("secret") && request.contains("x-mine: 1\r\n"), "{request}");
    assert!(!request.to_lowercase().contains("referer"), "{request}");
}

#[tokio::test]
async fn cookies_live_for_one_request() {
    let server = Server::start(|request| {
        Answer::Close(if request.contains(" / ") {
            answer("302 Found", "Location: /there\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2; Path=/elsewhere\r\n", b"")
        } else {
            answer("200 OK", "Set-Cookie: c=3\r\n", b"")
        })
    })
    .await;
    let client = super::WebClient::new(super::policy(&[&server.entry()]));
    for _ in 0..2 {
        let headers = vec![("Cookie".to_owned(), "own=0".to_owned())];
        let request = WebRequest { headers, ..request(Method::Get, &server.url("/")) };
        let response = client.request(request, &mut super::budget()).await.unwrap();
        assert!(response.headers.contains(&("set-cookie".to_owned(), "c=3".to_owned())));
    }
    let cookies: Vec<String> = server
        .requests()
        .iter()
        .map(|request| request.lines().filter(|line| line.starts_with("cookie: ")).collect())
        .collect();
    assert_eq!(cookies, ["cookie: own=0", "cookie: own=0; a=1", "cookie: own=0", "cookie: own=0; a=1"]);
}

#[tokio::test]
async fn every_hop_is_checked() {
    let closed = Server::fixed(answer("200 OK", "", b"reached")).await;
    let port = closed.address.port();
    for target in [
        closed.url("/"),
        format!("http://localhost:{port}/"),
        format!("//127.0.0.1:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://[::ffff:7f00:1]:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[fe80::1]/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "ftp://127.0.0.1/".to_owned(),
        "javascript:alert(1)".to_owned(),
    ] {
        let server = leading(redirect("302 Found", &target)).await;
        let public = ["http://*:80".to_owned(), "https://*:*".to_owned(), server.entry()];
        let allow: Vec<&str> = public.iter().map(String::as_str).collect();
        let error = get(&allow, &server.url("/")).await.unwrap_err();
        assert!(matches!(error, WebError::Blocked(_)), "{target}: {error:?}");
        assert_eq!(server.requests().len(), 1);
    }
    let server = leading(redirect("302 Found", "http://user:secret@127.0.0.1/")).await;
    let error = ask(&server, Method::Get).await.unwrap_err().to_string();
    assert!(error.starts_with("Blocked: ") && !error.contains("secret"), "{error}");
    assert_eq!(closed.connections(), 0);
}

#[tokio::test]
async fn a_path_in_the_list_holds_for_redirects_too() {
    let server = Server::fixed(redirect("302 Found", "/admin")).await;
    let error = get(&[&server.url("/v1")], &server.url("/v1/x")).await.unwrap_err();
    assert!(matches!(error, WebError::Blocked(_)), "{error:?}");
    assert_eq!(lines(&server), ["GET /v1/x HTTP/1.1"]);
}
