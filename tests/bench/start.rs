//! How long until the host answers? From the start of the process to the first answer on a telnet connection, with
//! the echo app: once with the compiled component already in the cache (every start but the first), once without.
//!
//! Run: `cargo build --release -p vumi-host && cargo bench -p vumi-tests --bench start`, after `cargo xtask guests`.
//! Option after `--`: `--runs N` (default 20). `VUMI_HOST_BIN` names another binary.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use vumi_tests::guests::{guest, target};
use vumi_tests::{HostBuilder, Telnet};

/// Tells this program that its environment is set for measuring.
const MEASURE: &str = "--measure";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == MEASURE) {
        measure(runs(&words));
        return ExitCode::SUCCESS;
    }
    let binary = std::env::var_os("VUMI_HOST_BIN").map_or_else(|| target().join("release/vumi-host"), PathBuf::from);
    if !binary.is_file() {
        eprintln!("{} is missing; run `cargo build --release -p vumi-host` first", binary.display());
        return ExitCode::FAILURE;
    }
    let cache = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory for the cache");
    // The host inherits this program's environment, so this program is started once more, in the right one.
    let measured = Command::new(std::env::current_exe().expect("this program has a path"))
        .args(&words)
        .arg(MEASURE)
        .env("VUMI_HOST_BIN", &binary)
        .env("XDG_CACHE_HOME", cache.path())
        .env_remove("VUMI_DATA_DIR")
        .env_remove("VUMI_LOG")
        .env_remove("VUMI_LOG_FORMAT")
        .status()
        .expect("this program can be started again");
    if measured.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure(runs: usize) {
    let cache = PathBuf::from(std::env::var_os("XDG_CACHE_HOME").expect("set by the caller"));
    let echo = guest("echo");
    let bytes = std::fs::metadata(&echo).map_or(0, |found| found.len());
    start(&echo);
    assert!(
        cache.join("vumi-host/components").read_dir().is_ok_and(|mut found| found.next().is_some()),
        "the cache was not filled"
    );
    let mut warm = Vec::new();
    let mut cold = Vec::new();
    for _ in 0..runs {
        warm.push(start(&echo));
        std::fs::remove_dir_all(cache.join("vumi-host")).expect("the cache can be emptied");
        // This start fills the cache again, for the next warm one.
        cold.push(start(&echo));
    }
    println!("\nmilliseconds from the start of the process, {runs} runs of each kind; echo.wasm has {bytes} bytes\n");
    println!("| {:<5} | {:<28} | {:>6} | {:>6} | {:>6} |", "cache", "until", "min", "median", "max");
    println!("| {:-<5} | {:-<28} | {:->6} | {:->6} | {:->6} |", "", "", ":", ":", ":");
    show("warm", &warm);
    show("cold", &cold);
}

/// Times of one start, each counted from its beginning.
struct Times {
    banner: Duration,
    greeting: Duration,
    answer: Duration,
}

fn start(echo: &Path) -> Times {
    let began = Instant::now();
    let host = HostBuilder::app(echo).start();
    let banner = began.elapsed();
    let mut telnet = Telnet::connect(host.telnet());
    assert_eq!(telnet.read_line().as_deref(), Some("Enter text to echo:"));
    let greeting = began.elapsed();
    assert_eq!(telnet.ask("hello"), "hello");
    Times { banner, greeting, answer: began.elapsed() }
}

fn show(cache: &str, times: &[Times]) {
    row(cache, "it says that it runs", times.iter().map(|times| times.banner));
    row(cache, "the greeting of a session", times.iter().map(|times| times.greeting));
    row(cache, "the answer to the first line", times.iter().map(|times| times.answer));
}

fn row(cache: &str, until: &str, times: impl Iterator<Item = Duration>) {
    let mut millis: Vec<f64> = times.map(|time| time.as_secs_f64() * 1e3).collect();
    millis.sort_by(f64::total_cmp);
    let (min, median, max) = (millis[0], millis[millis.len() / 2], millis[millis.len() - 1]);
    println!("| {cache:<5} | {until:<28} | {min:>6.1} | {median:>6.1} | {max:>6.1} |");
}

fn runs(words: &[String]) -> usize {
    let mut runs = 20;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--runs" => runs = words.next().and_then(|text| text.parse().ok()).expect("a number after --runs"),
            // Cargo adds the first one, this program the second.
            "--bench" | MEASURE => {}
            other => panic!("unknown option {other}: known is --runs"),
        }
    }
    runs.max(1)
}
