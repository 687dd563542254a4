//! What does the host make of RabbitMQ? The same RabbitMQ carries messages of a bare lapin loop (publish, confirm,
//! consume, ack) and those of a host: from a simulated phone through the transport, the app and the transport back to
//! the phone, which is three messages of RabbitMQ (inbound, outbound, ack event). Both in one run, taking turns in short
//! phases; each figure is a median over the rounds.
//!
//! Run: `cargo bench -p vumi-tests --bench rabbitmq`, after `cargo xtask guests`. Options after `--`: `--rounds N`
//! (default 5), `--millis N` per phase (default 2000).

#[path = "rabbitmq/bare.rs"]
mod bare;
#[path = "rabbitmq/host.rs"]
mod host;

use std::time::Duration;

use tokio::runtime::Runtime;
use vumi_test_servers::RabbitMq;
use vumi_tests::guests::guest;

use bare::Bare;
use host::Host;

/// Users who write side by side, and messages that the bare loop has under way.
const USERS: usize = 64;

/// Messages of RabbitMQ for each message of a user.
const HOPS: f64 = 3.0;

fn main() {
    let (rounds, phase) = plan();
    let rabbitmq = RabbitMq::start();
    let (io, guests) = (threads("io", 2), threads("guest", 2));
    let component = guest("echo");
    let bare = io.block_on(Bare::open(&rabbitmq.vhost("bare"), USERS));
    let host = io.block_on(Host::start(&rabbitmq.vhost("host"), &component, guests.handle(), USERS));
    let (mut loops, mut users) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let (a, b) = (io.block_on(bare.phase(phase)), io.block_on(host.phase(phase)));
        // The first round warms up.
        if round > 0 {
            loops.push(a);
            users.push(b);
        }
    }
    let (loops, users) = (median(loops), median(users));
    println!("\n{rounds} rounds of {phase:?}, {USERS} under way\n");
    println!("{loops:>9.0} messages/s  bare lapin loop: publish, confirm, consume, ack");
    println!(
        "{:>9.0} messages/s  host: the same count of RabbitMQ's messages ({HOPS} for each of a user)",
        users * HOPS
    );
    println!("{users:>9.0} messages/s  host: messages of users answered");
    println!("\nratios:");
    println!("  {:.2}  host / bare loop, messages of RabbitMQ", users * HOPS / loops);
    println!("  {:.2}  host / bare loop, a user's message against one of the loop", users / loops);
    io.block_on(host.stop());
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn threads(name: &str, count: usize) -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(count)
        .thread_name(name)
        .enable_all()
        .build()
        .expect("a runtime")
}

fn plan() -> (usize, Duration) {
    let (mut rounds, mut phase) = (5, Duration::from_secs(2));
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
