//! Checks 14 to 17: how long a session lasted.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use vumi_core::{Channel, KvStore, RedisManager, Stack};

use super::rig::{Log, SetClock, build, pass, user, with};

/// The key of the user `+1` with the transport `t1`.
const KEY: &str = "t1:+1:session_created";

/// The middleware with a clock and the keys that it keeps.
struct Sessions {
    clock: Arc<SetClock>,
    kv: Arc<dyn KvStore>,
    stack: Stack,
}

impl Sessions {
    fn new(options: &str) -> Self {
        let clock = Arc::<SetClock>::default();
        let broker = vumi_tests::context::context().broker;
        let context = vumi_tests::context::context_with(broker, Arc::<SetClock>::clone(&clock));
        let kv = context.keyspaces.open(&RedisManager { key_prefix: Some("len".into()), ..RedisManager::default() });
        let keys = format!(
            "middleware: [m: vumi.middleware.session_length.SessionLengthMiddleware]
m: {{redis_manager: {{key_prefix: len}}{options}}}"
        );
        Self { clock, kv: kv.unwrap().kv, stack: build(&keys, &context).unwrap() }
    }

    /// The helper metadata that an inbound message of `+1` with this `session_event` leaves with.
    async fn at(&self, seconds: i64, event: Option<&str>, before: Value) -> Value {
        self.clock.set(seconds);
        let message = with(user(Some("+1"), Some("8007")), "session_event", event);
        let message = with(message, "helper_metadata", before);
        pass(&self.stack, Channel::Inbound, &message).await.get("helper_metadata").cloned().unwrap()
    }
}

#[tokio::test]
async fn check_14_a_whole_session() {
    let sessions = Sessions::new("");
    let start = json!({"session": {"session_start": 100.0}});
    assert_eq!(sessions.at(100, Some("new"), json!({})).await, start);
    assert_eq!(sessions.at(130, None, json!({})).await, start);
    assert!(sessions.kv.get(KEY).await.unwrap().is_some());
    let both = sessions.at(160, Some("close"), json!({})).await;
    assert_eq!(both["session"]["session_start"], json!(100.0));
    assert_eq!(both["session"]["session_end"], json!(160.0));
    assert_eq!(sessions.kv.get(KEY).await.unwrap(), None);
}

#[tokio::test]
async fn check_15_a_start_that_is_carried() {
    let sessions = Sessions::new("");
    let carried = json!({"session": {"session_start": 5}});
    assert_eq!(sessions.at(100, Some("new"), carried.clone()).await, carried);
    assert_eq!(sessions.kv.get(KEY).await.unwrap(), None);
    sessions.at(100, Some("new"), json!({})).await;
    let closed = sessions.at(160, Some("close"), carried).await;
    assert_eq!(closed, json!({"session": {"session_start": 5, "session_end": 160.0}}));
    assert_eq!(sessions.kv.get(KEY).await.unwrap().as_deref(), Some("100.0"));
}

#[tokio::test]
async fn check_16_no_start_and_no_namespace() {
    let sessions = Sessions::new("");
    let end = json!({"session": {"session_end": 160.0}});
    assert_eq!(sessions.at(160, Some("close"), json!({})).await, end);

    let (log, _guard) = Log::start();
    let by_tag = Sessions::new(", namespace_type: tag");
    assert_eq!(by_tag.at(160, Some("new"), json!({"a": 1})).await, json!({"a": 1}));
    let lines = log.with("Session length redis namespace cannot be None, skipping message");
    assert!(matches!(lines.as_slice(), [line] if line.starts_with("ERROR ")), "{lines:?}");
}

#[tokio::test]
async fn check_17_outbound_and_the_time_to_live() {
    let sessions = Sessions::new(", timeout: 60");
    sessions.clock.set(100);
    let message = with(user(Some("8007"), Some("+1")), "session_event", "new");
    pass(&sessions.stack, Channel::Outbound, &message).await;
    let left = sessions.kv.ttl(KEY).await.unwrap().unwrap();
    assert!(left <= Duration::from_secs(60) && left > Duration::from_secs(50), "{left:?}");
}
