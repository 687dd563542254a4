//! The HTTP transports under fire: requests made from those of the golden cases, changed at random in every part, against
//! each class in its worker, while an app answers with whatever it likes.
//!
//! Nothing may panic, no request may be left without an end, no answer may be a 5xx that the specification does not
//! name, nor anything but HTTP; what is published must be messages, and memory must stay within a bound. A class comes
//! under fire as soon as it has a file in `tests/fixtures/transports`; what a failure shows can be pasted there as a step.
//!
//! `VUMI_FUZZ_SECONDS=60` is the time for each class (1 unless given), `VUMI_FUZZ_PARALLEL=8` the classes at a time (one
//! for each processor unless given), `VUMI_FUZZ_SEED=7` repeats the requests of a run, and `VUMI_GOLDEN=airtel` takes one
//! file only. It happens in a process of its own, so that not even an overflow of the
//! stack takes the other tests with it.

mod answer;
mod class;
mod dice;
mod documents;
mod exchange;
#[path = "../../conformance/http/keys.rs"]
#[allow(dead_code, reason = "shared with the conformance tests, which use all of it")]
mod keys;
mod log;
#[path = "../../conformance/http/mailbox.rs"]
mod mailbox;
mod mutate;
mod network;
mod replies;
#[path = "../../conformance/http/rig.rs"]
#[allow(dead_code, reason = "shared with the conformance tests, which use all of it")]
mod rig;
mod seeds;
mod shape;
mod values;

use std::collections::VecDeque;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use vumi_tests::golden::{self, Golden};
use vumi_tests::guests::scratch;
use vumi_transport::TransportConfig;

use class::{Attack, Tally};

/// Set in the process in which it happens: the folder for notes.
const INSIDE: &str = "VUMI_FUZZ_INSIDE";

/// Memory that the process may have taken at any time.
const MOST_MEMORY: u64 = 1 << 30;

/// The panics of the process: in which thread, and what was said.
static PANICS: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

#[test]
fn every_http_class() {
    if let Some(notes) = std::env::var_os(INSIDE) {
        return inside(Path::new(&notes));
    }
    let folder = scratch();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["http_fuzz::every_http_class", "--exact", "--nocapture"])
        .env(INSIDE, folder.path())
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&child.stdout));
    if child.status.success() {
        return;
    }
    let told = String::from_utf8_lossy(&child.stderr);
    let mut lost = String::new();
    for note in std::fs::read_dir(folder.path()).unwrap().flatten() {
        let text = std::fs::read_to_string(note.path()).unwrap_or_default();
        lost.push_str(&format!("under way when it ended, {}:\n{text}\n", note.file_name().to_string_lossy()));
    }
    panic!("{}\n{told}\n{lost}", child.status);
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

fn inside(notes: &Path) {
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let seed = number("VUMI_FUZZ_SEED").unwrap_or(clock.as_micros() as u64 % 1_000_000_007);
    let time = Duration::from_secs(number("VUMI_FUZZ_SECONDS").unwrap_or(1));
    let wanted = std::env::var("VUMI_GOLDEN").unwrap_or_default();
    let kinds = TransportConfig::KINDS;
    let is_there = |golden: &Golden| kinds.iter().any(|kind| kind.is_called(&golden.class));
    let (files, strangers): (Vec<Golden>, Vec<Golden>) = golden::load_all().unwrap().into_iter().partition(is_there);
    let strangers: Vec<&str> = strangers.iter().map(|golden| golden.file.as_str()).collect();
    assert!(strangers.is_empty(), "there is no transport for the files {strangers:?}");
    let files: VecDeque<Golden> =
        files.into_iter().filter(|golden| wanted.is_empty() || golden.file == wanted).collect();
    assert!(!files.is_empty(), "there is no file for VUMI_GOLDEN={wanted}");
    println!("VUMI_FUZZ_SEED={seed}: {} files, {} s each", files.len(), time.as_secs());

    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        PANICS.lock().push((thread, format!("{panic}\n{}", std::backtrace::Backtrace::force_capture())));
    }));
    let (files, outcomes) = (Mutex::new(files), Mutex::new(Vec::new()));
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let parallel = number("VUMI_FUZZ_PARALLEL").map_or(cores, |given| given.clamp(1, 64) as usize);
    std::thread::scope(|scope| {
        for _ in 0..parallel {
            scope.spawn(|| {
                loop {
                    let Some(golden) = files.lock().pop_front() else { break };
                    let file = golden.file.clone();
                    let attack = Attack { golden, seed, time, notes: notes.to_owned() };
                    let outcome = alone(&file, attack);
                    outcomes.lock().push((file, outcome));
                }
            });
        }
    });
    let _ = std::panic::take_hook();
    let mut outcomes = outcomes.into_inner();
    outcomes.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut wrong = Vec::new();
    for (file, outcome) in &outcomes {
        match outcome {
            Ok(Tally { rounds, connections, statuses, messages }) => {
                println!(
                    "{file}: {rounds} rounds, {connections} connections, {messages} messages, answers {statuses:?}"
                );
            }
            Err(error) => wrong.push(format!("{file}.yaml: {error}")),
        }
    }
    let memory = most_memory();
    println!("memory at most {} MiB", memory >> 20);
    assert!(wrong.is_empty(), "VUMI_FUZZ_SEED={seed}\n{}", wrong.join("\n\n"));
    assert!(memory < MOST_MEMORY, "VUMI_FUZZ_SEED={seed}: the process took {} MiB", memory >> 20);
}

/// A class on a thread of its own, which its panics and its log are known by.
fn alone(file: &str, attack: Attack) -> Result<Tally, String> {
    let thread = std::thread::Builder::new().name(format!("class {file}")).spawn(move || {
        let _log = log::write();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|error| error.to_string())?.block_on(attack.run())
    });
    let ended = thread.map_err(|error| error.to_string())?.join();
    let outcome = ended.unwrap_or_else(|_| Err("the fuzzer itself has panicked".to_owned()));
    let panics: Vec<String> = {
        let name = format!("class {file}");
        let all = PANICS.lock();
        all.iter().filter(|(thread, _)| *thread == name).map(|(_, text)| text.clone()).take(3).collect()
    };
    if panics.is_empty() {
        return outcome;
    }
    Err(format!("{}\n{}", outcome.err().unwrap_or_default(), panics.join("\n")))
}

/// The most memory that this process has had.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: Option<u64> = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok());
    kib.unwrap_or_default() << 10
}
