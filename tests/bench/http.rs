//! What does the host cost a web request? `GET /msg?...&content=hello` is answered with its content: once by the host
//! (HTTP API transport, queue, echo guest in its sandbox, queue, transport), once by a bare axum handler that does
//! nothing else. Both are processes of their own on the same machine, asked in turns over the same number of kept
//! connections; each figure is a median over the rounds.
//!
//! Run: `cargo build --release -p vumi-host && cargo bench -p vumi-tests --bench http`, after `cargo xtask guests`.
//! Options after `--`: `--rounds N` (default 5), `--millis N` per phase (default 2000), `--connections N` (default 64).
//! `VUMI_HOST_BIN` names another binary.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use axum::extract::Query;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vumi_tests::guests::{guest, target};
use vumi_tests::{Host, HostBuilder};

/// Tells this program to be the bare server.
const BARE: &str = "--bare-server";

struct Plan {
    rounds: usize,
    phase: Duration,
    connections: usize,
}

/// One phase: requests answered per second, and how long they took, in seconds.
struct Sample {
    rate: f64,
    median: f64,
    p99: f64,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == BARE) {
        return serve_bare();
    }
    let binary = std::env::var_os("VUMI_HOST_BIN").map_or_else(|| target().join("release/vumi-host"), Into::into);
    if !binary.is_file() {
        eprintln!("{} is missing; run `cargo build --release -p vumi-host` first", binary.display());
        return ExitCode::FAILURE;
    }
    if std::env::var_os("VUMI_HOST_BIN").is_none() {
        // The kit starts the binary that the environment names, so this program is started once more.
        let program = std::env::current_exe().expect("this program has a path");
        let run = Command::new(program).args(&words).env("VUMI_HOST_BIN", &binary).env("VUMI_LOG", "warn").status();
        return if run.expect("this program can be started again").success() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    measure(&plan(&words));
    ExitCode::SUCCESS
}

fn measure(plan: &Plan) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (_host, host) = start_host(folder.path());
    let (mut bare_process, bare) = start_bare();
    let client = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let (mut of_bare, mut of_host) = (Vec::new(), Vec::new());
    for round in 0..=plan.rounds {
        let (a, b) = (client.block_on(phase(plan, bare)), client.block_on(phase(plan, host)));
        // The first round warms up.
        if round > 0 {
            of_bare.push(a);
            of_host.push(b);
        }
    }
    bare_process.kill().expect("it can be ended");
    bare_process.wait().expect("it ends");
    println!("\n{} rounds of {:?}, {} connections\n", plan.rounds, plan.phase, plan.connections);
    println!("| {:<28} | {:>10} | {:>10} | {:>10} |", "", "requests/s", "median ms", "p99 ms");
    println!("| {:-<28} | {:->10} | {:->10} | {:->10} |", "", ":", ":", ":");
    let bare = row("axum alone", &of_bare);
    let host = row("host with the echo guest", &of_host);
    println!("\nratios:");
    println!("  {:.3}  host / axum, requests per second", host.rate / bare.rate);
    println!("  {:.1}  host / axum, p99", host.p99 / bare.p99);
}

fn row(name: &str, samples: &[Sample]) -> Sample {
    let of = |part: fn(&Sample) -> f64| {
        let mut all: Vec<f64> = samples.iter().map(part).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let sample = Sample { rate: of(|one| one.rate), median: of(|one| one.median), p99: of(|one| one.p99) };
    let (rate, median, p99) = (sample.rate, sample.median * 1e3, sample.p99 * 1e3);
    println!("| {name:<28} | {rate:>10.0} | {median:>10.2} | {p99:>10.2} |");
    sample
}

fn start_host(folder: &std::path::Path) -> (Host, SocketAddr) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr()).expect("a port").port();
    let file = folder.join("bench.yaml");
    let config = format!(
        "transports:\n  api: {{class: http-api, web_path: /msg, web_port: {port}, reply_expected: true}}\n\
         apps:\n  echo: {{component: {}, transport_name: api}}\nadmin: {{listen: \"127.0.0.1:0\"}}\n",
        guest("echo").display()
    );
    std::fs::write(&file, config).expect("the folder can be written");
    (HostBuilder::run(&file).start(), SocketAddr::from(([127, 0, 0, 1], port)))
}

fn start_bare() -> (Child, SocketAddr) {
    let mut child = Command::new(std::env::current_exe().expect("this program has a path"))
        .arg(BARE)
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program can be started again");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("it is a pipe");
    BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
    (child, line.trim().parse().expect("an address"))
}

fn serve_bare() -> ExitCode {
    let server = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    server.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("an address"));
        let echo = |Query(fields): Query<HashMap<String, String>>| async move {
            fields.get("content").cloned().unwrap_or_default()
        };
        let routes = axum::Router::new().route("/msg", axum::routing::get(echo));
        axum::serve(listener, routes).await.expect("it serves");
    });
    ExitCode::SUCCESS
}

/// All connections ask, and ask again when they have the answer.
async fn phase(plan: &Plan, at: SocketAddr) -> Sample {
    let (began, end) = (Instant::now(), Instant::now() + plan.phase);
    let mut tasks = tokio::task::JoinSet::new();
    for user in 0..plan.connections {
        tasks.spawn(async move {
            let mut stream = TcpStream::connect(at).await.expect("a connection");
            stream.set_nodelay(true).expect("an option");
            let request =
                format!("GET /msg?to_addr=shop&from_addr=user{user}&content=hello HTTP/1.1\r\nHost: {at}\r\n\r\n");
            let (mut times, mut answer) = (Vec::new(), Vec::with_capacity(512));
            while Instant::now() < end {
                let asked = Instant::now();
                stream.write_all(request.as_bytes()).await.expect("it takes the request");
                answer.clear();
                while !answer.ends_with(b"\r\n\r\nhello") {
                    let read = stream.read_buf(&mut answer).await.expect("it answers");
                    assert!(read > 0, "the connection ended: {}", String::from_utf8_lossy(&answer));
                }
                times.push(asked.elapsed().as_secs_f64());
            }
            times
        });
    }
    let mut times: Vec<f64> = tasks.join_all().await.concat();
    let rate = times.len() as f64 / began.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    Sample { rate, median: at(0.5), p99: at(0.99) }
}

fn plan(words: &[String]) -> Plan {
    let mut plan = Plan { rounds: 5, phase: Duration::from_secs(2), connections: 64 };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|text| text.parse::<u64>().ok()).expect("a number after the option");
        match word.as_str() {
            "--rounds" => plan.rounds = number().max(1) as usize,
            "--millis" => plan.phase = Duration::from_millis(number().max(1)),
            "--connections" => plan.connections = number().max(1) as usize,
            "--bench" => {}
            other => panic!("no option: {other}"),
        }
    }
    plan
}
