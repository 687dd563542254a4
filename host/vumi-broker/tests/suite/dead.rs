//! Dead letters.

use vumi_broker::BrokerOptions;
use vumi_message::Timestamp;

use super::kit::*;

async fn reject(mut delivery: vumi_core::Delivery, reason: &str) {
    soon(delivery.reject(reason)).await.expect("settles").await.expect("confirmed");
}

pub(crate) async fn a_rejected_message_is_a_dead_letter<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    assert!(bench.broker.dead_letters(Q, 10).await.expect("lists").is_empty(), "no queue, no letters");
    publish_numbers(&*bench.broker, 0..3).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    let before = Timestamp::now().micros();
    drop(next(&mut consumer).await);
    let held = take(&mut consumer, 2).await;
    for delivery in held.into_iter().rev() {
        let reason = format!("no {}", text(&delivery));
        reject(delivery, &reason).await;
    }
    assert_eq!(counts(&*bench.broker, Q).await, (1, 0, 2));
    let letters = bench.broker.dead_letters(Q, 10).await.expect("lists");
    let told: Vec<_> = letters
        .iter()
        .map(|dead| (dead.body.as_ref(), dead.reason.as_str(), dead.attempts, dead.queue.as_str()))
        .collect();
    assert_eq!(told, [(b"1".as_slice(), "no 1", 1, Q), (b"0", "no 0", 2, Q)], "the oldest death first");
    assert!(letters.iter().all(|dead| (before..=Timestamp::now().micros()).contains(&dead.at_micros)));
    assert_eq!(bench.broker.dead_letters(Q, 1).await.expect("lists"), letters[..1]);

    // A reason may be anything, but is not kept at any length.
    reject(next(&mut consumer).await, &"ä".repeat(2_000)).await;
    let letter = bench.broker.dead_letters(Q, 10).await.expect("lists").remove(2);
    assert!(letter.reason.len() < 2_000 && letter.reason.starts_with("ää"));
}

pub(crate) async fn a_dead_letter_comes_back_to_the_end<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    publish_numbers(&*bench.broker, 0..2).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    drop(next(&mut consumer).await);
    reject(next(&mut consumer).await, "why").await;
    publish_numbers(&*bench.broker, 2..3).await;
    let letter = bench.broker.dead_letters(Q, 10).await.expect("lists").remove(0);
    assert!(soon(bench.broker.revive(Q, letter.id)).await.expect("revives"));
    for (queue, id) in [(Q, letter.id), (Q, 1), ("nowhere.inbound", letter.id)] {
        assert!(!soon(bench.broker.revive(queue, id)).await.expect("looks"), "{queue} {id}");
    }
    let again = take(&mut consumer, 3).await;
    assert_eq!(told(&again), [("1", 1), ("2", 1), ("0", 1)], "counted from the start again");
    assert_eq!(counts(&*bench.broker, Q).await.2, 0);
}

pub(crate) async fn a_buried_letter_is_gone<F: AsyncFn(BrokerOptions) -> Bench>(make: F) {
    let bench = make(BrokerOptions::default()).await;
    publish_numbers(&*bench.broker, 0..2).await;
    let mut consumer = consume(&*bench.broker, 0).await;
    for _ in 0..2 {
        reject(next(&mut consumer).await, "why").await;
    }
    let letters = bench.broker.dead_letters(Q, 10).await.expect("lists");
    assert!(soon(bench.broker.bury(Q, letters[0].id)).await.expect("buries"));
    assert!(!bench.broker.bury(Q, letters[0].id).await.expect("looks"));
    assert!(!bench.broker.bury("nowhere.inbound", letters[1].id).await.expect("looks"));
    assert!(!bench.broker.revive(Q, letters[0].id).await.expect("looks"));
    assert_eq!(bench.broker.dead_letters(Q, 10).await.expect("lists"), letters[1..]);
    nothing(&mut consumer).await;
}
