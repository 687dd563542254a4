//! What does a message to a JavaScript app cost, and what did it cost when every message got a Node.js process, as in
//! Vumi? Three apps: an echo with the JavaScript SDK and one with Vumi's plain `api.request` (both do one kv read, one kv
//! write, one log line, one reply), and the toolkit's example application `simple`. Each message in isolation of its own:
//! a fresh instance of the script engine here, a fresh process there. Both keep keys in memory and drop what is logged and
//! sent; of node's side only the processes' CPU time counts. The ways take turns; each figure is a median over the rounds.
//! Then: what an app costs in memory while it has nothing to do, and while it handles a message.
//!
//! Run: `cargo bench -p vumi-tests --bench scripts`, after `cargo xtask engine`, with Node.js and npm installed. Options
//! after `--`: `--rounds N` (default 5), `--millis N` per phase (default 2000). With the defaults it takes about a minute
//! and a half. For a profiler: `--only sdk|raw|toolkit --messages N` runs just so many messages one after the other.

#[allow(dead_code)]
#[path = "../toolkit/bundles.rs"]
mod bundles;
#[path = "scripts/here.rs"]
mod here;
#[path = "scripts/memory.rs"]
mod memory;
#[allow(dead_code)]
#[path = "node/process.rs"]
mod process;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use vumi_message::{NewUserMessage, UserMessage};

use here::Here;
use process::{NodeApp, Sandboxer};

/// An app that is measured, here and as it ran on node.
struct Candidate {
    name: &'static str,
    here: Here,
    node: Option<Sandboxer>,
    /// How many times less it is to cost here than on node, at least: by CPU time.
    aim: f64,
    /// CPU time per message in each round, in microseconds.
    samples: [Vec<f64>; 2],
}

struct Plan {
    rounds: usize,
    phase: Duration,
    only: Option<String>,
    /// Measure the memory of this one alone.
    memory: Option<String>,
    messages: u64,
}

fn main() -> ExitCode {
    let plan = plan();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let guard = runtime.enter();
    let node = process::node();
    let Some(node) = node else {
        println!("there is no `node` on this machine to compare with: install Node.js to run this benchmark");
        return ExitCode::SUCCESS;
    };
    process::check_against_capture(&node);
    let mut candidates = candidates(&node);
    drop(guard);
    if let Some(name) = &plan.memory {
        let candidate = candidates.iter().find(|candidate| candidate.name == name).expect("one of sdk, raw, toolkit");
        println!("{}", runtime.block_on(memory::line(candidate)));
        return ExitCode::SUCCESS;
    }
    if let Some(name) = &plan.only {
        let candidate = candidates.iter().find(|candidate| candidate.name == name).expect("one of sdk, raw, toolkit");
        let cpu = process_cpu();
        runtime.block_on(async {
            for _ in 0..plan.messages {
                candidate.here.run().await;
            }
        });
        println!("{name}: {:.1} µs of CPU time per message", micros(process_cpu() - cpu, plan.messages));
        return ExitCode::SUCCESS;
    }
    // The first round warms up.
    for round in 0..=plan.rounds {
        for candidate in &mut candidates {
            let phase = if round == 0 { plan.phase / 4 } else { plan.phase };
            let here = runtime.block_on(candidate.phase_here(phase));
            let there = candidate.phase_there(phase);
            if round > 0 {
                candidate.samples[0].push(here);
                candidate.samples[1].extend(there);
            }
        }
    }
    show(&candidates, &plan);
    memory::show(&candidates);
    ExitCode::SUCCESS
}

fn candidates(node: &Path) -> Vec<Candidate> {
    let raw = std::fs::read_to_string(process::application()).expect("the application can be read");
    let simple = bundles::example("simple");
    let config = json!({ "name": "simple" });
    // The toolkit by its place in the source tree, as the example asks for it.
    let context = "({ require: function (name) { return require(name === '../../../lib' ? 'vumigo_v02' : name); } })";
    let modules = bundles::project().join("node_modules");
    let there = |javascript: &str, app_context: Option<&str>, config: &Value| {
        let app_context = app_context.map(str::to_owned);
        let app = NodeApp {
            javascript: javascript.to_owned(),
            app_context,
            modules: Some(modules.clone()),
            config: config.clone(),
        };
        Some(Sandboxer::of(node, app, &message()))
    };
    let candidate = |name, here, node, aim| Candidate { name, here, node, aim, samples: Default::default() };
    vec![
        candidate("sdk", Here::module(&bundles::folder().join("echo.mjs")), there(&raw, None, &Value::Null), 200.0),
        candidate("raw", Here::legacy("app.js", &raw, None, &Value::Null), there(&raw, None, &Value::Null), 200.0),
        candidate(
            "toolkit",
            Here::legacy("simple.js", &simple, Some(context), &config),
            there(&simple, Some(context), &config),
            20.0,
        ),
    ]
}

impl Candidate {
    /// Messages one after the other for the time of a phase; CPU time of this process per message.
    async fn phase_here(&self, phase: Duration) -> f64 {
        let (end, cpu) = (Instant::now() + phase, process_cpu());
        let mut messages = 0;
        while Instant::now() < end {
            self.here.run().await;
            messages += 1;
        }
        micros(process_cpu() - cpu, messages)
    }

    /// The same on node; CPU time of the processes.
    fn phase_there(&self, phase: Duration) -> Option<f64> {
        let node = self.node.as_ref()?;
        let (end, cpu) = (Instant::now() + phase, children_cpu());
        let mut messages = 0;
        while Instant::now() < end {
            let said = node.run();
            assert_eq!(said.iter().filter(|line| line["cmd"] == "outbound.reply_to").count(), 1, "{said:?}");
            messages += 1;
        }
        Some(micros(children_cpu() - cpu, messages))
    }
}

fn show(candidates: &[Candidate], plan: &Plan) {
    println!("\nCPU time per message, isolated; medians over {} rounds of {:?}\n", plan.rounds, plan.phase);
    println!("| {:<8} | {:>11} | {:>11} | {:>12} | {:>8} |", "app", "here in µs", "node in µs", "times less", "aim");
    println!("| {:-<8} | {:->11} | {:->11} | {:->12} | {:->8} |", "", ":", ":", ":", ":");
    for candidate in candidates {
        let [here, node] = candidate.samples.clone().map(median);
        let name = candidate.name;
        println!("| {name:<8} | {here:>11.0} | {node:>11.0} | {:>12.0} | {:>8.0} |", node / here, candidate.aim);
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn micros(time: Duration, messages: u64) -> f64 {
    time.as_secs_f64() * 1e6 / messages as f64
}

/// CPU time of this process with all its threads.
fn process_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// CPU time of the ended processes of this one: the kernel tells it in hundredths of a second, user's and system's.
fn children_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("the kernel tells of this process");
    // The program's name, the second field, stands in brackets and may hold anything; the third follows.
    let (_, rest) = stat.rsplit_once(") ").expect("a name in brackets");
    let ticks: u64 = rest.split(' ').skip(13).take(2).map(|field| field.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(ticks * 10)
}

/// The message that is measured.
fn message() -> UserMessage {
    UserMessage::new(NewUserMessage {
        from_addr: Some("+27831234567".into()),
        to_addr: Some("8007".into()),
        transport_name: Some("phones".into()),
        transport_type: Some("sms".into()),
        content: Some("bench".into()),
        ..NewUserMessage::default()
    })
}

fn plan() -> Plan {
    let mut plan = Plan { rounds: 5, phase: Duration::from_millis(2_000), only: None, memory: None, messages: 1_000 };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--only" => {
                plan.only = words.next();
                continue;
            }
            "--memory" => {
                plan.memory = words.next();
                continue;
            }
            _ => {}
        }
        let mut number = || words.next().and_then(|text| text.parse::<u64>().ok()).expect("a number after the option");
        match word.as_str() {
            "--rounds" => plan.rounds = number().max(1) as usize,
            "--millis" => plan.phase = Duration::from_millis(number().max(1)),
            "--messages" => plan.messages = number().max(1),
            // Cargo adds this one.
            "--bench" => {}
            other => panic!("unknown option {other}: known are --rounds, --millis, --only, --messages"),
        }
    }
    plan
}
