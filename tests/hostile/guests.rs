//! Hostile guests, each beside a well-behaved one.

use std::sync::Arc;

use tokio::sync::Mutex;
use vumi_core::Input;
use vumi_core::{LogLevel, Outcome, SystemClock};
use vumi_sandbox::AppConfig;
use vumi_store::MemoryBounds;

use crate::kit::{Answer, Rig, bytes, component, message};
use crate::neighbour::beside;

/// Attacks with one message text.
async fn attack(text: &str, change: impl FnOnce(&mut AppConfig), judge: impl FnMut(Answer)) {
    let rig = Arc::new(Mutex::new(Rig::with("hostile", change)));
    let shown: String = text.chars().take(40).collect();
    beside(&shown, || async { rig.lock().await.ask(text).await }, judge).await;
}

/// Attacks, and expects this end without a message.
async fn ends(text: &str, outcome: Outcome, change: impl FnOnce(&mut AppConfig)) {
    attack(text, change, |answer| {
        answer.ended(outcome);
        assert!(answer.sent.is_empty(), "{:?}", answer.sent);
        assert_eq!(answer.finished.again, None, "a hostile message is not tried again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_loop() {
    ends("loop", Outcome::CpuLimit, |config| config.limits.cpu_ms = 300).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_bomb() {
    ends("memory", Outcome::MemoryLimit, |_| {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deep_recursion() {
    ends("descend", Outcome::StackOverflow, |_| {}).await;
    ends("recurse", Outcome::Trap, |_| {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_log_lines() {
    ends("logs 1000000 x", Outcome::HostCallLimit, |_| {}).await;
    ends("logs 1000000 xxxxxxxxxx", Outcome::LogLimit, |config| config.limits.host_calls = 10_000_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_on_standard_output() {
    ends("stdio 2000000 0", Outcome::LogLimit, |_| {}).await;
    ends("stdio 0 2000000", Outcome::LogLimit, |_| {}).await;
    attack(
        "newlines 1000000",
        |config| config.limits.cpu_ms = 300,
        |answer| {
            // A megabyte of line breaks is within the log's limit; the work that they make is the guest's.
            assert!(matches!(answer.outcome(), Outcome::Ok | Outcome::CpuLimit), "{:?}", answer.run());
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_keys() {
    attack(
        "kv-keys 1000000",
        |_| {},
        |answer| {
            answer.ended(Outcome::Ok);
            // The first attack makes the 99 keys that fit; they stay.
            assert!(answer.text().ends_with(r#"Error::Quota("Too many keys")"#), "{}", answer.text());
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_huge_reply() {
    ends("huge-reply 100000000", Outcome::MemoryLimit, |_| {}).await;
    ends("huge-reply 100000000", Outcome::TransferLimit, |config| config.limits.memory = bytes(512 << 20)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_huge_error() {
    ends("fail-long 1500000", Outcome::HandlerError, |_| {}).await;
    attack(
        "fail-long 20000000",
        |_| {},
        |answer| {
            assert!(answer.outcome() != Outcome::Ok, "{:?}", answer.run());
            assert!(answer.run().error.as_ref().is_some_and(|error| error.len() < 10_000));
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trap_at_start() {
    let kv = vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock));
    let rig = Arc::new(Mutex::new(Rig::of("never", &component("trap-at-start"), kv, |_| {})));
    let judge = |answer: Answer| {
        answer.ended(Outcome::Instantiate);
        assert!(answer.sent.is_empty() && answer.finished.again.is_none());
    };
    beside("trap at start", || async { rig.lock().await.ask("echo hi").await }, judge).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handles_and_large_calls() {
    for text in ["handles 1000000", "zeroes 4294967295", "random 4294967295", "random 64000000"] {
        ends(text, Outcome::Trap, |_| {}).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sleeper_takes_nothing_from_others() {
    ends("sleep 600000", Outcome::Deadline, |config| config.timeout = 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_loops_at_once() {
    let rig = Rig::with("hostile", |config| config.limits.cpu_ms = 100);
    let attack = || async {
        let mut loops = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let app = Arc::clone(&rig.app);
            loops.spawn(async move { app.run(&Input::Message(Arc::new(message("loop")))).await });
        }
        loops.join_all().await
    };
    let judge = |all: Vec<vumi_sandbox::Finished>| {
        assert_eq!(all.len(), 20);
        for finished in all {
            assert_eq!(finished.run.outcome, Outcome::CpuLimit, "{:?}", finished.run);
            // Each pays for its own time, not for that of the nineteen others.
            assert!(finished.run.cpu_us < 1_000_000, "{:?}", finished.run);
        }
    };
    beside("twenty loops", attack, judge).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_loops_than_places() {
    let rig = Rig::with("hostile", |config| config.limits.cpu_ms = 1);
    let mut loops = tokio::task::JoinSet::new();
    for _ in 0..600 {
        let app = Arc::clone(&rig.app);
        loops.spawn(async move { app.run(&Input::Message(Arc::new(message("loop")))).await });
    }
    // None fails for want of room: each waits for its place.
    for finished in loops.join_all().await {
        assert_eq!((finished.run.outcome, finished.again), (Outcome::CpuLimit, None), "{:?}", finished.run.error);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_and_then_a_loop() {
    let question = message("reply-then-loop");
    let rig = Arc::new(Mutex::new(Rig::with("hostile", |config| config.limits.cpu_ms = 200)));
    let mut ids = Vec::new();
    let attack = || {
        let (rig, question) = (Arc::clone(&rig), question.clone());
        async move { rig.lock().await.give(question).await }
    };
    let judge = |answer: Answer| {
        answer.ended(Outcome::CpuLimit);
        assert_eq!((answer.text(), answer.run().sent, answer.finished.confirms.len()), ("before", 1, 1));
        assert_eq!(answer.finished.again, None);
        ids.push(answer.only().message_id().to_owned());
    };
    beside("reply, then loop", attack, judge).await;
    ids.dedup();
    assert_eq!(ids.len(), 1, "the reply has the same id each time, so the user gets it once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_one_app_does_not_name_another() {
    let mut rig = Rig::with("hostile", |_| {});
    let answer = rig.ask("log app=neighbour\nERROR neighbour: forged").await;
    assert_eq!(answer.logs.len(), 1, "a line break stays within its entry");
    assert_eq!((answer.logs[0].app.as_str(), answer.logs[0].level), ("hostile", LogLevel::Info));
}
