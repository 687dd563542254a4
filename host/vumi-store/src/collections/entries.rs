//! The keys with their values, in order, with what they cost, and an index of the moments at which they expire. Its one
//! job is that these always agree.

use std::collections::{BTreeMap, BTreeSet};

use super::value::{Kind, Value};
use crate::expiry::is_live;

/// What a key costs beside its bytes and its value: its places in the map and the index.
pub(super) const UPKEEP: usize = 200;

/// A value with its expiry.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) value: Value,
    /// In milliseconds since the epoch.
    pub(super) expires: Option<i64>,
    /// The cost of the value.
    cost: usize,
}

impl Entry {
    pub(super) fn new(value: Value, expires: Option<i64>) -> Self {
        let cost = value.cost();
        Self { value, expires, cost }
    }
}

/// See the module's text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entries {
    map: BTreeMap<String, Entry>,
    /// Moment and key.
    expiring: BTreeSet<(i64, String)>,
    bytes: usize,
}

impl Entries {
    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The entry, expired or not.
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.map.get(key)
    }

    /// The entry, unless it has expired.
    pub(super) fn live(&self, key: &str, now: i64) -> Option<&Entry> {
        self.map.get(key).filter(|entry| is_live(entry.expires, now))
    }

    /// The keys that begin with `prefix` and have not expired, in order.
    pub(super) fn live_from<'a>(&'a self, prefix: &'a str, now: i64) -> impl Iterator<Item = &'a String> {
        self.map
            .range::<str, _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(prefix))
            .filter(move |(_, entry)| is_live(entry.expires, now))
            .map(|(key, _)| key)
    }

    /// Puts an entry in, in place of what was there.
    pub(super) fn insert(&mut self, key: &str, entry: Entry) {
        self.remove(key);
        self.bytes = self.bytes.saturating_add(key_cost(key)).saturating_add(entry.cost);
        if let Some(at) = entry.expires {
            self.expiring.insert((at, key.to_owned()));
        }
        self.map.insert(key.to_owned(), entry);
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<Entry> {
        let entry = self.map.remove(key)?;
        self.bytes = self.bytes.saturating_sub(key_cost(key)).saturating_sub(entry.cost);
        if let Some(at) = entry.expires {
            self.expiring.remove(&(at, key.to_owned()));
        }
        Some(entry)
    }

    /// Lets a key expire at a moment; false when there is none.
    pub(super) fn expire(&mut self, key: &str, at: i64) -> bool {
        let Some(entry) = self.map.get_mut(key) else { return false };
        if let Some(before) = entry.expires.replace(at) {
            self.expiring.remove(&(before, key.to_owned()));
        }
        self.expiring.insert((at, key.to_owned()));
        true
    }

    /// Changes a value, which is made empty when there is none and removed when it is empty afterwards. `change` answers
    /// what it likes, the bytes that the value has gained, and those it has lost.
    pub(super) fn change<T>(&mut self, key: &str, kind: Kind, change: impl FnOnce(&mut Value) -> Changed<T>) -> T {
        if !self.map.contains_key(key) {
            self.insert(key, Entry::new(kind.empty(), None));
        }
        let Some(entry) = self.map.get_mut(key) else {
            // Never: it was put in above.
            return change(&mut kind.empty()).answer;
        };
        let Changed { answer, gained, lost } = change(&mut entry.value);
        entry.cost = entry.cost.saturating_add(gained).saturating_sub(lost);
        self.bytes = self.bytes.saturating_add(gained).saturating_sub(lost);
        if entry.value.len() == 0 {
            self.remove(key);
        }
        answer
    }

    /// The key that expired first, if one has.
    pub(super) fn due(&self, now: i64) -> Option<String> {
        self.expiring.first().filter(|(at, _)| !is_live(Some(*at), now)).map(|(_, key)| key.clone())
    }
}

/// What became of a value.
pub(super) struct Changed<T> {
    pub(super) answer: T,
    pub(super) gained: usize,
    pub(super) lost: usize,
}

/// The cost of a key without its value.
pub(super) fn key_cost(key: &str) -> usize {
    key.len().saturating_add(UPKEEP)
}

#[cfg(test)]
impl Entries {
    /// Everything agrees.
    pub(super) fn assert_sound(&self) {
        let bytes: usize = self.map.iter().map(|(key, entry)| key_cost(key) + entry.value.cost()).sum();
        assert_eq!(self.bytes, bytes);
        let expiring = self.map.iter().filter_map(|(key, entry)| Some((entry.expires?, key.clone())));
        assert_eq!(self.expiring, expiring.collect());
        assert!(self.map.values().all(|entry| entry.value.len() > 0), "an empty collection");
    }
}
