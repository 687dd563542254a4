//! An innocent guest on a busy machine: a CPU limit that reads the clock on the wall would stop it.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use vumi_core::Input;
use vumi_core::{Outcome, Run};

use crate::kit::{Rig, message};

const RUNS: usize = 2_000;
const LIMIT_MS: u64 = 50;
/// What one run is to use, in microseconds.
const TARGET_US: u64 = 5_000;

/// Processes that do nothing, as fast as they can; gone when dropped.
struct Crowd(Vec<Child>);

impl Crowd {
    fn gather(count: usize) -> Self {
        let one = || {
            let mut command = Command::new("sh");
            command.args(["-c", "while :; do :; done"]).stdin(Stdio::null()).stdout(Stdio::null());
            command.spawn().expect("a shell starts")
        };
        Self((0..count).map(|_| one()).collect())
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// How many rounds of arithmetic take about the time wanted, in this build on this machine.
async fn calibrate(rig: &mut Rig) -> u64 {
    const ROUNDS: u64 = 1_000_000;
    let mut least = u64::MAX;
    for _ in 0..10 {
        least = least.min(rig.ask(&format!("innocent {ROUNDS}")).await.run().cpu_us);
    }
    ROUNDS * TARGET_US / least.max(1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn innocent_guest_on_a_busy_machine() {
    let mut rig = Rig::with("innocent", |_| {});
    let rounds = calibrate(&mut rig).await;
    let rig = Rig::with("innocent", |config| config.limits.cpu_ms = LIMIT_MS);
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let crowd = Crowd::gather(2 * cores);

    let began = Instant::now();
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (app, next) = (Arc::clone(&rig.app), Arc::clone(&next));
        workers.spawn(async move {
            let mut runs: Vec<Run> = Vec::new();
            while next.fetch_add(1, Ordering::Relaxed) < RUNS {
                let input = Input::Message(Arc::new(message(&format!("innocent {rounds}"))));
                runs.push(app.run(&input).await.run);
            }
            runs
        });
    }
    let runs: Vec<Run> = workers.join_all().await.into_iter().flatten().collect();
    let took = began.elapsed();
    drop(crowd);

    let stopped: Vec<&Run> = runs.iter().filter(|run| run.outcome != Outcome::Ok).collect();
    let largest = |of: fn(&Run) -> u64| Duration::from_micros(runs.iter().map(of).max().unwrap_or_default());
    let longer = runs.iter().filter(|run| run.wall_us > LIMIT_MS * 1_000).count();
    println!(
        "{} runs of {rounds} rounds in {took:?}: {} stopped; CPU time at most {:?}; wall time at most {:?}, beyond {LIMIT_MS} ms in {longer} runs",
        runs.len(),
        stopped.len(),
        largest(|run| run.cpu_us),
        largest(|run| run.wall_us),
    );
    assert_eq!(runs.len(), RUNS);
    assert!(stopped.is_empty(), "{} innocent runs were stopped, e.g. {:?}", stopped.len(), stopped.first());
    assert!(longer > 0, "the machine was not busy enough for this test to prove anything");
}
