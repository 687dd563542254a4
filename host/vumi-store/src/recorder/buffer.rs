//! The bounded buffer between those who report, who must never wait, and the thread that writes what they report.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::{BATCH, Record, Words};

/// How long the thread waits for more when a first record has come. Without it a busy host would wake the thread, and
/// begin a transaction, for nearly every run.
const GATHER: Duration = Duration::from_millis(5);

/// What a record counts beside its texts, in bytes.
const UPKEEP: usize = 256;

fn size_of(record: &impl Record) -> usize {
    record.size().saturating_add(UPKEEP)
}

/// Records that wait.
pub(super) struct Buffer<R> {
    state: Mutex<State<R>>,
    /// Told when a first record comes, when many wait, when somebody reads, and when the buffer is closed.
    changed: Condvar,
    max_records: usize,
    max_bytes: usize,
    dropped: AtomicU64,
    words: Words,
}

struct State<R> {
    records: VecDeque<R>,
    bytes: usize,
    /// Records taken in since the start.
    accepted: u64,
    /// Somebody waits for what is here.
    hurry: bool,
    open: bool,
}

impl<R: Record> Buffer<R> {
    pub(super) fn new(max_records: usize, max_bytes: usize, words: Words) -> Self {
        Self {
            state: Mutex::new(State { records: VecDeque::new(), bytes: 0, accepted: 0, hurry: false, open: true }),
            changed: Condvar::new(),
            max_records,
            max_bytes,
            dropped: AtomicU64::new(0),
            words,
        }
    }

    /// Takes a record in, or drops and counts it.
    pub(super) fn put(&self, record: R) {
        let size = size_of(&record);
        let mut state = self.state.lock();
        // One record is always taken, whatever its size: none may be too large to be stored at all.
        let room = state.records.is_empty()
            || (state.records.len() < self.max_records && state.bytes.saturating_add(size) <= self.max_bytes);
        if !state.open || !room {
            drop(state);
            self.count_dropped(record.kind(), 1);
            return;
        }
        state.records.push_back(record);
        state.bytes = state.bytes.saturating_add(size);
        state.accepted += 1;
        let tell = state.records.len() == 1 || self.holds_many(&state);
        // To whoever waits: an app that logs without end would else take the lock again before another has woken up.
        MutexGuard::unlock_fair(state);
        if tell {
            self.changed.notify_one();
        }
    }

    /// Whether it is time to write what waits, whatever else may come.
    fn holds_many(&self, state: &State<R>) -> bool {
        state.records.len() >= BATCH.min(self.max_records / 2) || state.bytes >= self.max_bytes / 2
    }

    /// Takes up to `max` records out, waiting for the first, and then a moment for more; none once the buffer is closed
    /// and empty.
    pub(super) fn take(&self, max: usize) -> Option<Vec<R>> {
        let mut state = self.state.lock();
        while state.records.is_empty() {
            if !state.open {
                return None;
            }
            self.changed.wait(&mut state);
        }
        let end = Instant::now() + GATHER;
        while state.open && !state.hurry && state.records.len() < max && !self.holds_many(&state) {
            if self.changed.wait_until(&mut state, end).timed_out() {
                break;
            }
        }
        state.hurry = false;
        let count = state.records.len().min(max);
        let batch: Vec<R> = state.records.drain(..count).collect();
        let size = batch.iter().map(size_of).fold(0, usize::saturating_add);
        state.bytes = state.bytes.saturating_sub(size);
        Some(batch)
    }

    /// Has what waits taken at once.
    pub(super) fn hurry(&self) {
        self.state.lock().hurry = true;
        self.changed.notify_one();
    }

    /// Waits until `pause` has passed or the buffer is closed; false when it was closed before.
    pub(super) fn pause(&self, pause: Duration) -> bool {
        let end = Instant::now() + pause;
        let mut state = self.state.lock();
        if !state.open {
            return false;
        }
        while state.open && !self.changed.wait_until(&mut state, end).timed_out() {}
        true
    }

    /// Refuses records from now on; those that wait stay.
    pub(super) fn close(&self) {
        self.state.lock().open = false;
        self.changed.notify_all();
    }

    /// How many records were taken in since the start.
    pub(super) fn accepted(&self) -> u64 {
        self.state.lock().accepted
    }

    /// How many were dropped since the start.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Counts dropped records, and says so at the 1st, 2nd, 4th, 8th, … one: a flood must not flood the host's log too.
    pub(super) fn count_dropped(&self, kind: &'static str, count: u64) {
        metrics::counter!("vumi_store_dropped_total", "kind" => kind).increment(count);
        let before = self.dropped.fetch_add(count, Ordering::Relaxed);
        let dropped = before.saturating_add(count);
        if before.checked_ilog2() != dropped.checked_ilog2() {
            let Words { records, store } = self.words;
            tracing::warn!(dropped, "{records} are dropped: the {store} cannot keep up or cannot write");
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) const WORDS: Words = Words { records: "texts", store: "test" };

    pub(in super::super) struct Text(String);

    impl Record for Text {
        fn kind(&self) -> &'static str {
            "text"
        }

        fn size(&self) -> usize {
            self.0.len()
        }
    }

    pub(in super::super) fn buffer(max_records: usize, max_bytes: usize) -> Buffer<Text> {
        Buffer::new(max_records, max_bytes, WORDS)
    }

    fn line(text: &str) -> Text {
        Text(text.to_owned())
    }

    #[test]
    fn both_bounds_hold_and_taking_frees_room() {
        let by_number = buffer(2, 1_000_000);
        (0..5).for_each(|_| by_number.put(line("x")));
        assert_eq!((by_number.accepted(), by_number.dropped()), (2, 3));
        assert_eq!(by_number.take(1).expect("open").len(), 1);
        by_number.put(line("x"));
        assert_eq!((by_number.accepted(), by_number.dropped()), (3, 3));

        let by_size = buffer(100, 2 * (UPKEEP + 10));
        (0..3).for_each(|_| by_size.put(line("0123456789")));
        assert_eq!((by_size.accepted(), by_size.dropped()), (2, 1));
        assert_eq!(by_size.take(100).expect("open").len(), 2);
        by_size.put(line(&"x".repeat(10_000)));
        by_size.put(line("x"));
        assert_eq!((by_size.accepted(), by_size.dropped()), (3, 2), "a large one is taken alone");
    }

    #[test]
    fn what_comes_within_a_moment_is_taken_together_unless_somebody_waits() {
        let slow = buffer(100, 1_000_000);
        slow.put(line("x"));
        let began = Instant::now();
        assert_eq!(slow.take(BATCH).expect("open").len(), 1);
        assert!(began.elapsed() >= GATHER, "more might have come");
        (0..50).for_each(|_| slow.put(line("x")));
        assert!(slow.holds_many(&slow.state.lock()), "half of the bound");
        assert_eq!(slow.take(BATCH).expect("open").len(), 50);
        let read = buffer(100, 1_000_000);
        read.put(line("x"));
        read.hurry();
        assert!(read.state.lock().hurry);
        assert_eq!(read.take(BATCH).expect("open").len(), 1);
        assert!(!read.state.lock().hurry, "the next batch may gather again");
    }

    #[test]
    fn what_waits_at_closing_can_still_be_taken() {
        let buffer = buffer(10, 1_000_000);
        buffer.put(line("x"));
        buffer.close();
        buffer.put(line("y"));
        assert_eq!(buffer.dropped(), 1);
        assert_eq!(buffer.take(10).map(|batch| batch.len()), Some(1));
        assert!(buffer.take(10).is_none());
        assert!(!buffer.pause(Duration::from_secs(60)), "closed: no pause");
    }
}
