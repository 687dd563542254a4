//! Dead letters.

use vumi_broker::BrokerOptions;
use vumi_message::Timestamp;

use super::kit::*;

async fn reject(mut delivery: vumi_core::Delivery, reason: &str) {
    soon(delivery.reject(reason)).await.expect("settles").await.expect("confirmed");
}

pub(crate) async fn a_rejected_message_is_a_dead_letter<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    assert!(bench.broker.dead_letters("q", 10).await.expect("lists").is_empty(), "no queue, no letters");
    publish_numbers(&*bench.broker, 0..3).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    let before = Timestamp::now().micros();
    drop(next(&mut consumer).await);
    let held = take(&mut consumer, 2).await;
    for delivery in held.into_iter().rev() {
        let reason = format!("no {}", text(&delivery));
        reject(delivery, &reason).await;
    }
    assert_eq!(counts(&*bench.broker, "q").await, (1, 0, 2));
    let letters = bench.broker.dead_letters("q", 10).await.expect("lists");
    let told: Vec<_> = letters
        .iter()
        .map(|dead| (dead.body.as_ref(), dead.reason.as_str(), dead.attempts, dead.queue.as_str()))
        .collect();
    assert_eq!(told, [(b"1".as_slice(), "no 1", 1, "q"), (b"0", "no 0", 2, "q")], "the oldest death first");
    assert!(letters.iter().all(|dead| (before..=Timestamp::now().micros()).contains(&dead.at_micros)));
    assert_eq!(bench.broker.dead_letters("q", 1).await.expect("lists"), letters[..1]);

    // A reason may be anything, but is not kept at any length.
    reject(next(&mut consumer).await, &"ä".repeat(2_000)).await;
    let letter = bench.broker.dead_letters("q", 10).await.expect("lists").remove(2);
    assert!(letter.reason.len() < 2_000 && letter.reason.starts_with("ää"));
}

pub(crate) async fn a_dead_letter_comes_back_to_the_end<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions { bound: 2, hard_factor: 1, ..BrokerOptions::default() }).await;
    publish_numbers(&*bench.broker, 0..2).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    reject(next(&mut consumer).await, "why").await;
    publish_numbers(&*bench.broker, 2..3).await;
    let letter = bench.broker.dead_letters("q", 10).await.expect("lists").remove(0);
    let error = bench.broker.revive("q", letter.id).await.expect_err("full");
    assert!(error.is_temporary(), "{error}");
    ack(next(&mut consumer).await).await;
    assert!(soon(bench.broker.revive("q", letter.id)).await.expect("revives"));
    for (queue, id) in [("q", letter.id), ("q", 1), ("nowhere", letter.id)] {
        let again = bench.broker.revive(queue, id).await;
        // At the hard bound, nothing is even looked for.
        assert!(!again.unwrap_or(false), "{queue} {id}");
    }
    assert_eq!(told(&take(&mut consumer, 2).await), [("2", 1), ("0", 1)], "counted from the start again");
    assert_eq!(counts(&*bench.broker, "q").await.2, 0);
}

pub(crate) async fn a_buried_letter_is_gone<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    publish_numbers(&*bench.broker, 0..2).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    for _ in 0..2 {
        reject(next(&mut consumer).await, "why").await;
    }
    let letters = bench.broker.dead_letters("q", 10).await.expect("lists");
    assert!(soon(bench.broker.bury("q", letters[0].id)).await.expect("buries"));
    assert!(!bench.broker.bury("q", letters[0].id).await.expect("looks"));
    assert!(!bench.broker.bury("nowhere", letters[1].id).await.expect("looks"));
    assert!(!bench.broker.revive("q", letters[0].id).await.expect("looks"));
    assert_eq!(bench.broker.dead_letters("q", 10).await.expect("lists"), letters[1..]);
    nothing(&mut consumer).await;
}

pub(crate) async fn the_oldest_dead_letters_go_first<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions { max_dead: 3, ..BrokerOptions::default() }).await;
    publish_numbers(&*bench.broker, 0..10).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    for _ in 0..10 {
        reject(next(&mut consumer).await, "why").await;
    }
    let letters = bench.broker.dead_letters("q", 10).await.expect("lists");
    assert_eq!(letters.iter().map(|dead| dead.body.as_ref()).collect::<Vec<_>>(), [b"7", b"8", b"9"]);
    assert_eq!(counts(&*bench.broker, "q").await, (0, 0, 3));
}
