//! What does the sandbox cost, and what the way through the whole host? The same guest (one kv read, one kv write,
//! one reply; a fresh instance per message) is run in a bare loop around the engine, through the sandbox, and from a
//! simulated phone through transport, broker, dispatcher and app and back, in memory and on disk. All in one run, the
//! kinds taking turns in short phases so that a busy moment of the machine hits them alike; each figure is a median
//! over the rounds.
//!
//! Run: `cargo bench -p vumi-tests --bench sandbox`, after `cargo xtask guests`. Options after `--`: `--rounds N`
//! (default 5), `--millis N` per phase (default 1000). With the defaults it takes about a minute. For a profiler, or
//! for counting instructions where the machine is not quiet: `--only bare|silent|sandbox|reuse --messages N` runs just so
//! many messages one after the other.

#[path = "sandbox/alone.rs"]
mod alone;
#[path = "sandbox/bare.rs"]
mod bare;
#[path = "sandbox/measure.rs"]
mod measure;
#[path = "sandbox/system.rs"]
mod system;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use vumi_message::{NewUserMessage, UserMessage};
use vumi_sandbox::{EngineOptions, Instances};
use vumi_store::Durability;
use vumi_tests::guests::guest;

use alone::Alone;
use bare::{Bare, Reply};
use measure::{Table, in_parallel};
use system::{Keeping, Setup, System};

/// Users who write side by side, each of whom waits for the answer before writing again.
const USERS: usize = 64;

/// The sizes of a run.
struct Plan {
    rounds: usize,
    phase: Duration,
    only: Option<String>,
    messages: u64,
}

/// Everything that is measured, side by side.
struct Stage {
    one: Runtime,
    two: Runtime,
    io: Runtime,
    bare: Arc<Bare>,
    silent: Arc<Bare>,
    alone: Arc<Alone>,
    reused: Arc<Alone>,
    systems: Vec<(&'static str, System)>,
}

const BARE: &str = "(b) bare engine, 2 threads";
const ALONE: &str = "(a) sandbox, 2 threads";
const SILENT: &str = "(b) the same, no reply built, 1 thread";
const BARE_ONE: &str = "(b) bare engine, 1 thread";
const ALONE_ONE: &str = "(a) sandbox, 1 thread";
const REUSED_ONE: &str = "(a) sandbox, reuse, 1 thread";
const REUSED: &str = "(a) sandbox, reuse, 2 threads";
const MEMORY: &str = "(c) end to end, memory";
const MUTE: &str = "(c) the same without acks to the app";
const PROCESS: &str = "(d) end to end, disk, Process";
const POWER: &str = "(d) end to end, disk, Power";

fn main() {
    let plan = plan();
    if let Some(way) = &plan.only {
        return only(way, plan.messages);
    }
    let started = Instant::now();
    // Inside the target directory: a real disk, where the system's temporary directory may be in memory.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory for the files");
    let guests = threads("guest", 2);
    let stage = Stage::set(&guests, &directory);

    let mut table = Table::default();
    stage.round(&mut Table::default(), plan.phase / 2);
    for _ in 0..plan.rounds {
        stage.round(&mut table, plan.phase);
    }
    println!("\none guest, one message `bench`: kv get, kv set, reply; {} rounds of {:?}\n", plan.rounds, plan.phase);
    print!("{table}");
    println!("\nratios of messages per second:");
    let alone = [
        (ALONE_ONE, BARE_ONE),
        (ALONE_ONE, SILENT),
        (ALONE, BARE),
        (ALONE, ALONE_ONE),
        (REUSED_ONE, ALONE_ONE),
        (REUSED, ALONE),
    ];
    for (first, second) in alone.into_iter().chain([(MEMORY, ALONE), (MUTE, ALONE), (PROCESS, MEMORY), (POWER, MEMORY)])
    {
        println!("  {:.2}  {first} / {second}", table.rate(first) / table.rate(second));
    }
    println!("\nend to end, {USERS} users in parallel; runs of the app per message (an ack is a run too):");
    for (name, system) in stage.systems {
        println!("  {:.2}  {name}", system.runs_per_message());
        stage.io.block_on(system.stop());
    }
    println!("\ntook {:.0} s", started.elapsed().as_secs_f64());
}

impl Stage {
    fn set(guests: &Runtime, directory: &tempfile::TempDir) -> Self {
        let component = guest("probe");
        let io = threads("io", 2);
        let mut systems = Vec::new();
        for (name, keeping, acks) in [
            (MEMORY, Keeping::Memory, true),
            (MUTE, Keeping::Memory, false),
            (PROCESS, Keeping::Disk(directory.path().join("process"), Durability::Process), true),
            (POWER, Keeping::Disk(directory.path().join("power"), Durability::Power), true),
        ] {
            let setup = Setup { component: component.clone(), keeping, acks, users: USERS };
            systems.push((name, io.block_on(System::start(setup, guests.handle()))));
        }
        let alone = io.block_on(async { Alone::new(&component) });
        let reused = io.block_on(async { Alone::of(&component, Instances::Reuse, EngineOptions::default()) });
        Self {
            one: threads("one", 1),
            two: threads("two", 2),
            io,
            bare: Arc::new(Bare::new(&component, Reply::Built, EngineOptions::default().instances)),
            silent: Arc::new(Bare::new(&component, Reply::Counted, EngineOptions::default().instances)),
            alone: Arc::new(alone),
            reused: Arc::new(reused),
            systems,
        }
    }

    /// One phase of each kind.
    fn round(&self, table: &mut Table, phase: Duration) {
        let silent = Arc::clone(&self.silent);
        let work = in_parallel(1, phase, move |_| {
            let silent = Arc::clone(&silent);
            async move { silent.run().await }
        });
        table.add(SILENT, self.one.block_on(work));
        let kinds = [(BARE_ONE, ALONE_ONE, REUSED_ONE, &self.one, 1), (BARE, ALONE, REUSED, &self.two, 2)];
        for (bare_name, alone_name, reused_name, runtime, threads) in kinds {
            let bare = Arc::clone(&self.bare);
            let work = in_parallel(threads, phase, move |_| {
                let bare = Arc::clone(&bare);
                async move { bare.run().await }
            });
            table.add(bare_name, runtime.block_on(work));
            let alone = Arc::clone(&self.alone);
            let work = in_parallel(threads, phase, move |_| {
                let alone = Arc::clone(&alone);
                async move { alone.run().await }
            });
            table.add(alone_name, runtime.block_on(work));
            let reused = Arc::clone(&self.reused);
            let work = in_parallel(threads, phase, move |_| {
                let reused = Arc::clone(&reused);
                async move { reused.run().await }
            });
            table.add(reused_name, runtime.block_on(work));
        }
        for (name, system) in &self.systems {
            table.add(name, self.io.block_on(system.phase(phase)));
        }
    }
}

/// So many messages one way, on this thread.
fn only(way: &str, messages: u64) {
    let component = guest("probe");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        // A profiler may not know what to do with the address space of the whole pool.
        let options = EngineOptions { instances: 4, ..EngineOptions::default() };
        let floor = |reply| Bare::new(&component, reply, options.instances);
        let sandbox = |instances| Alone::of(&component, instances, options.clone());
        let began = match way {
            "bare" => repeat(messages, floor(Reply::Built), async |bare| bare.run().await).await,
            "silent" => repeat(messages, floor(Reply::Counted), async |bare| bare.run().await).await,
            "sandbox" => repeat(messages, sandbox(Instances::Fresh), async |alone| alone.run().await).await,
            "reuse" => repeat(messages, sandbox(Instances::Reuse), async |alone| alone.run().await).await,
            other => panic!("unknown way {other}: known are bare, silent, sandbox, reuse"),
        };
        println!("{way}: {:.2} µs per message", began.elapsed().as_secs_f64() * 1e6 / messages as f64);
    });
}

/// Runs a way so many times; the answer is when it began.
async fn repeat<W>(messages: u64, way: W, step: impl AsyncFn(&W)) -> Instant {
    let began = Instant::now();
    for _ in 0..messages {
        step(&way).await;
    }
    began
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

fn threads(name: &str, count: usize) -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(count)
        .thread_name(name)
        .enable_all()
        .build()
        .expect("a runtime")
}

fn plan() -> Plan {
    let mut plan = Plan { rounds: 5, phase: Duration::from_millis(1_000), only: None, messages: 10_000 };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--only" {
            plan.only = words.next();
            continue;
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
