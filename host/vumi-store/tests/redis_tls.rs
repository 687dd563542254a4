//! Redis behind TLS (`rediss://`). Which certificates are trusted is read from the environment, once, so each case runs in
//! a process of its own: the parent starts this test program again and runs the ignored test in it.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod kit;

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use kit::redis::open_impatient;
use vumi_core::KvStore;
use vumi_test_servers::Redis;

const URL: &str = "VUMI_STORE_TEST_URL";
const TRUSTED: &str = "VUMI_STORE_TEST_TRUSTED";

#[tokio::test]
#[ignore = "runs as the child process of a_certificate_decides"]
async fn child_uses_redis() {
    let store = open_impatient(&std::env::var(URL).expect("set by the parent"), Duration::from_secs(5));
    let answer = store.set("k", "v", None).await;
    if std::env::var_os(TRUSTED).is_some() {
        answer.expect("sets");
        assert_eq!(store.get("k").await.expect("reads").as_deref(), Some("v"));
    } else {
        let error = answer.expect_err("the certificate is not trusted");
        let text = error.report();
        assert!(error.is_temporary() && text.contains("cannot be reached (") && text.contains("certificate"), "{text}");
    }
}

/// A certificate for 127.0.0.1, signed by itself.
fn certificate(directory: &Path) -> (String, String) {
    let path = |name: &str| directory.join(name).display().to_string();
    let (key, cert) = (path("key.pem"), path("cert.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", &key, "-out", &cert])
        .output()
        .expect("openssl is there");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (key, cert)
}

#[test]
fn a_certificate_decides() {
    let directory = tempfile::tempdir().expect("a directory");
    let (key, cert) = certificate(directory.path());
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
    let tls = ["--tls-port", &port.to_string(), "--tls-cert-file", &cert, "--tls-key-file", &key];
    let _server = Redis::with(&[tls.as_slice(), &["--tls-ca-cert-file", &cert, "--tls-auth-clients", "no"]].concat());
    let child = |trusted: Option<&str>| {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--ignored", "--exact", "child_uses_redis", "--nocapture"]);
        command.env(URL, format!("rediss://127.0.0.1:{port}/0"));
        if let Some(cert) = trusted {
            command.env("SSL_CERT_FILE", cert).env(TRUSTED, "1");
        }
        let output = command.output().expect("runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
    };
    child(Some(&cert));
    child(None);
}
