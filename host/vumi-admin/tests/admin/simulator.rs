//! Phones: a conversation as the page has it, and everything that a phone must not send.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::Server;

const PHONE: &str = "/api/v1/simulator/phones/%2B27820000001";

impl Server {
    /// Waits until the app has handled so many messages.
    pub async fn runs_to_reach(&self, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.get("/api/v1/apps/echo").await.json()["counters"]["runs"] != count {
            assert!(Instant::now() < deadline, "{count} runs in time");
        }
    }

    async fn phone(&self, body: Value) -> String {
        let answer = self.post(&format!("{PHONE}/messages"), &body.to_string()).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()["message_id"].as_str().unwrap().to_owned()
    }

    async fn thread(&self) -> Value {
        self.get(PHONE).await.json()
    }
}

fn ussd(action: &str, content: Option<&str>) -> Value {
    json!({"kind": "ussd", "action": action, "content": content, "to_addr": "*120*8007#"})
}

#[tokio::test]
async fn a_ussd_session_from_dialling_to_its_end() {
    let server = Server::start().await;
    let first = server.phone(ussd("new", None)).await;
    server.runs_to_reach(1).await;
    let thread = server.thread().await;
    assert_eq!(thread["addr"], "+27820000001");
    assert_eq!(thread["session"]["service"], "*120*8007#");
    assert_eq!(thread["session"]["waiting_for_app"], false);
    let messages = thread["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!((&messages[0]["sender"], &messages[0]["session_event"]), (&json!("phone"), &json!("new")));
    assert_eq!(messages[0]["message_id"], first);
    assert_eq!((&messages[1]["in_reply_to"], &messages[1]["delivery"]), (&json!(first), &json!("accepted")));
    let payload = server.get("/api/v1/messages?user=%2B27820000001").await.json()["items"][2]["payload"].clone();
    assert_eq!((&payload["transport_type"], &payload["from_addr"]), (&json!("ussd"), &json!("+27820000001")));

    server.phone(ussd("resume", Some("3"))).await;
    server.runs_to_reach(2).await;
    let thread = server.thread().await;
    assert_eq!(thread["messages"][3]["session_event"], "close");
    assert!(thread.get("session").is_none());

    server.phone(ussd("new", None)).await;
    server.phone(ussd("close", None)).await;
    server.runs_to_reach(4).await;
    let phones = server.get("/api/v1/simulator/phones").await.json();
    assert_eq!(phones[0]["addr"], "+27820000001");
}

#[tokio::test]
async fn sms_with_their_delivery_and_a_failure_with_its_reason() {
    let server = Server::start().await;
    for content in ["hello 🐎", "nack", "fail"] {
        server.phone(json!({"kind": "sms", "content": content, "to_addr": "8007"})).await;
    }
    server.runs_to_reach(3).await;
    let thread = server.thread().await;
    let messages = thread["messages"].as_array().unwrap();
    let from_app: Vec<_> = messages.iter().filter(|message| message["sender"] == "app").collect();
    assert_eq!(from_app[0]["content"], "You said: hello 🐎");
    assert_eq!((&from_app[0]["kind"], &from_app[0]["delivery"]), (&json!("sms"), &json!("accepted")));
    assert_eq!(from_app[1]["delivery_reason"], "the network is busy");
    let run = &server.get("/api/v1/apps/echo/runs?limit=1").await.json()["items"][0];
    assert_eq!((&run["outcome"], &run["reason"]), (&json!("failed"), &json!("trap")));
    assert!(run["error"].as_str().unwrap().contains("unreachable"));
    let app = server.get("/api/v1/apps/echo").await.json();
    assert_eq!(app["counters"]["failures"]["trap"], 1);
    assert_eq!(app["last_error"]["reason"], "trap");
}

#[tokio::test]
async fn a_full_queue_accepts_nothing_and_says_when_to_try_again() {
    let server = Server::start().await;
    server.system.full.store(true, Ordering::Relaxed);
    let answer = server.post(&format!("{PHONE}/messages"), &ussd("new", None).to_string()).await;
    assert!(answer.problem(503).contains("nothing was accepted"));
    assert_eq!(answer.header("retry-after"), "3");
    assert_eq!(answer.json()["retry_after_seconds"], 3);
    assert_eq!(server.thread().await["messages"], json!([]));
}

#[tokio::test]
async fn what_does_not_go_together_is_refused_with_a_sentence() {
    let server = Server::start().await;
    let to = "8007";
    let long = "x".repeat(10_001);
    let far = "9".repeat(101);
    for (body, says) in [
        (json!({"kind": "ussd", "to_addr": to}), "needs an action"),
        (json!({"kind": "ussd", "action": "resume", "to_addr": to}), "resume needs content"),
        (json!({"kind": "sms", "to_addr": to}), "an SMS needs content"),
        (json!({"kind": "sms", "action": "new", "content": "x", "to_addr": to}), "an SMS has no action"),
        (json!({"kind": "sms", "content": long, "to_addr": to}), "longer than 10000"),
        (json!({"kind": "sms", "content": "x", "to_addr": " "}), "to_addr is empty"),
        (json!({"kind": "sms", "content": "x", "to_addr": far}), "to_addr is longer than 100"),
        (json!({"kind": "sms", "content": "x", "to_addr": "80\n07"}), "control characters"),
    ] {
        let answer = server.post(&format!("{PHONE}/messages"), &body.to_string()).await;
        let problem = answer.problem(400);
        assert!(problem.contains(says), "{body}: {problem}");
    }
    for (body, status) in [
        ("{", 400),
        ("[]", 422),
        (r#"{"kind":"fax","to_addr":"1"}"#, 422),
        (r#"{"kind":"sms","content":"x","to_addr":"1","extra":1}"#, 422),
    ] {
        server.post(&format!("{PHONE}/messages"), body).await.problem(status);
    }
    let sms = r#"{"kind":"sms","content":"x","to_addr":"1"}"#;
    let form = [("Content-Type", "text/plain")];
    server.send("POST", &format!("{PHONE}/messages"), &form, sms).await.problem(415);
    let huge = json!({"kind": "sms", "content": "x".repeat(70_000), "to_addr": to}).to_string();
    server.post(&format!("{PHONE}/messages"), &huge).await.problem(413);
    let path = format!("/api/v1/simulator/phones/{far}/messages");
    assert!(server.post(&path, sms).await.problem(400).contains("the phone's number"));
    server.get(&format!("/api/v1/simulator/phones/{far}")).await.problem(400);
    assert_eq!(server.get("/api/v1/simulator/phones").await.json(), json!([]));
}
