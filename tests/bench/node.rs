//! What does a message cost in the sandbox, and what did it cost when every message got a Node.js process, as in Vumi?
//! The same work (one kv read, one kv write, one log line, one reply) for each message in isolation of its own: a fresh
//! instance here, a fresh process there, one and two at a time. Both keep keys in memory and drop what is logged and
//! sent; that of node's side only the processes' CPU time counts, not their host's end of the pipes, and neither does
//! the Python process that Vumi started first to set the limits. The kinds take turns; each figure is a median over the
//! rounds.
//!
//! Run: `cargo bench -p vumi-tests --bench node`, after `cargo xtask guests`, with Node.js installed. Options after
//! `--`: `--rounds N` (default 5), `--millis N` per phase (default 2000). With the defaults it takes about a minute.

#[path = "sandbox/alone.rs"]
mod alone;
#[path = "node/process.rs"]
mod process;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use vumi_message::{NewUserMessage, UserMessage};
use vumi_tests::guests::guest;

use alone::Alone;
use process::Sandboxer;

/// How many times less the sandbox is to cost than a process of node's, at least: by CPU time and by rate.
const AIM: f64 = 1_000.0;

/// What one phase gave.
struct Sample {
    messages: usize,
    rate: f64,
    /// In microseconds, as the next ones.
    p50: f64,
    p99: f64,
    cpu: f64,
}

/// A way to handle messages, so many at a time, and what it gave in each round.
struct Kind {
    name: &'static str,
    at_a_time: usize,
    work: Work,
    samples: Vec<Sample>,
}

enum Work {
    Sandbox(tokio::runtime::Runtime, Arc<Alone>),
    Node(Arc<Sandboxer>),
}

fn main() -> ExitCode {
    let (rounds, phase) = plan();
    let Some(node) = process::node() else {
        println!("there is no `node` on this machine to compare with: install Node.js to run this benchmark");
        return ExitCode::SUCCESS;
    };
    process::check_against_capture(&node);
    let mut kinds = kinds(&node);
    // The first round warms up.
    for round in 0..=rounds {
        for kind in &mut kinds {
            let sample = kind.phase(if round == 0 { phase / 4 } else { phase });
            if round > 0 {
                kind.samples.push(sample);
            }
        }
    }
    show(&kinds, rounds, phase);
    ExitCode::SUCCESS
}

fn kinds(node: &Path) -> Vec<Kind> {
    let alone = runtime(1).block_on(async { Arc::new(Alone::new(&guest("probe"))) });
    let sandboxer = Arc::new(Sandboxer::new(node, &message()));
    let kind = |name, at_a_time, work| Kind { name, at_a_time, work, samples: Vec::new() };
    [1, 2]
        .into_iter()
        .flat_map(|count| {
            [
                kind("sandbox", count, Work::Sandbox(runtime(count), Arc::clone(&alone))),
                kind("node", count, Work::Node(Arc::clone(&sandboxer))),
            ]
        })
        .collect()
}

impl Kind {
    /// Messages one after the other, so many side by side, for the time of a phase.
    fn phase(&self, phase: Duration) -> Sample {
        let (began, end) = (Instant::now(), Instant::now() + phase);
        let cpu = self.cpu();
        let mut micros = match &self.work {
            Work::Sandbox(runtime, alone) => {
                let mut tasks = tokio::task::JoinSet::new();
                for _ in 0..self.at_a_time {
                    let alone = Arc::clone(alone);
                    let work = async move {
                        let mut micros = Vec::with_capacity(1 << 16);
                        let mut before = Instant::now();
                        while before < end {
                            alone.run().await;
                            before = lap(before, &mut micros);
                        }
                        micros
                    };
                    tasks.spawn_on(work, runtime.handle());
                }
                runtime.block_on(tasks.join_all()).concat()
            }
            Work::Node(sandboxer) => std::thread::scope(|scope| {
                let work = || {
                    let mut micros = Vec::new();
                    let mut before = Instant::now();
                    while before < end {
                        // Both starting lines, the application's four requests, and the last line.
                        assert_eq!(sandboxer.run().len(), 7);
                        before = lap(before, &mut micros);
                    }
                    micros
                };
                let threads: Vec<_> = (0..self.at_a_time).map(|_| scope.spawn(work)).collect();
                threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
            }),
        };
        let (elapsed, cpu) = (began.elapsed(), self.cpu().saturating_sub(cpu));
        micros.sort_by(f64::total_cmp);
        let messages = micros.len();
        let at = |share: f64| micros[((messages - 1) as f64 * share) as usize];
        Sample {
            messages,
            rate: messages as f64 / elapsed.as_secs_f64(),
            p50: at(0.50),
            p99: at(0.99),
            cpu: cpu.as_secs_f64() * 1e6 / messages as f64,
        }
    }

    /// CPU time that this way has used so far: of this process with all its threads, or of the processes that it
    /// started and that have ended.
    fn cpu(&self) -> Duration {
        match self.work {
            Work::Sandbox(..) => {
                let time = clock_gettime(ClockId::ProcessCPUTime);
                Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
            }
            Work::Node(_) => children_cpu(),
        }
    }

    fn median(&self, figure: impl Fn(&Sample) -> f64) -> f64 {
        let mut figures: Vec<f64> = self.samples.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    }
}

/// Notes the time since `before`; the answer is now.
fn lap(before: Instant, micros: &mut Vec<f64>) -> Instant {
    let now = Instant::now();
    micros.push(now.duration_since(before).as_secs_f64() * 1e6);
    now
}

/// CPU time of the ended processes of this one: the kernel tells it in hundredths of a second, user's and system's.
fn children_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("the kernel tells of this process");
    // The program's name, the second field, stands in brackets and may hold anything; the third follows.
    let (_, rest) = stat.rsplit_once(") ").expect("a name in brackets");
    let ticks: u64 = rest.split(' ').skip(13).take(2).map(|field| field.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(ticks * 10)
}

fn show(kinds: &[Kind], rounds: usize, phase: Duration) {
    println!(
        "\none message, isolated: kv get, kv set, a log line, a reply; medians over {rounds} rounds of {phase:?}\n"
    );
    println!(
        "| {:<7} | {:>9} | {:>10} | {:>9} | {:>9} | {:>13} | {:>12} |",
        "way", "at a time", "messages/s", "p50 in µs", "p99 in µs", "CPU µs/message", "messages"
    );
    println!("| {:-<7} | {:->9} | {:->10} | {:->9} | {:->9} | {:->14} | {:->12} |", "", ":", ":", ":", ":", ":", ":");
    for kind in kinds {
        let messages: usize = kind.samples.iter().map(|sample| sample.messages).sum();
        println!(
            "| {:<7} | {:>9} | {:>10.1} | {:>9.0} | {:>9.0} | {:>14.1} | {messages:>12} |",
            kind.name,
            kind.at_a_time,
            kind.median(|sample| sample.rate),
            kind.median(|sample| sample.p50),
            kind.median(|sample| sample.p99),
            kind.median(|sample| sample.cpu),
        );
    }
    println!("\nhow many times less the sandbox costs (the aim: {AIM:.0} and more):");
    for pair in kinds.chunks(2) {
        let [sandbox, node] = pair else { continue };
        let rate = sandbox.median(|sample| sample.rate) / node.median(|sample| sample.rate);
        let cpu = node.median(|sample| sample.cpu) / sandbox.median(|sample| sample.cpu);
        println!("  {cpu:>6.0} by CPU time, {rate:>6.0} by messages per second; {} at a time", sandbox.at_a_time);
    }
}

/// The message that is measured.
fn message() -> UserMessage {
    UserMessage::new(NewUserMessage {
        from_addr: Some("+27831234567".into()),
        to_addr: Some("8007".into()),
        transport_name: Some("phones".into()),
        transport_type: Some("sms".into()),
        content: Some("bench-log".into()),
        ..NewUserMessage::default()
    })
}

fn runtime(threads: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().expect("a runtime")
}

fn plan() -> (usize, Duration) {
    let (mut rounds, mut phase) = (5, Duration::from_millis(2_000));
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|text| text.parse::<u64>().ok()).expect("a number after the option");
        match word.as_str() {
            "--rounds" => rounds = number().max(1) as usize,
            "--millis" => phase = Duration::from_millis(number().max(1)),
            // Cargo adds this one.
            "--bench" => {}
            other => panic!("unknown option {other}: known are --rounds, --millis"),
        }
    }
    (rounds, phase)
}
