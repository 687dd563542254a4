//! The rules. Each takes a backend and opens a store with the bounds that it needs.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may fail loudly")]

use std::sync::Arc;

use tempfile::TempDir;
use vumi_core::{LogLevel, LogLine, MessageQuery, MessageRecord, Outcome, Run, Store};
use vumi_message::Timestamp;
use vumi_store::{Durability, Location, SqliteStore, StoreOptions};

/// A way to make a store.
pub(crate) struct Backend {
    location: Location,
    /// Deleted with the backend.
    _directory: Option<TempDir>,
}

impl Backend {
    pub(crate) fn memory() -> Self {
        Self { location: Location::Memory, _directory: None }
    }

    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let location = Location::File(directory.path().join(vumi_store::STORE_FILE));
        Self { location, _directory: Some(directory) }
    }

    fn open(&self, options: StoreOptions) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(self.location.clone(), Durability::Process, options).expect("opens"))
    }

    fn usual(&self) -> Arc<dyn Store> {
        self.open(StoreOptions::default())
    }
}

fn message(transport: &str, direction: &str, user: Option<&str>, id: &str) -> MessageRecord {
    MessageRecord {
        seq: 0,
        at: Timestamp::from_secs(1_700_000_000),
        direction: direction.into(),
        transport_name: transport.into(),
        user: user.map(str::to_owned),
        id: id.into(),
        body: format!("{{\"id\":\"{id}\"}}"),
    }
}

fn run(app: &str, n: u64) -> Run {
    Run {
        at: Timestamp::from_micros(1_700_000_000_123_456),
        app: app.into(),
        version: None,
        sandbox_id: "s".into(),
        message_id: format!("m{n}"),
        user: Some("+1".into()),
        outcome: Outcome::HandlerError,
        error: Some("it said \"no\"\n\0".into()),
        cpu_us: n,
        wall_us: u64::MAX,
        host_us: 1,
        peak_memory: 65_536,
        host_calls: 2,
        sent: 3,
        log_bytes: 4,
    }
}

fn line(app: &str, text: &str) -> LogLine {
    LogLine {
        at: Timestamp::from_micros(-1),
        app: app.into(),
        sandbox_id: "s".into(),
        message_id: None,
        level: LogLevel::Critical,
        source: "guest".into(),
        text: text.into(),
    }
}

async fn ids(store: &Arc<dyn Store>, query: MessageQuery) -> Vec<String> {
    store.messages(query).await.expect("reads").into_iter().map(|record| record.id).collect()
}

async fn put(store: &Arc<dyn Store>, record: MessageRecord) -> bool {
    store.put_message(record).await.expect("stores")
}

pub(crate) async fn a_message_is_stored_once(backend: Backend) {
    let store = backend.usual();
    assert!(put(&store, message("t", "inbound", Some("+1"), "1")).await);
    let changed = MessageRecord { body: "other".into(), ..message("t", "inbound", Some("+2"), "1") };
    assert!(!put(&store, changed).await);
    assert!(put(&store, message("t", "outbound", Some("+1"), "1")).await, "another direction");
    assert!(put(&store, message("u", "inbound", Some("+1"), "1")).await, "another transport");
    assert!(put(&store, message("t", "inbound", Some("+1"), "2")).await, "another id");
    let stored = store.messages(MessageQuery::default()).await.expect("reads");
    assert_eq!(stored.len(), 4);
    assert_eq!(stored[3].body, r#"{"id":"1"}"#, "as it was stored first");
    store.close().await;
}

pub(crate) async fn of_many_at_once_one_stores_the_message(backend: Backend) {
    let store = backend.usual();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.put_message(message("t", "inbound", None, "1")).await.expect("stores") });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|stored| *stored).count(), 1);
    store.close().await;
}

pub(crate) async fn a_message_is_read_as_it_was_stored(backend: Backend) {
    let store = backend.usual();
    for (n, text) in ["", "x", "\0", "'\"%_", "ключ 🔑", &"long ".repeat(50_000)].into_iter().enumerate() {
        let record = MessageRecord {
            seq: 0,
            at: Timestamp::from_micros(-62_135_596_800_000_000 + n as i64),
            direction: "status".into(),
            transport_name: text.into(),
            user: (n % 2 == 0).then(|| text.into()),
            id: text.into(),
            body: text.into(),
        };
        assert!(put(&store, record.clone()).await);
        let query = MessageQuery { transport_name: Some(text.into()), ..MessageQuery::default() };
        let found = store.messages(query).await.expect("reads");
        assert_eq!(found, [MessageRecord { seq: found[0].seq, ..record }]);
    }
    store.close().await;
}

pub(crate) async fn messages_come_newest_first_and_in_pages(backend: Backend) {
    let store = backend.usual();
    for n in 0..250 {
        put(&store, message("t", "inbound", None, &n.to_string())).await;
        put(&store, message("t", "inbound", None, "0")).await;
    }
    let expected: Vec<String> = (0..250).rev().map(|n: i32| n.to_string()).collect();
    assert_eq!(ids(&store, MessageQuery::default()).await, expected[..100], "0 means 100");
    let mut all = Vec::new();
    let mut before = None;
    loop {
        let page = store.messages(MessageQuery { before, limit: 60, ..MessageQuery::default() }).await.expect("reads");
        let Some(last) = page.last() else { break };
        before = Some(last.seq);
        assert!(page.is_sorted_by(|a, b| a.seq > b.seq) && page.len() <= 60);
        all.extend(page.into_iter().map(|record| record.id));
    }
    assert_eq!(all, expected, "each once, also where the same id came again");
    let beyond = MessageQuery { before: Some(u64::MAX), limit: usize::MAX, ..MessageQuery::default() };
    assert_eq!(ids(&store, beyond).await, expected);
    assert_eq!(ids(&store, MessageQuery { before: Some(0), ..MessageQuery::default() }).await, [""; 0]);
    store.close().await;
}

pub(crate) async fn messages_are_filtered_by_transport_and_user(backend: Backend) {
    let store = backend.usual();
    for (transport, user, id) in [
        ("t", Some("+1"), "a"),
        ("u", Some("+1"), "b"),
        ("t", Some("+2"), "c"),
        ("t", None, "d"),
        ("t", Some("+1"), "e"),
    ] {
        put(&store, message(transport, "inbound", user, id)).await;
    }
    let query = |transport: Option<&str>, user: Option<&str>| MessageQuery {
        transport_name: transport.map(str::to_owned),
        user: user.map(str::to_owned),
        ..MessageQuery::default()
    };
    assert_eq!(ids(&store, query(Some("t"), None)).await, ["e", "d", "c", "a"]);
    assert_eq!(ids(&store, query(None, Some("+1"))).await, ["e", "b", "a"]);
    assert_eq!(ids(&store, query(Some("t"), Some("+1"))).await, ["e", "a"]);
    assert_eq!(ids(&store, query(Some("t"), Some(""))).await, [""; 0]);
    assert_eq!(ids(&store, query(Some("T"), None)).await, [""; 0]);
    let page = MessageQuery { before: Some(5), limit: 1, ..query(Some("t"), Some("+1")) };
    assert_eq!(ids(&store, page).await, ["a"]);
    store.close().await;
}

pub(crate) async fn old_messages_are_forgotten(backend: Backend) {
    let store = backend.open(StoreOptions { max_messages: 10, ..StoreOptions::default() });
    for n in 0..30 {
        put(&store, message("t", "inbound", None, &n.to_string())).await;
    }
    let expected: Vec<String> = (20..30).rev().map(|n: i32| n.to_string()).collect();
    assert_eq!(ids(&store, MessageQuery::default()).await, expected);
    assert!(!put(&store, message("t", "inbound", None, "20")).await, "still known");
    assert!(put(&store, message("t", "inbound", None, "0")).await, "forgotten, so new");
    assert_eq!(ids(&store, MessageQuery { limit: 2, ..MessageQuery::default() }).await, ["0", "29"]);
    store.close().await;

    // Of more, old ones are forgotten in batches: there may be a few too many, never too few.
    let store = backend.open(StoreOptions { max_messages: 100, ..StoreOptions::default() });
    for n in 1_000..1_500 {
        put(&store, message("t", "inbound", None, &n.to_string())).await;
        if n >= 1_100 {
            let held = ids(&store, MessageQuery { limit: 1_000, ..MessageQuery::default() }).await.len();
            assert!((100..=106).contains(&held), "{held} after {n}");
        }
    }
    store.close().await;
}

pub(crate) async fn runs_are_read_as_they_were_stored(backend: Backend) {
    let store = backend.usual();
    let runs = [run("a", 1), Run { user: None, error: None, outcome: Outcome::Ok, ..run("a", 2) }];
    for run in &runs {
        store.put_run(run.clone());
    }
    store.put_log(line("a", "\0 'text' 🔑\nsecond line"));
    let [first, second] = runs;
    assert_eq!(store.runs(None, 10).await.expect("reads"), [second, first]);
    assert_eq!(store.logs(None, 10).await.expect("reads"), [line("a", "\0 'text' 🔑\nsecond line")]);
    store.close().await;
}

pub(crate) async fn runs_and_logs_come_newest_first_by_app(backend: Backend) {
    let store = backend.usual();
    for n in 0..9 {
        let app = ["a", "b", "A"][n as usize % 3];
        store.put_run(run(app, n));
        store.put_log(line(app, &n.to_string()));
    }
    let numbers = |runs: Vec<Run>| runs.into_iter().map(|run| run.cpu_us).collect::<Vec<_>>();
    let texts = |lines: Vec<LogLine>| lines.into_iter().map(|line| line.text).collect::<Vec<_>>();
    assert_eq!(numbers(store.runs(None, 4).await.expect("reads")), [8, 7, 6, 5]);
    assert_eq!(numbers(store.runs(Some("a"), 100).await.expect("reads")), [6, 3, 0]);
    assert_eq!(numbers(store.runs(Some("b"), 2).await.expect("reads")), [7, 4]);
    assert_eq!(numbers(store.runs(Some("nobody"), 2).await.expect("reads")), [0; 0]);
    assert_eq!(texts(store.logs(None, 4).await.expect("reads")), ["8", "7", "6", "5"]);
    assert_eq!(texts(store.logs(Some("a"), usize::MAX).await.expect("reads")), ["6", "3", "0"]);
    assert_eq!(texts(store.logs(Some("b"), 0).await.expect("reads")), [""; 0]);
    store.close().await;
}

pub(crate) async fn old_runs_and_logs_are_forgotten(backend: Backend) {
    let store = backend.open(StoreOptions { max_runs: 5, max_logs: 7, ..StoreOptions::default() });
    for n in 0..3_000 {
        store.put_run(run("a", n));
        store.put_log(line("a", &n.to_string()));
    }
    let runs = store.runs(None, 10_000).await.expect("reads");
    assert_eq!(runs.iter().map(|run| run.cpu_us).collect::<Vec<_>>(), [2_999, 2_998, 2_997, 2_996, 2_995]);
    let logs = store.logs(None, 10_000).await.expect("reads");
    assert_eq!((logs.len(), logs[6].text.as_str()), (7, "2993"));
    store.close().await;
}

pub(crate) async fn after_closing_nothing_is_taken(backend: Backend) {
    let store = backend.usual();
    store.close().await;
    let error = store.put_message(message("t", "inbound", None, "1")).await.expect_err("closed");
    assert!(error.is_temporary());
    assert_eq!(error.report(), "the message store could not be written: the database is closed");
    store.put_run(run("a", 1));
    store.put_log(line("a", "x"));
    let error = store.runs(None, 1).await.expect_err("closed");
    assert_eq!(error.report(), "the message store could not be read: the database is closed");
    store.close().await;
}
