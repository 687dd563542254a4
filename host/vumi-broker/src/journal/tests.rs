//! A journal whose disk is full, and one that meets a change it can never write.

use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use vumi_core::{Admission, Broker, Consumer, Delivery, Outgoing};
use vumi_sqlite::Options;

use super::*;
use crate::embedded::EmbeddedBroker;
use crate::options::BrokerOptions;
use crate::write::{MIGRATIONS, sql};

const FIRST: u64 = 1_000;

struct Bench {
    database: Database,
    broker: EmbeddedBroker,
    _directory: tempfile::TempDir,
}

/// A broker whose database the test can get at.
fn bench() -> Bench {
    let directory = tempfile::tempdir().expect("a directory");
    let database = Database::open(Options::memory(), MIGRATIONS).expect("opens");
    let (marks, _) = Marks::open(&directory.path().join("marks"), 1, 0).expect("opens");
    let journal = Journal::start(database.clone(), marks, FIRST).expect("starts");
    Bench { database, broker: EmbeddedBroker::on(journal, 0, &BrokerOptions::default()), _directory: directory }
}

impl Bench {
    /// Holds the database until the sender is dropped.
    fn hold(&self) -> mpsc::Sender<()> {
        let (release, wait) = mpsc::channel();
        drop(self.database.submit(move |_| {
            let _ = wait.recv();
            Ok(())
        }));
        release
    }

    /// Bounds the database to what it holds now and some pages more.
    async fn limit(&self, more: u32) {
        self.database
            .write(move |connection| {
                let pages: u32 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
                connection.pragma_update_and_check(None, "max_page_count", pages + more, |_| Ok(()))
            })
            .await
            .expect("sets");
    }

    async fn count(&self, table: &'static str) -> i64 {
        self.database
            .read(move |connection| {
                connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
            })
            .await
            .expect("reads")
    }

    async fn publish(&self, body: Vec<u8>) -> vumi_core::Result<()> {
        self.broker.publish("q", Bytes::from(body), Admission::Inside).await.expect("has room").await
    }
}

async fn next(consumer: &mut Box<dyn Consumer>) -> Delivery {
    tokio::time::timeout(Duration::from_secs(10), consumer.next()).await.expect("in time").expect("open")
}

#[tokio::test]
async fn a_full_disk_undoes_everything_and_works_again_when_there_is_room() {
    let bench = bench();
    let large = vec![b'x'; 500_000];
    bench.publish(b"small".to_vec()).await.expect("fits");
    let mut consumer = bench.broker.consume("q", 1).await.expect("open");
    let mut delivery = next(&mut consumer).await;
    bench.limit(20).await;

    let error = bench.publish(large.clone()).await.expect_err("does not fit");
    assert!(error.is_temporary() && error.to_string().contains("could not write"), "{error}");
    let outgoing = vec![Outgoing { queue: "other".into(), body: Bytes::from(large.clone()) }];
    let error = delivery.done(outgoing).await.expect("appended").await.expect_err("does not fit");
    assert!(error.is_temporary());
    // Undone: the delivery is back, nothing else is there, and no place is lost.
    let mut delivery = next(&mut consumer).await;
    assert_eq!((delivery.body.as_ref(), delivery.attempts), (b"small".as_slice(), 2));
    let info = bench.broker.queues().await.expect("lists");
    let counts: Vec<_> = info.iter().map(|queue| (queue.name.as_str(), queue.ready, queue.unacked)).collect();
    assert_eq!(counts, [("other", 0, 0), ("q", 0, 1)]);
    assert_eq!(bench.count("message").await, 1);

    let error = delivery.reject(&"why".repeat(100)).await.expect("appended").await;
    assert!(error.is_ok(), "small writes still fit");
    let letter = bench.broker.dead_letters("q", 9).await.expect("lists").remove(0);
    bench.limit(100_000).await;
    bench.publish(large).await.expect("fits now");
    assert_eq!(next(&mut consumer).await.body.len(), 500_000);
    assert!(bench.broker.bury("q", letter.id).await.expect("writes"));
    assert_eq!((bench.count("message").await, bench.count("dead").await), (1, 0));
}

#[tokio::test]
async fn a_dead_letter_stays_when_its_revival_cannot_be_written() {
    let bench = bench();
    bench.publish(vec![b'x'; 500_000]).await.expect("fits");
    let mut consumer = bench.broker.consume("q", 1).await.expect("open");
    next(&mut consumer).await.reject("why").await.expect("appended").await.expect("written");
    let letter = bench.broker.dead_letters("q", 9).await.expect("lists").remove(0);
    // The row is taken, so the new message cannot be written; nor ever could be.
    let taken = bench.database.write(|connection| {
        let sql = "INSERT INTO message SELECT 1 + (SELECT max(id) FROM dead), 0, 0, x''";
        connection.execute(sql, [])
    });
    taken.await.expect("writes");
    assert!(bench.broker.revive("q", letter.id).await.is_err());
    assert_eq!(bench.broker.dead_letters("q", 9).await.expect("lists"), std::slice::from_ref(&letter));
    assert!(bench.broker.revive("q", letter.id).await.expect("writes"), "the next number is free");
    assert_eq!((bench.count("message").await, bench.count("dead").await), (2, 0));
    assert_eq!(next(&mut consumer).await.attempts, 1);
}

#[tokio::test]
async fn a_change_that_can_never_be_written_takes_no_other_with_it() {
    let bench = bench();
    let taken = FIRST + 1;
    bench
        .database
        .write(move |connection| connection.execute("INSERT INTO message VALUES (?1, 0, 0, x'')", [sql(taken)]))
        .await
        .expect("writes");
    let held = bench.hold();
    let mut confirms = Vec::new();
    for body in ["a", "b", "c"] {
        confirms.push(bench.broker.publish("q", Bytes::from(body), Admission::Inside).await.expect("has room"));
    }
    drop(held);
    let mut outcomes = Vec::new();
    for confirm in confirms {
        outcomes.push(confirm.await.is_ok());
    }
    assert_eq!(outcomes, [true, false, true]);
    let mut consumer = bench.broker.consume("q", 0).await.expect("open");
    let (first, second) = (next(&mut consumer).await, next(&mut consumer).await);
    assert_eq!((first.body.as_ref(), second.body.as_ref()), (b"a".as_slice(), b"c".as_slice()));
}
