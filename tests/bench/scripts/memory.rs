//! What an app costs in memory: while it has nothing to do (its bytecode and what the host keeps of it), and while it
//! handles a message (an instance of the engine, up to its reply). Each kind is measured in a process of its own: what one
//! gave back the next would use.

use std::process::Command;
use std::task::Poll;

use crate::Candidate;
use crate::here::{Here, House};

/// Apps that have nothing to do.
const IDLE: usize = 200;
/// Apps that handle a message at the same time.
const LIVE: usize = 100;

pub fn show(candidates: &[Candidate]) {
    println!("\nmemory of the process alone, per app: {IDLE} different apps idle, {LIVE} of them live\n");
    println!("| {:<8} | {:>11} | {:>11} |", "app", "idle in kB", "live in kB");
    println!("| {:-<8} | {:->11} | {:->11} |", "", ":", ":");
    let program = std::env::current_exe().expect("this program has a file");
    for candidate in candidates {
        let output = Command::new(&program).args(["--memory", candidate.name]).output().expect("it can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        print!("{}", String::from_utf8_lossy(&output.stdout));
    }
}

/// The line of one kind.
pub async fn line(candidate: &Candidate) -> String {
    let (idle, live) = measure(&candidate.here).await;
    format!("| {:<8} | {idle:>11.0} | {live:>11.0} |", candidate.name)
}

async fn measure(kind: &Here) -> (f64, f64) {
    let house = House::new();
    // What the engine itself takes is there before.
    let first = kind.another(&house, 0);
    first.run().await;
    let before = private();
    let apps: Vec<Here> = (1..=IDLE).map(|number| kind.another(&house, number)).collect();
    let loaded = private();
    let live = &apps[..LIVE];
    live.iter().for_each(|app| app.hold(true));
    let mut runs: Vec<_> = live.iter().map(|app| Box::pin(app.run())).collect();
    // All wait at their reply: nothing else holds them up for long.
    let mut last = 0.0;
    loop {
        std::future::poll_fn(|context| {
            for run in &mut runs {
                assert!(run.as_mut().poll(context).is_pending(), "a run ended before its reply was let go");
            }
            Poll::Ready(())
        })
        .await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let now = private();
        if now == last {
            break;
        }
        last = now;
    }
    live.iter().for_each(|app| app.hold(false));
    for run in runs {
        run.await;
    }
    ((loaded - before) / IDLE as f64, (last - loaded) / LIVE as f64)
}

/// Memory that only this process has, in kB.
fn private() -> f64 {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").expect("the kernel tells of this process");
    let lines = text.lines().filter(|line| line.starts_with("Private_Dirty:"));
    lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok()).sum()
}
