//! Dead letters of a queue: they stand in the queue `<queue>.dead`, with headers that say why.
//!
//! They are looked at by taking them without acknowledging, on a channel of their own; when it is closed, RabbitMQ puts
//! them back in their order. Who looks sees only those that nobody else is looking at: within this process one looks
//! at a time, of other hosts that cannot be said.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lapin::BasicProperties;
use lapin::Channel;
use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions};
use lapin::types::{AMQPValue, FieldTable};
use tokio::time::Instant;
use vumi_core::{DeadLetter, Error, Result, names};
use vumi_message::Timestamp;

use super::entry::Letter;
use super::sentences::{self, code};
use super::shared::{INSIDE, Shared};
use super::{dispatch, wire};
use crate::handle::cut;
use crate::shared::NAME;

const QUEUE: &str = "x-vumi-queue";
const REASON: &str = "x-vumi-reason";
const ATTEMPTS: &str = "x-vumi-attempts";
const ID: &str = "x-vumi-id";
/// Microseconds since the epoch; AMQP's own timestamp has seconds.
const AT: &str = "x-vumi-at-micros";

/// Numbers of dead letters are below this, so that a JSON number of JavaScript holds them exactly.
const NUMBERS: u64 = 1 << 53;

/// How long it is believed that a queue has no dead letters, having none at all before.
const BELIEVED_FOR: Duration = Duration::from_secs(60);

/// Beliefs at most, and letters told at a time.
const MAX: usize = 10_000;

/// Which queues had no queue of dead letters when last looked at. Asking for what is not there closes the channel and
/// is an error in RabbitMQ's log, so it is not asked too often.
#[derive(Default)]
pub(crate) struct Morgue(HashMap<String, Instant>);

/// A dead letter as it is published.
pub(crate) fn letter(queue: &str, reason: &str, attempts: u32, body: Bytes) -> Result<Letter> {
    let dead = names::dead(queue);
    if dead.len() > NAME {
        return Err(Error::permanent(format!(
            "queue `{queue}` cannot have dead letters: `{dead}` is longer than {NAME} bytes"
        )));
    }
    let at = Timestamp::now().micros();
    let number = i64::try_from(RandomState::new().hash_one((at, &body)) % NUMBERS).unwrap_or_default();
    let mut headers = FieldTable::default();
    headers.insert(QUEUE.into(), AMQPValue::LongString(queue.into()));
    headers.insert(REASON.into(), AMQPValue::LongString(cut(reason).into()));
    headers.insert(ATTEMPTS.into(), AMQPValue::LongLongInt(attempts.into()));
    headers.insert(ID.into(), AMQPValue::LongLongInt(number));
    headers.insert(AT.into(), AMQPValue::LongLongInt(at));
    let seconds = u64::try_from(at / 1_000_000).unwrap_or_default();
    let properties = wire::properties(None).with_headers(headers).with_timestamp(seconds);
    let exchange = Arc::from(names::exchange(&dead));
    Ok(Letter { exchange, key: Arc::from(dead), body, properties, mandatory: true })
}

/// A dead letter as it is found. Others may have put it there, without our headers.
fn found(queue: &str, message: &BasicGetMessage) -> DeadLetter {
    let properties = &message.properties;
    let seconds = properties.timestamp().and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or_default();
    let own = wire::number(properties, ID).and_then(|number| u64::try_from(number).ok());
    DeadLetter {
        id: own.unwrap_or_else(|| print(&message.data) % NUMBERS),
        queue: wire::text(properties, QUEUE).unwrap_or_else(|| queue.to_owned()),
        reason: wire::text(properties, REASON).unwrap_or_else(|| other_reason(properties)),
        at_micros: wire::number(properties, AT).unwrap_or_else(|| seconds.saturating_mul(1_000_000)),
        attempts: wire::number(properties, ATTEMPTS).and_then(|count| u32::try_from(count).ok()).unwrap_or_default(),
        body: Bytes::copy_from_slice(&message.data),
    }
}

/// What RabbitMQ notes when it dead-letters a message itself.
fn other_reason(properties: &BasicProperties) -> String {
    wire::text(properties, "x-first-death-reason").unwrap_or_else(|| "put there by something else".to_owned())
}

/// FNV-1a: the same for the same body, in every process.
fn print(body: &[u8]) -> u64 {
    body.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The oldest dead letters.
pub(crate) async fn list(shared: &Shared, queue: &str, limit: usize) -> Result<Vec<DeadLetter>> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let look = Look { until: |_: &DeadLetter| false, keep: limit.min(MAX) };
    Ok(walk(shared, queue, look).await?.seen)
}

/// Puts a dead letter back at the end of its queue, as if it had never been delivered.
pub(crate) async fn revive(shared: &Shared, queue: &str, id: u64) -> Result<bool> {
    let find = Look { until: |letter: &DeadLetter| letter.id == id, keep: 0 };
    let walked = walk(shared, queue, find).await?;
    let Some((letter, hold)) = walked.held else { return Ok(false) };
    let letter = dispatch::letter(&shared.plan, queue, letter.body, wire::properties(None))?;
    // Without the acknowledgement it stays among the dead: then it is there twice, not never.
    dispatch::send(shared, letter, INSIDE).await?.await?;
    hold.end(shared).await
}

/// Drops a dead letter.
pub(crate) async fn bury(shared: &Shared, queue: &str, id: u64) -> Result<bool> {
    let find = Look { until: |letter: &DeadLetter| letter.id == id, keep: 0 };
    match walk(shared, queue, find).await?.held {
        Some((_, hold)) => hold.end(shared).await,
        None => Ok(false),
    }
}

/// How many dead letters a queue has.
pub(crate) async fn count(shared: &Shared, queue: &str) -> Result<u64> {
    let dead = names::dead(queue);
    if dead.len() > NAME {
        return Ok(0);
    }
    let mut morgue = shared.morgue.lock().await;
    let known = shared.topology.has(&dead, super::topology::Depth::Queue);
    if !known && morgue.0.get(&dead).is_some_and(|when| when.elapsed() < BELIEVED_FOR) {
        return Ok(0);
    }
    let counted = super::counts::passive(shared, &dead).await?;
    match counted {
        None if morgue.0.len() < MAX => drop(morgue.0.insert(dead, Instant::now())),
        _ => drop(morgue.0.remove(&dead)),
    }
    Ok(counted.map_or(0, |(messages, _)| messages))
}

/// What is looked for.
struct Look<F> {
    /// Found.
    until: F,
    /// How many are told on the way; with 0, all are walked over.
    keep: usize,
}

/// What was met.
struct Walked<'a> {
    seen: Vec<DeadLetter>,
    /// What was looked for, and its hold on it.
    held: Option<(DeadLetter, Hold<'a>)>,
}

/// One dead letter, taken and not given back yet.
struct Hold<'a> {
    channel: Channel,
    tag: u64,
    _alone: tokio::sync::MutexGuard<'a, Morgue>,
}

impl Hold<'_> {
    /// Removes it for good; the others go back.
    async fn end(self, shared: &Shared) -> Result<bool> {
        let acked = self.channel.basic_ack(self.tag, BasicAckOptions::default()).await;
        let closed = self.channel.close(200, "OK".into()).await;
        acked.and(closed).map(|()| true).map_err(|error| failed(shared, &error))
    }
}

/// Takes dead letters one after the other. They go back when the channel is closed, which happens here unless one is
/// held on to.
async fn walk<'a, F: Fn(&DeadLetter) -> bool>(shared: &'a Shared, queue: &str, look: Look<F>) -> Result<Walked<'a>> {
    let mut walked = Walked { seen: Vec::new(), held: None };
    let dead = names::dead(queue);
    let link = shared.link()?;
    if dead.len() > NAME {
        return Ok(walked);
    }
    let alone = shared.morgue.lock().await;
    let channel = link.consuming.channel().await.map_err(|error| failed(shared, &error))?;
    let mut left = None;
    loop {
        let message = match channel.basic_get(dead.as_str().into(), BasicGetOptions { no_ack: false }).await {
            Ok(Some(message)) => message,
            Ok(None) => break,
            Err(error) if sentences::refusal(&error).is_some_and(|(number, _)| number == code::NOT_FOUND) => {
                return Ok(walked);
            }
            Err(error) => return Err(failed(shared, &error)),
        };
        // Those that die meanwhile are not looked at, or there might be no end.
        let left = left.insert(left.map_or(message.message_count, |left: u32| left.saturating_sub(1)));
        let letter = found(queue, &message);
        if (look.until)(&letter) {
            let hold = Hold { channel, tag: message.delivery_tag, _alone: alone };
            walked.held = Some((letter, hold));
            return Ok(walked);
        }
        if look.keep > 0 {
            walked.seen.push(letter);
        }
        if *left == 0 || look.keep > 0 && walked.seen.len() >= look.keep {
            break;
        }
    }
    // Once this is confirmed, they are back.
    channel.close(200, "OK".into()).await.map_err(|error| failed(shared, &error))?;
    Ok(walked)
}

fn failed(shared: &Shared, error: &lapin::Error) -> Error {
    let words = sentences::refusal(error).map_or_else(|| error.to_string(), |(_, words)| words);
    Error::temporary(format!("{}: dead letters could not be looked at ({words})", shared.plan.place()))
}
