//! The bounded buffer between those who report runs and log lines, which must never wait, and the thread that writes
//! them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use vumi_core::{LogLine, Run};

use super::options::StoreOptions;
use super::recorder::BATCH;

/// How long the thread waits for more when a first record has come. Without it a busy host would wake the thread, and
/// begin a transaction, for nearly every run.
const GATHER: Duration = Duration::from_millis(5);

/// What a record counts beside its texts, in bytes.
const UPKEEP: usize = 256;

/// A run or a log line.
#[derive(Clone, Debug)]
pub(super) enum Record {
    Run(Run),
    Log(LogLine),
}

impl Record {
    fn kind(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Log(_) => "log",
        }
    }

    fn size(&self) -> usize {
        let text = match self {
            Self::Run(run) => run.error.as_ref().map_or(0, String::len),
            Self::Log(line) => line.text.len(),
        };
        text.saturating_add(UPKEEP)
    }
}

/// Records that wait.
pub(super) struct Buffer {
    state: Mutex<State>,
    /// Told when a first record comes, when many wait, when somebody reads, and when the buffer is closed.
    changed: Condvar,
    max_records: usize,
    max_bytes: usize,
    dropped: AtomicU64,
}

struct State {
    records: VecDeque<Record>,
    bytes: usize,
    /// Records taken in since the start.
    accepted: u64,
    /// Somebody waits for what is here.
    hurry: bool,
    open: bool,
}

impl Buffer {
    pub(super) fn new(options: &StoreOptions) -> Self {
        Self {
            state: Mutex::new(State { records: VecDeque::new(), bytes: 0, accepted: 0, hurry: false, open: true }),
            changed: Condvar::new(),
            max_records: options.buffer_records,
            max_bytes: options.buffer_bytes,
            dropped: AtomicU64::new(0),
        }
    }

    /// Takes a record in, or drops and counts it.
    pub(super) fn put(&self, record: Record) {
        let size = record.size();
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
        drop(state);
        if tell {
            self.changed.notify_one();
        }
    }

    /// Whether it is time to write what waits, whatever else may come.
    fn holds_many(&self, state: &State) -> bool {
        state.records.len() >= BATCH.min(self.max_records / 2) || state.bytes >= self.max_bytes / 2
    }

    /// Takes up to `max` records out, waiting for the first, and then a moment for more; none once the buffer is closed
    /// and empty.
    pub(super) fn take(&self, max: usize) -> Option<Vec<Record>> {
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
        let batch: Vec<Record> = state.records.drain(..count).collect();
        let size = batch.iter().map(Record::size).fold(0, usize::saturating_add);
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
            tracing::warn!(dropped, "runs or log lines are dropped: the message store cannot keep up or cannot write");
        }
    }
}

#[cfg(test)]
mod tests {
    use vumi_core::LogLevel;
    use vumi_message::Timestamp;

    use super::*;

    fn line(text: &str) -> Record {
        Record::Log(LogLine {
            at: Timestamp::from_secs(0),
            app: "a".into(),
            sandbox_id: "s".into(),
            message_id: None,
            level: LogLevel::Info,
            source: "guest".into(),
            text: text.into(),
        })
    }

    fn buffer(buffer_records: usize, buffer_bytes: usize) -> Buffer {
        Buffer::new(&StoreOptions { buffer_records, buffer_bytes, ..StoreOptions::default() })
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
