//! The cache of [`super::SqliteKv`]: the values that were read or written last, so that most reads need not go through
//! a database thread, which costs some forty microseconds.
//!
//! It never shows anything but what the database has committed. Two rules make that so:
//!
//! - A write job announces each key that it changes, within its transaction ([`Cache::begin`]). From then until after
//!   the commit (or rollback) the key is not cached: readers go to the database. At the end the new value is put in,
//!   unless another write of the key began meanwhile.
//! - A reader who found nothing registers what it is about to read ([`Cache::get`]); the announcement of a write strikes
//!   that registration out. What was read goes in only if the registration still stands.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::parts::Parts;

/// What an entry costs beside the bytes of its key and value.
const UPKEEP: usize = 150;

/// Bytes that the cache of a store may hold, upkeep included.
pub(super) const BYTES: usize = 64 * 1024 * 1024;

/// The cache is split into so many parts, each with a lock and its share of the bytes.
const PARTS: usize = 16;

/// A value with its moment of expiry (milliseconds since the epoch); `None` is a key that is not there.
pub(super) type Known = Option<(String, Option<i64>)>;

type Entries = HashMap<Box<str>, Known>;

/// The cache of one store.
pub(super) struct Cache(Parts<Mutex<Part>>);

#[derive(Default)]
struct Part {
    /// Bytes that this part may hold.
    max_bytes: usize,
    /// Entries used lately; when they fill half of the room, they become `old`, and what was there is forgotten.
    young: Entries,
    old: Entries,
    /// The cost of `young`.
    bytes: usize,
    /// Keys that write jobs are changing.
    writing: HashMap<Box<str>, Writing>,
    /// Keys that are being read from the database, with the number of the read.
    reading: HashMap<Box<str>, u64>,
    /// Numbers given to reads and writes so far.
    numbers: u64,
}

/// Write jobs on one key that are not committed yet.
struct Writing {
    jobs: usize,
    /// The number of the last of them.
    last: u64,
}

/// What the cache says of a key.
pub(super) enum Lookup {
    Hit(Known),
    /// To be read from the database, and told to the cache if it takes it.
    Miss(Fill),
}

/// The right to put what was read into the cache, unless it is outdated by then.
pub(super) struct Fill {
    cache: Arc<Cache>,
    key: Box<str>,
    /// None while a write is going on: then nothing can be put in.
    number: Option<u64>,
}

/// A key that a write job changes.
pub(super) struct Change {
    key: Box<str>,
    number: u64,
}

impl Cache {
    /// An empty cache for so many bytes.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self(Parts::new(PARTS, || Mutex::new(Part { max_bytes: max_bytes / PARTS, ..Part::default() })))
    }

    /// The value, or the right to tell it.
    pub(super) fn get(self: &Arc<Self>, key: &str) -> Lookup {
        let mut part = self.0.of(key).lock();
        if let Some(known) = part.young.get(key) {
            return Lookup::Hit(known.clone());
        }
        if let Some((key, known)) = part.old.remove_entry(key) {
            let answer = known.clone();
            let forgotten = part.keep(key, known);
            drop(part);
            drop(forgotten);
            return Lookup::Hit(answer);
        }
        let number = (!part.writing.contains_key(key)).then(|| part.next_number());
        if let Some(number) = number {
            part.reading.insert(Box::from(key), number);
        }
        drop(part);
        Lookup::Miss(Fill { cache: Arc::clone(self), key: Box::from(key), number })
    }

    /// Announces that a write job changes `key`: called within the job's transaction, before the change.
    pub(super) fn begin(&self, key: &str) -> Change {
        let mut part = self.0.of(key).lock();
        if let Some(known) = part.young.remove(key) {
            part.bytes = part.bytes.saturating_sub(cost(key, &known));
        }
        part.old.remove(key);
        part.reading.remove(key);
        let number = part.next_number();
        let writing = part.writing.entry(Box::from(key)).or_insert(Writing { jobs: 0, last: 0 });
        writing.jobs += 1;
        writing.last = number;
        Change { key: Box::from(key), number }
    }

    /// Ends an announcement, after commit or rollback. `known` is what the key is after a commit, if that can be told.
    pub(super) fn end(&self, change: Change, known: Option<Known>) {
        let mut part = self.0.of(&change.key).lock();
        let Some(writing) = part.writing.get_mut(&change.key) else { return };
        writing.jobs = writing.jobs.saturating_sub(1);
        if writing.jobs > 0 {
            return;
        }
        let last = writing.last;
        part.writing.remove(&change.key);
        if last == change.number
            && let Some(known) = known
        {
            let forgotten = part.keep(change.key, known);
            drop(part);
            drop(forgotten);
        }
    }
}

#[cfg(test)]
impl Cache {
    /// Reads and writes that are registered now.
    pub(super) fn under_way(&self) -> usize {
        let parts = (0..PARTS).map(|place| self.0.at(place).lock());
        parts.map(|part| part.writing.len() + part.reading.len()).sum()
    }
}

impl Part {
    fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Puts an entry in. What had to be forgotten for it is returned, to be dropped without the lock.
    fn keep(&mut self, key: Box<str>, known: Known) -> Entries {
        let cost = cost(&key, &known);
        let mut forgotten = Entries::new();
        // A few large values must not push all others out.
        if cost > self.max_bytes / 32 {
            return forgotten;
        }
        if self.bytes.saturating_add(cost) > self.max_bytes / 2 {
            forgotten = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
            self.bytes = 0;
        }
        if let Some(before) = self.young.get(&key) {
            self.bytes = self.bytes.saturating_sub(self::cost(&key, before));
        }
        self.young.insert(key, known);
        self.bytes = self.bytes.saturating_add(cost);
        forgotten
    }
}

fn cost(key: &str, known: &Known) -> usize {
    let value = known.as_ref().map_or(0, |(value, _)| value.len());
    key.len().saturating_add(value).saturating_add(UPKEEP)
}

impl Fill {
    /// Puts in what was read, unless it may be outdated.
    pub(super) fn put(mut self, known: Known) {
        let Some(number) = self.number.take() else { return };
        let key = std::mem::take(&mut self.key);
        let mut part = self.cache.0.of(&key).lock();
        if part.reading.get(&key) == Some(&number) {
            part.reading.remove(&key);
            let forgotten = part.keep(key, known);
            drop(part);
            drop(forgotten);
        }
    }
}

impl Drop for Fill {
    fn drop(&mut self) {
        // Not put: the reader was dropped, the read failed, or the key is not for the cache.
        let Some(number) = self.number else { return };
        let mut part = self.cache.0.of(&self.key).lock();
        if part.reading.get(&self.key) == Some(&number) {
            part.reading.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> Arc<Cache> {
        Arc::new(Cache::new(BYTES))
    }

    fn value(text: &str) -> Known {
        Some((text.to_owned(), None))
    }

    fn hit(cache: &Arc<Cache>, key: &str) -> Option<Known> {
        match cache.get(key) {
            Lookup::Hit(known) => Some(known),
            Lookup::Miss(_) => None,
        }
    }

    fn miss(cache: &Arc<Cache>, key: &str) -> Fill {
        match cache.get(key) {
            Lookup::Hit(known) => panic!("found {known:?}"),
            Lookup::Miss(fill) => fill,
        }
    }

    #[test]
    fn what_was_read_and_what_was_written_is_found() {
        let cache = cache();
        miss(&cache, "k").put(value("1"));
        assert_eq!(hit(&cache, "k"), Some(value("1")));
        miss(&cache, "absent").put(None);
        assert_eq!(hit(&cache, "absent"), Some(None));
        let change = cache.begin("k");
        assert_eq!(hit(&cache, "k"), None, "not cached while it is written");
        cache.end(change, Some(value("2")));
        assert_eq!(hit(&cache, "k"), Some(value("2")));
        let change = cache.begin("k");
        cache.end(change, None);
        assert_eq!(hit(&cache, "k"), None, "rolled back");
    }

    #[test]
    fn a_read_that_a_write_overtook_is_not_put_in() {
        let cache = cache();
        let (before, change) = (miss(&cache, "k"), cache.begin("k"));
        let during = miss(&cache, "k");
        cache.end(change, None);
        before.put(value("old"));
        during.put(value("old"));
        assert_eq!(hit(&cache, "k"), None);
        miss(&cache, "k").put(value("new"));
        assert_eq!(hit(&cache, "k"), Some(value("new")));
    }

    #[test]
    fn of_two_writes_at_once_neither_is_put_in_unless_it_is_known_to_be_the_last() {
        let cache = cache();
        let (first, second) = (cache.begin("k"), cache.begin("k"));
        cache.end(second, Some(value("2")));
        assert_eq!(hit(&cache, "k"), None, "the first is still going on");
        cache.end(first, Some(value("1")));
        assert_eq!(hit(&cache, "k"), None, "the first was not the last");
        let (first, second) = (cache.begin("k"), cache.begin("k"));
        cache.end(first, Some(value("1")));
        cache.end(second, Some(value("2")));
        assert_eq!(hit(&cache, "k"), Some(value("2")));
    }

    #[test]
    fn a_read_that_is_given_up_leaves_nothing_behind() {
        let cache = cache();
        drop(miss(&cache, "k"));
        assert_eq!(cache.under_way(), 0);
        let change = cache.begin("k");
        cache.end(change, None);
        assert_eq!(cache.under_way(), 0);
    }

    #[test]
    fn it_stays_within_its_bytes_and_keeps_what_is_used() {
        let cache = Arc::new(Cache::new(PARTS * 64 * 1024));
        let text = "x".repeat(850);
        miss(&cache, "used").put(value("u"));
        for n in 0..10_000 {
            miss(&cache, &format!("key {n}")).put(value(&text));
            assert_eq!(hit(&cache, "used"), Some(value("u")), "after {n}");
        }
        let mut entries = 0;
        for place in 0..PARTS {
            let part = cache.0.at(place).lock();
            let cost = |map: &Entries| map.iter().map(|(key, known)| cost(key, known)).sum::<usize>();
            assert_eq!(cost(&part.young), part.bytes);
            assert!(cost(&part.young) + cost(&part.old) <= 64 * 1024);
            entries += part.young.len() + part.old.len();
        }
        assert!(entries > PARTS * 30, "{entries}");
        miss(&cache, "large").put(value(&"x".repeat(3_000)));
        assert_eq!(hit(&cache, "large"), None, "too large to be kept");
    }
}
