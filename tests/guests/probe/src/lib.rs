//! A guest that does what its message tells it, good or bad: `command argument argument …`.
//!
//! What it learns it replies, as one line.

mod wasi;

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vumi_sdk::bindings::vumi::app::{kv as raw_kv, metrics as raw_metrics, outbound};
use vumi_sdk::http::{Method, Request};
use vumi_sdk::log::{Level, log};
use vumi_sdk::prelude::*;

/// Counts the messages that this instance has seen: never more than one.
static RUNS: AtomicU64 = AtomicU64::new(0);

/// Tests change these bytes within the component, and so make versions of it that tell which one they are.
static STAMP: [u8; 22] = *b"STAMP=0000000000000000";

struct Probe;

/// Replies with the stamp and how many messages this app has stamped.
fn stamped(message: &Message) -> Result<()> {
    // Read byte by byte behind a black box, so that the text stays in the component as it is.
    let text: String = black_box(&STAMP).iter().map(|byte| char::from(*black_box(byte))).collect();
    let count = raw_kv::incr("stamped", 1).unwrap_or(-1);
    reply(message, format!("{text} {count}"))
}

impl App for Probe {
    fn on_message(message: &Message) -> Result<()> {
        let text = message.content().unwrap_or("null");
        let (command, rest) = text.split_once(' ').unwrap_or((text, ""));
        let words: Vec<&str> = rest.split(' ').collect();
        match command {
            "null" if message.is_close() => Ok(()),
            "echo" | "null" => reply(message, rest),
            "bench" => bench(message),
            "bench-log" => bench_log(message),
            "stamp" => stamped(message),
            "innocent" => innocent(message, number(&words, 0)),
            "loop" => forever(),
            "memory" => memory_bomb(),
            "grow" => grow(message, number(&words, 0)),
            "recurse" => reply(message, recurse(1).to_string()),
            "descend" => reply(message, descend(1, &RUNS).to_string()),
            "logs" => logs(number(&words, 0), rest),
            "kv-keys" => kv_keys(message, number(&words, 0)),
            "kv-set" => kv_set(message, &words),
            "kv-get" => reply(message, show(raw_kv::get(rest))),
            "kv-delete" => reply(message, show(raw_kv::delete(rest))),
            "kv-incr" => kv_incr(message, &words),
            "kv-value" => {
                reply(message, show(raw_kv::set("large", &format!("\"{}\"", "x".repeat(number(&words, 0))), None)))
            }
            "kv-calls" => kv_calls(message, number(&words, 0)),
            "huge-reply" => reply(message, "x".repeat(number(&words, 0))),
            "many-replies" => many_replies(message, number(&words, 0)),
            "reply-then-loop" => message.reply("before").and_then(|_| forever()),
            "close" => message.reply_and_close(rest).map(drop),
            "group" => message.reply_to_group(rest).map(drop),
            "metadata" => metadata(message, rest),
            "send" => send(message, &words),
            "http" => web(message, &words),
            "sleep" => {
                std::thread::sleep(Duration::from_millis(number(&words, 0) as u64));
                reply(message, "awake")
            }
            "static" => reply(message, (RUNS.fetch_add(1, Ordering::Relaxed) + 1).to_string()),
            "panic" => panic!("on purpose"),
            "fail" => Err(Error::new(rest)),
            "fail-long" => Err(Error::new("x".repeat(number(&words, 0)))),
            "stdout" => {
                println!("{rest}");
                reply(message, "printed")
            }
            "stderr" => {
                eprint!("{}", rest.replace("\\n", "\n"));
                reply(message, "printed")
            }
            "stdio" => stdio(message, &words),
            "log" => {
                info!("{rest}");
                reply(message, "logged")
            }
            "levels" => levels(rest),
            "newlines" => newlines(message, number(&words, 0)),
            "rush" => wasi::rush(message, number(&words, 0)),
            "zeroes" => wasi::zeroes(message, number(&words, 0)),
            "chance" => reply(message, wasi::chance()),
            "random" => reply(message, wasi::random(number(&words, 0)).to_string()),
            "handles" => reply(message, wasi::handles(number(&words, 0)).to_string()),
            "config" => reply(message, format!("{:?}", vumi_sdk::config(rest))),
            "metric" => metric(message, &words),
            "endpoint" => reply(message, message.endpoint()),
            "environment" => environment(message),
            "open" => reply(message, format!("{:?}", std::fs::read(rest).map_err(|error| error.kind()))),
            "connect" => reply(
                message,
                format!("{:?}", std::net::TcpStream::connect(rest).map(drop).map_err(|error| error.kind())),
            ),
            other => reply(message, format!("unknown command {other}")),
        }
    }

    fn on_event(event: &Event) -> Result<()> {
        info!("event {:?} for {}", event.kind(), event.message_id().unwrap_or("none"));
        let _ = raw_kv::incr("events", 1);
        Ok(())
    }
}

vumi_sdk::app!(Probe);

fn number(words: &[&str], at: usize) -> usize {
    words.get(at).and_then(|word| word.parse().ok()).unwrap_or_default()
}

fn reply(message: &Message, text: impl AsRef<str>) -> Result<()> {
    message.reply(text).map(drop)
}

fn show<T: std::fmt::Debug, E: std::fmt::Debug>(answer: Result<T, E>) -> String {
    match answer {
        Ok(value) => format!("ok {value:?}"),
        Err(error) => format!("error {error:?}"),
    }
}

/// What the benchmarks measure: one read, one write, one reply.
fn bench(message: &Message) -> Result<()> {
    let seen: u64 = kv::get("bench")?.unwrap_or_default();
    kv::set("bench", &(seen.wrapping_add(1)))?;
    reply(message, message.content().unwrap_or_default())
}

/// The same with one log line, as a small app of Vumi's does.
fn bench_log(message: &Message) -> Result<()> {
    let seen: u64 = kv::get("bench")?.unwrap_or_default();
    kv::set("bench", &(seen.wrapping_add(1)))?;
    info!("seen {seen} messages");
    reply(message, message.content().unwrap_or_default())
}

/// So many rounds of arithmetic, about a nanosecond each.
fn innocent(message: &Message, rounds: usize) -> Result<()> {
    let mut sum = 1u64;
    for round in 0..rounds as u64 {
        sum = black_box(sum.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(round));
    }
    black_box(sum);
    reply(message, "done")
}

#[allow(clippy::empty_loop)]
fn forever() -> ! {
    let mut round = 0u64;
    loop {
        round = black_box(round.wrapping_add(1));
    }
}

fn memory_bomb() -> Result<()> {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(black_box(vec![1; 1 << 20]));
    }
}

fn grow(message: &Message, bytes: usize) -> Result<()> {
    let block = black_box(vec![7u8; bytes]);
    reply(message, block.iter().filter(|byte| **byte == 7).count().to_string())
}

#[allow(unconditional_recursion)]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    black_box(recurse(depth + 1) + frame[3])
}

/// Recursion whose frames hold nothing in linear memory: it ends at the bound of the engine's own stack.
#[inline(never)]
fn descend(depth: u64, bottom: &AtomicU64) -> u64 {
    if depth == bottom.load(Ordering::Relaxed) {
        return depth;
    }
    (descend(depth + 1, bottom) ^ depth).rotate_left(7)
}

fn logs(count: usize, text: &str) -> Result<()> {
    for _ in 0..count {
        info!("{text}");
    }
    Ok(())
}

fn kv_keys(message: &Message, count: usize) -> Result<()> {
    let mut made = 0;
    for n in 0..count {
        match raw_kv::set(&format!("key {n}"), "1", None) {
            Ok(()) => made += 1,
            Err(error) => return reply(message, format!("{made} keys, then {error:?}")),
        }
    }
    reply(message, format!("{made} keys"))
}

fn kv_set(message: &Message, words: &[&str]) -> Result<()> {
    let ttl = words.get(2).and_then(|word| word.parse().ok());
    let answer = raw_kv::set(words.first().unwrap_or(&""), words.get(1).unwrap_or(&""), ttl);
    reply(message, show(answer))
}

fn kv_incr(message: &Message, words: &[&str]) -> Result<()> {
    let amount = words.get(1).and_then(|word| word.parse().ok()).unwrap_or(1);
    reply(message, show(raw_kv::incr(words.first().unwrap_or(&""), amount)))
}

fn kv_calls(message: &Message, count: usize) -> Result<()> {
    for _ in 0..count {
        let _ = black_box(raw_kv::get("nothing"));
    }
    reply(message, "done")
}

fn many_replies(message: &Message, count: usize) -> Result<()> {
    for n in 0..count {
        if let Err(error) = message.reply(format!("reply {n}")) {
            warning!("{n} replies, then {error}");
            return Ok(());
        }
    }
    Ok(())
}

fn metadata(message: &Message, json: &str) -> Result<()> {
    let options = outbound::ReplyOptions { close_session: false, helper_metadata: Some(json.to_owned()) };
    let answer = outbound::reply(Some("with metadata"), &options);
    if let Err(error) = answer {
        reply(message, format!("error {error:?}"))?;
    }
    Ok(())
}

/// `send ADDRESS ENDPOINT TEXT`; `-` for no endpoint.
fn send(message: &Message, words: &[&str]) -> Result<()> {
    let endpoint = words.get(1).filter(|word| **word != "-").map(|word| (*word).to_owned());
    let options = outbound::SendOptions { endpoint, helper_metadata: None };
    let answer = outbound::send_to(words.first().unwrap_or(&""), words.get(2).copied(), &options);
    if let Err(error) = answer {
        reply(message, format!("error {error:?}"))?;
    }
    Ok(())
}

/// `http METHOD URL [BODY]`
fn web(message: &Message, words: &[&str]) -> Result<()> {
    let method = match *words.first().unwrap_or(&"") {
        "POST" => Method::Post,
        "HEAD" => Method::Head,
        _ => Method::Get,
    };
    let mut request = Request::new(method, *words.get(1).unwrap_or(&""));
    if let Some(body) = words.get(2) {
        request = request.body(*body);
    }
    match request.send() {
        Ok(response) => {
            let body = String::from_utf8_lossy(response.bytes()).chars().take(200).collect::<String>();
            reply(message, format!("{} {} {body}", response.status(), response.bytes().len()))
        }
        Err(error) => reply(message, format!("error {error:?}")),
    }
}

/// `stdio BYTES_OUT BYTES_ERR`
fn stdio(message: &Message, words: &[&str]) -> Result<()> {
    use std::io::Write;
    let _ = std::io::stdout().write_all(&vec![b'o'; number(words, 0)]).and_then(|()| std::io::stdout().flush());
    let _ = std::io::stderr().write_all(&vec![b'e'; number(words, 1)]);
    reply(message, "written")
}

/// One line break per byte, written as fast as it goes.
fn newlines(message: &Message, count: usize) -> Result<()> {
    wasi::print(&vec![b'\n'; count]);
    reply(message, "printed")
}

/// One entry at each level.
fn levels(text: &str) -> Result<()> {
    for level in [Level::Debug, Level::Info, Level::Warning, Level::Error, Level::Critical] {
        log(level, text);
    }
    Ok(())
}

fn metric(message: &Message, words: &[&str]) -> Result<()> {
    let value = words.get(1).and_then(|word| word.parse().ok()).unwrap_or(f64::NAN);
    let answer = raw_metrics::fire(words.first().unwrap_or(&""), value, raw_metrics::Aggregator::Sum);
    reply(message, show(answer))
}

fn environment(message: &Message) -> Result<()> {
    let variables = std::env::vars().count();
    let arguments = std::env::args().count();
    let folder = std::fs::read_dir("/").map(|entries| entries.count()).map_err(|error| error.kind());
    reply(message, format!("{variables} variables, {arguments} arguments, root folder {folder:?}"))
}
