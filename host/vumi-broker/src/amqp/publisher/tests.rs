//! What stands in line, without a server.

use bytes::Bytes;
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::*;
use crate::amqp::entry::Group;
use crate::amqp::wire;

type Told = oneshot::Receiver<Result<()>>;

fn publisher() -> Publisher {
    Publisher::new(4, 10_000)
}

fn letter(body: &'static str) -> Letter {
    let (exchange, key) = (Arc::from("vumi"), Arc::from("a.inbound"));
    Letter { exchange, key, body: Bytes::from(body), properties: wire::properties(None), mandatory: true }
}

fn put(publisher: &Publisher, body: &'static str) -> Told {
    let (sender, receiver) = oneshot::channel();
    publisher.publish([Entry::new(letter(body), Answer::One(sender), None)]);
    receiver
}

/// Numbers and bodies of all that is sent now.
fn send(publisher: &Publisher) -> Vec<(u64, Bytes)> {
    std::iter::from_fn(|| publisher.next()).map(|(number, letter)| (number, letter.body)).collect()
}

fn bodies(sent: &[(u64, Bytes)]) -> Vec<&[u8]> {
    sent.iter().map(|(_, body)| body.as_ref()).collect()
}

#[test]
fn what_was_not_confirmed_is_sent_again_first_and_in_order() {
    let publisher = publisher();
    let mut told: Vec<Told> = ["a", "b", "c"].map(|body| put(&publisher, body)).into();
    let sent = send(&publisher);
    assert!(!publisher.ended(sent[1].0, Ok(())));
    assert!(told.remove(1).try_recv().unwrap().is_ok());
    let _last = put(&publisher, "d");
    publisher.recall(None);
    assert_eq!(bodies(&send(&publisher)), [b"a", b"c", b"d"]);
    // Nobody waits for `a` any more; `d` is only sent for the second time because somebody does.
    drop(told.remove(0));
    publisher.recall(None);
    assert_eq!(bodies(&send(&publisher)), [b"c", b"d"]);
    assert_eq!(told.remove(0).try_recv().unwrap_err(), TryRecvError::Empty);
}

#[test]
fn the_first_time_everything_is_sent_whoever_waits() {
    let publisher = publisher();
    drop(put(&publisher, "a"));
    assert_eq!(bodies(&send(&publisher)), [b"a"]);
}

#[test]
fn a_returned_message_is_sent_again_whichever_confirm_it_came_with() {
    let publisher = publisher();
    let (mut a, mut b) = (put(&publisher, "a"), put(&publisher, "b"));
    let sent = send(&publisher);
    // `b` came back with the confirm of `a`.
    assert!(matches!(publisher.returned("a.inbound", b"b"), Returned::Kept));
    assert!(!publisher.ended(sent[0].0, Ok(())));
    assert!(a.try_recv().unwrap().is_ok());
    assert!(publisher.ended(sent[1].0, Ok(())));
    assert!(b.try_recv().is_err());
    let again = send(&publisher);
    assert_eq!(bodies(&again), [b"b"]);
    // `b` was taken for confirmed before it came back.
    assert!(!publisher.ended(again[0].0, Ok(())));
    assert!(matches!(publisher.returned("a.inbound", b"b"), Returned::Lost));
    publisher.rescue(letter("b"));
    assert_eq!(bodies(&send(&publisher)), [b"b"]);
}

#[test]
fn a_message_that_always_comes_back_is_given_up() {
    let publisher = publisher();
    let mut told = put(&publisher, "a");
    for _ in 1..PATIENCE {
        let sent = send(&publisher);
        publisher.returned("a.inbound", b"a");
        assert!(publisher.ended(sent[0].0, Ok(())));
    }
    let sent = send(&publisher);
    publisher.returned("a.inbound", b"a");
    assert!(!publisher.ended(sent[0].0, Ok(())));
    let error = told.try_recv().unwrap().unwrap_err();
    assert!(error.is_temporary() && error.to_string().contains("returns messages for queue `a.inbound`"), "{error}");
}

#[test]
fn who_may_be_the_cause_of_a_closed_channel_is_sent_alone() {
    let publisher = publisher();
    let (mut bad, mut good) = (put(&publisher, "bad"), put(&publisher, "good"));
    send(&publisher);
    publisher.recall(Some("406 too large"));
    for _ in 1..PATIENCE {
        assert_eq!(bodies(&send(&publisher)), [b"bad"]);
        publisher.recall(Some("406 too large"));
    }
    let error = bad.try_recv().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "RabbitMQ refuses a message for queue `a.inbound`: 406 too large");
    let sent = send(&publisher);
    assert_eq!(bodies(&sent), [b"good"]);
    assert!(publisher.next().is_none());
    publisher.ended(sent[0].0, Ok(()));
    assert!(good.try_recv().unwrap().is_ok());
}

#[tokio::test]
async fn places_are_bounded_and_come_back() {
    let publisher = publisher();
    let all = publisher.reserve(4, 10).await.unwrap();
    assert!(!publisher.has_room());
    let mut waiting = Box::pin(publisher.reserve(1, 1));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    let entry = Entry::new(letter("a"), Answer::Nobody, Some(all));
    publisher.publish([entry]);
    let sent = send(&publisher);
    publisher.recall(None);
    assert!(futures_util::poll!(&mut waiting).is_pending(), "what may be sent again keeps its place");
    assert!(send(&publisher).is_empty(), "nobody waits for it");
    assert_eq!(sent.len(), 1);
    drop(waiting.await.unwrap());
    // More than there is gets all there is.
    drop(publisher.reserve(1_000, 1_000_000).await.unwrap());
    publisher.idle().await;
}

#[test]
fn a_group_ends_with_its_last_message_and_fails_with_its_first_failure() {
    let publisher = publisher();
    let (sender, mut told) = oneshot::channel();
    let group = Group::new(3, |result| drop(sender.send(result)));
    publisher.publish(["a", "b", "c"].map(|body| Entry::new(letter(body), Answer::Part(Arc::clone(&group)), None)));
    let sent = send(&publisher);
    publisher.ended(sent[2].0, Err(Error::temporary("first")));
    publisher.ended(sent[0].0, Ok(()));
    assert!(told.try_recv().is_err());
    publisher.close();
    let error = told.try_recv().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "first");
    assert_eq!(put(&publisher, "d").try_recv().unwrap().unwrap_err().to_string(), "the broker is closed");
}

#[test]
fn what_waits_for_a_queue_that_cannot_be_declared_is_given_up() {
    let publisher = publisher();
    let mut told = put(&publisher, "a");
    publisher.give_up("b.inbound", "why");
    assert!(told.try_recv().is_err());
    publisher.give_up("a.inbound", "why");
    assert_eq!(told.try_recv().unwrap().unwrap_err().to_string(), "why");
    assert!(publisher.next().is_none());
}
