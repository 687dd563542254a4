//! The checks of the specification, by number.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vumi_core::{LogLevel, Outcome};
use vumi_message::{Event, NewUserMessage, SessionEvent, UserMessage};
use vumi_sandbox::Aggregator;

use super::kit::{Rig, bytes, message};
use super::web;

#[tokio::test]
async fn check_01_an_info_entry_and_a_good_end() {
    let mut rig = Rig::probe();
    let answer = rig.ask("log hello").await;
    answer.ended(Outcome::Ok);
    assert_eq!(answer.at(LogLevel::Info), ["hello"]);
    assert_eq!(answer.logs.len(), 1);
    assert_eq!(answer.logs[0].source, "guest");
    assert_eq!(answer.finished.again, None);
}

#[tokio::test]
async fn check_03_standard_error_is_one_entry() {
    let mut rig = Rig::probe();
    let answer = rig.ask("stderr a\\nb\\nc").await;
    answer.ended(Outcome::Ok);
    assert_eq!(answer.at(LogLevel::Error), ["a\nb\nc"]);
    assert_eq!(answer.text(), "printed");
}

#[tokio::test]
async fn check_04_output_beyond_its_limit_stops_the_run() {
    let mut rig = Rig::with("probe", |config| config.limits.log_bytes = bytes(1_000));
    let answer = rig.ask("stdio 500 501").await;
    answer.ended(Outcome::LogLimit);
    let sentence = "Sandbox 'probe' killed for producing too much data on stderr and stdout.";
    assert_eq!(answer.run().error.as_deref(), Some(sentence));
    assert!(answer.sent.is_empty(), "it went on after its end");

    let answer = rig.ask("stdio 500 500").await;
    answer.ended(Outcome::Ok);
    assert_eq!((answer.text(), answer.run().log_bytes), ("written", 1_000));
}

#[tokio::test]
async fn check_05_keys_and_their_count() {
    let mut rig = Rig::with("probe", |config| config.sandbox_id = Some("s1".into()));
    assert_eq!(rig.ask(r#"kv-set k {"x":"42"}"#).await.text(), "ok ()");
    let stored = rig.kv.get("sandboxes#s1#k").await.unwrap().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&stored).unwrap(), json!({"x": "42"}));
    assert_eq!(rig.kv.get("count#s1").await.unwrap().as_deref(), Some("1"));
    assert_eq!(rig.ask(r#"kv-set k {"x":"42"}"#).await.text(), "ok ()");
    assert_eq!(rig.kv.get("count#s1").await.unwrap().as_deref(), Some("1"));
    assert_eq!(rig.ask("kv-get k").await.text(), r#"ok Some("{\"x\":\"42\"}")"#);
    assert_eq!(rig.ask("kv-delete k").await.text(), "ok true");
    assert_eq!(rig.kv.get("count#s1").await.unwrap().as_deref(), Some("0"));
    assert_eq!(rig.ask("kv-delete k").await.text(), "ok false");
    assert_eq!(rig.kv.get("count#s1").await.unwrap().as_deref(), Some("0"));
    assert_eq!(rig.ask("kv-get k").await.text(), "ok None");
}

#[tokio::test]
async fn check_06_expiry() {
    let mut rig = Rig::with("probe", |config| config.sandbox_id = Some("s1".into()));
    let refused = rig.ask("kv-set k 1 0").await;
    assert!(refused.text().starts_with("error Error::Invalid"), "{}", refused.text());
    assert_eq!(rig.kv.get("sandboxes#s1#k").await.unwrap(), None);
    assert_eq!(rig.kv.get("count#s1").await.unwrap(), None);

    assert_eq!(rig.ask("kv-set k 1 5").await.text(), "ok ()");
    let ttl = rig.kv.ttl("sandboxes#s1#k").await.unwrap().expect("it expires");
    assert!(ttl > Duration::ZERO && ttl <= Duration::from_secs(5), "{ttl:?}");
    assert_eq!(rig.ask("kv-incr k").await.text(), "ok 2");
    assert!(rig.kv.ttl("sandboxes#s1#k").await.unwrap().is_some(), "incr keeps the expiry");
    assert_eq!(rig.ask("kv-set k 1").await.text(), "ok ()");
    assert_eq!(rig.kv.ttl("sandboxes#s1#k").await.unwrap(), None, "set without an expiry removes it");
}

#[tokio::test]
async fn check_07_the_limits_of_keys() {
    const SOFT: &str = "Redis soft limit of 80 keys reached for sandbox s1. Once the hard limit of 100 is reached no \
                        more keys can be written.";
    const HARD: &str = "Redis hard limit of 100 keys reached for sandbox s1. No more keys can be written.";
    let mut rig = Rig::with("probe", |config| config.sandbox_id = Some("s1".into()));
    for (count, warnings, after) in [("79", vec![], "80"), ("80", vec![SOFT], "81"), ("98", vec![SOFT], "99")] {
        rig.kv.set("count#s1", count, None).await.unwrap();
        let answer = rig.ask(&format!("kv-set new-at-{count} 1")).await;
        assert_eq!((answer.text(), answer.at(LogLevel::Warning)), ("ok ()", warnings), "at {count}");
        assert_eq!(rig.kv.get("count#s1").await.unwrap().as_deref(), Some(after));
    }
    let answer = rig.ask("kv-set one-too-many 1").await;
    assert_eq!(answer.text(), r#"error Error::Quota("Too many keys")"#);
    assert_eq!((answer.at(LogLevel::Warning), answer.at(LogLevel::Error)), (vec![], vec![HARD]));
    assert_eq!(rig.kv.get("count#s1").await.unwrap().as_deref(), Some("99"));
    assert_eq!(rig.ask("kv-set new-at-98 2").await.text(), "ok ()", "an existing key is never limited");
}

#[tokio::test]
async fn check_08_a_smaller_limit_of_keys() {
    let mut rig = Rig::with("probe", |config| config.limits.kv_keys = 10);
    assert_eq!(rig.ask("kv-keys 8").await.at(LogLevel::Warning), Vec::<&str>::new());
    let ninth = rig.ask("kv-set ninth 1").await;
    assert_eq!((ninth.text(), ninth.at(LogLevel::Warning).len()), ("ok ()", 1));
    let tenth = rig.ask("kv-set tenth 1").await;
    assert_eq!(tenth.text(), r#"error Error::Quota("Too many keys")"#);
    let counted = rig.ask("kv-incr tenth").await;
    assert_eq!(counted.text(), r#"error Error::Quota("Too many keys")"#);
}

#[tokio::test]
async fn check_09_incr() {
    let mut rig = Rig::probe();
    assert_eq!(rig.ask("kv-incr n").await.text(), "ok 1");
    assert_eq!(rig.ask("kv-incr n 4").await.text(), "ok 5");
    assert_eq!(rig.ask("kv-incr n -7").await.text(), "ok -2");
    assert_eq!(rig.ask(r#"kv-set s "abc""#).await.text(), "ok ()");
    let refused = rig.ask("kv-incr s").await;
    assert_eq!(refused.text(), r#"error Error::Invalid("value is not an integer or out of range")"#);
    assert_eq!(rig.kv.get("sandboxes#probe#s").await.unwrap().as_deref(), Some(r#""abc""#));
    assert_eq!(rig.ask("kv-set n 41").await.text(), "ok ()");
    assert_eq!(rig.ask("kv-incr n").await.text(), "ok 42", "it works on an integer that was set");
    assert_eq!(rig.kv.get("count#probe").await.unwrap().as_deref(), Some("2"));
}

#[tokio::test]
async fn check_10_replies() {
    let mut rig = Rig::probe();
    let question = message("echo hi");
    let reply = rig.give(question.clone()).await;
    let reply = reply.only();
    assert_eq!((reply.content(), reply.session_event()), (Some("hi"), None));
    assert_eq!(reply.in_reply_to(), Some(question.message_id()));
    assert_eq!((reply.to_addr(), reply.from_addr()), (question.from_addr(), question.to_addr()));
    assert_eq!(rig.ask("close bye").await.only().session_event(), Some(SessionEvent::Close));
}

#[tokio::test]
async fn check_10_replies_to_groups() {
    let mut rig = Rig::probe();
    let in_group = NewUserMessage {
        from_addr: Some("someone".into()),
        to_addr: Some("bot".into()),
        transport_name: Some("irc_1".into()),
        group: Some("#room".into()),
        content: Some("group hello".into()),
        ..NewUserMessage::default()
    };
    let answer = rig.give(UserMessage::new(in_group)).await;
    assert_eq!((answer.only().to_addr(), answer.only().group()), (None, Some("#room")));
    let answer = rig.ask("group hello").await;
    assert_eq!(answer.only().to_addr(), Some("+27710000001"), "no group: as a plain reply");
}

#[tokio::test]
async fn check_11_endpoints_that_the_app_has() {
    let mut rig = Rig::with("probe", |config| {
        let fields = [("transport_name".to_owned(), json!("bulk")), ("from_addr".to_owned(), json!("8111"))];
        config.send_to.insert("bulk".into(), fields.into_iter().collect());
    });
    assert_eq!(rig.ask("send +1 zz x").await.text(), r#"error Error::Denied("Endpoint 'zz' not configured")"#);
    let sent = rig.ask("send +1 - x").await;
    let sent = sent.only();
    assert_eq!((sent.to_addr(), sent.content(), sent.endpoint()), (Some("+1"), Some("x"), "default"));
    assert_eq!((sent.in_reply_to(), sent.session_event()), (None, None));
    let sent = rig.ask("send +1 bulk x").await;
    let sent = sent.only();
    assert_eq!((sent.endpoint(), sent.transport_name(), sent.from_addr()), ("bulk", Some("bulk"), Some("8111")));
}

#[tokio::test]
async fn check_12_helper_metadata() {
    let mut none = Rig::probe();
    let refused = none.ask(r#"metadata {"a":1}"#).await;
    assert_eq!(refused.text(), r#"error Error::Denied("'helper_metadata' is not allowed")"#);
    for fine in ["metadata {}", "metadata null"] {
        assert_eq!(none.ask(fine).await.text(), "with metadata", "{fine}");
    }
    let refused = none.ask("metadata [1]").await;
    assert_eq!(refused.text(), r#"error Error::Invalid("'helper_metadata' must be object or null.")"#);

    let mut some = Rig::with("probe", |config| config.allowed_helper_metadata = vec!["b".into(), "a".into()]);
    let mut question = message(r#"metadata {"a":1}"#);
    question.put_helper_metadata("kept", "yes");
    question.put_helper_metadata("a", 0);
    let answer = some.give(question).await;
    let metadata = Value::Object(answer.only().helper_metadata().clone());
    assert_eq!(metadata, json!({"kept": "yes", "a": 1}), "the original's, and the given keys over it");
    let refused = some.ask(r#"metadata {"a":1,"c":2}"#).await;
    let sentence = r#"error Error::Denied("'helper_metadata' may only contain the following keys: a, b")"#;
    assert_eq!(refused.text(), sentence);
}

#[tokio::test]
async fn check_13_any_status_is_a_response() {
    let server = web::serve().await;
    let mut rig = Rig::with("probe", |config| config.http.allow = vec![format!("http://{server}")]);
    assert_eq!(rig.ask(&format!("http GET http://{server}/status/503/down")).await.text(), "503 4 down");
    assert_eq!(rig.ask(&format!("http POST http://{server}/status/200/fine body")).await.text(), "200 4 fine");
}

#[tokio::test]
async fn check_14_the_largest_body() {
    let server = web::serve().await;
    let mut rig = Rig::with("probe", |config| config.http.allow = vec![format!("http://{server}")]);
    let refused = rig.ask(&format!("http GET http://{server}/bytes/131073")).await;
    assert_eq!(refused.text(), r#"error Quota("Received 131073 bytes, maximum of 131072 bytes allowed.")"#);
    let taken = rig.ask(&format!("http GET http://{server}/bytes/131072")).await;
    assert!(taken.text().starts_with("200 131072 xxx"), "{}", taken.text());
}

#[tokio::test]
async fn check_17_events_and_closed_sessions_reach_the_app() {
    let mut rig = Rig::probe();
    let mut ack = Event::ack("m1", "network-1");
    ack.set_endpoint(Some("foo"));
    for (event, word) in [
        (ack, "Ack"),
        (Event::nack("m1", "no"), "Nack"),
        (Event::delivery_report("m1", "delivered".parse().unwrap()), "Delivered"),
    ] {
        let answer = rig.tell(event).await;
        answer.ended(Outcome::Ok);
        let told = answer.at(LogLevel::Info);
        assert!(told.len() == 1 && told[0].contains(word) && told[0].contains("m1"), "{told:?}");
    }
    let mut close = message("log the session is over");
    close.set("session_event", "close").unwrap();
    let answer = rig.give(close).await;
    answer.ended(Outcome::Ok);
    assert_eq!(answer.at(LogLevel::Info), ["the session is over"]);
}

#[tokio::test]
async fn check_18_levels_of_the_log() {
    let mut rig = Rig::probe();
    let answer = rig.ask(r#"levels {"a":1}"#).await;
    let levels: Vec<&str> = answer.logs.iter().map(|line| line.level.as_str()).collect();
    assert_eq!(levels, ["debug", "info", "warning", "error", "critical"]);
    assert!(answer.logs.iter().all(|line| line.text == r#"{"a":1}"# && line.source == "guest"));
}

#[tokio::test]
async fn check_19_an_endless_loop_ends() {
    let mut rig = Rig::with("probe", |config| {
        config.timeout = 1;
        config.limits.cpu_ms = 60_000;
    });
    let began = Instant::now();
    let answer = rig.ask("loop").await;
    let took = began.elapsed();
    answer.ended(Outcome::Deadline);
    assert!(took >= Duration::from_millis(990) && took < Duration::from_secs(5), "{took:?}");
    assert_eq!(answer.finished.again, None, "a guest that fails is not run again");
    assert_eq!(rig.ask("echo next").await.text(), "next");
}

#[tokio::test]
async fn check_20_metrics() {
    let mut rig = Rig::with("probe", |config| config.metrics_prefix = Some("p".into()));
    assert_eq!(rig.ask("metric m 2.5").await.text(), "ok ()");
    let fired = rig.datapoints.take();
    assert_eq!(fired.len(), 1);
    assert_eq!(
        (fired[0].name.as_str(), fired[0].value, fired[0].aggregator),
        ("p.stores.default.m", 2.5, Aggregator::Sum)
    );
    for bad in ["metric 9m 1", "metric  1", "metric é 1", "metric m NaN", "metric m inf"] {
        let refused = rig.ask(bad).await;
        assert!(refused.text().starts_with("error Error::Invalid"), "{bad}: {}", refused.text());
    }
    assert!(rig.datapoints.take().is_empty());
}
