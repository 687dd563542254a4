//! The RapidSMS relay between the queues and real web servers on loopback (specification: rapidsms_relay).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use reqwest::Method;
use serde_json::{Value, json};
use tracing::Level;
use vumi_broker::BrokerOptions;
use vumi_core::{Clock, RedisManager};
use vumi_message::{DeliveryStatus, Event, SessionEvent, Timestamp, UserMessage};
use vumi_worker::NativeAppConfig;

use crate::applications::logs::Logs;
use crate::applications::rig::{Bench, Failures, Rig, fields, in_session, message, mistake, payload, read};
use crate::applications::web::{Server, nobody};

fn status(code: u16) -> Response {
    Response::builder().status(code).body(Body::from("a body")).unwrap()
}

/// A relay, its RapidSMS, and a client that speaks to the relay as RapidSMS does.
struct Bridge {
    rig: Rig,
    rapidsms: Server,
    url: String,
    client: reqwest::Client,
}

/// What the relay's web server answers.
struct Answer {
    code: u16,
    kind: Option<String>,
    text: String,
}

impl Answer {
    #[track_caller]
    fn sent(&self) -> Vec<Value> {
        assert_eq!((self.code, self.kind.as_deref()), (200, Some("application/json; charset=utf-8")), "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    #[track_caller]
    fn refused(&self, code: u16) -> &str {
        assert_eq!((self.code, self.kind.as_deref()), (code, Some("application/json; charset=utf-8")), "{}", self.text);
        &self.text
    }
}

impl Bridge {
    async fn start(more: &str) -> Self {
        Self::on(Bench::new(), more).await
    }

    async fn on(bench: Bench, more: &str) -> Self {
        let rapidsms = Server::start(|_| status(200)).await;
        let url = rapidsms.url("/backend/vumi/");
        let mut rig = bench
            .run(&format!("class: rapidsms_relay\nweb_path: /send/\nweb_port: 0\nrapidsms_url: {url}\n{more}"))
            .await;
        let url = format!("http://{}", rig.address().await);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { rig, rapidsms, url, client }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    async fn post(&self, body: &Value) -> Answer {
        self.post_text(body.to_string()).await
    }

    async fn post_text(&self, body: impl Into<reqwest::Body>) -> Answer {
        answer(self.request(Method::POST, "/send").body(body)).await
    }

    /// A message comes in, under this id.
    async fn original(&self, id: &str, from_addr: &str) -> UserMessage {
        let mut original = message("hello");
        original.set("message_id", id).unwrap();
        original.set("from_addr", from_addr).unwrap();
        self.rig.give(&original).await;
        original
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = tokio::time::timeout(vumi_tests::PATIENCE, request.send()).await.unwrap().unwrap();
    let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    Answer { code: response.status().as_u16(), kind, text: response.text().await.unwrap() }
}

#[tokio::test]
async fn check_01_messages_are_posted_and_the_answer_is_no_reply() {
    let logs = Logs::watch();
    let bridge = Bridge::start("rapidsms_username: u\nrapidsms_password: p\n").await;
    for code in [200, 401, 500] {
        bridge.rapidsms.answer(move |_| status(code));
        let mut original = message("hello");
        original.set("from_addr", "+41791").unwrap();
        bridge.rig.give(&original).await;
        let seen = bridge.rapidsms.only();
        assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/backend/vumi/"));
        assert_eq!(seen.json(), payload(&original));
        assert_eq!(seen.header("authorization"), Some("Basic dTpw"));
        let told = format!("responded with {code}");
        assert!(logs.at(Level::INFO).iter().any(|line| line.text.ends_with(&told)), "{told}");
    }
    assert_eq!(logs.at(Level::ERROR).len(), 0);
    bridge.rig.silent().await;
    bridge.rig.stop().await;
}

#[tokio::test]
async fn check_02_every_kind_of_message_is_posted() {
    let bridge = Bridge::start("rapidsms_http_method: PUT\n").await;
    for event in [SessionEvent::New, SessionEvent::Resume, SessionEvent::Close] {
        bridge.rig.give(&in_session("x", event)).await;
        let seen = bridge.rapidsms.only();
        assert_eq!((seen.method.as_str(), seen.header("authorization")), ("PUT", None));
        assert_eq!(seen.json()["session_event"], event.as_str());
    }
    bridge.rig.stop().await;
}

#[tokio::test]
async fn check_03_messages_to_several_addresses() {
    let mut bridge = Bridge::start("").await;
    for method in [Method::POST, Method::PUT, Method::GET] {
        let body = json!({"to_addr": ["+1", "+2"], "content": "foo"}).to_string();
        let sent = answer(bridge.request(method, "/send/").body(body)).await.sent();
        assert_eq!(sent.len(), 2);
        for (sent, to_addr) in sent.iter().zip(["+1", "+2"]) {
            let message = bridge.rig.next().await;
            assert_eq!(fields(&message, &["to_addr", "content", "in_reply_to"]), json!([to_addr, "foo", null]));
            assert_eq!(message.endpoint(), "default");
            assert_eq!(&payload(&message), sent);
        }
    }
    assert!(bridge.post(&json!({"to_addr": [], "content": "foo"})).await.sent().is_empty());
    bridge.rig.silent().await;
    bridge.rig.stop().await;
}

#[tokio::test]
async fn configured_fields_are_sent() {
    let mut bridge = Bridge::start("send_to: {default: {transport_name: smsT}}\n").await;
    let sent = bridge.post(&json!({"to_addr": ["+1"], "content": "foo"})).await.sent();
    assert_eq!(sent[0]["transport_name"], "smsT");
    assert_eq!(bridge.rig.next().await.transport_name(), Some("smsT"));
    bridge.rig.stop().await;
}

#[tokio::test]
async fn check_04_endpoints() {
    let mut bridge = Bridge::start("allowed_endpoints: [default, '10010']\n").await;
    let sent = bridge.post(&json!({"to_addr": ["+1"], "content": "x", "endpoint": "10010"})).await.sent();
    assert_eq!(sent[0]["routing_metadata"]["endpoint_name"], "10010");
    assert_eq!(bridge.rig.next().await.endpoint(), "10010");
    bridge.post(&json!({"to_addr": ["+1"], "content": "x", "endpoint": null})).await.sent();
    assert_eq!(bridge.rig.next().await.endpoint(), "default");
    let refused = bridge.post(&json!({"to_addr": ["+1"], "content": "x", "endpoint": "bar"})).await;
    assert_eq!(refused.refused(400), "Endpoint 'bar' not defined in list of allowed endpoints ['default', '10010']");
    bridge.rig.silent().await;
    bridge.rig.stop().await;
}

#[tokio::test]
async fn check_05_the_list_is_looked_at_before_the_endpoint() {
    let bridge = Bridge::start("").await;
    let refused = bridge.post(&json!({"to_addr": "+1", "content": "x", "endpoint": "bar"})).await;
    assert_eq!(refused.refused(400), "Supplied `to_addr` ('+1') was not a list.");
    bridge.rig.silent().await;
    bridge.rig.stop().await;
}

#[tokio::test]
async fn check_06_replies() {
    let mut bridge = Bridge::start("").await;
    let mut original = message("hello");
    original.set("message_id", "m1").unwrap();
    original.set("from_addr", "+5").unwrap();
    original.set_endpoint(Some("ussd"));
    bridge.rig.give(&original).await;
    for to_addr in [json!(["+5"]), json!([])] {
        // In reply mode the endpoint is not looked at.
        let body = json!({"to_addr": to_addr, "content": "r", "in_reply_to": "m1", "endpoint": "nope"});
        let sent = bridge.post(&body).await.sent();
        let reply = bridge.rig.next().await;
        assert_eq!(sent, [payload(&reply)]);
        let expected = json!(["m1", "+5", "r", null, "sms_1"]);
        let names = ["in_reply_to", "to_addr", "content", "session_event", "transport_name"];
        assert_eq!((fields(&reply, &names), reply.endpoint()), (expected, "ussd"));
    }
    for to_addr in [json!(["+6"]), json!(["+5", "+6"]), json!(["+5", "+5"])] {
        let refused = bridge.post(&json!({"to_addr": to_addr, "content": "r", "in_reply_to": "m1"})).await;
        assert_eq!(refused.refused(400), "Supplied `to_addrs` don't match `from_addr` of original message 'm1'");
    }
    bridge.rig.silent().await;
    bridge.rig.stop().await;
}

#[tokio::test]
async fn check_07_an_unknown_original() {
    let bridge = Bridge::start("").await;
    let refused = bridge.post(&json!({"to_addr": ["+5"], "content": "r", "in_reply_to": "nope"})).await;
    assert_eq!(refused.refused(400), "Original message 'nope' not found.");
    bridge.rig.silent().await;
    bridge.rig.stop().await;
}

/// A clock that is set.
struct Set(AtomicI64);

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn check_08_originals_are_forgotten() {
    let clock = Arc::new(Set(AtomicI64::new(1_400_000_000)));
    let bench = Bench::with(BrokerOptions::default(), Arc::clone(&clock) as Arc<dyn Clock>);
    let mut bridge = Bridge::on(bench, "vumi_reply_timeout: 1\nredis_manager: {key_prefix: relay}\n").await;
    let original = bridge.original("m1", "+5").await;
    // As Vumi kept it.
    let keys = bridge.rig.context().keyspaces.open(&RedisManager::default()).unwrap();
    let stored = keys.kv.get("relay:messages:m1").await.unwrap();
    assert_eq!(stored, Some(original.to_json()));
    let body = json!({"to_addr": ["+5"], "content": "r", "in_reply_to": "m1"});
    bridge.post(&body).await.sent();
    bridge.rig.next().await;
    clock.0.fetch_add(2, Ordering::SeqCst);
    assert_eq!(bridge.post(&body).await.refused(400), "Original message 'm1' not found.");
    bridge.rig.silent().await;
    bridge.rig.stop().await;
}

#[tokio::test]
async fn check_09_who_may_come_in() {
    let mut bridge = Bridge::start("vumi_username: u\nvumi_password: p\n").await;
    let body = json!({"to_addr": ["+1"], "content": "x"}).to_string();
    let (client, url) = (bridge.client.clone(), format!("{}/send", bridge.url));
    let request = || client.post(&url).body(body.clone());
    for request in [
        request().basic_auth("u", Some("wrong")),
        request().basic_auth("U", Some("p")),
        request().basic_auth("u", None::<&str>),
        request().bearer_auth("u:p"),
        request().header("Authorization", "Basic"),
        request(),
        bridge.request(Method::DELETE, "/send"),
    ] {
        let answer = answer(request).await;
        assert_eq!((answer.code, answer.text.as_str()), (401, "Unauthorized"));
    }
    let response = request().send().await.unwrap();
    assert_eq!(response.headers()["www-authenticate"], "Basic realm=\"RapidSMS Relay\"");
    bridge.rig.silent().await;
    answer(request().basic_auth("u", Some("p"))).await.sent();
    bridge.rig.next().await;

    let logs = Logs::watch();
    let health = answer(bridge.request(Method::GET, "/health")).await;
    assert_eq!((health.code, health.text.as_str()), (200, "OK"));
    assert!(!logs.hold("health"), "it is not in the access log");
    answer(request()).await;
    assert!(logs.hold("POST /send 401"), "other requests are");
    bridge.rig.stop().await;
}

#[tokio::test]
async fn whoever_says_who_he_is_must_be_known() {
    let mut bridge = Bridge::start("").await;
    let body = json!({"to_addr": ["+1"], "content": "x"}).to_string();
    let refused = answer(bridge.request(Method::POST, "/send").basic_auth("u", Some("p")).body(body.clone())).await;
    assert_eq!(refused.code, 401);
    bridge.rig.silent().await;
    bridge.post_text(body).await.sent();
    bridge.rig.next().await;
    bridge.rig.stop().await;
}

#[tokio::test]
async fn check_10_text_beyond_ascii() {
    let mut bridge = Bridge::start("").await;
    bridge.rig.give(&message("fær")).await;
    assert_eq!(bridge.rapidsms.only().json()["content"], "fær");
    for body in [r#"{"to_addr":["+1"],"content":"fær"}"#, r#"{"to_addr":["+1"],"content":"f\u00e6r"}"#] {
        assert_eq!(bridge.post_text(body).await.sent()[0]["content"], "fær");
        assert_eq!(bridge.rig.next().await.content(), Some("fær"));
    }
    bridge.rig.stop().await;
}

#[tokio::test]
async fn check_11_without_replies() {
    let bridge = Bridge::start("allow_replies: false\n").await;
    bridge.original("m1", "+5").await;
    assert_eq!(bridge.rapidsms.only().json()["message_id"], "m1");
    let keys = bridge.rig.context().keyspaces.open(&RedisManager::default()).unwrap();
    assert_eq!(keys.kv.get("messages:m1").await.unwrap(), None);
    let refused = bridge.post(&json!({"to_addr": ["+5"], "content": "r", "in_reply_to": "m1"})).await;
    assert_eq!(refused.refused(400), "Support for `in_reply_to` not configured.");
    bridge.rig.silent().await;
    bridge.rig.stop().await;
}

#[tokio::test]
async fn check_12_bodies_that_make_no_sense() {
    let bridge = Bridge::start("").await;
    for body in ["{", "", "[]", "null", r#"{"to_addr":["+1"]}"#, r#"{"to_addr":["+1", null],"content":"x"}"#] {
        bridge.post_text(body).await.refused(400);
    }
    let refused = bridge.post_text(r#"{"content":"x"}"#).await;
    assert_eq!(refused.refused(400), "The field `to_addr` is missing.");
    bridge.post_text(vec![b'{', 0xff]).await.refused(400);
    bridge.post_text(vec![b' '; (1 << 20) + 1]).await.refused(413);
    bridge.rig.silent().await;
    bridge.rig.stop().await;
}

#[tokio::test]
async fn check_13_rapidsms_is_away() {
    let (logs, failures) = (Logs::watch(), Failures::count());
    let url = format!("http://{}/in", nobody().await);
    let rig = Rig::run(&format!("class: rapidsms_relay\nweb_path: send\nweb_port: 0\nrapidsms_url: {url}\n")).await;
    for expected in 1..=2 {
        let original = message("hi");
        rig.give(&original).await;
        assert_eq!(failures.so_far(), expected);
        let error = logs.at(Level::ERROR).pop().unwrap();
        assert!(error.text.contains(&url) && error.fields.contains(original.message_id()), "{error:?}");
    }
    rig.silent().await;
    rig.stop().await;
}

#[tokio::test]
async fn check_14_events_are_logged() {
    let logs = Logs::watch();
    let bridge = Bridge::start("").await;
    bridge.rig.tell(&Event::delivery_report("abc", DeliveryStatus::Delivered)).await;
    bridge.rig.tell(&Event::nack("abc", "no")).await;
    let texts: Vec<String> = logs.at(Level::INFO).into_iter().map(|line| line.text).collect();
    assert_eq!(texts, ["Delivery report received for message 'abc', status 'delivered'"]);
    bridge.rig.tell(&Event::ack("abc", "n1")).await;
    assert!(logs.hold("Acknowledgement received for message 'abc'"));
    assert_eq!(bridge.rapidsms.take().len(), 0);
    bridge.rig.stop().await;
}

#[tokio::test]
async fn other_paths_and_methods() {
    let bridge = Bridge::start("").await;
    assert_eq!(answer(bridge.request(Method::GET, "/")).await.code, 404);
    assert_eq!(answer(bridge.request(Method::POST, "/send/more")).await.code, 404);
    let body = json!({"to_addr": ["+1"], "content": "x"}).to_string();
    for method in [Method::HEAD, Method::DELETE, Method::PATCH] {
        assert_eq!(answer(bridge.request(method, "/send").body(body.clone())).await.code, 405);
    }
    assert_eq!(answer(bridge.request(Method::POST, "/health")).await.code, 405);
    bridge.rig.silent().await;
    bridge.rig.stop().await;
}

#[tokio::test]
async fn rapidsms_waits_while_the_outbound_queue_is_full() {
    let bound = 3;
    let bench = Bench::with(BrokerOptions { bound, ..BrokerOptions::default() }, Arc::new(vumi_core::SystemClock));
    let mut bridge = Bridge::on(bench, "").await;
    let body = json!({"to_addr": ["+1", "+2", "+3"], "content": "x"});
    assert_eq!(bridge.post(&body).await.sent().len(), 3);
    let request = bridge.request(Method::POST, "/send").body(body.to_string());
    let mut waiting = tokio::spawn(answer(request));
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut waiting).await.is_err(), "it waits");
    for to_addr in ["+1", "+2", "+3", "+1", "+2", "+3"] {
        assert_eq!(bridge.rig.next().await.to_addr(), Some(to_addr));
    }
    assert_eq!(waiting.await.unwrap().sent().len(), 3);
    bridge.rig.stop().await;
}

#[test]
fn mistakes() {
    let config = "class: rapidsms_relay\nweb_path: send\nweb_port: 0\n";
    for (more, sentence) in [
        ("rapidsms_auth_method: digest\n", "HTTP Authentication method 'digest' not supported"),
        ("vumi_username: u\n", "vumi_username needs a vumi_password: without one nobody could post to the web server"),
    ] {
        assert_eq!(mistake(&format!("{config}{more}")), sentence);
    }
    let sentence = mistake("class: rapidsms_relay\nweb_path: /health/\nweb_port: 0\n");
    assert_eq!(sentence, "web_path: `/health` is taken, where the server says that it is there");
}

#[tokio::test]
async fn secrets_are_shown_nowhere() {
    let logs = Logs::watch();
    let secrets = "vumi_username: u\nvumi_password: hidden1\nrapidsms_username: r\nrapidsms_password: hidden2\n";
    let yaml = format!("class: rapidsms_relay\nweb_path: send\nweb_port: 0\n{secrets}");
    let shown = format!("{:?}", read(&yaml).component);
    assert!(shown.contains("[secret]") && !shown.contains("hidden"), "{shown}");
    let bridge = Bridge::start(secrets).await;
    bridge.rig.give(&message("hi")).await;
    let refused = answer(bridge.request(Method::POST, "/send").basic_auth("u", Some("hidden9"))).await;
    assert_eq!(refused.code, 401);
    assert!(!logs.hold("hidden"));
    bridge.rig.stop().await;
}

#[test]
fn the_names_of_vumi() {
    for class in ["rapidsms_relay", "vumi.application.RapidSMSRelay", "vumi.application.rapidsms_relay.RapidSMSRelay"] {
        let read = read(&format!("class: {class}\nweb_path: send\nweb_port: 80\n"));
        assert!(matches!(read.component, NativeAppConfig::RapidSmsRelay(_)));
    }
}
