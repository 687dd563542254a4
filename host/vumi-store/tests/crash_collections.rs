//! Crashes of the durable collections in earnest: a process that is killed, and a disk that is full. Each needs a process
//! of its own, so the parent starts this test program again and runs one of the ignored tests in it.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod kit;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use kit::child::{given, say, start};
use kit::collections::*;
use kit::eventually;
use vumi_core::{Change, Collections, Guard, SystemClock};
use vumi_store::{Durability, SqliteCollections, StoreError, collections_at};

fn open(path: &Path, durability: Durability) -> Result<Arc<SqliteCollections>, StoreError> {
    collections_at(path, durability, Arc::new(SystemClock))
}

fn opened_by_child() -> Arc<SqliteCollections> {
    let (path, durability) = given();
    open(&path, durability).expect("opens")
}

/// The numbers `n` of the lines `confirmed n`.
fn confirmed(line: &str) -> Option<u64> {
    line.strip_prefix("confirmed ")?.parse().ok()
}

/// Change number `n`: it moves a token, so that only one order of changes leads to the state after it.
fn change(n: u64) -> Change {
    let last = n.checked_sub(1).map(|last| last.to_string());
    Change::new()
        .when(Guard::FieldIs { key: "state".to_owned(), field: "last".to_owned(), value: last })
        .then(hash_set("state", &[("last", &n.to_string())]))
        .then(push_tail("list", &[&n.to_string()]))
        .then(pop_head(if n < 100 { "none" } else { "list" }))
        .then(sorted_add("times", &(n % 50).to_string(), n as f64 / 3.0))
}

#[test]
#[ignore = "runs as the child process of nothing_confirmed_is_lost_when_the_process_is_killed"]
fn child_changes_until_killed() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let all = opened_by_child();
        let done = all.field("state", "last").await.expect("reads");
        let from = done.map_or(0, |last| last.parse::<u64>().expect("a number") + 1);
        // A limit, should nobody kill it.
        for n in from..1_000_000 {
            all.apply(change(n)).await.expect("applies").expect("its guard holds");
            say(format_args!("confirmed {n}"));
        }
    });
}

#[tokio::test]
async fn nothing_confirmed_is_lost_when_the_process_is_killed() {
    // The second one goes on through several foldings of the log.
    for (durability, kills, changes) in [("power", 2, 300), ("process", 4, 7_000)] {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("c.db");
        let mut last = 0;
        for _ in 0..kills {
            let mut child = start("child_changes_until_killed", ":", &path, durability);
            let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
            let until = last + changes;
            while last < until {
                let line = lines.next().expect("the child goes on").expect("text");
                last = confirmed(&line).unwrap_or(last);
            }
            child.kill().expect("kills");
            child.wait().expect("ends");
            // What was confirmed but not yet read from the pipe counts as well.
            for line in lines {
                last = confirmed(&line.expect("text")).unwrap_or(last);
            }
            let all = eventually(|| open(&path, Durability::Process)).await;
            let found: u64 =
                all.field("state", "last").await.expect("reads").expect("is there").parse().expect("a number");
            assert!(found == last || found == last + 1, "{durability}: {found}, confirmed {last}");
            // All of the last change, and all before it.
            let length = found.min(99) + 1;
            let wanted: Vec<String> = (found + 1 - length..=found).map(|n| n.to_string()).collect();
            assert_eq!(all.list("list", 0, 1_000).await.expect("reads"), wanted);
            let score = all.score("times", &(found % 50).to_string()).await.expect("reads");
            assert_eq!(score, Some(found as f64 / 3.0));
            all.close().await;
        }
    }
}

#[test]
#[ignore = "runs as the child process of a_full_disk_loses_nothing_confirmed"]
fn child_changes_until_full() {
    // One thread: tasks begin in the order in which they are started.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let all = opened_by_child();
        let ballast = "x".repeat(20_000);
        let mut n = 0_u64;
        let mut failed = None;
        while failed.is_none() {
            // Several at once, each on top of the one before, of which it does not know yet whether it is written.
            let tasks: Vec<_> = (n..n + 5)
                .map(|n| {
                    let change = change(n).then(set_text(&format!("ballast {n}"), &ballast));
                    let all = Arc::clone(&all);
                    tokio::spawn(async move { all.apply(change).await })
                })
                .collect();
            for task in tasks {
                match (task.await.expect("ends"), &failed) {
                    (Ok(answer), None) => {
                        answer.expect("its guard holds");
                        say(format_args!("confirmed {n}"));
                        n += 1;
                    }
                    // Nothing that was built on the one that failed may be confirmed.
                    (Ok(answer), Some(_)) => assert!(answer.is_none(), "built on what is lost"),
                    (Err(error), None) => failed = Some(error),
                    (Err(error), Some(_)) => assert!(error.is_temporary(), "{error}"),
                }
            }
            assert!(n < 1_000, "20 MB were written where 1 MiB fits");
        }
        let error = failed.expect("one failed");
        assert!(error.is_temporary(), "{error}");
        // What could not be written is not there: not for readers, not for guards, and not for the next change.
        let last = all.field("state", "last").await.expect("reads").expect("is there");
        assert_eq!(last, (n - 1).to_string());
        assert_eq!(all.text(&format!("ballast {n}")).await.expect("reads"), None);
        let refused = all.apply(change(n + 1)).await.expect("answers");
        assert!(refused.is_none(), "it relies on what was not written");
        // A small one fits, and goes on from there.
        let mut attempts = 0;
        while let Err(error) = all.apply(change(n)).await {
            assert!(error.is_temporary(), "{error}");
            attempts += 1;
            assert!(attempts < 50, "{error}");
        }
        say(format_args!("confirmed {n}"));
        all.close().await;
    });
}

/// The full disk is a limit on the size of the files (1 MiB), with the signal ignored that would end the process.
#[tokio::test]
async fn a_full_disk_loses_nothing_confirmed() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("c.db");
    let child = start("child_changes_until_full", "trap '' XFSZ; ulimit -f 2048", &path, "power");
    let output = child.wait_with_output().expect("ends");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{text}");
    let told: Vec<u64> = text.lines().filter_map(confirmed).collect();
    assert!(told.len() > 10, "{text}");
    let all = eventually(|| open(&path, Durability::Process)).await;
    let last = told.last().expect("some").to_string();
    assert_eq!(all.field("state", "last").await.expect("reads"), Some(last));
    for n in told.iter().rev().skip(1) {
        assert!(all.text(&format!("ballast {n}")).await.expect("reads").is_some(), "{n} was confirmed and is lost");
    }
    all.close().await;
}
