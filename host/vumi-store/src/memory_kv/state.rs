//! The plain operations on the entries: what is visible at a moment, what is thrown away, what there is room for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use vumi_core::KvEntry;

use super::MemoryBounds;
use super::entries::{Due, Entries, Entry, cost};
use crate::error::StoreError;
use crate::expiry::{is_live, left_ms, moment};
use crate::number;

/// Due keys that one write looks at: more than one, so that expired keys go faster than they come.
const REAPED_PER_WRITE: usize = 16;

/// All that the mutex guards.
pub(super) struct State {
    pub(super) entries: Entries,
    bounds: MemoryBounds,
}

impl State {
    pub(super) fn new(bounds: MemoryBounds) -> Self {
        Self { entries: Entries::new(), bounds }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The value; asks for the time only when it matters.
    pub(super) fn get(&self, key: &str, now: impl FnOnce() -> i64) -> Option<String> {
        let entry = self.entries.get(key)?;
        if entry.expires.is_none() && !self.entries.counts_expiring(key) {
            return Some(String::from(&*entry.value));
        }
        let now = now();
        is_live(entry.expires, now).then(|| self.shown(key, entry, now))
    }

    pub(super) fn set(&mut self, key: &str, value: &str, ttl: Option<Duration>, now: i64) -> Result<(), StoreError> {
        self.reap(now);
        let expires = ttl.map(|ttl| moment(now, ttl));
        if self.is_there(key, now) { self.change(key, value, expires, now) } else { self.add(key, value, expires, now) }
    }

    pub(super) fn set_if_absent(
        &mut self,
        key: &str,
        value: &str,
        ttl: Option<Duration>,
        now: i64,
    ) -> Result<bool, StoreError> {
        self.reap(now);
        if self.is_there(key, now) {
            return Ok(false);
        }
        self.add(key, value, ttl.map(|ttl| moment(now, ttl)), now).map(|()| true)
    }

    pub(super) fn delete(&mut self, key: &str, now: i64) -> bool {
        self.reap(now);
        let existed = self.is_there(key, now);
        if existed {
            self.remove(key, now);
        }
        existed
    }

    pub(super) fn incr(&mut self, key: &str, amount: i64, now: i64) -> Result<i64, StoreError> {
        self.reap(now);
        if self.is_there(key, now) {
            return self.add_to(key, amount, now);
        }
        self.add(key, &amount.to_string(), None, now).map(|()| amount)
    }

    pub(super) fn ttl_ms(&self, key: &str, now: i64) -> Option<u64> {
        let expires = self.entries.get(key)?.expires?;
        (expires > now).then(|| left_ms(expires, now))
    }

    /// Adds to `found` the visible keys of one part that begin with `prefix`, and keeps the first `limit` of all.
    pub(super) fn list(
        &self,
        part: usize,
        prefix: &str,
        limit: usize,
        found: &mut BTreeMap<Arc<str>, KvEntry>,
        now: i64,
    ) {
        for (key, entry) in self.entries.in_part(part) {
            let wanted = found.len() < limit || found.last_key_value().is_some_and(|(last, _)| key < last);
            if !wanted || !key.starts_with(prefix) || !is_live(entry.expires, now) {
                continue;
            }
            let ttl_ms = entry.expires.map(|at| left_ms(at, now));
            let shown = KvEntry { key: String::from(&**key), value: self.shown(key, entry, now), ttl_ms };
            found.insert(Arc::clone(key), shown);
            if found.len() > limit {
                found.pop_last();
            }
        }
    }

    /// The value as a reader sees it: a counter without the keys that have expired but are still held.
    fn shown(&self, key: &str, entry: &Entry, now: i64) -> String {
        match self.entries.expired_of(key, now) {
            0 => None,
            gone => number::fewer(&entry.value, i64::try_from(gone).unwrap_or(i64::MAX)),
        }
        .map_or_else(|| String::from(&*entry.value), |number| number.to_string())
    }

    /// The entry, if it is there and not expired.
    pub(super) fn live(&self, key: &str, now: i64) -> Option<&Entry> {
        self.entries.get(key).filter(|entry| is_live(entry.expires, now))
    }

    /// Whether the key is there; an expired one is thrown away, so that a new one can take its place.
    pub(super) fn is_there(&mut self, key: &str, now: i64) -> bool {
        let live = self.entries.get(key).map(|entry| is_live(entry.expires, now));
        if live == Some(false) {
            self.remove(key, now);
        }
        live == Some(true)
    }

    /// Changes a key that is there.
    pub(super) fn change(&mut self, key: &str, value: &str, expires: Option<i64>, now: i64) -> Result<(), StoreError> {
        let held = self.entries.get(key).map_or(0, |entry| entry.value.len());
        self.make_room(0, value.len().saturating_sub(held), now)?;
        self.entries.change(key, value, expires);
        Ok(())
    }

    /// Adds to the number at a key that is there; its expiry stays.
    pub(super) fn add_to(&mut self, key: &str, amount: i64, now: i64) -> Result<i64, StoreError> {
        let Some(entry) = self.entries.get(key) else { return Err(StoreError::NotAnInteger) };
        let (sum, expires) = (number::add(number::parse(&entry.value)?, amount)?, entry.expires);
        self.change(key, &sum.to_string(), expires, now)?;
        Ok(sum)
    }

    /// Adds a key that is not there, and is not counted.
    fn add(&mut self, key: &str, value: &str, expires: Option<i64>, now: i64) -> Result<(), StoreError> {
        self.make_room(1, cost(key, value), now)?;
        self.entries.insert(key, Entry::new(value, expires, None));
        Ok(())
    }

    /// Makes sure that so many keys and bytes more have a place.
    pub(super) fn make_room(&mut self, keys: usize, bytes: usize, now: i64) -> Result<(), StoreError> {
        loop {
            // What does not grow is let through even beyond the bound, or a full store could not be worked down.
            let full = (keys > 0 && self.entries.len().saturating_add(keys) > self.bounds.keys)
                || (bytes > 0 && self.entries.bytes().saturating_add(bytes) > self.bounds.bytes);
            if !full {
                return Ok(());
            }
            if !self.throw_one(now) {
                return Err(StoreError::Full { keys: self.bounds.keys, bytes: self.bounds.bytes });
            }
        }
    }

    /// Throws some expired keys away.
    pub(super) fn reap(&mut self, now: i64) {
        for _ in 0..REAPED_PER_WRITE {
            if !self.throw_one(now) {
                return;
            }
        }
    }

    /// Looks at the key that is due first, and throws it away if it has expired; false when none is due.
    fn throw_one(&mut self, now: i64) -> bool {
        match self.entries.due(now) {
            Due::Nothing => return false,
            Due::Later => {}
            Due::Expired(key) => self.remove(&key, now),
        }
        true
    }
}
