//! What machines ask of the admin server, and who may.

use std::io::{Read, Write};
use std::net::TcpStream;

use vumi_tests::guests::{guest, scratch};
use vumi_tests::host::run_binary;
use vumi_tests::{HostBuilder, PATIENCE, http, until};

#[test]
fn health_metrics_and_the_api_document() {
    let host = HostBuilder::app(&guest("echo")).start();
    let health = http::get(host.admin, "/health");
    assert_eq!((health.status, &health.json()["status"]), (200, &"ok".into()));
    host.sms("+27820000001", "hello").expect("it is accepted");
    until("the run is counted", || {
        http::get(host.admin, "/metrics")
            .text()
            .contains("vumi_app_runs_total{app=\"echo\",outcome=\"ok\"}")
            .then_some(())
    });
    let document = host.get("/api/v1/openapi.json");
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.")), "{document}");
    for path in ["/api/v1/messages", "/api/v1/apps/{name}/runs", "/api/v1/queues/{name}/dead", "/metrics", "/health"] {
        assert!(document["paths"].get(path).is_some(), "{path} is described");
    }
    for queue in host.get("/api/v1/queues").as_array().expect("a list") {
        let name = queue["name"].as_str().expect("a name");
        assert_eq!(http::get(host.admin, &format!("/api/v1/queues/{name}/dead")).json(), serde_json::json!([]));
    }
    let gone = http::request(host.admin, "DELETE", "/api/v1/queues/echo.inbound/dead/1", None).unwrap();
    assert_eq!(gone.status, 404);
}

/// The status of a request with a header of its own.
fn status(host: &vumi_tests::Host, path: &str, header: &str) -> u16 {
    let mut stream = TcpStream::connect(host.admin).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{header}\r\n", host.admin).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no HTTP: {answer}"))
}

#[test]
fn with_a_token_only_its_holder_may_ask() {
    let folder = scratch();
    let file = folder.path().join("vumi.yaml");
    std::fs::write(&file, "admin: { listen: 127.0.0.1:0, token: \"${VUMI_TEST_TOKEN}\" }\n").unwrap();
    let token = "a-token-for-this-test";
    let host = HostBuilder::run(&file).env("VUMI_TEST_TOKEN", token).start();
    assert_eq!(status(&host, "/health", ""), 200);
    for path in ["/api/v1/apps", "/metrics", "/api/v1/messages"] {
        assert_eq!(status(&host, path, ""), 401, "{path}");
        assert_eq!(status(&host, path, "Authorization: Bearer a-token-for-this-tesT\r\n"), 401, "{path}");
        assert_eq!(status(&host, path, &format!("Authorization: Bearer {token}\r\n")), 200, "{path}");
    }
    assert!(!host.log().contains(token) && !host.banner.contains(token), "the token is not shown");
}

#[test]
fn without_a_token_only_this_machine_is_served() {
    let (code, _, stderr) = run_binary(&["--app", guest("echo").to_str().unwrap(), "--admin", "0.0.0.0:0"]);
    assert_eq!(code.code(), Some(64), "{stderr}");
    assert!(stderr.contains("other machines can reach 0.0.0.0:0, so a token is required"), "{stderr}");
}
