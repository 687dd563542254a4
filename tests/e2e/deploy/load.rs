//! A hundred uploads, activations and roll-backs while a thousand messages a second come in: each is answered once, by
//! one version.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use vumi_tests::deploy::{activate, roll_back, upload};
use vumi_tests::guests::{scratch, stamper};

use super::{phone, start};

/// Conversations, and the time between two messages of one.
const PHONES: usize = 20;
const PACE: Duration = Duration::from_millis(20);

/// Orders of each kind.
const ORDERS: u64 = 100;

/// Questions of one phone that may wait for their answers.
const AHEAD: usize = 100;

/// What one phone saw.
struct Seen {
    sent: usize,
    answers: Vec<String>,
}

/// Asks at the given pace until told to stop, whether or not the answers have come.
fn talk(mut phone: vumi_tests::Telnet, stop: &AtomicBool) -> Seen {
    let mut writer = phone.writer();
    let (sent, told) = std::sync::mpsc::sync_channel::<()>(AHEAD);
    let reader = std::thread::spawn(move || {
        // One answer for each question, in the order of the questions.
        let answers: Vec<String> = told.into_iter().map(|()| phone.read_line().expect("an answer")).collect();
        assert!(phone.is_silent_for(Duration::from_millis(300)), "something was answered twice");
        answers
    });
    let (mut count, mut next) = (0, Instant::now());
    while !stop.load(Ordering::Relaxed) {
        writer.write_all(b"stamp\r\n").expect("the host reads");
        count += 1;
        sent.send(()).expect("the reader reads");
        next += PACE;
        if let Some(rest) = next.checked_duration_since(Instant::now()) {
            std::thread::sleep(rest);
        }
    }
    drop(sent);
    Seen { sent: count, answers: reader.join().expect("the reader ends well") }
}

#[test]
fn versions_are_switched_under_load_and_no_message_is_lost_or_doubled() {
    let folder = scratch();
    let host = start(folder.path(), None);
    assert_eq!(upload(host.admin, "shop", &stamper(1), "activate=true").unwrap().status, 201);
    let stop = Arc::new(AtomicBool::new(false));
    let began = Instant::now();
    let phones: Vec<_> = (0..PHONES)
        .map(|_| {
            let (phone, stop) = (phone(&host), Arc::clone(&stop));
            std::thread::spawn(move || talk(phone, &stop))
        })
        .collect();
    for number in 2..ORDERS + 2 {
        let answer = upload(host.admin, "shop", &stamper(number), "activate=false").unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text());
        let version = answer.json()["version"]["number"].as_u64().unwrap();
        assert_eq!(version, number);
        assert_eq!(activate(host.admin, "shop", version)["active"], version);
        // Every other one is taken back.
        assert_eq!(roll_back(host.admin, "shop")["active"], version - 1);
        activate(host.admin, "shop", version);
    }
    stop.store(true, Ordering::Relaxed);
    let took = began.elapsed();
    let seen: Vec<Seen> = phones.into_iter().map(|phone| phone.join().unwrap()).collect();
    let (sent, answered) =
        (seen.iter().map(|seen| seen.sent).sum::<usize>(), seen.iter().map(|seen| seen.answers.len()).sum::<usize>());
    assert_eq!(sent, answered);
    // Every answer is of one version that was deployed, whole, and each has a count of its own: the app's counter in kv
    // misses and doubles nothing.
    let mut counts = Vec::new();
    let mut versions = std::collections::BTreeSet::new();
    for answer in seen.iter().flat_map(|seen| &seen.answers) {
        let (stamp, count) = answer.split_once(' ').expect("a stamp and a count");
        let version: u64 = stamp.strip_prefix("STAMP=").and_then(|text| text.parse().ok()).expect("a stamp");
        assert!((1..ORDERS + 2).contains(&version), "{answer}");
        versions.insert(version);
        counts.push(count.parse::<usize>().expect("a count"));
    }
    counts.sort_unstable();
    assert_eq!(counts, (1..=sent).collect::<Vec<_>>(), "a message was handled twice or not at all");
    assert_eq!(host.get("/api/v1/apps/shop")["counters"]["failures"], serde_json::json!({}));
    println!(
        "{ORDERS} uploads, {} activations, {ORDERS} roll-backs in {:.1} s; {sent} messages in, {answered} out, {:.0} a second, from {} versions",
        2 * ORDERS,
        took.as_secs_f64(),
        sent as f64 / took.as_secs_f64(),
        versions.len()
    );
}
