//! How many conversations does `vumi-host test` play in a second? Each guest's own tests are played again and again, and
//! a conversation of ten messages against echo beside them, with everything that a test does: an app, a kv and a stage of
//! its own for each conversation, each message in a fresh instance, each answer compared.
//!
//! Run: `cargo bench -p vumi-tests --bench rehearsal`, after `cargo xtask guests`. Options after `--`: `--guests a,b`
//! (default: echo, and clinic where it is built), `--conversations N` (default 5000), `--rounds N` (default 5). The
//! last column says how many times the 1,000 conversations of ten messages a second that are asked for it is.

use std::path::PathBuf;
use std::sync::Arc;

use vumi_rehearsal::{Options, Rehearsal, Script, rehearse};
use vumi_sandbox::{ComponentCache, EngineOptions, LoadedComponent, Sandbox};
use vumi_tests::guests::{guest, root, target};

/// Conversations of ten messages a second that are asked for.
const ASKED: f64 = 1_000.0;

struct Plan {
    guests: Vec<String>,
    conversations: usize,
    rounds: usize,
}

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let plan = plan();
    let sandbox = Sandbox::new(&EngineOptions { instances: 64, ..EngineOptions::default() }).expect("an engine");
    let cache = ComponentCache::at(&target().join("test-components")).expect("a cache");
    println!(
        "\n{} processors, {} conversations in each of {} rounds; medians\n",
        processors(),
        plan.conversations,
        plan.rounds
    );
    println!(
        "| {:<24} | {:>9} | {:>14} | {:>10} | {:>16} | {:>8} |",
        "tests", "messages", "conversations/s", "messages/s", "of 10 messages/s", "of asked"
    );
    println!("| {:-<24} | {:->9} | {:->15} | {:->10} | {:->16} | {:->8} |", "", ":", ":", ":", ":", ":");
    let echo = sandbox.load(&cache, &guest("echo")).expect("echo");
    row(&sandbox, &echo, "echo, ten messages", &[ten()], &plan).await;
    for name in &plan.guests {
        let component = sandbox.load(&cache, &guest(name)).unwrap_or_else(|error| panic!("{error}"));
        let scripts = own(name);
        if !scripts.is_empty() {
            row(&sandbox, &component, &format!("{name}, its own tests"), &scripts, &plan).await;
        }
    }
}

/// A conversation of ten messages.
fn ten() -> Script {
    let mut text = String::from("- conversation: ten\n  steps:\n    - { user: null, app: \"Enter text to echo:\" }\n");
    for number in 1..10 {
        text.push_str(&format!("    - {{ user: \"message {number}\", app: \"message {number}\" }}\n"));
    }
    Script::read("ten.yaml", &text).unwrap_or_else(|error| panic!("{error}"))
}

/// A guest's own tests.
fn own(name: &str) -> Vec<Script> {
    let folder: PathBuf = root().join("guest-examples").join(name).join("tests");
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    files.sort();
    files.iter().map(|file| Script::open(file).unwrap_or_else(|error| panic!("{error}"))).collect()
}

async fn row(sandbox: &Arc<Sandbox>, component: &LoadedComponent, name: &str, scripts: &[Script], plan: &Plan) {
    let once: usize = scripts.iter().map(Script::len).sum();
    let times = plan.conversations.div_ceil(once.max(1));
    let all: Vec<Script> = std::iter::repeat_n(scripts, times).flatten().cloned().collect();
    let (mut conversations, mut messages, mut mean) = (Vec::new(), Vec::new(), 0.0);
    for round in 0..=plan.rounds {
        let played = rehearse(sandbox, component, &all, Options::default()).await.expect("they can be played");
        assert_eq!(
            played.failed(),
            0,
            "{name}:\n{}",
            vumi_rehearsal::report::text(&first_failure(&played), None, false)
        );
        let runs: usize = played.conversations().map(|one| one.runs).sum();
        mean = runs as f64 / played.conversations().count() as f64;
        // The first round warms up.
        if round > 0 {
            conversations.push(played.rate());
            messages.push(runs as f64 / played.took.as_secs_f64());
        }
    }
    let (conversations, messages) = (median(conversations), median(messages));
    let of_ten = messages / 10.0;
    println!(
        "| {name:<24} | {mean:>9.1} | {conversations:>15.0} | {messages:>10.0} | {of_ten:>16.0} | {:>7.1}× |",
        of_ten / ASKED
    );
}

fn first_failure(played: &Rehearsal) -> Rehearsal {
    let files = played.files.iter().filter(|file| file.failed() > 0).take(1).cloned().collect();
    Rehearsal { files, took: played.took }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn plan() -> Plan {
    let mut plan = Plan { guests: vec!["echo".into()], conversations: 5_000, rounds: 5 };
    if root().join("target/guests/clinic.wasm").is_file() {
        plan.guests.push("clinic".into());
    }
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("{word} needs a value"));
        match word.as_str() {
            "--guests" => plan.guests = value().split(',').map(str::to_owned).collect(),
            "--conversations" => plan.conversations = value().parse().expect("a number"),
            "--rounds" => plan.rounds = value().parse::<usize>().expect("a number").max(1),
            // Cargo adds this one.
            "--bench" => {}
            other => panic!("unknown option {other}: known are --guests, --conversations, --rounds"),
        }
    }
    plan
}
