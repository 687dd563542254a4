//! Session length: the cases that a whole worker does not show.

use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::json;
use vumi_core::Channel;
use vumi_message::Timestamp;

use super::*;
use crate::middleware::testing::{noted, notes, pass, refusal, user};
use crate::testing::{Logged, context};

/// A clock that shows what it is set to, in seconds.
#[derive(Default)]
struct Set(AtomicI64);

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed) * 1_000_000)
    }
}

struct Stage {
    clock: Arc<Set>,
    kv: Arc<dyn KvStore>,
    middleware: Arc<dyn Middleware>,
}

impl Stage {
    fn new(json: &str) -> Self {
        let clock = Arc::<Set>::default();
        let mut context = context();
        context.clock = Arc::<Set>::clone(&clock);
        let kv = context.keyspaces.open(&RedisManager::default()).unwrap().kv;
        let config: SessionLengthConfig = serde_json::from_str(json).unwrap();
        Self { clock, kv, middleware: config.build(&context).unwrap() }
    }

    /// The helper metadata of a message to or from `+1` at a time.
    async fn at(&self, seconds: i64, channel: Channel, event: Option<&str>, before: Value) -> Value {
        self.clock.0.store(seconds, Ordering::Relaxed);
        let mut message = match channel {
            Channel::Outbound => user("8007", Some("+1")),
            _ => user("+1", Some("8007")),
        };
        message.set("session_event", event).unwrap();
        notes(&pass(&*self.middleware, channel, noted(message, before)).await)
    }
}

#[tokio::test]
async fn a_session_from_start_to_end() {
    let stage = Stage::new(r#"{"redis_manager": {"key_prefix": "len"}}"#);
    let key = "len:t1:+1:session_created";
    let start = json!({"session": {"session_start": 100.0}});
    assert_eq!(stage.at(100, Channel::Inbound, Some("new"), json!({})).await, start);
    assert_eq!(stage.kv.get(key).await.unwrap().as_deref(), Some("100.0"));
    assert!(stage.kv.ttl(key).await.unwrap().unwrap() <= Duration::from_secs(600));
    assert_eq!(stage.at(130, Channel::Outbound, None, json!({})).await, start);
    assert_eq!(stage.at(140, Channel::Inbound, Some("resume"), json!({"other": 1})).await["other"], 1);
    let both = json!({"session": {"session_end": 160.0, "session_start": 100.0}});
    assert_eq!(stage.at(160, Channel::Inbound, Some("close"), json!({})).await, both);
    assert_eq!(stage.kv.get(key).await.unwrap(), None);
    let end = json!({"session": {"session_end": 170.0}});
    assert_eq!(stage.at(170, Channel::Inbound, Some("close"), json!({})).await, end);
    assert_eq!(stage.at(180, Channel::Inbound, None, json!({})).await, json!({}), "nothing is known");
}

#[tokio::test]
async fn times_that_a_message_carries_stay() {
    let stage = Stage::new(r#"{"field_name": "length"}"#);
    let key = "t1:+1:session_created";
    let carried = json!({"length": {"session_start": 5}});
    assert_eq!(stage.at(9, Channel::Inbound, Some("new"), carried.clone()).await, carried);
    assert_eq!(stage.kv.get(key).await.unwrap(), None);
    stage.kv.set(key, "7.25", None).await.unwrap();
    let closed = stage.at(9, Channel::Inbound, Some("close"), carried).await;
    assert_eq!(closed, json!({"length": {"session_start": 5, "session_end": 9.0}}));
    assert_eq!(stage.kv.get(key).await.unwrap().as_deref(), Some("7.25"));
    let read = stage.at(9, Channel::Inbound, Some("close"), json!({"length": {"session_end": 8}})).await;
    assert_eq!(read, json!({"length": {"session_end": 8, "session_start": 7.25}}));
}

#[tokio::test]
async fn what_is_stored_may_be_no_number() {
    let stage = Stage::new("{}");
    for text in ["soon", "", "inf", "NaN"] {
        stage.kv.set("t1:+1:session_created", text, None).await.unwrap();
        assert_eq!(stage.at(9, Channel::Inbound, None, json!({})).await, json!({}), "{text}");
    }
    assert_eq!(
        stage.at(9, Channel::Inbound, Some("new"), json!({"session": "x"})).await["session"]["session_start"],
        9.0
    );
}

#[tokio::test]
async fn a_message_without_namespace_or_address_is_logged_and_passes() {
    let log = Logged::start();
    let stage = Stage::new(r#"{"namespace_type": "tag"}"#);
    assert_eq!(stage.at(9, Channel::Inbound, Some("new"), json!({})).await, json!({}));
    let tagged = json!({"tag": {"tag": ["p", "n"]}});
    let noted_by_tag = stage.at(9, Channel::Inbound, Some("new"), tagged.clone()).await;
    assert_eq!(noted_by_tag["session"]["session_start"], 9.0);
    assert_eq!(stage.kv.get("p:n:+1:session_created").await.unwrap().as_deref(), Some("9.0"));
    let nobody = noted(user("+1", None), tagged.clone());
    assert_eq!(notes(&pass(&*stage.middleware, Channel::Outbound, nobody).await), tagged);
    let lines = log.lines();
    let [namespace, address] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(namespace.starts_with("ERROR Session length redis namespace cannot be None, skipping message"));
    assert!(address.starts_with("ERROR Session length key address cannot be None, skipping message"));
}

#[test]
fn mistakes_are_refused_at_the_start() {
    for (json, text) in [
        (r#"{"namespace_type": "address"}"#, "unknown variant `address`, expected `transport_name` or `tag`"),
        (r#"{"timeout": 0}"#, "timeout must be at least 1 second"),
        (r#"{"timeouts": 5}"#, "unknown field `timeouts`"),
    ] {
        let refusal = refusal::<SessionLengthConfig>(json);
        assert!(refusal.contains(text), "{json}: {refusal}");
    }
}
