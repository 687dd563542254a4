//! Dead letters as they stand in RabbitMQ, and messages that nobody can read.

use bytes::Bytes;
use lapin::BasicProperties;
use lapin::options::BasicPublishOptions;
use lapin::types::{AMQPValue, FieldTable};
use vumi_core::{Broker, Delivery};

use super::kit::*;

const DEAD: &str = "sms_1.inbound.dead";

async fn reject(mut delivery: Delivery, reason: &str) {
    soon(delivery.reject(reason)).await.expect("settles").await.expect("confirmed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_stands_in_a_queue_with_its_story() {
    let url = vhost().await;
    let broker = open(&url).await;
    publish(&broker, Q, "x").await;
    let mut consumer = consume(&broker, Q, 0).await;
    drop(next(&mut consumer).await);
    reject(next(&mut consumer).await, "no é").await;
    let listed = broker.dead_letters(Q, 10).await.expect("lists").remove(0);
    assert_eq!((listed.reason.as_str(), listed.attempts), ("no é", 2));
    assert_eq!(broker.dead_letters(Q, 0).await.expect("lists"), []);

    let message = Other::on(&url).await.get(DEAD).await.expect("is there");
    assert_eq!((message.exchange.as_str(), message.data.as_slice()), ("vumi", b"x".as_slice()));
    let headers = message.properties.headers().clone().expect("headers");
    let header = |name: &str| headers.inner().get(name).cloned().expect("is there");
    assert_eq!(header("x-vumi-queue"), AMQPValue::LongString(Q.into()));
    assert_eq!(header("x-vumi-reason"), AMQPValue::LongString("no é".into()));
    assert_eq!(header("x-vumi-attempts"), AMQPValue::LongLongInt(2));
    assert_eq!(header("x-vumi-id"), AMQPValue::LongLongInt(listed.id as i64));
    assert!(listed.id < 1 << 53, "a number that JavaScript can hold");
    assert_eq!(*message.properties.timestamp(), Some(listed.at_micros as u64 / 1_000_000));
    assert_eq!(*message.properties.delivery_mode(), Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_are_looked_at_revived_and_buried_without_harm_to_others() {
    let url = vhost().await;
    let broker = open(&url).await;
    publish_numbers(&broker, Q, 0..6).await;
    let mut consumer = consume(&broker, Q, 0).await;
    for _ in 0..6 {
        let delivery = next(&mut consumer).await;
        let reason = format!("no {}", text(&delivery));
        reject(delivery, &reason).await;
    }
    let all = broker.dead_letters(Q, 100).await.expect("lists");
    let bodies = |letters: &[vumi_core::DeadLetter]| {
        letters.iter().map(|letter| String::from_utf8_lossy(&letter.body).into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(bodies(&all), ["0", "1", "2", "3", "4", "5"]);
    // Several at once do not see each other's, but wait.
    let (one, two) = tokio::join!(broker.dead_letters(Q, 100), broker.dead_letters(Q, 2));
    assert_eq!((one.expect("lists"), two.expect("lists").as_slice()), (all.clone(), &all[..2]));
    let (revived, buried) = tokio::join!(broker.revive(Q, all[3].id), broker.bury(Q, all[1].id));
    assert!(revived.expect("revives") && buried.expect("buries"));
    assert_eq!(bodies(&broker.dead_letters(Q, 100).await.expect("lists")), ["0", "2", "4", "5"]);
    assert_eq!(told(&[next(&mut consumer).await]), [("3", 1)]);
    assert!(!broker.revive(Q, all[3].id).await.expect("looks"));
    assert!(!broker.bury(Q, all[1].id).await.expect("looks"));
    assert_eq!(counts(&broker, Q).await.2, 4);
    // Another host sees the same.
    let other = open(&url).await;
    assert_eq!(bodies(&other.dead_letters(Q, 100).await.expect("lists")), ["0", "2", "4", "5"]);
    assert!(other.bury(Q, all[0].id).await.expect("buries"));
    assert_eq!(bodies(&broker.dead_letters(Q, 100).await.expect("lists")), ["2", "4", "5"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_of_others_are_shown_too() {
    let url = vhost().await;
    let broker = open(&url).await;
    publish(&broker, Q, "ours").await;
    let mut consumer = consume(&broker, Q, 0).await;
    reject(next(&mut consumer).await, "why").await;
    let other = Other::on(&url).await;
    let mut headers = FieldTable::default();
    headers.insert("x-first-death-reason".into(), AMQPValue::LongString("expired".into()));
    let properties = BasicProperties::default().with_headers(headers);
    for (body, properties) in [(b"a", BasicProperties::default()), (b"b", properties)] {
        let options = BasicPublishOptions::default();
        other.channel.basic_publish("".into(), DEAD.into(), options, body, properties).await.expect("published");
    }
    until("all there", async || broker.dead_letters(Q, 10).await.expect("lists").len() == 3).await;
    let letters = broker.dead_letters(Q, 10).await.expect("lists");
    let told: Vec<_> = letters.iter().map(|letter| (letter.body.as_ref(), letter.reason.as_str())).collect();
    let expected: [(&[u8], &str); 3] = [(b"ours", "why"), (b"a", "put there by something else"), (b"b", "expired")];
    assert_eq!(told, expected);
    assert_eq!(broker.dead_letters(Q, 10).await.expect("lists"), letters, "with the same numbers again");
    assert!(broker.revive(Q, letters[2].id).await.expect("revives"));
    assert_eq!(next(&mut consumer).await.body, Bytes::from_static(b"b"));
    assert!(broker.bury(Q, letters[1].id).await.expect("buries"));
    assert_eq!(broker.dead_letters(Q, 10).await.expect("lists"), letters[..1]);
}

/// Checks 12 and 13, as far as they are the broker's: neither a message that nobody can read nor one whose handler
/// fails stops the queue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_message_does_not_stop_the_queue() {
    let url = vhost().await;
    let broker = open(&url).await;
    for body in ["not json", "fails", "fine"] {
        publish(&broker, Q, body).await;
    }
    publish(&broker, Q, vec![0xff, 0x00]).await;
    publish(&broker, Q, "last").await;
    // One at a time, as Vumi's workers do it.
    let mut consumer = consume(&broker, Q, 1).await;
    let bad = next(&mut consumer).await;
    assert_eq!(text(&bad), "not json");
    reject(bad, "not JSON").await;
    // While the failed one waits, others pass.
    next(&mut consumer).await.retry(std::time::Duration::from_secs(3));
    let fine = next(&mut consumer).await;
    assert_eq!(text(&fine), "fine");
    ack(fine).await;
    reject(next(&mut consumer).await, "not UTF-8").await;
    let last = next(&mut consumer).await;
    assert_eq!(text(&last), "last");
    ack(last).await;
    let again = next(&mut consumer).await;
    assert_eq!(told(std::slice::from_ref(&again)), [("fails", 2)]);
    ack(again).await;
    assert_eq!(counts(&broker, Q).await, (0, 0, 2, 1));
    let dead: Vec<_> = broker.dead_letters(Q, 10).await.expect("lists").into_iter().map(|letter| letter.body).collect();
    assert_eq!(dead, [Bytes::from_static(b"not json"), Bytes::from_static(&[0xff, 0x00])]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_delayed_messages_let_others_pass() {
    let url = vhost().await;
    let broker = open(&url).await;
    publish_numbers(&broker, Q, 0..41).await;
    let mut consumer = consume(&broker, Q, 1).await;
    for _ in 0..40 {
        next(&mut consumer).await.retry(std::time::Duration::from_secs(2));
    }
    let passing = next(&mut consumer).await;
    assert_eq!(told(std::slice::from_ref(&passing)), [("40", 1)]);
    ack(passing).await;
    for number in 0..40 {
        let delivery = next(&mut consumer).await;
        assert_eq!(told(std::slice::from_ref(&delivery)), [(number.to_string().as_str(), 2)]);
        ack(delivery).await;
    }
    assert_eq!(counts(&broker, Q).await, (0, 0, 0, 1), "and RabbitMQ has one consumer again");
    let mut other = Other::on(&url).await;
    assert_eq!(other.look(Q).await, Some((0, 1)));
}
