//! The map itself with its indexes by moment of expiry. Knows nothing of quotas; its one job is that the indexes, the
//! number of keys and of bytes, and the entries always agree.
//!
//! The indexes are lazy: an entry stands in them at a moment *at or before* its expiry. A key whose expiry is put off
//! again and again (a session that goes on, the common case) so costs no work there; it is moved on when its old moment
//! comes. Only an earlier expiry moves it at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::expiry::is_live;
use crate::parts::Parts;

/// What an entry costs beside the bytes of its key and value: its places in the map and the indexes.
const UPKEEP: usize = 200;

/// The map is split into so many.
pub(super) const PARTS: usize = 64;

/// A value with what is to be known about it.
pub(super) struct Entry {
    pub(super) value: Box<str>,
    /// The moment it expires, in milliseconds since the epoch.
    pub(super) expires: Option<i64>,
    /// The key of the counter that counts it.
    pub(super) counter: Option<Arc<str>>,
    /// Where it stands in the indexes.
    indexed: Option<i64>,
}

impl Entry {
    pub(super) fn new(value: &str, expires: Option<i64>, counter: Option<Arc<str>>) -> Self {
        Self { value: Box::from(value), expires, counter, indexed: None }
    }
}

/// Keys in the order of the moments at which they are to be looked at.
type Index = BTreeSet<(i64, Arc<str>)>;

/// What the index says about a moment.
pub(super) enum Due {
    /// Nothing has to be done any more.
    Nothing,
    /// A key was moved on: its expiry had been put off.
    Later,
    /// This key has expired.
    Expired(Arc<str>),
}

/// Entries and indexes.
pub(super) struct Entries {
    parts: Parts<HashMap<Arc<str>, Entry>>,
    len: usize,
    bytes: usize,
    index: Index,
    /// The keys of `index` that are counted, by their counter: what is needed to tell the exact number of live keys
    /// without having to throw away all that has expired.
    counted: HashMap<Arc<str>, Index>,
}

/// What an entry of these lengths counts.
pub(super) fn cost(key: &str, value: &str) -> usize {
    key.len().saturating_add(value.len()).saturating_add(UPKEEP)
}

fn first(index: &Index, now: i64) -> Option<(i64, Arc<str>)> {
    index.first().filter(|(at, _)| *at <= now).cloned()
}

impl Entries {
    pub(super) fn new() -> Self {
        Self { parts: Parts::new(PARTS, HashMap::new), len: 0, bytes: 0, index: Index::new(), counted: HashMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.parts.of(key).get(key)
    }

    /// The entries of one part, from 0 to [`PARTS`], in no order.
    pub(super) fn in_part(&self, part: usize) -> impl Iterator<Item = (&Arc<str>, &Entry)> {
        self.parts.at(part).iter()
    }

    /// The text as a key, shared with the entry of that key if there is one.
    pub(super) fn share(&self, key: &str) -> Arc<str> {
        let held = self.parts.of(key).get_key_value(key);
        held.map_or_else(|| Arc::from(key), |(shared, _)| Arc::clone(shared))
    }

    /// Adds an entry whose key is not there.
    pub(super) fn insert(&mut self, key: &str, mut entry: Entry) {
        let shared: Arc<str> = Arc::from(key);
        let cost = cost(key, &entry.value);
        if let Some(at) = entry.expires {
            entry.indexed = Some(at);
            self.enter(at, &shared, entry.counter.as_ref());
        }
        self.parts.of_mut(key).insert(shared, entry);
        self.len += 1;
        self.bytes = self.bytes.saturating_add(cost);
    }

    /// Changes the value and expiry of an entry that is there; its counter stays.
    pub(super) fn change(&mut self, key: &str, value: &str, expires: Option<i64>) {
        let Some(entry) = self.parts.of_mut(key).get_mut(key) else { return };
        self.bytes = self.bytes.saturating_sub(entry.value.len()).saturating_add(value.len());
        entry.value = Box::from(value);
        entry.expires = expires;
        if let Some(at) = expires
            && entry.indexed.is_none_or(|indexed| indexed > at)
        {
            let (old, counter) = (entry.indexed.replace(at), entry.counter.clone());
            let shared = self.share(key);
            self.leave(old, &shared, counter.as_ref());
            self.enter(at, &shared, counter.as_ref());
        }
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, key: &str) -> Option<Entry> {
        let (shared, entry) = self.parts.of_mut(key).remove_entry(key)?;
        self.len -= 1;
        self.bytes = self.bytes.saturating_sub(cost(key, &entry.value));
        self.leave(entry.indexed, &shared, entry.counter.as_ref());
        Some(entry)
    }

    /// Looks at the first key of the index.
    pub(super) fn due(&mut self, now: i64) -> Due {
        match first(&self.index, now) {
            Some((_, key)) => self.look(key, now),
            None => Due::Nothing,
        }
    }

    /// Looks at the first of the keys that are counted in `counter`.
    pub(super) fn due_of(&mut self, counter: &str, now: i64) -> Due {
        match self.counted.get(counter).and_then(|index| first(index, now)) {
            Some((_, key)) => self.look(key, now),
            None => Due::Nothing,
        }
    }

    /// How many keys counted in `counter` have expired but are still held.
    pub(super) fn expired_of(&self, counter: &str, now: i64) -> usize {
        let Some(index) = self.counted.get(counter) else { return 0 };
        let looked_at = index.iter().take_while(|(at, _)| *at <= now);
        looked_at.filter(|(_, key)| self.get(key).is_some_and(|entry| !is_live(entry.expires, now))).count()
    }

    /// True when keys that may expire are counted in `counter`.
    pub(super) fn counts_expiring(&self, counter: &str) -> bool {
        self.counted.contains_key(counter)
    }

    /// Judges a key whose moment in the index has come.
    fn look(&mut self, key: Arc<str>, now: i64) -> Due {
        // Every key in the index has an entry; without one there would be nothing to do for it.
        let Some(entry) = self.parts.of_mut(&key).get_mut(&key) else {
            return Due::Nothing;
        };
        if !is_live(entry.expires, now) {
            return Due::Expired(key);
        }
        let (old, counter) = (std::mem::replace(&mut entry.indexed, entry.expires), entry.counter.clone());
        let later = entry.expires;
        self.leave(old, &key, counter.as_ref());
        if let Some(at) = later {
            self.enter(at, &key, counter.as_ref());
        }
        Due::Later
    }

    fn enter(&mut self, at: i64, key: &Arc<str>, counter: Option<&Arc<str>>) {
        self.index.insert((at, Arc::clone(key)));
        if let Some(counter) = counter {
            self.counted.entry(Arc::clone(counter)).or_default().insert((at, Arc::clone(key)));
        }
    }

    fn leave(&mut self, at: Option<i64>, key: &Arc<str>, counter: Option<&Arc<str>>) {
        let Some(at) = at else { return };
        let place = (at, Arc::clone(key));
        self.index.remove(&place);
        if let Some(counter) = counter
            && let Some(index) = self.counted.get_mut(counter)
        {
            index.remove(&place);
            if index.is_empty() {
                self.counted.remove(counter);
            }
        }
    }
}
