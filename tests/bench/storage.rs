//! Which engine under the embedded queue and key-value store? This benchmark puts the group-committing SQLite writer
//! (with both durabilities) beside the same pattern on redb, on one disk, in one run, the engines taking turns in short
//! phases so that a busy moment of the machine hits them alike. It prints operations per second, each a median over the
//! rounds, and the files' sizes.
//!
//! Run: `cargo bench -p vumi-tests --bench storage`. Options after `--`: `--rounds N` (default 3), `--millis N` per
//! phase (default 250), `--keys N` (default 100000). With the defaults it takes less than a minute.

#[path = "storage/engine.rs"]
mod engine;
#[path = "storage/redb_engine.rs"]
mod redb_engine;
#[path = "storage/sqlite_engine.rs"]
mod sqlite_engine;
#[path = "storage/table.rs"]
mod table;
#[path = "storage/work.rs"]
mod work;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use vumi_sqlite::Durability;

use engine::Engine;
use table::Table;

/// The sizes of a run.
#[derive(Clone, Copy)]
struct Plan {
    rounds: usize,
    phase: Duration,
    keys: u64,
}

fn main() {
    let plan = plan();
    // Inside the target directory: a real disk, where the system's temporary directory may be in memory.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory for the files");
    let started = Instant::now();
    println!("disk: one append of 4 KiB with a flush takes {:.2} ms (median of 50)", flush_millis(directory.path()));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(run(directory.path(), plan));
    println!("\ntook {:.0} s", started.elapsed().as_secs_f64());
}

async fn run(directory: &Path, plan: Plan) {
    let power = sqlite_engine::Sqlite::open(&directory.join("power.db"), Durability::Power);
    let process = sqlite_engine::Sqlite::open(&directory.join("process.db"), Durability::Process);
    let redb = redb_engine::Redb::open(&directory.join("redb.db"));
    let mut table = Table::new(["SQLite Power", "SQLite Process", "redb Immediate"]);

    for producers in [1, 100, 1_000] {
        for _ in 0..plan.rounds {
            queue(&mut table, 0, &power, producers, plan).await;
            queue(&mut table, 1, &process, producers, plan).await;
            queue(&mut table, 2, &redb, producers, plan).await;
        }
    }
    work::load(&power, plan.keys).await;
    work::load(&process, plan.keys).await;
    work::load(&redb, plan.keys).await;
    for callers in [1, 100] {
        for _ in 0..plan.rounds {
            pairs(&mut table, 0, &power, callers, plan).await;
            pairs(&mut table, 1, &process, callers, plan).await;
            pairs(&mut table, 2, &redb, callers, plan).await;
        }
    }
    print!("{table}");

    println!("\njobs per commit, whole run: power {:.0}, process {:.0}", power.batching(), process.batching());
    power.check(table.count("kv incr", 0)).await;
    process.check(table.count("kv incr", 1)).await;
    redb.check(table.count("kv incr", 2)).await;
    sizes(directory, "open");
    power.close().await;
    process.close().await;
    redb.close().await;
    sizes(directory, "closed");
}

async fn queue(table: &mut Table, column: usize, engine: &impl Engine, producers: u64, plan: Plan) {
    let put = work::put(engine, producers, plan.phase).await;
    let ids = put.ids.clone();
    table.add(&format!("queue put, {producers}"), column, put);
    table.add(&format!("queue lease+ack, {producers}"), column, work::ack(engine, producers, ids).await);
}

async fn pairs(table: &mut Table, column: usize, engine: &impl Engine, callers: u64, plan: Plan) {
    table.add(&format!("kv get, {callers}"), column, work::get(engine, callers, plan.keys, plan.phase).await);
    table.add(&format!("kv set, {callers}"), column, work::set(engine, callers, plan.keys, plan.phase).await);
    table.add(&format!("kv incr, {callers}"), column, work::incr(engine, callers, plan.keys, plan.phase).await);
}

fn plan() -> Plan {
    let mut plan = Plan { rounds: 3, phase: Duration::from_millis(250), keys: 100_000 };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|text| text.parse::<u64>().ok()).expect("a number after the option");
        match word.as_str() {
            "--rounds" => plan.rounds = number().max(1) as usize,
            "--millis" => plan.phase = Duration::from_millis(number().max(1)),
            "--keys" => plan.keys = number().max(1),
            // Cargo adds this one.
            "--bench" => {}
            other => panic!("unknown option {other}: known are --rounds, --millis, --keys"),
        }
    }
    plan
}

/// What one flush costs on this disk, in milliseconds: the unit behind all figures.
fn flush_millis(directory: &Path) -> f64 {
    let mut file = File::create(directory.join("probe")).expect("a file");
    let mut times: Vec<_> = (0..50)
        .map(|_| {
            let started = Instant::now();
            file.write_all(&[0; 4096]).and_then(|()| file.sync_data()).expect("writes");
            started.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn sizes(directory: &Path, state: &str) {
    let size = |name: &str| std::fs::metadata(directory.join(name)).map_or(0, |found| found.len()) as f64 / 1e6;
    println!(
        "file sizes, {state}: power {:.1} MB + log {:.1} MB, process {:.1} MB + log {:.1} MB, redb {:.1} MB",
        size("power.db"),
        size("power.db-wal"),
        size("process.db"),
        size("process.db-wal"),
        size("redb.db"),
    );
}
