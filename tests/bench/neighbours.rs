//! What do hostile neighbours do to a well-behaved app? Ten apps that each attack in a way of their own (endless loops,
//! memory, recursion, floods of host calls, keys, log lines and replies, panics), several messages at a time and without
//! a pause, beside one app that gets a paced load; all on one engine and on the same guests' threads, through app
//! workers and the embedded broker, as the host runs them. Measured is the time from a message's way into the good
//! app's queue to its reply on the way out, alone and beside the attack, in turns; each figure is a median over the
//! rounds.
//!
//! Run: `cargo bench -p vumi-tests --bench neighbours`, after `cargo xtask guests`. Options after `--`: `--rounds N`
//! (default 3), `--millis N` per phase (default 3000), `--rate N` messages per second to the good app (default 200),
//! `--parallel N` messages at a time to each neighbour (default 4), `--only NAME` for one neighbour of the ten. With the
//! defaults it takes about a minute.

#[path = "neighbours/attack.rs"]
mod attack;
#[path = "neighbours/host.rs"]
mod host;
#[path = "neighbours/load.rs"]
mod load;

use std::time::{Duration, Instant};

use attack::{ATTACKS, Attackers};
use host::Host;
use load::{Load, Times};

/// How much longer the slowest message in a hundred may take beside the attack, at most.
const AIM: f64 = 2.0;

/// Until the attack is in full swing.
const RUN_UP: Duration = Duration::from_millis(500);

/// Longest wait for what happens at once on an idle machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The sizes of a run.
struct Plan {
    rounds: usize,
    phase: Duration,
    rate: u32,
    parallel: usize,
    only: Option<String>,
}

fn main() {
    let plan = plan();
    let started = Instant::now();
    // As in the host: as many threads as there are processors for the guests, and as many for everything else.
    let (io, guests) = (threads("io"), threads("guests"));
    let host = io.block_on(async { Host::start(guests.handle(), plan.parallel).await });
    let attackers = Attackers::new(&host, plan.parallel, plan.only.as_deref());
    let load = Load::new(&host, plan.rate);
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    load.phase(&io, RUN_UP);
    for _ in 0..plan.rounds {
        alone.push(load.phase(&io, plan.phase));
        let attack = attackers.attack(&io);
        std::thread::sleep(RUN_UP);
        beside.push(load.phase(&io, plan.phase));
        attack.stop(&io);
    }
    show(&plan, &alone, &beside);
    println!("\nruns of the neighbours, by outcome:");
    for ((name, content), outcomes) in ATTACKS.iter().zip(host.tally.outcomes()) {
        let command = content.split(' ').next().unwrap_or_default();
        println!("  {name:<16} {command:<14} {outcomes}");
    }
    io.block_on(host.stop());
    println!("\ntook {:.0} s", started.elapsed().as_secs_f64());
    guests.shutdown_background();
}

fn show(plan: &Plan, alone: &[Times], beside: &[Times]) {
    println!(
        "\n{} messages/s to the good app, alone and beside {} with {} messages at a time each; medians over {} rounds of {:?}\n",
        plan.rate,
        plan.only.clone().unwrap_or_else(|| format!("{} neighbours", ATTACKS.len())),
        plan.parallel,
        plan.rounds,
        plan.phase
    );
    println!(
        "| {:<10} | {:>9} | {:>9} | {:>9} | {:>8} |",
        "good app", "p50 in µs", "p99 in µs", "max in µs", "messages"
    );
    println!("| {:-<10} | {:->9} | {:->9} | {:->9} | {:->8} |", "", ":", ":", ":", ":");
    for (name, times) in [("alone", alone), ("beside", beside)] {
        println!(
            "| {name:<10} | {:>9.0} | {:>9.0} | {:>9.0} | {:>8} |",
            median(times, |times| times.at(0.50)),
            median(times, |times| times.at(0.99)),
            median(times, |times| times.at(1.0)),
            times.iter().map(Times::count).sum::<usize>()
        );
    }
    let ratio = |share: f64| median(beside, |times| times.at(share)) / median(alone, |times| times.at(share));
    println!("\nratios, beside / alone: p50 {:.2}, p99 {:.2} (the aim: {AIM:.1} at most)", ratio(0.50), ratio(0.99));
}

fn median(rounds: &[Times], figure: impl Fn(&Times) -> f64) -> f64 {
    let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn threads(name: &str) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().thread_name(name).enable_all().build().expect("a runtime")
}

fn plan() -> Plan {
    let mut plan = Plan { rounds: 3, phase: Duration::from_millis(3_000), rate: 200, parallel: 4, only: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--only" {
            plan.only = words.next();
            continue;
        }
        let mut number = || words.next().and_then(|text| text.parse::<u32>().ok()).expect("a number after the option");
        match word.as_str() {
            "--rounds" => plan.rounds = number().max(1) as usize,
            "--millis" => plan.phase = Duration::from_millis(number().max(1).into()),
            "--rate" => plan.rate = number().max(1),
            "--parallel" => plan.parallel = number().max(1) as usize,
            // Cargo adds this one.
            "--bench" => {}
            other => panic!("unknown option {other}: known are --rounds, --millis, --rate, --parallel, --only"),
        }
    }
    plan
}
