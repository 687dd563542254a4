//! Names and the addresses behind them: a source of addresses that lies stands in for hostile DNS.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::super::{Lookup, Method, WebBudget, WebClient, WebError, WebResponse};
use super::server::{Answer, Server, answer, eventually};
use super::{budget, get, policy, request};

/// Gives the prepared answers one after the other, then says that the name does not exist.
struct Scripted {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Scripted {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |list: &&[&str]| list.iter().map(|ip| ip.parse().unwrap()).collect();
        Arc::new(Self { answers: Mutex::new(answers.iter().map(parse).collect()), asked: Mutex::default() })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Lookup for Scripted {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let next = self.answers.lock().unwrap().pop_front();
        next.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such name"))
    }
}

async fn ask(client: &WebClient, url: &str) -> Result<WebResponse, WebError> {
    client.request(request(Method::Get, url), &mut budget()).await
}

async fn closing() -> Server {
    Server::fixed(answer("200 OK", "Connection: close\r\n", b"reached")).await
}

#[tokio::test]
async fn names_that_lead_to_closed_addresses_are_blocked() {
    let server = closing().await;
    let port = server.address.port();
    for address in ["127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0", "::", "169.254.169.254", "10.0.0.1", "fd00::1"] {
        let lookup = Scripted::new(&[&[address]]);
        let client = WebClient::with_lookup(policy(&["http://*:*"]), lookup.clone());
        let error = ask(&client, &format!("http://innocent.test:{port}/?key=secret")).await.unwrap_err();
        assert!(matches!(error, WebError::Blocked(_)), "{address}: {error:?}");
        let text = error.to_string();
        assert!(text.starts_with("Blocked: innocent.test has only addresses that are not public"), "{text}");
        assert!(!text.contains(address) && !text.contains("secret"), "{text}");
        assert_eq!(lookup.asked(), ["innocent.test"]);
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn naming_an_address_does_not_open_it_to_names() {
    let server = closing().await;
    let entry = server.entry();
    let client = WebClient::with_lookup(policy(&[&entry, "http://*:*"]), Scripted::new(&[&["127.0.0.1"]]));
    let error = ask(&client, &format!("http://innocent.test:{}/", server.address.port())).await.unwrap_err();
    assert!(matches!(error, WebError::Blocked(_)), "{error:?}");
    assert_eq!(server.connections(), 0);
}

/// Linux has all of 127.0.0.0/8 on its loopback interface; other systems have 127.0.0.1 alone.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn mixed_answers_are_filtered() {
    let server = closing().await;
    let closed = Server::start_on(&format!("127.0.0.2:{}", server.address.port()), |_| {
        Answer::Close(answer("200 OK", "", b"wrong"))
    })
    .await;
    let lookup = Scripted::new(&[&["127.0.0.2", "10.0.0.1", "127.0.0.1", "fe80::1", "::1"]]);
    let client = WebClient::with_lookup(policy(&["http://*:*", "127.0.0.1/32"]), lookup.clone());
    let response = ask(&client, &format!("http://Mixed.Test.:{}/", server.address.port())).await.unwrap();
    assert_eq!(response.body, b"reached");
    assert_eq!(lookup.asked(), ["mixed.test"], "one look-up: its answer is both checked and used");
    assert_eq!((server.connections(), closed.connections()), (1, 0));
    let seen = server.requests().concat().to_lowercase();
    assert!(seen.contains(&format!("host: mixed.test:{}\r\n", server.address.port())), "{seen}");
}

/// Linux has all of 127.0.0.0/8 on its loopback interface; other systems have 127.0.0.1 alone.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_answer_that_changes_between_requests_is_checked_again() {
    let server = closing().await;
    let port = server.address.port();
    let closed =
        Server::start_on(&format!("127.0.0.2:{port}"), |_| Answer::Close(answer("200 OK", "", b"wrong"))).await;
    let entry = format!("http://rebind.test:{port}");
    let lookup = Scripted::new(&[&["127.0.0.1"], &["127.0.0.2"], &["127.0.0.1"]]);
    let client = WebClient::with_lookup(policy(&[&entry, "127.0.0.1/32"]), lookup.clone());
    assert_eq!(ask(&client, &entry).await.unwrap().body, b"reached");
    server.ended(1).await;
    let error = ask(&client, &entry).await.unwrap_err();
    assert!(matches!(error, WebError::Blocked(_)), "{error:?}");
    assert_eq!(ask(&client, &entry).await.unwrap().body, b"reached");
    assert_eq!((lookup.asked().len(), server.connections(), closed.connections()), (3, 2, 0));
}

#[tokio::test]
async fn clients_share_no_connections() {
    let server = Server::start(|_| Answer::Keep(answer("200 OK", "", b"reached"))).await;
    let entry = format!("http://shared.test:{}", server.address.port());
    let open = WebClient::with_lookup(policy(&[&entry, "127.0.0.1/32"]), Scripted::new(&[&["127.0.0.1"]]));
    let strict = WebClient::with_lookup(policy(&[&entry]), Scripted::new(&[&["127.0.0.1"]]));
    assert_eq!(ask(&open, &entry).await.unwrap().body, b"reached");
    let error = ask(&strict, &entry).await.unwrap_err();
    assert!(matches!(error, WebError::Blocked(_)), "{error:?}");
    assert_eq!(ask(&open, &entry).await.unwrap().body, b"reached", "from its own pool, without a second look-up");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn localhost_is_not_asked_for() {
    let server = closing().await;
    let entry = format!("http://localhost:{}", server.address.port());
    let lookup = Scripted::new(&[]);
    for (allow, open) in [
        (vec![entry.as_str()], true),
        (vec!["http://*:*", "127.0.0.0/8"], true),
        (vec!["http://*:*"], false),
        (vec!["http://*:*", "10.0.0.0/8"], false),
    ] {
        let result = ask(&WebClient::with_lookup(policy(&allow), lookup.clone()), &entry).await;
        match result {
            Ok(response) if open => assert_eq!(response.body, b"reached"),
            Err(WebError::Blocked(_)) if !open => {}
            other => panic!("{allow:?}: {other:?}"),
        }
    }
    assert!(lookup.asked().is_empty());
}

#[tokio::test]
async fn names_that_do_not_exist_are_network_failures() {
    for answers in [&[][..], &[&[][..]][..]] {
        let client = WebClient::with_lookup(policy(&["*"]), Scripted::new(answers));
        let error = ask(&client, "http://nowhere.test/?key=secret").await.unwrap_err();
        let WebError::Network(text) = &error else { panic!("{error:?}") };
        assert!(
            text.starts_with("The exchange with http://nowhere.test failed: ") && !text.contains("secret"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn the_system_knows_localhost_by_its_own_resolver_too() {
    let found = super::super::SystemLookup.lookup("localhost").await.unwrap();
    assert!(found.iter().all(IpAddr::is_loopback) && !found.is_empty(), "{found:?}");
    let server = closing().await;
    let entry = server.entry();
    assert_eq!(get(&[&entry], &entry).await.unwrap().body, b"reached");
}

/// Never answers until told to.
struct Stuck {
    running: AtomicUsize,
    started: AtomicUsize,
    gate: Semaphore,
}

#[async_trait]
impl Lookup for Stuck {
    async fn lookup(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        self.started.fetch_add(1, Ordering::SeqCst);
        self.running.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        self.running.fetch_sub(1, Ordering::SeqCst);
        Err(io::Error::new(io::ErrorKind::NotFound, "no such name"))
    }
}

#[tokio::test]
async fn given_up_look_ups_stay_counted_until_they_end() {
    let lookup =
        Arc::new(Stuck { running: AtomicUsize::new(0), started: AtomicUsize::new(0), gate: Semaphore::new(0) });
    let client = WebClient::with_lookup(policy(&["http://*"]), lookup.clone());
    let hurried = || WebBudget { timeout: Duration::from_millis(30), ..budget() };
    for number in 0..12 {
        let request = request(Method::Get, &format!("http://dead{number}.test/"));
        let error = client.request(request, &mut hurried()).await.unwrap_err();
        assert!(matches!(error, WebError::Timeout(_)), "{error:?}");
    }
    assert_eq!((lookup.started.load(Ordering::SeqCst), lookup.running.load(Ordering::SeqCst)), (8, 8));
    lookup.gate.add_permits(100);
    eventually(|| lookup.running.load(Ordering::SeqCst) == 0).await;
    let error = ask(&client, "http://dead.test/").await.unwrap_err();
    assert!(matches!(error, WebError::Network(_)), "{error:?}");
}
