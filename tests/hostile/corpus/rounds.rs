//! Carries out the whole corpus, three times, and looks at what it leaves behind.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vumi_sandbox::EngineOptions;
use vumi_tests::PATIENCE;

use crate::kit::sandbox_of;
use crate::neighbour::Neighbour;

use super::case::Attack;
use super::ground::Ground;
use super::open::known;
use super::process::Usage;
use super::warm::{PLACES, warm};
use super::{Family, families, runner};

/// Longest time in which the neighbour may answer two questions, on a busy machine without optimisation.
const NEIGHBOURLY: Duration = Duration::from_secs(30);

/// Part of the names of the only cases that are to be run, once, for whoever works on them.
fn only() -> Option<String> {
    std::env::var("VUMI_CORPUS_ONLY").ok()
}

/// One round: what did not go as the table says.
async fn round(number: u32, families: &[Family]) -> Vec<String> {
    let began = Instant::now();
    warm().await;
    let ground = Ground::new().await;
    let neighbour = Neighbour::start();
    let only = only().unwrap_or_default();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for case in families.iter().flat_map(|family| &family.cases) {
        if matches!(case.attack, Attack::Test(_)) || !case.name.contains(&only) {
            continue;
        }
        count += 1;
        let (case_began, before) = (Instant::now(), neighbour.answers());
        let came = runner::attempt(case, &ground).await;
        let answered = neighbour.answered(before + 1).await;
        println!("{} {:?} {:?}, slowest {:?}", case.name, case_began.elapsed(), came, neighbour.slowest());
        match (came, known(&case.name)) {
            (Ok(()), None) | (Err(_), Some(_)) => {}
            (Err(error), None) => wrong.push(format!("{}: {error}", case.name)),
            (Ok(()), Some(_)) => wrong.push(format!("{}: is mended; take it from KNOWN_OPEN", case.name)),
        }
        if let Err(error) = answered {
            wrong.push(format!("{}: {error}", case.name));
        }
    }
    let slowest = neighbour.stop().await;
    if slowest > NEIGHBOURLY {
        wrong.push(format!("the neighbour's slowest answer took {slowest:?}"));
    }
    println!("round {number}: {count} cases in {:?}; the neighbour's slowest answer took {slowest:?}", began.elapsed());
    wrong
}

/// A runtime like the host's; its threads end soon, so that they can be counted.
fn on_a_runtime(number: u32, families: &Arc<Vec<Family>>) -> Vec<String> {
    let families = Arc::clone(families);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_keep_alive(Duration::from_millis(50))
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        tokio::spawn(async move { round(number, &families).await }).await.expect("the round goes through")
    })
}

#[test]
#[ignore = "the test below runs it in a process of its own, where nothing else uses memory"]
fn in_this_process() {
    // A small pool, all of whose places the corpus has used before anything is measured.
    sandbox_of(&EngineOptions { instances: PLACES, ..EngineOptions::default() });
    let families = Arc::new(families());
    let mut wrong = on_a_runtime(1, &families);
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    if only().is_some() {
        return;
    }
    wrong.extend(on_a_runtime(2, &families));
    let before = Usage::settled();
    wrong.extend(on_a_runtime(3, &families));
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    let end = Instant::now() + PATIENCE;
    let mut after = Usage::settled();
    while !after.within(&before) && Instant::now() < end {
        after = Usage::settled();
    }
    println!("after round 2: {before:?}; after round 3: {after:?}");
    assert!(after.within(&before), "the corpus leaves something behind: {before:?}, then {after:?}");
}

#[test]
fn each_attack_ends_as_documented_and_leaves_nothing_behind() {
    let this = std::env::current_exe().expect("this program has a path");
    let ran = Command::new(this)
        .args(["corpus::rounds::in_this_process", "--exact", "--ignored", "--nocapture"])
        // Few arenas: what was freed in one is then used again, and the numbers can be compared.
        .env("MALLOC_ARENA_MAX", "2")
        .output()
        .expect("it starts");
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    println!("{out}");
    let passed = out.contains("test result: ok. 1 passed");
    assert!(ran.status.success() && passed, "{}\n{err}", out.lines().rev().take(3).collect::<Vec<_>>().join("\n"));
}
