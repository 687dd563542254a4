//! The checks of specs/core/session.md, on collections in memory and with a clock that the test sets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};
use vumi_core::session::{Session, Sessions};
use vumi_core::{Answer, Change, Clock, Collections, Keyspace, Result, Scores};
use vumi_message::{Payload, Timestamp};
use vumi_store::{MemoryBounds, collections_in_memory, kv_in_memory};

/// A clock that stands until it is moved.
pub(crate) struct SetClock(AtomicI64);

impl SetClock {
    /// It stands at a moment of 2016.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_456_820_000_250_000)))
    }

    pub(crate) fn forward(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

struct Rig {
    clock: Arc<SetClock>,
    keyspace: Keyspace,
    sessions: Sessions,
}

impl Rig {
    fn new(length: Option<f64>) -> Self {
        let clock = SetClock::new();
        let kv = kv_in_memory(MemoryBounds::default(), clock.clone());
        let keyspace = Keyspace::new(kv, collections_in_memory(clock.clone()));
        let length = length.map(Duration::from_secs_f64);
        Self { sessions: Sessions::new(keyspace.clone(), clock.clone(), length), keyspace, clock }
    }

    async fn ttl(&self, user: &str) -> Option<Duration> {
        self.keyspace.collections.ttl(&format!("session:{user}")).await.unwrap()
    }

    async fn create(&self, user: &str, fields: Value) -> Session {
        self.sessions.create(user, &map(fields)).await.unwrap()
    }

    async fn load(&self, user: &str) -> Session {
        self.sessions.load(user).await.unwrap()
    }

    async fn users(&self) -> BTreeSet<String> {
        self.sessions.active(100).await.unwrap().into_iter().map(|(user, _)| user).collect()
    }
}

fn map(fields: Value) -> Payload {
    fields.as_object().cloned().unwrap()
}

fn names(session: &Session) -> Vec<&str> {
    session.keys().map(String::as_str).collect()
}

#[tokio::test]
async fn check_01_create_and_load() {
    let rig = Rig::new(None);
    let made = rig.create("u1", json!({})).await;
    assert_eq!(names(&made), ["created_at"]);
    assert_eq!(made["created_at"], "1456820000.25");
    assert_eq!(rig.load("u1").await, made);
}

#[tokio::test]
async fn check_02_create_replaces() {
    let rig = Rig::new(None);
    rig.create("u1", json!({"foo": "bar"})).await;
    rig.create("u1", json!({"baz": "1"})).await;
    assert_eq!(names(&rig.load("u1").await), ["baz", "created_at"]);
}

#[tokio::test]
async fn check_03_created_at_may_be_given() {
    let rig = Rig::new(None);
    assert_eq!(rig.create("u1", json!({"created_at": "5"})).await["created_at"], "5");
    assert_eq!(rig.load("u1").await["created_at"], "5");
}

#[tokio::test]
async fn check_04_save_adds() {
    let rig = Rig::new(None);
    rig.create("u1", json!({})).await;
    rig.sessions.save("u1", &map(json!({"foo": 5, "bar": "baz"}))).await.unwrap();
    let session = rig.load("u1").await;
    assert_eq!((session["foo"].as_str(), session["bar"].as_str()), ("5", "baz"));
    assert!(session.contains_key("created_at"));
}

#[tokio::test]
async fn check_05_nobody() {
    assert_eq!(Rig::new(None).load("nobody").await, Session::new());
}

#[tokio::test]
async fn check_06_length() {
    let rig = Rig::new(Some(60.9));
    rig.create("u1", json!({})).await;
    assert_eq!(rig.ttl("u1").await, Some(Duration::from_secs(60)));
    for never in [None, Some(0.0)] {
        let rig = Rig::new(never);
        rig.create("u1", json!({})).await;
        assert_eq!(rig.ttl("u1").await, None);
        assert!(!rig.load("u1").await.is_empty());
    }
}

#[tokio::test]
async fn check_07_save_does_not_renew() {
    let rig = Rig::new(Some(60.0));
    rig.create("u1", json!({})).await;
    rig.clock.forward(Duration::from_secs(1));
    rig.sessions.save("u1", &map(json!({"a": 1}))).await.unwrap();
    assert_eq!(rig.ttl("u1").await, Some(Duration::from_secs(59)));
}

#[tokio::test]
async fn check_08_save_without_create() {
    let rig = Rig::new(Some(60.0));
    rig.sessions.save("new", &map(json!({"a": 1}))).await.unwrap();
    assert_eq!(rig.load("new").await, Session::from([("a".to_owned(), "1".to_owned())]));
    assert_eq!(rig.ttl("new").await, None);
}

#[tokio::test]
async fn check_09_schedule_expiry() {
    let rig = Rig::new(None);
    for user in ["u1", "u2"] {
        rig.create(user, json!({})).await;
    }
    rig.sessions.schedule_expiry("u1", Duration::from_secs(1)).await.unwrap();
    assert!(!rig.load("u1").await.is_empty());
    rig.clock.forward(Duration::from_secs(2));
    assert_eq!(rig.load("u1").await, Session::new());
    assert_eq!(rig.users().await, BTreeSet::from(["u2".to_owned()]));
}

#[tokio::test]
async fn check_10_active() {
    let rig = Rig::new(None);
    for user in ["u1", "message:9"] {
        rig.create(user, json!({})).await;
    }
    assert_eq!(rig.users().await, BTreeSet::from(["u1".to_owned(), "message:9".to_owned()]));
    assert_eq!(rig.sessions.active(1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn check_11_clear() {
    let rig = Rig::new(None);
    rig.create("u1", json!({})).await;
    for _ in 0..2 {
        rig.sessions.clear("u1").await.unwrap();
        assert_eq!(rig.load("u1").await, Session::new());
    }
}

#[tokio::test]
async fn check_12_prefix() {
    let rig = Rig::new(None);
    let sessions = Sessions::new(rig.keyspace.under("bot"), rig.clock.clone(), None);
    let made = sessions.create("u1", &Payload::new()).await.unwrap();
    assert_eq!(rig.keyspace.collections.hash("bot:session:u1").await.unwrap(), made);
    let active = sessions.active(10).await.unwrap();
    assert_eq!(active, [("u1".to_owned(), made)]);
    assert_eq!(rig.users().await, BTreeSet::new());
}

#[tokio::test]
async fn check_13_scalars_only() {
    let rig = Rig::new(None);
    let old = rig.create("u1", json!({"x": "old"})).await;
    let nested = map(json!({"x": {"a": 1}}));
    let refused = [rig.sessions.create("u1", &nested).await.map(drop), rig.sessions.save("u1", &nested).await];
    for result in refused {
        assert_eq!(result.unwrap_err().to_string(), "session values must be scalars");
    }
    assert_eq!(rig.load("u1").await, old);
    rig.sessions.create("u2", &nested).await.unwrap_err();
    assert_eq!(rig.users().await, BTreeSet::from(["u1".to_owned()]));
}

/// Collections that note, after each change, what whoever loads a session now would get: with its end, all that a
/// crash at any time could leave behind.
struct Noting {
    inner: Arc<dyn Collections>,
    key: &'static str,
    seen: Mutex<Vec<Session>>,
}

#[async_trait]
impl Collections for Noting {
    async fn text(&self, key: &str) -> Result<Option<String>> {
        self.inner.text(key).await
    }

    async fn hash(&self, key: &str) -> Result<BTreeMap<String, String>> {
        self.inner.hash(key).await
    }

    async fn field(&self, key: &str, field: &str) -> Result<Option<String>> {
        self.inner.field(key, field).await
    }

    async fn members(&self, key: &str) -> Result<BTreeSet<String>> {
        self.inner.members(key).await
    }

    async fn has(&self, key: &str, member: &str) -> Result<bool> {
        self.inner.has(key, member).await
    }

    async fn list(&self, key: &str, skip: u64, limit: u64) -> Result<Vec<String>> {
        self.inner.list(key, skip, limit).await
    }

    async fn sorted(&self, key: &str, scores: Scores, limit: u64) -> Result<Vec<(String, f64)>> {
        self.inner.sorted(key, scores, limit).await
    }

    async fn score(&self, key: &str, member: &str) -> Result<Option<f64>> {
        self.inner.score(key, member).await
    }

    async fn len(&self, key: &str) -> Result<u64> {
        self.inner.len(key).await
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>> {
        self.inner.ttl(key).await
    }

    async fn keys(&self, prefix: &str, limit: u64) -> Result<Vec<String>> {
        self.inner.keys(prefix, limit).await
    }

    async fn apply(&self, change: Change) -> Result<Option<Vec<Answer>>> {
        let answer = self.inner.apply(change).await?;
        let now = self.inner.hash(self.key).await?;
        self.seen.lock().push(now);
        Ok(answer)
    }
}

#[tokio::test]
async fn check_14_old_or_new_but_no_mixture() {
    let rig = Rig::new(None);
    let inner = Arc::clone(&rig.keyspace.collections);
    let noting = Arc::new(Noting { inner, key: "session:u1", seen: Mutex::default() });
    let keyspace = Keyspace::new(Arc::clone(&rig.keyspace.kv), noting.clone());
    let sessions = Sessions::new(keyspace, rig.clock.clone(), Some(Duration::from_secs(60)));
    let old = sessions.create("u1", &map(json!({"a": "1", "b": "1"}))).await.unwrap();
    let new = sessions.create("u1", &map(json!({"b": "2", "c": "2"}))).await.unwrap();
    assert_eq!(*noting.seen.lock(), [old, new]);
    assert!(rig.ttl("u1").await.is_some());
}
