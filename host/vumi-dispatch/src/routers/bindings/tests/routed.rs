//! The router: who stays with which app, where events go, and what is looked up for that.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::sync::watch;
use vumi_core::{BindingTable, Context, KeyQuota, Keyspace, Keyspaces, KvEntry, KvStore, Quota};
use vumi_message::Event;

use super::super::*;
use super::table;
use crate::testing::{Logged, changed, context, message, names, place_of, reason, refusal};

/// Counts the calls to the store behind it.
struct Counting {
    inner: Arc<dyn KvStore>,
    calls: AtomicUsize,
}

impl Counting {
    fn counted(&self) -> &dyn KvStore {
        self.calls.fetch_add(1, Ordering::Relaxed);
        &*self.inner
    }
}

type Ttl = Option<std::time::Duration>;

#[async_trait]
impl KvStore for Counting {
    async fn get(&self, key: &str) -> Result<Option<String>> {
        self.counted().get(key).await
    }

    async fn set(&self, key: &str, value: &str, ttl: Ttl) -> Result<()> {
        self.counted().set(key, value, ttl).await
    }

    async fn set_if_absent(&self, key: &str, value: &str, ttl: Ttl) -> Result<bool> {
        self.counted().set_if_absent(key, value, ttl).await
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        self.counted().delete(key).await
    }

    async fn incr(&self, key: &str, amount: i64) -> Result<i64> {
        self.counted().incr(key, amount).await
    }

    async fn ttl(&self, key: &str) -> Result<Ttl> {
        self.counted().ttl(key).await
    }

    async fn set_within(&self, key: &str, value: &str, ttl: Ttl, quota: KeyQuota<'_>) -> Result<Quota<()>> {
        self.counted().set_within(key, value, ttl, quota).await
    }

    async fn incr_within(&self, key: &str, amount: i64, quota: KeyQuota<'_>) -> Result<Quota<i64>> {
        self.counted().incr_within(key, amount, quota).await
    }

    async fn delete_within(&self, key: &str, counter: &str) -> Result<bool> {
        self.counted().delete_within(key, counter).await
    }

    async fn list(&self, prefix: &str, limit: usize) -> Result<Vec<KvEntry>> {
        self.counted().list(prefix, limit).await
    }

    async fn close(&self) {}
}

struct Counted(Keyspace);

impl Keyspaces for Counted {
    fn open(&self, _: &RedisManager) -> Result<Keyspace> {
        Ok(self.0.clone())
    }
}

/// A router of a dispatcher with the transports `t1` and `t2` and the static app `sorry`.
struct Rig {
    router: Arc<dyn Router>,
    tables: watch::Sender<Arc<BindingTable>>,
    kv: Arc<Counting>,
}

impl Rig {
    fn new(json: &str, table: Arc<BindingTable>) -> Self {
        let (tables, bindings) = watch::channel(table);
        let context = context();
        let inner = context.keyspaces.open(&RedisManager::default()).unwrap();
        let kv = Arc::new(Counting { inner: inner.kv, calls: AtomicUsize::new(0) });
        let keyspaces = Arc::new(Counted(Keyspace::new(kv.clone(), inner.collections)));
        let context = Context { name: "ma#in".into(), bindings, keyspaces, ..context };
        let (shared, _) = place_of(&["t1", "t2"], &["sorry"]);
        let config: BindingsConfig = serde_json::from_str(json).unwrap();
        Self { router: config.build(Place { shared: &shared, context: &context }).unwrap(), tables, kv }
    }

    /// Which app gets a message from `+1` that came through `t1`, and how many calls to the store that took.
    async fn sent(&self, fields: Value) -> (String, usize) {
        let mut message = message("t1");
        for (field, value) in fields.as_object().unwrap() {
            message = changed(&message, field, value.clone());
        }
        let before = self.kv.calls.load(Ordering::Relaxed);
        let app = match self.router.route("t1", Channel::Inbound, &message).await.unwrap() {
            Route::To(targets) => targets.into_iter().map(|target| target.connector).collect(),
            Route::Nowhere(_) => "nowhere".to_owned(),
            other => panic!("{other:?}"),
        };
        (app, self.kv.calls.load(Ordering::Relaxed) - before)
    }

    /// Which app gets this text.
    async fn says(&self, content: &str) -> (String, usize) {
        self.sent(json!({"content": content, "to_addr": "8007"})).await
    }

    /// Which app gets this part of a session.
    async fn session(&self, event: &str, id: &str) -> (String, usize) {
        let fields = json!({"session_event": event, "message_id": id, "to_addr": "*120#", "content": "join"});
        self.sent(fields).await
    }

    async fn keys(&self) -> Vec<String> {
        let entries = self.kv.inner.list("", 100).await.unwrap();
        entries.into_iter().map(|entry| format!("{} = {}", entry.key, entry.value)).collect()
    }
}

fn got(app: &str, calls: usize) -> (String, usize) {
    (app.to_owned(), calls)
}

#[tokio::test]
async fn whoever_sent_a_keyword_stays_until_the_next_one() {
    let both = table(&[("a", &[["join", "", ""]]), ("b", &[["help", "", ""]]), ("c", &[["", "8007", ""]])]);
    let rig = Rig::new("{}", both.clone());
    assert_eq!(rig.says("hello").await, got("c", 1));
    assert_eq!(rig.says("join").await, got("a", 1));
    assert_eq!(rig.says("hello").await, got("a", 1));
    // Another address, and another user, are other conversations.
    assert_eq!(rig.sent(json!({"content": "hello", "to_addr": "8008"})).await, got("nowhere", 1));
    assert_eq!(rig.sent(json!({"content": "x", "to_addr": "8007", "from_addr": "+2"})).await, got("c", 1));
    assert_eq!(rig.says("help").await, got("b", 1));
    assert_eq!(rig.says("hello").await, got("b", 1));
    assert_eq!(rig.keys().await, ["bindings#ma%23in#talk#t1#8007#+1 = b"]);
    // Who is no user has no conversation.
    assert_eq!(rig.sent(json!({"content": "join", "from_addr": null})).await, got("a", 0));
    // The app is gone; or it is there and nothing reaches it.
    for apps in [&[("c", &[["join", "8007", ""], ["", "8007", ""]][..])][..], &[("b", &[]), ("c", &[["", "", ""]])]] {
        rig.tables.send_replace(table(apps));
        assert_eq!(rig.says("hello").await.0, "c");
    }
    rig.tables.send_replace(both);
    assert_eq!(rig.says("hello").await, got("b", 1));
}

#[tokio::test]
async fn nothing_is_looked_up_where_no_keyword_fits() {
    let rig = Rig::new(
        r#"{"fallback": "sorry"}"#,
        table(&[("a", &[["join", "8008", ""], ["join", "", "t2"]]), ("c", &[["", "8007", "t1"]])]),
    );
    assert_eq!(rig.says("join").await, got("c", 0));
    assert_eq!(rig.sent(json!({"to_addr": "8009"})).await, got("sorry", 0));
    assert_eq!(rig.sent(json!({"to_addr": "8008"})).await, got("sorry", 1));
}

#[tokio::test]
async fn a_session_stays_with_the_app_that_it_began_with() {
    let (a, b, none) = (table(&[("a", &[["", "", ""]])]), table(&[("b", &[["", "", ""]])]), table(&[]));
    let a_after_b = table(&[("a", &[["other", "", ""]]), ("b", &[["", "", ""]])]);
    let rig = Rig::new("{}", a.clone());
    assert_eq!(rig.session("new", "m1").await, got("a", 1));
    rig.tables.send_replace(a_after_b.clone());
    assert_eq!(rig.session("resume", "m2").await, got("a", 1));
    assert_eq!(rig.session("close", "m3").await, got("a", 2));
    // The same message again, since it could not be handed on; then others.
    assert_eq!(rig.session("close", "m3").await.0, "a");
    assert_eq!(rig.session("close", "m4").await, got("b", 1));
    assert_eq!(rig.session("resume", "m5").await.0, "b");
    assert_eq!(rig.keys().await, ["bindings#ma%23in#session#t1#*120%23#+1 = b"]);
    rig.tables.send_replace(a);
    // The app is gone, and the session goes on with another one, even when the first one comes back.
    assert_eq!(rig.session("resume", "m6").await.0, "a");
    rig.tables.send_replace(a_after_b);
    assert_eq!(rig.session("resume", "m7").await, got("a", 1));
    // A session that nobody takes leaves nothing of the one before.
    rig.tables.send_replace(none);
    assert_eq!(rig.session("new", "m8").await.0, "nowhere");
    rig.tables.send_replace(b);
    assert_eq!(rig.session("resume", "m9").await.0, "b");
}

#[tokio::test]
async fn a_session_that_began_with_the_fallback_stays_there() {
    let rig = Rig::new(r#"{"fallback": "sorry"}"#, table(&[]));
    assert_eq!(rig.session("new", "m1").await.0, "sorry");
    rig.tables.send_replace(table(&[("a", &[["", "", ""]])]));
    assert_eq!(rig.session("resume", "m2").await.0, "sorry");
    assert_eq!(rig.session("close", "m3").await.0, "sorry");
    assert_eq!(rig.session("new", "m4").await.0, "a");
}

#[tokio::test]
async fn events_find_the_app_that_sent_the_message() {
    let about = |id: &str| Message::Event(Event::ack(id, "s"));
    let outbound = |id: &str| changed(&message("t2"), "message_id", id.into());
    let rig = Rig::new(r#"{"fallback": "sorry"}"#, table(&[("a", &[])]));
    for (app, id) in [("a", "m1"), ("gone", "m2"), ("sorry", "m3")] {
        let before = rig.kv.calls.load(Ordering::Relaxed);
        let message = outbound(id);
        let route = rig.router.route(app, Channel::Outbound, &message).await.unwrap();
        assert_eq!(route, Route::one("t2", Channel::Outbound, message));
        assert_eq!(rig.kv.calls.load(Ordering::Relaxed) - before, 1);
    }
    assert_eq!(names(&*rig.router, Channel::Event, &about("m1")).await, ["a"]);
    assert_eq!(rig.router.route("t2", Channel::Event, &about("m2")).await.unwrap(), Route::Discarded);
    assert_eq!(names(&*rig.router, Channel::Event, &about("m3")).await, ["sorry"]);
    assert_eq!(names(&*rig.router, Channel::Event, &about("m4")).await, ["sorry"]);
    assert_eq!(names(&*rig.router, Channel::Event, &Message::Event(Event::ack(None, "s"))).await, ["sorry"]);

    let log = Logged::start();
    let rig = Rig::new("{}", table(&[("a", &[])]));
    assert_eq!(rig.router.route("t2", Channel::Event, &about("m4")).await.unwrap(), Route::Discarded);
    assert!(log.lines().iter().any(|line| line.starts_with("DEBUG nobody remembers")), "{:?}", log.lines());
    let nowhere = changed(&outbound("m5"), "transport_name", "t9".into());
    assert_eq!(
        reason(&*rig.router, "a", Channel::Outbound, &nowhere).await,
        "the message's transport_name is `t9`, which is none of this dispatcher's transports: t1, t2"
    );
    assert_eq!(
        reason(&*rig.router, "t1", Channel::Inbound, &message("t1")).await,
        "no binding fits a message from t1 to nobody, and there is no fallback: bind an app to it, or name a fallback"
    );
}

#[tokio::test]
async fn a_conflict_is_told_once_for_each_table() {
    let log = Logged::start();
    let tied = || table(&[("a", &[["", "", ""]]), ("b", &[["", "", ""]]), ("t1", &[["", "", "t1"]])]);
    let rig = Rig::new("{}", tied());
    for lines in [1, 2] {
        for _ in 0..3 {
            assert_eq!(rig.says("x").await, got("a", 0));
        }
        let told = |start: &str| log.lines().iter().filter(|line| line.starts_with(start)).count();
        assert_eq!(told("WARN `a`, `b` have the same binding (everything)"), lines);
        assert_eq!(told("ERROR nothing reaches the app `t1`: a transport has this name"), lines);
        rig.tables.send_replace(tied());
    }
}

#[test]
fn mistakes_are_refused_at_the_start() {
    for (json, transports, text) in [
        ("{}", &[][..], "transport_names is empty"),
        (r#"{"fallback": "a9"}"#, &["t1"], "fallback names `a9`, which is not among exposed_names"),
        (r#"{"session_expiry": 0}"#, &["t1"], "session_expiry is 0"),
        (r#"{"message_expiry": 0}"#, &["t1"], "message_expiry is 0"),
        (r#"{"fall_back": "a1"}"#, &["t1"], "unknown field `fall_back`"),
    ] {
        let refusal = refusal::<BindingsConfig>(json, transports, &["a1"]);
        assert!(refusal.starts_with(text), "{json}: {refusal}");
    }
}
