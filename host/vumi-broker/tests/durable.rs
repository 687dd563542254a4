//! What only a broker with a file does: it keeps everything.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

#[allow(dead_code, reason = "each test file uses a part of this")]
#[path = "suite/kit.rs"]
mod kit;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kit::*;
use vumi_broker::{BrokerError, BrokerOptions, Durability, EmbeddedBroker};
use vumi_core::{Admission, Broker, Outgoing};

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory") }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("broker.sqlite")
    }

    fn open(&self) -> Arc<EmbeddedBroker> {
        self.open_with(BrokerOptions::default())
    }

    fn open_with(&self, options: BrokerOptions) -> Arc<EmbeddedBroker> {
        EmbeddedBroker::open(&self.file(), Durability::Power, options).expect("opens")
    }

    fn refused(&self) -> BrokerError {
        EmbeddedBroker::open(&self.file(), Durability::Power, BrokerOptions::default()).expect_err("refused")
    }
}

async fn bodies(broker: &dyn Broker, queue: &str, count: usize) -> Vec<(String, u32)> {
    let mut consumer = broker.consume(queue, 0).await.expect("open");
    let taken = take(&mut consumer, count).await;
    nothing(&mut consumer).await;
    taken.iter().map(|delivery| (text(delivery).to_owned(), delivery.attempts)).collect()
}

fn expected(list: &[(&str, u32)]) -> Vec<(String, u32)> {
    list.iter().map(|(body, attempts)| ((*body).to_owned(), *attempts)).collect()
}

#[tokio::test]
async fn everything_is_there_after_an_orderly_end() {
    let place = Place::new();
    let broker = place.open();
    publish_numbers(&*broker, 0..9).await;
    publish_to(&*broker, "other", Bytes::from_static(&[0, 255, 7])).await;
    broker.declare("empty").await.expect("open");
    let mut consumer = consume(&*broker, 0).await;
    let mut held = take(&mut consumer, 6).await;
    soon(held.remove(0).reject("why")).await.expect("settles").await.expect("confirmed");
    ack(held.remove(0)).await;
    let outgoing = vec![Outgoing { queue: "other".into(), body: Bytes::from("reply") }];
    soon(held.remove(0).done(outgoing)).await.expect("settles").await.expect("confirmed");
    // 3 has come back twice, 4 waits for a later time, 5 is still out.
    held.remove(0).retry(Duration::ZERO);
    next(&mut consumer).await.retry(Duration::ZERO);
    held.remove(0).retry(Duration::from_secs(1_000));
    let letters = broker.dead_letters(Q, 9).await.expect("lists");
    soon(broker.close()).await;
    drop(held);

    let broker = place.open();
    assert_eq!(broker.dead_letters(Q, 9).await.expect("lists"), letters);
    let names: Vec<_> = broker.queues().await.expect("lists").into_iter().map(|queue| queue.name).collect();
    assert_eq!(names, ["other", Q]);
    let rest = [("3", 3), ("4", 2), ("5", 2), ("6", 1), ("7", 1), ("8", 1)];
    assert_eq!(bodies(&*broker, Q, 6).await, expected(&rest));
    let mut other = broker.consume("other", 0).await.expect("open");
    let others = take(&mut other, 2).await;
    assert_eq!((others[0].body.as_ref(), others[1].body.as_ref()), ([0, 255, 7].as_slice(), b"reply".as_slice()));
    // What is new comes after what is old, also in a queue that was there before.
    others.into_iter().for_each(|delivery| delivery.retry(Duration::ZERO));
    publish_to(&*broker, "other", "new").await;
    let all = take(&mut other, 3).await;
    assert_eq!(all[2].body, "new");
    // A dead letter of an earlier run can be revived and buried like any other.
    assert!(broker.revive(Q, letters[0].id).await.expect("writes"));
    soon(broker.close()).await;
    let broker = place.open();
    assert_eq!(bodies(&*broker, Q, 7).await.last(), Some(&("0".to_owned(), 1)));
    assert!(broker.dead_letters(Q, 9).await.expect("lists").is_empty());
}

#[tokio::test]
async fn a_broker_that_is_dropped_without_closing_loses_nothing() {
    let place = Place::new();
    let broker = place.open();
    publish_numbers(&*broker, 0..3).await;
    let mut consumer = consume(&*broker, 0).await;
    let mut held = next(&mut consumer).await;
    drop(broker);
    // The old one may still be writing.
    let broker = soon(async {
        loop {
            match EmbeddedBroker::open(&place.file(), Durability::Power, BrokerOptions::default()) {
                Ok(broker) => return broker,
                Err(BrokerError::Open(_)) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(other) => panic!("{other}"),
            }
        }
    })
    .await;
    assert!(held.ack().await.is_err(), "of the old one");
    assert_eq!(bodies(&*broker, Q, 3).await, expected(&[("0", 2), ("1", 1), ("2", 1)]));
}

#[tokio::test]
async fn what_is_confirmed_last_is_written_before_the_end() {
    let place = Place::new();
    let broker = place.open();
    let mut confirms = Vec::new();
    for number in 0..500 {
        let body = Bytes::from(number.to_string());
        confirms.push(broker.publish(Q, body, Admission::Inside).await.expect("room"));
    }
    soon(broker.close()).await;
    for confirm in confirms {
        soon(confirm).await.expect("accepted before the end");
    }
    let broker = place.open();
    assert_eq!(counts(&*broker, Q).await, (500, 0, 0));
}

#[tokio::test]
async fn lowered_bounds_lose_no_message() {
    let place = Place::new();
    let broker = place.open();
    publish_numbers(&*broker, 0..10).await;
    let mut consumer = consume(&*broker, 0).await;
    for _ in 0..5 {
        soon(next(&mut consumer).await.reject("why")).await.expect("settles").await.expect("confirmed");
    }
    publish_to(&*broker, "b", "x").await;
    soon(broker.close()).await;

    let narrow = || BrokerOptions {
        bound: 2,
        hard_factor: 1,
        max_queues: 1,
        max_dead: 2,
        max_body: 1,
        ..BrokerOptions::default()
    };
    let broker = place.open_with(narrow());
    assert_eq!(counts(&*broker, Q).await, (5, 0, 2));
    assert!(!broker.has_room(Q));
    assert_eq!(broker.queues().await.expect("lists").len(), 2);
    soon(broker.close()).await;
    // The dropped letters are gone from the file as well.
    let broker = place.open();
    assert_eq!(counts(&*broker, Q).await, (5, 0, 2));
}

#[tokio::test]
async fn a_second_broker_on_the_same_file_is_refused() {
    let place = Place::new();
    let broker = place.open();
    let refused = place.refused().to_string();
    assert!(refused.contains("in use by process"), "{refused}");
    soon(broker.close()).await;
    drop(place.open());
}

/// One sentence that names the file.
fn assert_clear(refused: &BrokerError, path: &Path) {
    let text = refused.to_string();
    assert!(text.starts_with(&format!("{}: ", path.display())), "{text}");
    assert!(!text.contains('\n') && text.len() < 300, "{text}");
}

#[tokio::test]
async fn a_damaged_file_is_told_in_one_sentence_and_left_alone() {
    let place = Place::new();
    let broker = place.open();
    for _ in 0..50 {
        publish(&*broker, vec![b'x'; 3_000]).await;
    }
    soon(broker.close()).await;
    let sound = std::fs::read(place.file()).expect("reads");
    assert!(sound.len() > 150_000);

    let mut overwritten = sound.clone();
    // All but the first two pages: the rows.
    overwritten[8_192..].fill(0xA5);
    for (name, damaged) in [("truncated", &sound[..sound.len() / 2]), ("overwritten", &overwritten)] {
        std::fs::write(place.file(), damaged).expect("writes");
        let refused = place.refused();
        assert!(matches!(refused, BrokerError::Damaged { .. }), "{name}: {refused:?}");
        assert!(refused.to_string().contains("damaged (") && refused.to_string().contains("backup"), "{refused}");
        assert_clear(&refused, &place.file());
        assert_eq!(std::fs::read(place.file()).expect("reads"), damaged, "{name}");
    }
    std::fs::write(place.file(), b"this is no database, but a text that is long enough to be looked at")
        .expect("writes");
    let refused = place.refused();
    assert!(refused.to_string().contains("not an SQLite database"), "{refused}");
    assert_clear(&refused, &place.file());

    std::fs::write(place.file(), sound).expect("writes");
    assert_eq!(counts(&*place.open(), Q).await, (50, 0, 0));
}

#[tokio::test]
async fn rows_that_cannot_be_are_damage() {
    for sql in [
        "DELETE FROM queue",
        "UPDATE message SET queue = 77",
        "UPDATE message SET id = -5",
        "UPDATE message SET attempts = -1",
        "DELETE FROM run",
        "DROP TABLE dead",
    ] {
        let place = Place::new();
        let broker = place.open();
        publish(&*broker, "x").await;
        soon(broker.close()).await;
        let connection = rusqlite::Connection::open(place.file()).expect("opens");
        connection.execute_batch(sql).expect("changes");
        drop(connection);
        let refused = place.refused();
        assert!(matches!(refused, BrokerError::Damaged { .. }), "{sql}: {refused:?}");
        assert_clear(&refused, &place.file());
    }
}

#[tokio::test]
async fn a_missing_or_damaged_file_of_marks_does_no_harm() {
    let place = Place::new();
    let marks = place.directory.path().join("broker.sqlite.marks");
    let broker = place.open();
    publish_numbers(&*broker, 0..2).await;
    soon(broker.close()).await;
    std::fs::remove_file(&marks).expect("was there");
    let broker = place.open();
    assert_eq!(counts(&*broker, Q).await, (2, 0, 0));
    soon(broker.close()).await;
    std::fs::write(&marks, [0xFF; 100]).expect("writes");
    let broker = place.open();
    assert_eq!(bodies(&*broker, Q, 2).await, expected(&[("0", 1), ("1", 1)]));
    soon(broker.close()).await;
    std::fs::remove_file(&marks).expect("is there");
    std::fs::create_dir(&marks).expect("makes");
    let refused = place.refused();
    assert!(matches!(refused, BrokerError::Write { .. }), "{refused:?}");
    assert_clear(&refused, &marks);
}
