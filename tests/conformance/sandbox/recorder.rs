//! The flight recorder: a run that was recorded can be made again from its recording alone, and departures are found.

mod rule;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::Value;
use vumi_core::{Outcome, Recording, SystemClock};
use vumi_message::{Event, UserMessage};
use vumi_sandbox::{DepartureKind, LoadedComponent, RecordRule, Replayed, TapeDocument, TapeError, TapeInput};
use vumi_store::MemoryBounds;

use super::faults::Shaky;
use super::kit::{Answer, Rig, bytes, component, sandbox};
use super::web;

/// Records everything.
fn recorded() -> Rig {
    Rig::with("probe", |config| config.record = RecordRule::everything())
}

/// The only recording made.
#[track_caller]
fn only(rig: &Rig) -> Recording {
    let mut made = rig.tapes.take();
    assert_eq!(made.len(), 1, "{made:?}");
    made.remove(0)
}

fn tape(recording: &Recording) -> TapeDocument {
    TapeDocument::parse(&recording.tape).unwrap_or_else(|error| panic!("{error}: {}", recording.tape))
}

async fn replay(component: &LoadedComponent, recording: &Recording) -> Replayed {
    sandbox().replay(component, &tape(recording)).await.unwrap()
}

fn texts(sent: &[UserMessage]) -> Vec<String> {
    sent.iter().map(UserMessage::to_json).collect()
}

/// A message with this text, run and recorded, and run again: nothing departs. What was seen is handed back.
async fn again(rig: &mut Rig, probe: &LoadedComponent, text: &str) -> (Answer, Recording, Replayed) {
    let answer = rig.ask(text).await;
    let recording = only(rig);
    let replayed = replay(probe, &recording).await;
    assert_eq!(replayed.departures, [], "{text}");
    assert_eq!((replayed.outcome, &replayed.error), (answer.outcome(), &answer.run().error), "{text}");
    assert_eq!(replayed.sent, texts(&answer.sent), "{text}");
    (answer, recording, replayed)
}

/// What the n-th of many runs is asked.
fn command(n: usize, place: &str) -> String {
    match n % 23 {
        0 => format!("kv-set key{} {n}", n % 7),
        1 => format!("kv-get key{}", n % 7),
        2 => format!("kv-incr count{} 3", n % 5),
        3 => format!("kv-delete key{}", n % 7),
        4 => format!("kv-set key{} no-json", n % 7),
        5 => format!("http GET http://{place}/status/200/body{n}"),
        6 => format!("http POST http://{place}/status/404/gone posted{n}"),
        7 => "http GET http://192.0.2.1/".to_owned(),
        8 | 9 => "chance".to_owned(),
        10 => format!("send +2772{n} - hello"),
        11 => format!("send +2772{n} nowhere hello"),
        12 => format!("log line {n}"),
        13 => format!("stdout printed {n}"),
        14 => format!("stderr printed {n}"),
        15 => "sleep 1".to_owned(),
        16 => format!("metric m{} {n}", n % 3),
        17 => format!("fail for reason {n}"),
        18 => "panic".to_owned(),
        19 => "many-replies 3".to_owned(),
        20 => "config greeting".to_owned(),
        21 => r#"metadata {"tag": "a"}"#.to_owned(),
        _ => format!("echo {n} \u{e9} \"quoted\""),
    }
}

#[tokio::test]
async fn a_thousand_runs_are_made_again_from_their_recordings_alone() {
    let address = web::serve().await.to_string();
    let mut rig = Rig::with("probe", |config| {
        config.record = RecordRule::everything();
        config.http.allow = vec![format!("http://{address}")];
        config.config.insert("greeting".into(), "hello".into());
        config.allowed_helper_metadata = vec!["tag".into()];
    });
    let mut runs = Vec::new();
    for n in 0..1_000 {
        let answer = rig.ask(&command(n, &address)).await;
        runs.push((answer.run().clone(), texts(&answer.sent), only(&rig)));
    }
    let outcomes: std::collections::BTreeSet<&str> = runs.iter().map(|(run, ..)| run.outcome.code()).collect();
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), ["handler-error", "ok", "trap"]);
    let chances: std::collections::BTreeSet<&String> =
        runs.iter().enumerate().filter(|(n, _)| matches!(n % 23, 8 | 9)).map(|(_, (_, sent, _))| &sent[0]).collect();
    assert!(chances.len() > 80, "chance differs from run to run: {}", chances.len());
    // Nothing of the app is left, and nobody answers at the web server's address: the tapes are all there is.
    drop(rig);
    let probe = component("probe");
    for (run, sent, recording) in runs {
        let replayed = replay(&probe, &recording).await;
        let what = tape(&recording);
        assert_eq!(replayed.departures, [], "{:?}", what.input);
        assert_eq!(replayed.sent, sent, "{:?}", what.input);
        assert_eq!((replayed.outcome, replayed.error), (run.outcome, run.error), "{:?}", what.input);
        assert_eq!((replayed.host_calls, replayed.log_bytes), (run.host_calls, run.log_bytes), "{:?}", what.input);
    }
}

#[tokio::test]
async fn runs_that_were_stopped_are_kept_and_end_again_in_the_same_way() {
    let probe = component("probe");
    let mut rig = Rig::with("probe", |config| {
        config.record = RecordRule::everything();
        config.limits.cpu_ms = 300;
        config.limits.host_calls = 50;
        config.limits.log_bytes = bytes(1_000);
        config.limits.outbound_messages = 2;
    });
    for (text, outcome) in [
        ("loop", Outcome::CpuLimit),
        ("reply-then-loop", Outcome::CpuLimit),
        ("descend", Outcome::StackOverflow),
        ("recurse", Outcome::Trap),
        ("memory", Outcome::MemoryLimit),
        ("kv-calls 60", Outcome::HostCallLimit),
        ("logs 60 0123456789012345678901234567890123456789", Outcome::LogLimit),
        ("stdio 500 501", Outcome::LogLimit),
        ("many-replies 3", Outcome::Ok),
    ] {
        let (answer, recording, _) = again(&mut rig, &probe, text).await;
        assert_eq!((answer.outcome(), recording.outcome), (outcome, outcome), "{text}");
    }
}

#[tokio::test]
async fn a_deadline_during_a_host_call_passes_again_at_once() {
    let address = web::serve().await;
    let mut rig = Rig::with("probe", |config| {
        config.record = RecordRule::everything();
        config.timeout = 1;
        config.http.allow = vec![format!("http://{address}")];
    });
    let (answer, recording, replayed) =
        again(&mut rig, &component("probe"), &format!("http GET http://{address}/hang")).await;
    assert_eq!(answer.outcome(), Outcome::Deadline);
    assert_eq!(tape(&recording).calls[0].stop.as_ref().map(|stop| stop.outcome), Some(Outcome::Deadline));
    assert!(replayed.wall_us < answer.run().wall_us / 2, "{} after {}", replayed.wall_us, answer.run().wall_us);
}

#[tokio::test]
async fn sleeps_are_over_at_once_in_a_replay() {
    let mut rig = recorded();
    let (answer, _, replayed) = again(&mut rig, &component("probe"), "sleep 1500").await;
    assert!(answer.run().wall_us >= 1_500_000 && replayed.wall_us < 1_000_000, "{}", replayed.wall_us);
}

#[tokio::test]
async fn faults_of_the_host_happen_again() {
    let kv = Shaky::new();
    let mut rig = Rig::on("probe", kv.clone(), |config| config.record = RecordRule::everything());
    let probe = component("probe");
    kv.away.store(true, Ordering::SeqCst);
    again(&mut rig, &probe, "kv-get k").await;
    kv.away.store(false, Ordering::SeqCst);
    rig.letters.fail(true);
    let (answer, ..) = again(&mut rig, &probe, "echo lost").await;
    assert_eq!(answer.outcome(), Outcome::HostFault);
    assert!(answer.finished.again.is_some());
}

#[tokio::test]
async fn events_too() {
    let mut rig = recorded();
    let answer = rig.tell(Event::ack("m1", "n1")).await;
    let recording = only(&rig);
    assert!(matches!(tape(&recording).input, TapeInput::Event(_)));
    assert_eq!((recording.user.as_deref(), &recording.message_id), (None, &answer.run().message_id));
    assert_eq!(replay(&component("probe"), &recording).await.departures, []);
}

#[tokio::test]
async fn a_recording_says_what_happened() {
    let mut rig = recorded();
    let answer = rig.ask("kv-incr visits 2").await;
    let (recording, run) = (only(&rig), answer.run());
    let hash = rig.app.component().0;
    assert_eq!((recording.app.as_str(), &recording.hash, recording.outcome), ("probe", &hash, Outcome::Ok));
    assert_eq!((&recording.message_id, recording.user.as_deref()), (&run.message_id, Some("+27710000001")));
    assert_eq!((recording.sent, recording.cpu_us, recording.at), (1, run.cpu_us, run.at));
    assert!(recording.id.len() == 32 && recording.id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let read: Value = serde_json::from_str(&recording.tape).unwrap();
    assert_eq!((&read["format"], &read["hash"]), (&Value::from(1), &Value::from(hash)));
    assert_eq!(read["input"]["message"]["content"], "kv-incr visits 2");
    assert_eq!(read["calls"][0]["call"], "kv.incr");
    assert_eq!(read["calls"][0]["args"], serde_json::json!(["visits", 2]));
    assert_eq!(read["calls"][0]["answer"], serde_json::json!({"ok": 2}));
    assert_eq!((&read["sent"][0]["content"], &read["outcome"]), (&Value::from("ok 2"), &Value::from("ok")));
    assert_eq!(read["cost"]["host_calls"], 2);
}

#[tokio::test]
async fn another_component_departs() {
    let probe = component("probe");
    let kv = vumi_store::kv_in_memory(MemoryBounds::default(), Arc::new(SystemClock));
    let mut rig = Rig::of("echo", &component("echo"), kv, |config| config.record = RecordRule::everything());
    rig.ask("hello").await.ended(Outcome::Ok);
    let recording = only(&rig);
    assert_eq!(replay(&component("echo"), &recording).await.departures, []);

    let reversed = replay(&component("reverse"), &recording).await;
    assert_ne!(reversed.hash, recording.hash);
    let content: Vec<_> = reversed
        .departures
        .iter()
        .filter(|one| one.field.as_deref() == Some("content"))
        .map(|one| (one.kind, one.position, one.expected.as_str(), one.seen.as_str()))
        .collect();
    assert_eq!(content, [(DepartureKind::Reply, Some(0), "\"hello\"", "\"olleh\"")]);
    let fields = reversed.departures.iter().filter(|one| one.kind == DepartureKind::Reply).count();
    assert_eq!(fields, 1, "only the content differs: {:?}", reversed.departures);
    let missing: Vec<&str> = reversed
        .departures
        .iter()
        .filter(|one| one.kind == DepartureKind::Missing)
        .map(|one| one.expected.split('(').next().unwrap())
        .collect();
    assert_eq!(missing, ["kv.incr", "log.log", "outbound.reply"], "{:?}", reversed.departures);

    // The probe does not know what to make of it, and calls no kv.
    let other = replay(&probe, &recording).await;
    assert!(other.departures.iter().any(|one| one.kind == DepartureKind::Call && one.position == Some(0)));
}

#[tokio::test]
async fn a_replay_leaves_no_trace() {
    let mut rig = recorded();
    rig.ask("kv-set k 1").await.ended(Outcome::Ok);
    let recording = only(&rig);
    rig.kv.delete_within("sandboxes#probe#k", "count#probe").await.unwrap();
    let replayed = replay(&component("probe"), &recording).await;
    assert_eq!((replayed.departures, replayed.sent.len()), (vec![], 1));
    assert_eq!(rig.kv.get("sandboxes#probe#k").await.unwrap(), None);
    assert!(rig.letters.take().is_empty() && rig.tapes.take().is_empty());
}

#[tokio::test]
async fn a_recording_that_was_too_large_says_so() {
    let mut rig = recorded();
    rig.ask("huge-reply 600000").await.ended(Outcome::Ok);
    rig.ask("echo small").await.ended(Outcome::Ok);
    let made = rig.tapes.take();
    let (large, small) = (tape(&made[0]), tape(&made[1]));
    assert!(made[0].tape.len() <= 1 << 20, "{}", made[0].tape.len());
    assert_eq!((large.truncated, small.truncated), (true, false));
    let refused = sandbox().replay(&component("probe"), &large).await;
    assert!(matches!(refused, Err(TapeError::Truncated)), "{refused:?}");
}
