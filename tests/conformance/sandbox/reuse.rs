//! `instances: reuse`: an instance goes from one message to the next; what is counted is counted per message all the
//! same. (That a fresh instance comes with each message unless the owner asks otherwise: `isolation`.)

use std::sync::Arc;

use vumi_core::{LogLevel, Outcome};
use vumi_message::Event;
use vumi_sandbox::{AppConfig, Instances};

use super::kit::{Rig, bytes, component, message};

/// A probe whose instances live on.
fn reusing(change: impl FnOnce(&mut AppConfig)) -> Rig {
    Rig::with("probe", |config| {
        config.instances = Instances::Reuse;
        change(config);
    })
}

/// What the instance that answers has counted to.
async fn count(rig: &mut Rig) -> String {
    rig.ask("static").await.text().to_owned()
}

#[tokio::test]
async fn memory_lasts_for_so_many_messages() {
    let mut rig = reusing(|config| config.reuse_messages = 3);
    for _ in 0..2 {
        for expected in ["1", "2", "3"] {
            assert_eq!(count(&mut rig).await, expected);
        }
    }
    // Events are handled by the same instances, and count.
    assert_eq!(count(&mut rig).await, "1");
    rig.tell(Event::ack("m1", "n1")).await.ended(Outcome::Ok);
    assert_eq!(count(&mut rig).await, "2");
    assert_eq!(count(&mut rig).await, "1");
}

#[tokio::test]
async fn an_instance_that_did_not_come_to_its_own_end_is_thrown_away() {
    let mut rig = reusing(|config| {
        config.limits.cpu_ms = 100;
        config.limits.memory = bytes(16 << 20);
        config.limits.host_calls = 50;
        config.timeout = 1;
    });
    for (command, outcome) in [
        ("panic", Outcome::Trap),
        ("recurse", Outcome::StackOverflow),
        ("loop", Outcome::CpuLimit),
        ("memory", Outcome::MemoryLimit),
        ("kv-calls 51", Outcome::HostCallLimit),
        ("sleep 5000", Outcome::Deadline),
    ] {
        assert_eq!(count(&mut rig).await, "1", "before {command}");
        assert_eq!(count(&mut rig).await, "2", "before {command}");
        let answer = rig.ask(command).await;
        assert_ne!(answer.outcome(), Outcome::Ok);
        if command != "recurse" {
            answer.ended(outcome);
        }
    }
    assert_eq!(count(&mut rig).await, "1");
    // An error of the guest's own is an end like any other.
    rig.ask("fail on purpose").await.ended(Outcome::HandlerError);
    assert_eq!(count(&mut rig).await, "2");
}

#[tokio::test]
async fn each_message_has_its_own_budget() {
    let mut rig = reusing(|config| {
        config.limits.host_calls = 50;
        config.limits.log_bytes = bytes(1_000);
        config.limits.outbound_messages = 5;
    });
    let text = "x".repeat(97);
    for round in 1..=3 {
        let calls = rig.ask("kv-calls 49").await;
        calls.ended(Outcome::Ok);
        assert_eq!(calls.run().host_calls, 50);
        let logs = rig.ask(&format!("logs 10 {text}")).await;
        logs.ended(Outcome::Ok);
        assert_eq!((logs.run().log_bytes, logs.run().sent), (1_000, 0));
        let sent = rig.ask("many-replies 5").await;
        sent.ended(Outcome::Ok);
        assert_eq!((sent.sent.len(), sent.run().sent), (5, 5));
        assert_eq!(count(&mut rig).await, round.to_string(), "the same instance all the while");
    }
}

#[tokio::test]
async fn cpu_time_and_memory_are_those_of_the_message() {
    let mut rig = reusing(|_| {});
    let busy = rig.ask("innocent 20000000").await;
    let idle = rig.ask("echo hi").await;
    assert!(idle.run().cpu_us < busy.run().cpu_us / 2, "{:?} after {:?}", idle.run(), busy.run());
    let grown = rig.ask("grow 10000000").await;
    assert!(grown.run().peak_memory > 10_000_000 && idle.run().peak_memory < 10_000_000);
    // Memory never shrinks: what one message made grow is the next one's too.
    assert!(rig.ask("echo hi").await.run().peak_memory > 10_000_000);
}

#[tokio::test]
async fn what_is_printed_stands_under_the_message_that_printed_it() {
    let mut rig = reusing(|_| {});
    for round in 0..3 {
        for command in ["stdout", "stderr", "log"] {
            let asked = message(&format!("{command} round {round}"));
            let id = asked.message_id().to_owned();
            let answer = rig.give(asked).await;
            let level = if command == "stderr" { LogLevel::Error } else { LogLevel::Info };
            assert_eq!(answer.at(level), [format!("round {round}")], "{command}");
            assert!(answer.logs.iter().all(|line| line.message_id.as_ref() == Some(&id)), "{:?}", answer.logs);
        }
    }
}

#[tokio::test]
async fn a_replaced_component_gets_instances_of_its_own() {
    let mut rig = reusing(|_| {});
    assert_eq!(count(&mut rig).await, "1");
    assert_eq!(count(&mut rig).await, "2");
    rig.app.replace(&component("probe"));
    assert_eq!(count(&mut rig).await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_instance_serves_one_message_at_a_time() {
    let rig = reusing(|config| config.parallel = 4);
    let running: Vec<_> = (0..16)
        .map(|_| {
            let app = Arc::clone(&rig.app);
            let input = vumi_core::Input::Message(Arc::new(message("sleep 20")));
            tokio::spawn(async move { app.run(&input).await.run.outcome })
        })
        .collect();
    for run in running {
        assert_eq!(run.await.unwrap(), Outcome::Ok);
    }
    assert_eq!(rig.letters.take().len(), 16);
}
