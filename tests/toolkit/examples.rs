//! The toolkit's own example applications, as they are.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use vumi_core::{LogLevel, Outcome};
use vumi_message::{SessionEvent, Timestamp};
use vumi_sandbox::web::{WebError, WebRequest, WebResponse};
use vumi_sandbox::{Company, Stage};

use crate::bundles;
use crate::phone::Phone;

/// The examples ask for the toolkit by its place in the source tree; an owner's context gives them the same.
const CONTEXT: &str = "({
    require: function (name) { return require(name === '../../../lib' ? 'vumigo_v02' : name); },
    Buffer: Buffer,
})";

fn example(name: &str, allow: &[&str]) -> Phone {
    Phone::with(name, bundles::example(name), CONTEXT, &json!({"name": name}), |config| {
        config.http.allow = allow.iter().map(|&place| place.to_owned()).collect();
    })
}

#[tokio::test]
async fn simple() {
    let mut phone = example("simple", &[]);
    let start = "Tea or coffee?\n1. Tea\n2. Coffee";
    phone.talks(&[("", start), ("1", "Meh. Bye."), ("", start)]).await;
    let answer = phone.says("2").await;
    assert_eq!((answer.text(), answer.only().session_event()), ("Cool :) Bye.", Some(SessionEvent::Close)));
}

/// Answers as the public service does that the example asks, which no test may.
struct Httpbin;

impl Stage for Httpbin {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed_ns(&self) -> u64 {
        1
    }

    fn sleep(&self, _: u64) {}

    fn seed(&self) -> [u8; 32] {
        [7; 32]
    }

    fn answer(&self, request: &WebRequest, _: Duration) -> Result<WebResponse, WebError> {
        let sent: Value = serde_json::from_slice(request.body.as_deref().unwrap_or(b"null")).expect("JSON");
        let (status, body) = match request.url.as_str() {
            "http://httpbin.org/put" | "http://httpbin.org/post" => (200, json!({ "json": sent }).to_string()),
            "http://httpbin.org/status/418" => (418, "{}".to_owned()),
            other => panic!("asked for {other}"),
        };
        Ok(WebResponse { status, headers: Vec::new(), body: body.into_bytes(), bytes_used: 0 })
    }
}

#[tokio::test]
async fn http() {
    let mut phone = example("http", &["http://httpbin.org"]);
    let app = Arc::into_inner(phone.rig.app).expect("nobody else has it");
    phone.rig.app = Arc::new(app.staged(Arc::new(Httpbin), &Company::default()).expect("it does not run yet"));
    let start = "Choose your destiny:\n1. Put something\n2. Post something\n3. Cause an error";
    let turns = [
        ("", start),
        ("1", "What would you like to put?"),
        ("hello", "You just performed a put. It was echoed back: hello"),
        ("", start),
        ("2", "What would you like to post?"),
        ("Zoë", "You just performed a post. It was echoed back: Zoë"),
        ("", start),
        ("3", "You just performed a request. It got a response with the status code 418"),
    ];
    phone.talks(&turns).await;
}

/// Where the service cannot be reached the app is told so, and tells its user.
#[tokio::test]
async fn http_without_its_service() {
    let mut phone = example("http", &[]);
    phone.dials().await.ended(Outcome::Ok);
    phone.says("1").await.ended(Outcome::Ok);
    let answer = phone.says("hello").await;
    answer.ended(Outcome::Ok);
    let told = answer.at(LogLevel::Error).join("\n");
    assert!(told.contains("HttpRequest") && told.contains("Blocked"), "{:?}", answer.logs);
}

/// As its own tests describe it: whoever is not known is asked, and whoever is known is told.
#[tokio::test]
async fn contacts() {
    for (choice, beverage) in [("1", "tea"), ("2", "coffee")] {
        let mut phone = example("contacts", &[]);
        let hello = format!("Hello Anakin. I hear you like {beverage}. That's nice. Bye.");
        let turns = [
            ("", "What is your name?"),
            ("Anakin", "Do you like tea or coffee?\n1. Tea\n2. Coffee"),
            (choice, &hello),
            ("", &hello),
        ];
        phone.talks(&turns).await;
    }
}
