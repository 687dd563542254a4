//! Writes that fail, and a log that must be folded.

use vumi_core::{Guard, Op, SystemClock};

use super::*;

fn text(key: &str, value: &str) -> Change {
    Change::new().then(Op::SetText { key: key.to_owned(), value: value.to_owned() })
}

/// A change that cannot be written takes those along that were decided on top of it, and nobody sees it afterwards.
/// One thread, so that all are queued before the first is answered.
#[tokio::test]
async fn nothing_is_built_on_what_could_not_be_written() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("c");
    let open = || SqliteCollections::open(&path, Durability::Process, MemoryBounds::default(), Arc::new(SystemClock));
    let all = Arc::new(open().expect("opens"));
    let trigger = "CREATE TRIGGER poison BEFORE INSERT ON log WHEN NEW.steps LIKE '%poison%'
        BEGIN SELECT RAISE(ABORT, 'poison'); END";
    all.database.write(move |connection| connection.execute_batch(trigger)).await.expect("is made");
    all.apply(text("before", "v")).await.expect("applies");
    for round in 0..20 {
        let relies = Guard::TextIs { key: "k".to_owned(), value: Some("poison".to_owned()) };
        let changes = [text("k", "poison"), text("on top", "v").when(relies), text("other", "v")];
        let tasks = changes.map(|change| {
            let all = Arc::clone(&all);
            tokio::spawn(async move { all.apply(change).await })
        });
        for task in tasks {
            let error = task.await.expect("ends").expect_err("is not written");
            assert!(error.is_temporary(), "{error}");
        }
        for key in ["k", "on top", "other"] {
            assert_eq!(all.text(key).await.expect("reads"), None, "{key} in round {round}");
        }
        all.apply(text("after", &round.to_string())).await.expect("goes on").expect("no guards");
    }
    // Even if the one who would notice gave up.
    let gone = tokio::spawn({
        let all = Arc::clone(&all);
        async move { all.apply(text("k", "poison")).await }
    });
    tokio::task::yield_now().await;
    gone.abort();
    drop(gone.await);
    while all.apply(text("after", "last")).await.is_err() {}
    assert_eq!(all.text("k").await.expect("reads"), None);
    all.close().await;
    let all = open().expect("opens");
    assert_eq!(all.keys("", 10).await.expect("lists"), ["after", "before"]);
    assert_eq!(all.text("after").await.expect("reads").as_deref(), Some("last"));
    all.close().await;
}

/// The log is folded after so many changes, and a fold that fails is made up for.
#[tokio::test]
async fn the_log_stays_short() {
    let directory = tempfile::tempdir().expect("a directory");
    let clock = Arc::new(SystemClock);
    let all = SqliteCollections::open(directory.path().join("c"), Durability::Process, MemoryBounds::default(), clock)
        .expect("opens");
    let trigger = "CREATE TRIGGER full BEFORE INSERT ON entry BEGIN SELECT RAISE(ABORT, 'full'); END";
    all.database.write(move |connection| connection.execute_batch(trigger)).await.expect("is made");
    for n in 0..=FOLD {
        all.apply(text(&(n % 10).to_string(), &n.to_string())).await.expect("applies");
    }
    let count = |table: &'static str| {
        all.database.read(move |connection| {
            connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0))
        })
    };
    assert_eq!((count("log").await.expect("counts"), count("entry").await.expect("counts")), (FOLD as i64 + 1, 0));
    all.database.write(|connection| connection.execute_batch("DROP TRIGGER full")).await.expect("is dropped");
    all.apply(text("last", "v")).await.expect("applies");
    // Comes after the fold, as all writes do one after the other.
    all.apply(text("really last", "v")).await.expect("applies");
    assert_eq!((count("log").await.expect("counts"), count("entry").await.expect("counts")), (1, 11));
    all.close().await;
}
