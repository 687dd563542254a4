//! The checks of the specification that need the line protocol, by number.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vumi_core::{LogLevel, Outcome};
use vumi_message::{NewUserMessage, SessionEvent, UserMessage};
use vumi_sandbox::{Aggregator, AppConfig, RecordRule, Resource, TapeDocument};

use super::rig::{REQUESTS, app, replies};
use crate::sandbox::kit::{Answer, Rig, eventually, message, sandbox};
use crate::sandbox::web;

fn requests(change: impl FnOnce(&mut AppConfig)) -> Rig {
    app(REQUESTS, None, change).unwrap_or_else(|error| panic!("{error}"))
}

/// Makes requests in one run; the replies without `cmd` and `reply`.
async fn ask(rig: &mut Rig, requests: Value) -> (Vec<Value>, Answer) {
    let answer = rig.ask(&requests.to_string()).await;
    let mut replies = replies(&answer);
    for reply in &mut replies {
        let reply = reply.as_object_mut().unwrap();
        assert_eq!(reply.shift_remove("reply"), Some(json!(true)));
        assert!(reply.shift_remove("cmd").is_some());
    }
    (replies, answer)
}

fn refused(reason: &str) -> Value {
    json!({"success": false, "reason": reason})
}

#[tokio::test]
async fn check_02_what_does_not_exist_ends_the_run() {
    for (cmd, resource, command) in [
        ("nope.cmd", "fallback", "cmd"),
        ("kv.nope", "kv", "nope"),
        ("contacts.nope", "contacts", "nope"),
        ("groups.nope", "groups", "nope"),
        ("optout.status", "fallback", "status"),
        ("js.initialize", "js", "initialize"),
        ("nodot", "fallback", "nodot"),
    ] {
        let mut rig = requests(|config| config.sandbox_id = Some("box".into()));
        let (replies, answer) =
            ask(&mut rig, json!([["log.info", {"msg": "a"}], [cmd, {}], ["log.info", {"msg": "b"}]])).await;
        answer.ended(Outcome::HandlerError);
        assert_eq!(replies.len(), 1, "it went on after {cmd}");
        let told =
            format!("Resource {resource} received unknown command '{command}' from sandbox 'box'. Killing sandbox.");
        let errors = answer.at(LogLevel::Error);
        assert!(errors.iter().any(|text| text.starts_with(&told) && text.contains(cmd)), "{errors:?}");
    }
}

#[tokio::test]
async fn check_02_only_configured_resources_exist() {
    let mut rig = requests(|config| {
        let names = [("log", Resource::Log), ("store", Resource::Kv)];
        config.legacy.resources = Some(names.map(|(name, resource)| (name.to_owned(), resource)).into());
    });
    let (replies, answer) = ask(&mut rig, json!([["store.get", {"key": "k"}]])).await;
    answer.ended(Outcome::Ok);
    assert_eq!(replies, [json!({"success": true, "value": null})]);
    let (_, answer) = ask(&mut rig, json!([["kv.get", {"key": "k"}]])).await;
    answer.ended(Outcome::HandlerError);
}

#[tokio::test]
async fn check_05_to_09_kv() {
    let mut rig = requests(|config| config.limits.kv_keys = 10);
    let (replies, answer) = ask(
        &mut rig,
        json!([
            ["kv.set", {"key": "k", "value": {"x": "42"}}],
            ["kv.get", {"key": "k"}],
            ["kv.delete", {"key": "k"}],
            ["kv.delete", {"key": "k"}],
            ["kv.set", {"key": "t", "value": 1, "seconds": "5"}],
            ["kv.set", {"key": "t", "value": 1, "seconds": 1.5}],
            ["kv.set", {"key": "t", "value": 1, "seconds": true}],
            ["kv.get", {"key": "t"}],
            ["kv.set", {"key": "t", "value": 1, "seconds": 5}],
            ["kv.incr", {"key": "n"}],
            ["kv.incr", {"key": "n", "amount": 4}],
            ["kv.set", {"key": "s", "value": "abc"}],
            ["kv.incr", {"key": "s"}],
            ["kv.get", {"key": "s"}],
            ["kv.get", {"key": null}],
        ]),
    )
    .await;
    answer.ended(Outcome::Ok);
    let (ok, seconds) = (json!({"success": true}), refused("seconds must be a number or null"));
    let expected = [
        ok.clone(),
        json!({"success": true, "value": {"x": "42"}}),
        json!({"success": true, "existed": true}),
        json!({"success": true, "existed": false}),
        seconds.clone(),
        seconds.clone(),
        seconds,
        json!({"success": true, "value": null}),
        ok.clone(),
        json!({"success": true, "value": 1}),
        json!({"success": true, "value": 5}),
        ok,
        refused("value is not an integer or out of range"),
        json!({"success": true, "value": "abc"}),
        refused("'key' must be a string."),
    ];
    assert_eq!(replies, expected);
    let ttl = rig.kv.ttl("sandboxes#peer#t").await.unwrap().expect("it expires");
    assert!(ttl > Duration::ZERO && ttl <= Duration::from_secs(5), "{ttl:?}");
    assert_eq!(rig.kv.get("count#peer").await.unwrap().as_deref(), Some("3"));
    // A handler that failed is told of in the app's log; a refusal of its own is not.
    let told = ["value is not an integer or out of range", "'key' must be a string."];
    assert_eq!(answer.at(LogLevel::Error), told);
}

#[tokio::test]
async fn check_10_to_12_outbound() {
    let original = message("x");
    let id = original.message_id().to_owned();
    let mut rig = requests(|config| config.allowed_helper_metadata = vec!["b".into(), "a".into()]);
    let reply = |fields: Value| {
        let mut all = json!({"content": "hi", "in_reply_to": "ID"});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!(["outbound.reply_to", all])
    };
    let list = json!([
        reply(json!({})),
        reply(json!({"continue_session": false})),
        reply(json!({"in_reply_to": "m2", "continue_session": 5})),
        reply(json!({"continue_session": 5, "helper_metadata": 5})),
        reply(json!({"helper_metadata": 5})),
        reply(json!({"helper_metadata": {"c": 1}})),
        reply(json!({"helper_metadata": {"a": 1}})),
        reply(json!({"helper_metadata": {}})),
        ["outbound.send_to", {"to_addr": 5, "endpoint": 5}],
        ["outbound.send_to", {"content": 5, "to_addr": "+1"}],
        ["outbound.send_to", {"content": "x", "endpoint": "zz"}],
        ["outbound.send_to", {"content": "x", "to_addr": "+1", "endpoint": null}],
        ["outbound.send_to", {"content": "x", "to_addr": "+1", "endpoint": "zz"}],
        ["outbound.send_to_endpoint", {"content": "x", "to_addr": "+1"}],
    ]);
    let content = list.to_string().replace("\"ID\"", &json!(id).to_string());
    let mut asked = original.into_payload();
    asked.insert("content".into(), content.into());
    let original = UserMessage::from_json(Value::Object(asked).to_string().as_bytes()).unwrap();
    let answer = rig.give(original).await;
    answer.ended(Outcome::Ok);
    let reasons: Vec<Value> = replies(&answer).iter().map(|reply| reply["reason"].clone()).collect();
    let expected = [
        json!(null),
        json!(null),
        json!("Could not find original message with id: 'm2'"),
        json!("'continue_session' must be either true or false if given"),
        json!("'helper_metadata' must be object or null."),
        json!("'helper_metadata' may only contain the following keys: a, b"),
        json!(null),
        json!(null),
        json!("'content' must be given."),
        json!("'content' must be unicode or null."),
        json!("'to_addr' must be given in sends."),
        json!("'endpoint' must be given in sends."),
        json!("Endpoint 'zz' not configured"),
        json!("'endpoint' must be given in sends."),
    ];
    assert_eq!(reasons, expected);
    let sessions: Vec<_> = answer.sent.iter().map(UserMessage::session_event).collect();
    assert_eq!(sessions, [None, Some(SessionEvent::Close), None, None]);

    let mut rig = requests(|_| {});
    let (replies, _) =
        ask(&mut rig, json!([["outbound.send_to", {"content": "x", "to_addr": "+1", "helper_metadata": {"a": 1}}]]))
            .await;
    assert_eq!(replies, [refused("'helper_metadata' is not allowed")]);
}

#[tokio::test]
async fn check_13_and_14_http() {
    let web = web::serve().await;
    let mut rig = requests(|config| config.http.allow = vec![format!("http://{web}")]);
    let url = |path: &str| format!("http://{web}{path}");
    let (replies, answer) = ask(
        &mut rig,
        json!([
            ["http.get", {}],
            ["http.get", {"url": url("/status/503/down")}],
            ["http.get", {"url": url("/bytes/131073")}],
            ["http.head", {"url": url("/bytes/131072")}],
            ["http.get", {"url": "http://10.0.0.1/"}],
            ["http.get", {"url": url("/bytes/131072")}],
        ]),
    )
    .await;
    assert_eq!(replies[0], refused("No URL given"));
    assert_eq!(replies[1], json!({"success": true, "code": 503, "body": "down"}));
    assert_eq!(replies[2], refused("Received 131073 bytes, maximum of 131072 bytes allowed."));
    assert!(replies[4]["reason"].as_str().unwrap().starts_with("Blocked"), "{}", replies[4]);
    assert_eq!(replies[5], json!({"success": true, "code": 200, "body": 131_072}));
    answer.ended(Outcome::Ok);
}

#[tokio::test]
async fn check_15_certificates() {
    let web = SelfSigned::start().await;
    let url = format!("https://127.0.0.1:{}/", web.port);
    let mut rig = requests(|config| config.http.allow = vec![format!("https://127.0.0.1:{}", web.port)]);
    let get = |options: Value| json!(["http.get", {"url": url, "verify_options": options}]);
    let (replies, _) = ask(
        &mut rig,
        json!([
            ["http.get", {"url": url}],
            get(json!(["VERIFY_NONE"])),
            get(json!(["VERIFY_NONE", "VERIFY_PEER"])),
            get(json!([])),
            get(json!(["VERIFY_NOBODY"])),
        ]),
    )
    .await;
    let well: Vec<bool> = replies.iter().map(|reply| reply["success"] == true).collect();
    assert_eq!(well, [false, true, false, false, false], "{replies:?}");
    assert_eq!(replies[1]["code"], 200);
}

/// A web server with a certificate that nobody vouches for.
struct SelfSigned {
    port: u16,
    server: std::process::Child,
    _folder: tempfile::TempDir,
}

impl SelfSigned {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (key, cert) = (path("key.pem"), path("cert.pem"));
        let made = std::process::Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", &key, "-out", &cert])
            .output()
            .expect("openssl is there");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let server = std::process::Command::new("openssl")
            .args(["s_server", "-accept", &format!("127.0.0.1:{port}"), "-key", &key, "-cert", &cert, "-www", "-quiet"])
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        eventually("the server listens", || async { tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok() })
            .await;
        Self { port, server, _folder: folder }
    }
}

impl Drop for SelfSigned {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[tokio::test]
async fn check_16_files() {
    let web = echo().await;
    let mut rig = requests(|config| config.http.allow = vec![format!("http://{web}")]);
    let file = json!({"file_name": "a.json", "content_type": "application/json", "data": "e30="});
    let (replies, _) = ask(
        &mut rig,
        json!([
            ["http.post", {"url": format!("http://{web}/"), "files": {"f": file}}],
            ["http.post", {"url": format!("http://{web}/"), "files": {"f": file}, "data": "x"}],
        ]),
    )
    .await;
    assert_eq!(replies[1]["success"], false);
    let body = replies[0]["body"].as_str().unwrap();
    assert!(body.starts_with("multipart/form-data; boundary="), "{body}");
    let part = "Content-Disposition: form-data; name=\"f\"; filename=\"a.json\"\r\nContent-Type: application/json\r\n\r\n{}\r\n--";
    assert!(body.contains(part), "{body}");
}

/// Answers with the content type and the body of a request.
async fn echo() -> std::net::SocketAddr {
    use axum::http::{HeaderMap, header};
    let answer = |headers: HeaderMap, body: String| async move {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        format!("{kind}\n{body}")
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let pages = axum::Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, pages).await });
    address
}

#[tokio::test]
async fn check_18_log() {
    let mut rig = requests(|_| {});
    let (replies, answer) = ask(
        &mut rig,
        json!([
            ["log.info", {"msg": null}],
            ["log.warning", {"msg": {"a": 1}}],
            ["log.log", {"msg": "forty", "level": 40}],
            ["log.critical", {"msg": "c"}],
        ]),
    )
    .await;
    let ok = json!({"success": true});
    assert_eq!(replies, [refused("Value expected for msg"), ok.clone(), ok.clone(), ok]);
    assert_eq!(answer.at(LogLevel::Warning), ["{\"a\":1}"]);
    assert_eq!((answer.at(LogLevel::Error), answer.at(LogLevel::Critical)), (vec!["forty"], vec!["c"]));
}

#[tokio::test]
async fn check_19_an_endless_loop_ends() {
    let mut rig =
        app("api.on_inbound_message = function () { while (true) {} };", None, |config| config.timeout = 1).unwrap();
    let began = Instant::now();
    let answer = rig.ask("x").await;
    assert!(matches!(answer.outcome(), Outcome::Deadline | Outcome::CpuLimit), "{:?}", answer.outcome());
    answer.ended(answer.outcome());
    assert!(began.elapsed() >= Duration::from_millis(500));
    assert_eq!(rig.ask("x").await.outcome(), answer.outcome(), "the next message is handled");
}

#[tokio::test]
async fn check_20_metrics_and_config() {
    let mut rig = requests(|config| {
        config.metrics_prefix = Some("p".into());
        config.config.insert("config".into(), "{\"a\": 1}".into());
        config.legacy.unreadable.insert("gone".into(), "gone.json".into());
    });
    let (replies, _) = ask(
        &mut rig,
        json!([
            ["metrics.fire", {"metric": "m", "value": "2.5", "agg": "sum"}],
            ["metrics.fire", {"metric": "9m", "value": 1, "agg": "sum"}],
            ["metrics.fire", {"metric": "m", "value": "x", "agg": "sum"}],
            ["metrics.fire", {"metric": "m", "value": 1, "agg": "mean"}],
            ["metrics.fire", {"store": "s", "metric": "m", "value": 1, "agg": "last"}],
            ["config.get", {"key": "config"}],
            ["config.get", {"key": "no"}],
            ["config.get", {"key": "gone"}],
        ]),
    )
    .await;
    let well: Vec<bool> = replies.iter().map(|reply| reply["success"] == true).collect();
    assert_eq!(well, [true, false, false, false, true, true, false, false], "{replies:?}");
    assert_eq!(replies[5]["value"], "{\"a\": 1}");
    assert_eq!(replies[6], refused("Configuration key 'no' not found"));
    assert_eq!(replies[7], refused("Cannot read file 'gone.json'"));
    let fired: Vec<_> =
        rig.datapoints.take().into_iter().map(|point| (point.name, point.value, point.aggregator)).collect();
    let expected =
        [("p.stores.default.m".to_owned(), 2.5, Aggregator::Sum), ("p.stores.s.m".to_owned(), 1.0, Aggregator::Last)];
    assert_eq!(fired, expected);
}

#[tokio::test]
async fn a_message_says_whose_keys_they_are() {
    let mut rig = requests(|config| config.legacy.sandbox_id_of_message = true);
    let mut payload = UserMessage::new(NewUserMessage {
        to_addr: Some("8007".into()),
        from_addr: Some("+27".into()),
        transport_name: Some("t".into()),
        transport_type: Some("sms".into()),
        content: Some(json!([["kv.set", {"key": "k", "value": 1}]]).to_string()),
        ..NewUserMessage::default()
    })
    .into_payload();
    payload.insert("sandbox_id".into(), "other".into());
    let answer = rig.give(UserMessage::from_json(Value::Object(payload).to_string().as_bytes()).unwrap()).await;
    answer.ended(Outcome::Ok);
    assert_eq!(answer.run().sandbox_id, "other");
    assert_eq!(rig.kv.get("sandboxes#other#k").await.unwrap().as_deref(), Some("1"));
    ask(&mut rig, json!([["kv.set", {"key": "k", "value": 2}]])).await;
    assert_eq!(rig.kv.get("sandboxes#peer#k").await.unwrap().as_deref(), Some("2"));
}

#[tokio::test]
async fn a_recorded_run_can_be_made_again() {
    let mut rig = requests(|config| config.record = RecordRule::everything());
    let (_, answer) = ask(
        &mut rig,
        json!([["kv.set", {"key": "k", "value": 1}], ["outbound.send_to", {"content": "x", "to_addr": "+1"}], ["kv.nope", {}]]),
    )
    .await;
    answer.ended(Outcome::HandlerError);
    let tape = rig.tapes.take().pop().expect("it was recorded");
    let tape = TapeDocument::parse(&tape.tape).unwrap();
    let component = rig.app.plan().live.component.clone();
    let replayed = sandbox().replay(&component, &tape).await.unwrap();
    assert!(replayed.departures.is_empty(), "{:?}", replayed.departures);
    assert_eq!((replayed.outcome, replayed.sent.len()), (Outcome::HandlerError, 1));
}
