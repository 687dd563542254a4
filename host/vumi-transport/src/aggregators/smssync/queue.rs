//! The messages that wait for a phone: a list in kv for each account, first come, first sent, as Vumi kept them.
//!
//! What goes along with an answer leaves the list when the phone's connection has the answer, and not before. So
//! nothing is lost when the phone has gone in the meantime or the host stops halfway, and the order stays. To keep two
//! requests from taking the same messages, those of one account are answered one after the other.

use std::collections::HashSet;
use std::future::Future;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;
use vumi_core::{Backoff, Change, Error, Guard, Lanes, Op, Result, Sent};
use vumi_message::{Event, Payload, UserMessage, derived_id};

use super::reply;
use crate::http::{Finish, HttpLink};

/// Messages that wait for one account. More are refused for the time being.
const WAITING: u64 = 10_000;

/// Messages that go along with one answer; the next answer has the rest.
const AT_ONCE: u64 = 1000;

/// Accounts that are answered at a time.
const PARALLEL: usize = 64;

/// How long a connection may take to accept an answer. One that takes longer is not read from.
const ACCEPTING: Duration = Duration::from_secs(5);

/// Tries of a step that the moment prevents: some seconds.
const TRIES: u32 = 5;

fn key(account: &str) -> String {
    format!("outbound_messages#{account}")
}

/// Puts a message at the end of an account's queue.
pub(super) async fn push(account: &str, message: &UserMessage, link: &HttpLink) -> Result<Sent> {
    let key = key(account);
    let change = Change::new()
        .when(Guard::Below { key: key.clone(), len: WAITING })
        .then(Op::PushTail { key, values: vec![message.to_json()] });
    match link.keys().collections.apply(change).await? {
        // The event follows when the phone has it.
        Some(_) => Ok(Sent::Pending),
        None => Err(Error::temporary(format!("{WAITING} messages wait for the phone already: does it still ask?"))),
    }
}

/// Lets the requests of one account be answered one after the other. Clones share the turns.
#[derive(Clone)]
pub(super) struct Turns(Lanes);

impl Default for Turns {
    fn default() -> Self {
        Self(Lanes::new(PARALLEL))
    }
}

impl std::fmt::Debug for Turns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Turns")
    }
}

impl Turns {
    /// Answers a request with `payload` and what waits for the account, when it is its turn. Returns when that is done.
    pub(super) async fn answer(&self, account: String, payload: Payload, request_id: String, link: HttpLink) {
        let (done, ended) = oneshot::channel::<()>();
        let key = key(&account);
        self.0.submit(account, async move {
            // Dropped at the end.
            let _done = done;
            answer(&key, payload, &request_id, &link).await;
        });
        let _ = ended.await;
    }
}

async fn answer(key: &str, mut payload: Payload, request_id: &str, link: &HttpLink) {
    if !link.is_pending(request_id) {
        return;
    }
    let entries = link.keys().collections.list(key, 0, AT_ONCE).await.unwrap_or_else(|error| {
        // What the phone has handed over is published: it must not hand it over again. It will ask again in any case.
        tracing::warn!(transport = link.name(), "what waits for a phone cannot be read: {}", error.report());
        Vec::new()
    });
    let messages = read(&entries, link.name());
    let texts = messages
        .iter()
        .map(|message| json!({ "to": message.to_addr(), "message": message.content().unwrap_or_default() }));
    payload.insert("messages".to_owned(), texts.collect());
    let finish = link.finish(request_id, reply(Value::Object(payload)));
    match tokio::time::timeout(ACCEPTING, finish).await {
        Ok(Finish::Written(_)) => taken(key, entries, &messages, link).await,
        _ if entries.is_empty() => {}
        _ => {
            tracing::info!(transport = link.name(), waiting = entries.len(), "the phone has gone: its messages wait on")
        }
    }
}

/// The messages of a list, each once: one that was put there again after a crash is the same message.
fn read(entries: &[String], transport: &str) -> Vec<UserMessage> {
    let mut ids = HashSet::new();
    let mut messages = Vec::with_capacity(entries.len());
    for entry in entries {
        match UserMessage::from_json(entry.as_bytes()) {
            Ok(message) if ids.insert(message.message_id().to_owned()) => messages.push(message),
            Ok(_) => {}
            Err(error) => tracing::error!(transport, "what waited for a phone is no message and is dropped: {error}"),
        }
    }
    messages
}

/// The phone has these: they leave the queue and are acknowledged.
async fn taken(key: &str, entries: Vec<String>, messages: &[UserMessage], link: &HttpLink) {
    if entries.is_empty() {
        return;
    }
    let mut change = Change::new();
    for value in entries {
        change = change.then(Op::ListRemove { key: key.to_owned(), value });
    }
    let collections = &link.keys().collections;
    if let Err(error) = persist(|| collections.apply(change.clone())).await {
        let report = error.report();
        tracing::error!(transport = link.name(), "what a phone has cannot be removed: it goes out again: {report}");
    }
    for message in messages {
        let id = message.message_id();
        let mut event = Event::ack(id, id);
        // As with other transports, the same message has the same ack. What is derived is an id, so this goes well.
        let _ = event.set("event_id", derived_id(id, link.name(), 0));
        if let Err(error) = persist(|| link.event(event.clone())).await {
            tracing::error!(transport = link.name(), message_id = id, "an ack is lost: {}", error.report());
        }
    }
}

/// Repeats a step that only the moment prevents.
async fn persist<T, F: Future<Output = Result<T>>>(mut step: impl FnMut() -> F) -> Result<T> {
    let mut backoff = Backoff::for_messages();
    loop {
        match step().await {
            Err(error) if error.is_temporary() && backoff.failures() < TRIES => {
                tokio::time::sleep(backoff.next_delay()).await;
            }
            outcome => return outcome,
        }
    }
}
