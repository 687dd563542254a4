//! Crashes in earnest: a process that is killed at any moment. The parent starts this test program again and runs one
//! of the ignored tests in it.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

#[allow(dead_code, reason = "each test file uses a part of this")]
#[path = "suite/kit.rs"]
mod kit;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kit::*;
use tokio::task::JoinSet;
use vumi_broker::{BrokerOptions, Durability, EmbeddedBroker};
use vumi_core::{Admission, Broker, Outgoing};

const PATH: &str = "VUMI_BROKER_TEST_PATH";
const FIRST: &str = "VUMI_BROKER_TEST_FIRST";

fn start(name: &str, path: &Path, first: u64) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--ignored", "--exact", name, "--nocapture"])
        .env(PATH, path)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts")
}

fn setting(name: &str) -> String {
    std::env::var(name).expect("set by the parent")
}

fn open(path: &Path) -> Arc<EmbeddedBroker> {
    // A narrow bound, so that publishing and settling keep step.
    let options = BrokerOptions { bound: 500, ..BrokerOptions::default() };
    EmbeddedBroker::open(path, Durability::Power, options).expect("opens")
}

fn say(word: &str, what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{word} {what}").and_then(|()| out.flush()).expect("the parent reads");
}

/// Publishes numbers to [`Q`]; workers do each and publish it to `out`, or reject each tenth. Says what is confirmed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs as the child process of what_is_confirmed_survives_a_kill"]
async fn child_publishes_and_settles() {
    let broker = open(&PathBuf::from(setting(PATH)));
    let first: u64 = setting(FIRST).parse().expect("a number");
    let mut tasks = JoinSet::new();
    for publisher in 0..4 {
        let broker = Arc::clone(&broker);
        tasks.spawn(async move {
            for number in (first + publisher..).step_by(4) {
                let body = Bytes::from(number.to_string());
                let confirm = broker.publish(Q, body, Admission::Edge(Duration::from_secs(100))).await.expect("room");
                confirm.await.expect("confirmed");
                say("published", &number.to_string());
            }
        });
    }
    for _ in 0..2 {
        let mut consumer = broker.consume(Q, 10).await.expect("open");
        tasks.spawn(async move {
            while let Some(mut delivery) = consumer.next().await {
                let number = text(&delivery).to_owned();
                if number.ends_with('7') {
                    delivery.reject("seven").await.expect("settles").await.expect("confirmed");
                    say("rejected", &number);
                } else {
                    let outgoing = vec![Outgoing { queue: "out".to_owned(), body: delivery.body.clone() }];
                    // Not all are waited for: so a kill finds several on their way.
                    let confirm = delivery.done(outgoing).await.expect("settles");
                    tokio::spawn(async move {
                        confirm.await.expect("confirmed");
                        say("done", &number);
                    });
                }
            }
        });
    }
    tasks.join_next().await;
    panic!("this goes on until it is killed");
}

#[tokio::test]
async fn what_is_confirmed_survives_a_kill() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("broker.sqlite");
    let mut said: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    // Again and again on the same file, at different moments.
    for (run, lines_to_read) in [40, 400, 150, 700].into_iter().enumerate() {
        let mut child = start("child_publishes_and_settles", &path, run as u64 * 1_000_000);
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut note = |line: &str| {
            let (word, number) = line.split_once(' ')?;
            let number = number.parse().ok()?;
            ["published", "done", "rejected"]
                .contains(&word)
                .then(|| said.entry(word.to_owned()).or_default().insert(number))
        };
        let mut read = 0;
        while read < lines_to_read {
            read += usize::from(note(&lines.next().expect("goes on").expect("text")).is_some());
        }
        child.kill().expect("kills");
        child.wait().expect("ends");
        // What was said but not yet read counts as well; the last line may be cut off, and then does not.
        for line in lines.map_while(Result::ok) {
            note(&line);
        }

        let broker = open(&path);
        let waiting = numbers_of(&*broker, Q).await;
        let out = numbers_of(&*broker, "out").await;
        let dead: Vec<u64> = broker
            .dead_letters(Q, usize::MAX)
            .await
            .expect("lists")
            .iter()
            .map(|letter| std::str::from_utf8(&letter.body).expect("text").parse().expect("a number"))
            .collect();
        soon(broker.close()).await;
        let all: Vec<u64> = waiting.iter().chain(&out).chain(&dead).copied().collect();
        let unique: BTreeSet<u64> = all.iter().copied().collect();
        assert_eq!(all.len(), unique.len(), "each is in one place: done is all or nothing");
        let lost: Vec<_> = said["published"].difference(&unique).collect();
        assert!(lost.is_empty(), "confirmed, but lost: {lost:?}");
        let undone: Vec<_> = waiting.iter().filter(|number| said["done"].contains(number)).collect();
        assert!(undone.is_empty(), "confirmed as done, but back: {undone:?}");
        let alive: Vec<_> = said["rejected"].iter().filter(|number| !dead.contains(number)).collect();
        assert!(alive.is_empty(), "confirmed as rejected, but not dead: {alive:?}");
    }
    assert!(said["done"].len() > 100 && said["rejected"].len() > 10, "{said:?}");
}

/// All numbers in a queue, which are given back.
async fn numbers_of(broker: &dyn Broker, queue: &str) -> Vec<u64> {
    let count = match broker.queues().await.expect("lists").iter().find(|info| info.name == queue) {
        Some(info) => info.ready as usize,
        None => return Vec::new(),
    };
    let mut consumer = broker.consume(queue, 0).await.expect("open");
    take(&mut consumer, count).await.iter().map(|delivery| text(delivery).parse().expect("a number")).collect()
}

/// Takes some messages, settles none, and waits to be killed.
#[tokio::test]
#[ignore = "runs as the child process of a_message_that_kills_the_process_is_counted_each_time"]
async fn child_holds_deliveries() {
    let broker = open(&PathBuf::from(setting(PATH)));
    let mut consumer = broker.consume(Q, 3).await.expect("open");
    let held = take(&mut consumer, 3).await;
    say("holds", &held.len().to_string());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_message_that_kills_the_process_is_counted_each_time() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("broker.sqlite");
    let broker = open(&path);
    publish_to(&*broker, "before", "x").await;
    publish_numbers(&*broker, 0..5).await;
    soon(broker.close()).await;
    for _ in 0..4 {
        let mut child = start("child_holds_deliveries", &path, 0);
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        while !lines.next().expect("goes on").expect("text").contains("holds 3") {}
        child.kill().expect("kills");
        child.wait().expect("ends");
    }
    let broker = open(&path);
    let mut consumer = consume(&*broker, 0).await;
    let all = take(&mut consumer, 5).await;
    assert_eq!(told(&all), [("0", 5), ("1", 5), ("2", 5), ("3", 1), ("4", 1)]);
    let mut before = broker.consume("before", 0).await.expect("open");
    assert_eq!(told(&[next(&mut before).await]), [("x", 1)]);
}
