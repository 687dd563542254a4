//! Recordings of runs, and differences that a shadow showed: kept for people, bounded in number, size and age.
//!
//! As with [`Store::put_run`](crate::Store::put_run), putting one never holds a run up: what does not fit is dropped
//! and counted.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use vumi_message::Timestamp;

use crate::error::Result;
use crate::run::Outcome;

/// One recorded run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// Names it: 32 lower-case hexadecimal digits.
    pub id: String,
    /// When the run began.
    pub at: Timestamp,
    /// The app.
    pub app: String,
    /// The version that ran, where versions are numbered.
    pub version: Option<u32>,
    /// SHA-256 of the component that ran.
    pub hash: String,
    /// The message or event that started the run.
    pub message_id: String,
    /// The user of the conversation, where there is one.
    pub user: Option<String>,
    /// How the run ended.
    pub outcome: Outcome,
    /// Messages that it sent.
    pub sent: u64,
    /// CPU time of the guest, in microseconds.
    pub cpu_us: u64,
    /// Time from start to end, in microseconds.
    pub wall_us: u64,
    /// Everything that is needed to run it again, as JSON text in the format of the sandbox.
    pub tape: String,
}

/// One difference between the live version's run on a message and the shadow's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Rising; 0 before it is kept.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The app.
    pub app: String,
    /// The version that answered.
    pub live_version: u32,
    /// The version that ran in the shadow.
    pub shadow_version: u32,
    /// The message or event.
    pub message_id: String,
    /// The user of the conversation, where there is one.
    pub user: Option<String>,
    /// `replies`, `outcome` or `time`.
    pub kind: String,
    /// What the live version did, for people.
    pub live: String,
    /// What the shadow did, for people.
    pub shadow: String,
}

/// Which records to read: newest first.
#[derive(Clone, Debug, Default)]
pub struct RecordingQuery {
    /// Only of this app.
    pub app: Option<String>,
    /// Only of this user.
    pub user: Option<String>,
    /// Only before this time.
    pub before: Option<Timestamp>,
    /// At most so many; 0 means 100.
    pub limit: usize,
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordingBounds {
    /// Recordings.
    pub recordings: u64,
    /// Bytes of all tapes together.
    pub bytes: u64,
    /// How old a recording may become.
    pub age: Duration,
    /// Differences.
    pub differences: u64,
}

impl Default for RecordingBounds {
    fn default() -> Self {
        Self { recordings: 100_000, bytes: 256 << 20, age: Duration::from_secs(7 * 24 * 3600), differences: 10_000 }
    }
}

/// See the module's text.
#[async_trait]
pub trait Recordings: Send + Sync + 'static {
    /// Keeps a recording. Never waits.
    fn put(&self, recording: Recording);

    /// Recordings, newest first, their tapes left empty.
    async fn list(&self, query: RecordingQuery) -> Result<Vec<Recording>>;

    /// One recording, with its tape.
    async fn get(&self, id: &str) -> Result<Option<Recording>>;

    /// Keeps a difference. Never waits.
    fn put_difference(&self, difference: Difference);

    /// Differences of an app, newest first, only before a `seq`.
    async fn differences(&self, app: &str, before: Option<u64>, limit: usize) -> Result<Vec<Difference>>;

    /// Stops: everything taken is written.
    async fn close(&self);
}
