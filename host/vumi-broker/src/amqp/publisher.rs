//! All messages that are published and not confirmed yet.
//!
//! A message first gets a place (there are so many, in number and in bytes), then stands in line, then is sent, and
//! stays here until RabbitMQ confirms it. When the connection is lost, what was sent stands in line again, in the old
//! order: RabbitMQ may get it twice, never not at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};
use vumi_core::{Error, Result};

use super::entry::{Answer, Entry, Letter, Place};
use crate::error;

/// Bytes are counted in units of this size.
const UNIT: usize = 1_024;

/// How often a message may have been on a channel that RabbitMQ closed, or be returned, before it is given up: it may
/// be the cause.
const PATIENCE: u32 = 5;

/// See the module's text.
pub(crate) struct Publisher {
    messages: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    max_messages: u32,
    max_units: u32,
    lines: Mutex<Lines>,
    /// Rung when a message stands in line.
    pub(crate) bell: Notify,
    /// Rung when there are no messages any more.
    empty: Notify,
}

#[derive(Default)]
struct Lines {
    next: u64,
    waiting: BTreeMap<u64, Entry>,
    sent: BTreeMap<u64, Entry>,
    /// The one that was sent alone, as it may be what RabbitMQ closes the channel for.
    suspect: Option<u64>,
    closed: bool,
}

/// What became of a returned message.
pub(crate) enum Returned {
    /// It is sent again.
    Kept,
    /// It was confirmed already, to the wrong one: this is it.
    Lost,
}

impl Publisher {
    pub(crate) fn new(max_messages: usize, max_bytes: usize) -> Self {
        let max_messages = u32::try_from(max_messages).unwrap_or(u32::MAX);
        let max_units = u32::try_from(max_bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        Self {
            messages: Arc::new(Semaphore::new(max_messages as usize)),
            bytes: Arc::new(Semaphore::new(max_units as usize)),
            max_messages,
            max_units,
            lines: Mutex::default(),
            bell: Notify::new(),
            empty: Notify::new(),
        }
    }

    /// A place for `count` messages with so many bytes, in turn. What is more than all places gets all of them.
    pub(crate) async fn reserve(&self, count: usize, bytes: usize) -> Result<Arc<Place>> {
        let count = u32::try_from(count).unwrap_or(u32::MAX).min(self.max_messages);
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, self.max_units);
        let messages = Arc::clone(&self.messages).acquire_many_owned(count).await;
        let bytes = Arc::clone(&self.bytes).acquire_many_owned(units).await;
        match (messages, bytes) {
            (Ok(messages), Ok(bytes)) => Ok(Arc::new(Place { _messages: messages, _bytes: bytes })),
            _ => Err(error::closed()),
        }
    }

    /// There are places.
    pub(crate) fn has_room(&self) -> bool {
        self.messages.available_permits() > 0 && self.bytes.available_permits() > 0
    }

    /// Puts messages in line, behind all others.
    pub(crate) fn publish(&self, entries: impl IntoIterator<Item = Entry>) {
        let mut refused = Vec::new();
        let mut lines = self.lines.lock();
        for entry in entries {
            if lines.closed {
                refused.push(entry);
                continue;
            }
            let number = lines.next;
            lines.next += 1;
            lines.waiting.insert(number, entry);
        }
        drop(lines);
        self.bell.notify_one();
        refused.into_iter().for_each(|entry| entry.answer.give(Err(error::closed())));
    }

    /// The next message to be sent. One that was sent before, and that nobody waits for any more, is passed over. One
    /// that was on a channel that RabbitMQ closed is sent alone, to see whether it is the cause.
    pub(crate) fn next(&self) -> Option<(u64, Letter)> {
        let mut lines = self.lines.lock();
        loop {
            if lines.suspect.is_some_and(|suspect| lines.sent.contains_key(&suspect)) {
                return None;
            }
            let suspect = lines.waiting.first_key_value().filter(|(_, entry)| entry.strikes > 0);
            lines.suspect = suspect.map(|(number, _)| *number);
            if lines.suspect.is_some() && !lines.sent.is_empty() {
                return None;
            }
            let (number, mut entry) = lines.waiting.pop_first()?;
            if entry.sent > 0 && entry.answer.is_abandoned() {
                self.tell_if_empty(&lines);
                continue;
            }
            entry.sent = entry.sent.saturating_add(1);
            entry.returned = false;
            let letter = entry.letter.clone();
            lines.sent.insert(number, entry);
            return Some((number, letter));
        }
    }

    /// RabbitMQ confirmed a message, or refused it. True when it had returned it: then it stands in line again.
    pub(crate) fn ended(&self, number: u64, result: Result<()>) -> bool {
        let mut lines = self.lines.lock();
        let Some(mut entry) = lines.sent.remove(&number) else { return false };
        if entry.returned {
            entry.returns += 1;
            if entry.returns < PATIENCE {
                lines.waiting.insert(number, entry);
                return true;
            }
        }
        self.tell_if_empty(&lines);
        drop(lines);
        let result = if entry.returned { Err(homeless(&entry.letter.key)) } else { result };
        entry.answer.give(result);
        false
    }

    /// Notes that RabbitMQ returned a message, which it confirms all the same. Found by what it is: the client library
    /// hands a returned message over with some confirmation, not always with its own.
    pub(crate) fn returned(&self, key: &str, body: &[u8]) -> Returned {
        let mut lines = self.lines.lock();
        let found = lines.sent.values_mut().find(|entry| {
            !entry.returned && entry.letter.mandatory && *entry.letter.key == *key && entry.letter.body == body
        });
        match found {
            Some(entry) => {
                entry.returned = true;
                Returned::Kept
            }
            None => Returned::Lost,
        }
    }

    /// Publishes a returned message again that was taken for confirmed. It needs no place: it had one a moment ago.
    pub(crate) fn rescue(&self, letter: Letter) {
        self.publish([Entry::new(letter, Answer::Nobody, None)]);
    }

    /// The channel is lost: what was sent stands in line again. `strike`: RabbitMQ closed it because of something that
    /// was sent; what was there too often is given up.
    pub(crate) fn recall(&self, strike: Option<&str>) {
        let mut given_up = Vec::new();
        let mut lines = self.lines.lock();
        for (number, mut entry) in std::mem::take(&mut lines.sent) {
            entry.strikes += u32::from(strike.is_some());
            match strike {
                Some(words) if entry.strikes >= PATIENCE => given_up.push((entry, words.to_owned())),
                _ => drop(lines.waiting.insert(number, entry)),
            }
        }
        self.tell_if_empty(&lines);
        drop(lines);
        for (entry, words) in given_up {
            let sentence = format!("RabbitMQ refuses a message for queue `{}`: {words}", entry.letter.key);
            entry.answer.give(Err(Error::temporary(sentence)));
        }
    }

    /// Gives up what waits for a queue that cannot be declared.
    pub(crate) fn give_up(&self, key: &str, sentence: &str) {
        let mut lines = self.lines.lock();
        let lost: Vec<_> = lines.waiting.extract_if(.., |_, entry| *entry.letter.key == *key).collect();
        self.tell_if_empty(&lines);
        drop(lines);
        lost.into_iter().for_each(|(_, entry)| entry.answer.give(Err(Error::temporary(sentence))));
    }

    /// Resolves when everything is confirmed.
    pub(crate) async fn idle(&self) {
        loop {
            let empty = self.empty.notified();
            {
                let lines = self.lines.lock();
                if lines.waiting.is_empty() && lines.sent.is_empty() {
                    return;
                }
            }
            empty.await;
        }
    }

    /// Refuses everything from now on; what is not confirmed has failed.
    pub(crate) fn close(&self) {
        let mut lines = self.lines.lock();
        lines.closed = true;
        let mut all = std::mem::take(&mut lines.sent);
        all.append(&mut lines.waiting);
        self.tell_if_empty(&lines);
        drop(lines);
        self.messages.close();
        self.bytes.close();
        all.into_values().for_each(|entry| entry.answer.give(Err(error::closed())));
    }

    fn tell_if_empty(&self, lines: &Lines) {
        if lines.waiting.is_empty() && lines.sent.is_empty() {
            self.empty.notify_waiters();
        }
    }
}

fn homeless(queue: &str) -> Error {
    Error::temporary(format!(
        "RabbitMQ returns messages for queue `{queue}`: something deletes the queue or its binding"
    ))
}

#[cfg(test)]
mod tests;
