//! From a body to a message in line.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lapin::BasicProperties;
use tokio::sync::oneshot;
use vumi_core::{Admission, Confirm, Error, Result, names};

use super::entry::{Answer, Entry, Letter, Place};
use super::hub::check_size;
use super::options::Plan;
use super::shared::{INSIDE, Shared, check_name};
use super::topology::NotDeclared;
use super::{sentences, wire};

/// A message for a queue.
pub(crate) fn letter(plan: &Plan, queue: &str, body: Bytes, properties: BasicProperties) -> Result<Letter> {
    check_name(queue)?;
    check_size(plan, queue, &body)?;
    let exchange = Arc::from(names::exchange(queue));
    Ok(Letter { exchange, key: Arc::from(queue), body, properties, mandatory: names::is_kept(queue) })
}

/// Waits until messages can be published and will find their queues, and keeps a place for them.
pub(crate) async fn place(shared: &Shared, letters: &[Letter]) -> Result<Arc<Place>> {
    for letter in letters {
        shared.way_to(&letter.key).await?;
    }
    room(shared, letters.len(), letters.iter().map(|letter| letter.body.len()).sum()).await
}

/// Waits until RabbitMQ takes messages, and keeps a place for so many.
async fn room(shared: &Shared, count: usize, bytes: usize) -> Result<Arc<Place>> {
    loop {
        shared.reached(true).await?;
        let place = shared.publisher.reserve(count, bytes).await?;
        // While it waited for a place, things may have changed.
        if shared.takes_messages() {
            return Ok(place);
        }
    }
}

/// Publishes a body to a queue.
pub(crate) async fn publish(shared: &Shared, queue: &str, body: Bytes, admission: Admission) -> Result<Confirm> {
    let properties = wire::properties(vumi_core::trace::current().as_deref());
    let letter = letter(&shared.plan, queue, body, properties)?;
    send(shared, letter, patience(admission)).await
}

/// Publishes a message that is made already.
pub(crate) async fn send(shared: &Shared, letter: Letter, patience: Duration) -> Result<Confirm> {
    let place = shared.within(patience, place(shared, std::slice::from_ref(&letter))).await?;
    Ok(post(shared, letter, place))
}

/// Publishes to a topic exchange of others.
pub(crate) async fn announce(shared: &Shared, exchange: &str, key: &str, body: Bytes) -> Result<Confirm> {
    check_name(exchange)?;
    check_name(key)?;
    check_size(&shared.plan, key, &body)?;
    let bytes = body.len();
    let place = shared.within(INSIDE, topic_place(shared, exchange, bytes)).await?;
    let properties = wire::properties(None);
    let letter = Letter { exchange: Arc::from(exchange), key: Arc::from(key), body, properties, mandatory: false };
    Ok(post(shared, letter, place))
}

async fn topic_place(shared: &Shared, exchange: &str, bytes: usize) -> Result<Arc<Place>> {
    loop {
        let link = shared.reached(true).await?;
        match shared.topology.ensure_topic(&shared.plan, &link, exchange).await {
            Ok(()) => return room(shared, 1, bytes).await,
            Err(NotDeclared::Refused(sentence)) => return Err(Error::temporary(sentence)),
            Err(NotDeclared::TooMany(error)) => return Err(error),
            Err(NotDeclared::Lost) => shared.a_moment_after(&link).await,
        }
    }
}

fn post(shared: &Shared, letter: Letter, place: Arc<Place>) -> Confirm {
    let (sender, receiver) = oneshot::channel();
    shared.publisher.publish([Entry::new(letter, Answer::One(sender), Some(place))]);
    Confirm::waiting(receiver)
}

/// How long a publisher waits for RabbitMQ.
fn patience(admission: Admission) -> Duration {
    match admission {
        Admission::Edge(time) => time,
        Admission::Inside => INSIDE,
    }
}

/// Permanently, for who makes queues at the start: a mistake in the configuration.
pub(crate) fn permanent(plan: &Plan, error: NotDeclared) -> Error {
    match error {
        NotDeclared::Refused(sentence) => Error::permanent(sentence),
        NotDeclared::TooMany(error) => error,
        NotDeclared::Lost => Error::temporary(sentences::connecting(plan)),
    }
}
