//! The rules. Each takes a backend and opens recordings with the bounds that it needs.

#![allow(dead_code, reason = "each test file is a crate of its own and uses a part of this")]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may fail loudly")]

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use vumi_core::{Clock, Difference, Outcome, Recording, RecordingBounds, RecordingQuery, Recordings};
use vumi_message::Timestamp;
use vumi_store::{Durability, Location, RECORDINGS_FILE, SqliteRecordings};

use crate::kit::FakeClock;

/// A way to open recordings.
pub(crate) struct Backend {
    location: Location,
    pub(crate) clock: Arc<FakeClock>,
    /// Deleted with the backend.
    _directory: Option<TempDir>,
}

impl Backend {
    pub(crate) fn memory() -> Self {
        Self { location: Location::Memory, clock: FakeClock::new(), _directory: None }
    }

    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let location = Location::File(directory.path().join(RECORDINGS_FILE));
        Self { location, clock: FakeClock::new(), _directory: Some(directory) }
    }

    fn open(&self, bounds: RecordingBounds) -> SqliteRecordings {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        SqliteRecordings::open(self.location.clone(), Durability::Process, bounds, clock).expect("opens")
    }

    fn usual(&self) -> SqliteRecordings {
        self.open(RecordingBounds::default())
    }

    /// The moment of the clock, some microseconds later.
    fn at(&self, later: u64) -> Timestamp {
        Timestamp::from_micros(self.clock.now().micros() + i64::try_from(later).expect("small"))
    }

    /// Number `n`, from the clock's moment on, with a tape of some bytes.
    fn recording(&self, n: u64, tape: usize) -> Recording {
        Recording { tape: "t".repeat(tape), at: self.at(n), ..recording(n) }
    }
}

pub(crate) fn recording(n: u64) -> Recording {
    Recording {
        id: format!("{n:032x}"),
        at: Timestamp::from_micros(1_700_000_000_000_000),
        app: "shop".into(),
        version: Some(3),
        hash: "ab".repeat(32),
        message_id: format!("m{n}"),
        user: Some("+27831234567".into()),
        outcome: Outcome::CpuLimit,
        sent: u64::MAX,
        cpu_us: n,
        wall_us: u64::MAX,
        tape: "{\"text\":\"\u{1f4fc} \\\"\n\0\"}".into(),
    }
}

pub(crate) fn difference(app: &str, n: u64) -> Difference {
    Difference {
        seq: 0,
        at: Timestamp::from_micros(-1),
        app: app.into(),
        live_version: 3,
        shadow_version: u32::MAX,
        message_id: format!("m{n}"),
        user: None,
        kind: "replies".into(),
        live: "\"hello\"\n".into(),
        shadow: "nothing".into(),
    }
}

/// The numbers of all recordings, newest first.
async fn numbers(recordings: &dyn Recordings, query: RecordingQuery) -> Vec<u64> {
    let listed = recordings.list(query).await.expect("lists");
    assert!(listed.iter().all(|recording| recording.tape.is_empty()), "tapes are not listed");
    listed.into_iter().map(|recording| recording.cpu_us).collect()
}

async fn all(recordings: &dyn Recordings) -> Vec<u64> {
    numbers(recordings, RecordingQuery { limit: usize::MAX, ..RecordingQuery::default() }).await
}

async fn seqs(recordings: &dyn Recordings, app: &str, before: Option<u64>, limit: usize) -> Vec<u64> {
    let found = recordings.differences(app, before, limit).await.expect("reads");
    found.into_iter().map(|difference| difference.seq).collect()
}

pub(crate) async fn a_recording_is_read_as_it_was_put(backend: Backend) {
    let recordings = backend.usual();
    let one = recording(1);
    let other = Recording { version: None, user: None, tape: String::new(), outcome: Outcome::Ok, ..recording(2) };
    recordings.put(one.clone());
    recordings.put(other.clone());
    for wanted in [&one, &other] {
        assert_eq!(recordings.get(&wanted.id).await.expect("reads").as_ref(), Some(wanted));
    }
    let listed = recordings.list(RecordingQuery::default()).await.expect("lists");
    assert_eq!(listed, [other, Recording { tape: String::new(), ..one }]);
    assert_eq!(recordings.get("none").await.expect("reads"), None);
}

pub(crate) async fn a_reader_sees_what_was_put_before(backend: Backend) {
    let recordings = backend.usual();
    for n in 1..=100 {
        let one = recording(n);
        recordings.put(one.clone());
        assert_eq!(recordings.get(&one.id).await.expect("reads"), Some(one));
        recordings.put_difference(difference("shop", n));
        assert_eq!(seqs(&recordings, "shop", None, 1).await, [n]);
    }
}

pub(crate) async fn lists_come_newest_first_and_in_pages(backend: Backend) {
    let recordings = backend.usual();
    // They end, and are put, in another order than they begin.
    for n in (0..250).map(|n| n * 7 % 250) {
        recordings.put(backend.recording(n, 3));
    }
    let newest: Vec<u64> = (0..250).rev().collect();
    assert_eq!(all(&recordings).await, newest);
    assert_eq!(numbers(&recordings, RecordingQuery::default()).await, newest[..100], "a hundred without being asked");
    let mut read = Vec::new();
    let mut before = None;
    loop {
        let query = RecordingQuery { before, limit: 60, ..RecordingQuery::default() };
        let page = recordings.list(query).await.expect("lists");
        let Some(last) = page.last() else { break };
        before = Some(last.at);
        read.extend(page.iter().map(|recording| recording.cpu_us));
    }
    assert_eq!(read, newest);
    // Of the same moment, what was put last comes first.
    for n in [1_000, 1_001] {
        recordings.put(Recording { at: backend.at(9_999), ..recording(n) });
    }
    assert_eq!(all(&recordings).await[..2], [1_001, 1_000]);
}

pub(crate) async fn lists_are_filtered_by_app_and_user(backend: Backend) {
    let recordings = backend.usual();
    for n in 0..24 {
        let user = (n % 3 > 0).then(|| format!("user {}", n % 3));
        recordings.put(Recording { app: format!("app {}", n % 2), user, ..backend.recording(n, 1) });
    }
    let query = |app: Option<&str>, user: Option<&str>| RecordingQuery {
        app: app.map(str::to_owned),
        user: user.map(str::to_owned),
        ..RecordingQuery::default()
    };
    let wanted = |holds: fn(u64) -> bool| (0..24).rev().filter(|n| holds(*n)).collect::<Vec<u64>>();
    assert_eq!(numbers(&recordings, query(Some("app 1"), None)).await, wanted(|n| n % 2 == 1));
    assert_eq!(numbers(&recordings, query(None, Some("user 2"))).await, wanted(|n| n % 3 == 2));
    assert_eq!(numbers(&recordings, query(Some("app 1"), Some("user 2"))).await, wanted(|n| n % 6 == 5));
    assert!(numbers(&recordings, query(Some("app 2"), None)).await.is_empty());
    assert!(numbers(&recordings, query(None, Some(""))).await.is_empty(), "nobody is not the empty name");
    let before = RecordingQuery { before: Some(backend.at(11)), limit: 1, ..query(Some("app 1"), Some("user 2")) };
    assert_eq!(numbers(&recordings, before).await, [5], "11 is not before itself");
}

pub(crate) async fn one_of_the_same_id_replaces_the_other(backend: Backend) {
    let recordings = backend.open(RecordingBounds { recordings: 3, bytes: 100, ..RecordingBounds::default() });
    for size in [10, 60, 20, 90, 30] {
        let one = backend.recording(1, size);
        recordings.put(one.clone());
        assert_eq!(recordings.get(&one.id).await.expect("reads"), Some(one));
    }
    // It counts once: as one, and with the bytes of its last tape.
    recordings.put(backend.recording(2, 70));
    assert_eq!(all(&recordings).await, [2, 1]);
    recordings.put(backend.recording(3, 0));
    assert_eq!(all(&recordings).await, [3, 2, 1]);
    recordings.put(backend.recording(4, 0));
    assert_eq!(all(&recordings).await, [4, 3, 2]);
}

pub(crate) async fn no_more_than_so_many_are_kept(backend: Backend) {
    let recordings = backend.open(RecordingBounds { recordings: 50, ..RecordingBounds::default() });
    for n in 0..5_000 {
        recordings.put(backend.recording(n, 1));
    }
    assert_eq!(all(&recordings).await, (4_950..5_000).rev().collect::<Vec<u64>>());
    assert_eq!(recordings.dropped(), 0, "what is forgotten is not dropped");
    // One that began before all others is the first to go.
    recordings.put(backend.recording(7, 1));
    assert_eq!(all(&recordings).await, (4_950..5_000).rev().collect::<Vec<u64>>());
}

pub(crate) async fn the_tapes_have_a_bound_together(backend: Backend) {
    let recordings = backend.open(RecordingBounds { bytes: 5_000, ..RecordingBounds::default() });
    for n in 0..7_000 {
        recordings.put(backend.recording(n, 1));
    }
    assert_eq!(all(&recordings).await.len(), 5_000);
    recordings.put(backend.recording(10_000, 4_600));
    assert_eq!(all(&recordings).await.len(), 401, "one large one takes the place of many small ones");
    recordings.put(backend.recording(10_001, 5_000));
    assert_eq!(all(&recordings).await, [10_001], "as large as the bound fits");
    recordings.put(backend.recording(10_002, 0));
    assert_eq!(all(&recordings).await, [10_002, 10_001]);
    recordings.put(backend.recording(10_003, 1));
    assert_eq!(all(&recordings).await, [10_003, 10_002]);
}

pub(crate) async fn a_tape_that_can_never_fit_is_dropped_alone(backend: Backend) {
    let recordings = backend.open(RecordingBounds { bytes: 1_000, ..RecordingBounds::default() });
    recordings.put(backend.recording(1, 900));
    recordings.put(backend.recording(2, 1_001));
    assert_eq!(all(&recordings).await, [1]);
    assert_eq!(recordings.dropped(), 1);
}

pub(crate) async fn the_old_are_forgotten(backend: Backend) {
    let bounds = RecordingBounds { recordings: 4, age: Duration::from_secs(60), ..RecordingBounds::default() };
    let recordings = backend.open(bounds);
    let (one, other) = (backend.recording(1, 1), backend.recording(2, 1));
    for recording in [&one, &other] {
        recordings.put(recording.clone());
    }
    backend.clock.advance(Duration::from_micros(60_000_001));
    assert_eq!(all(&recordings).await, [2, 1], "a minute old, and a microsecond younger");
    backend.clock.advance(Duration::from_micros(1));
    assert_eq!(all(&recordings).await, [2]);
    assert_eq!(recordings.get(&one.id).await.expect("reads"), None);
    assert_eq!(recordings.get(&other.id).await.expect("reads"), Some(other));
    // The forgotten ones take nobody's place.
    for n in 3..=5 {
        recordings.put(backend.recording(n, 1));
    }
    assert_eq!(all(&recordings).await, [5, 4, 3, 2]);
    backend.clock.advance_secs(61);
    assert!(all(&recordings).await.is_empty());
    recordings.put(backend.recording(6, 1));
    assert_eq!(all(&recordings).await, [6]);
    // One that is too old when it comes does not stay.
    recordings.put(recording(7));
    assert_eq!(all(&recordings).await, [6]);
}

pub(crate) async fn differences_come_newest_first_and_in_pages(backend: Backend) {
    let recordings = backend.usual();
    for n in 1..=30 {
        recordings.put_difference(difference(["shop", "cafe"][usize::from(n % 3 == 0)], n));
    }
    let found = recordings.differences("cafe", None, 2).await.expect("reads");
    assert_eq!(found, [30, 27].map(|n| Difference { seq: n, ..difference("cafe", n) }));
    let mut read = Vec::new();
    let mut before = None;
    loop {
        let page = seqs(&recordings, "cafe", before, 4).await;
        let Some(last) = page.last() else { break };
        before = Some(*last);
        read.extend(page);
    }
    assert_eq!(read, (1..=10).rev().map(|n| n * 3).collect::<Vec<u64>>());
    assert_eq!(seqs(&recordings, "shop", Some(u64::MAX), usize::MAX).await.len(), 20);
    assert!(seqs(&recordings, "shop", None, 0).await.is_empty());
    assert!(seqs(&recordings, "farm", None, 9).await.is_empty());
    assert!(all(&recordings).await.is_empty());
}

pub(crate) async fn no_more_than_so_many_differences_are_kept(backend: Backend) {
    let recordings = backend.open(RecordingBounds { differences: 20, ..RecordingBounds::default() });
    for n in 1..=5_000 {
        recordings.put_difference(difference(["shop", "cafe"][usize::from(n % 2 == 0)], n));
    }
    assert_eq!(seqs(&recordings, "cafe", None, 100).await, (2_491..=2_500).rev().map(|n| n * 2).collect::<Vec<u64>>());
    assert_eq!(seqs(&recordings, "shop", None, 100).await.len(), 10);
    assert_eq!(recordings.dropped(), 0);
}

pub(crate) async fn zero_is_taken_as_one(backend: Backend) {
    let bounds = RecordingBounds { recordings: 0, bytes: 10, differences: 0, ..RecordingBounds::default() };
    let recordings = backend.open(bounds);
    for n in 1..=3 {
        recordings.put(backend.recording(n, 1));
        recordings.put_difference(difference("shop", n));
    }
    assert_eq!(all(&recordings).await, [3]);
    assert_eq!(seqs(&recordings, "shop", None, 9).await, [3]);
}

pub(crate) async fn after_closing_nothing_is_taken(backend: Backend) {
    let recordings = backend.usual();
    recordings.close().await;
    recordings.close().await;
    recordings.put(recording(1));
    recordings.put_difference(difference("shop", 1));
    assert_eq!(recordings.dropped(), 2);
    let error = recordings.list(RecordingQuery::default()).await.expect_err("is closed");
    assert!(error.is_temporary());
    assert_eq!(error.report(), "the store of recordings could not be read: the database is closed");
}
