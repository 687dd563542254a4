//! The live feed: what happens, as it happens, for whoever watches.
//!
//! It is a broadcast of bounded length: who reads too slowly misses entries and is told how many, and never holds
//! anybody up. One [`Tap`] sees every entry as it passes, for counting. With neither, an entry is not even built.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::Serialize;
use tokio::sync::broadcast;

use crate::run::{LogLine, Run};
use crate::store::MessageRecord;

/// How many entries a watcher may be behind.
const FEED_LENGTH: usize = 16_384;

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Happening {
    /// A message passed a transport.
    Message(MessageRecord),
    /// A run of an app ended.
    Run(Run),
    /// An app wrote to its log.
    Log(LogLine),
    /// A worker works.
    Ready {
        /// Its name, see [`worker_name`].
        name: String,
        /// Where it listens or is connected to, e.g. `127.0.0.1:9010`, for those that do.
        at: Option<String>,
    },
    /// A worker changed its state.
    Worker {
        /// Its name, see [`worker_name`].
        name: String,
        /// `starting`, `waiting` (before a restart), `stopped`.
        state: String,
        /// Why, where there is a reason.
        reason: Option<String>,
    },
}

/// A worker's name on the feed, `kind:name`: a transport and an app may have the same name.
pub fn worker_name(kind: &str, name: &str) -> String {
    format!("{kind}:{name}")
}

/// An entry with its number.
#[derive(Clone, Debug)]
pub struct Sequenced {
    /// Rising by one with each entry.
    pub id: u64,
    /// What happened.
    pub happening: Happening,
}

/// Sees every entry, on the thread that tells it; must be quick.
pub trait Tap: Send + Sync + 'static {
    /// One entry.
    fn see(&self, happening: &Happening);
}

/// The sending side; clones share one feed.
#[derive(Clone)]
pub struct Feed {
    sender: broadcast::Sender<Arc<Sequenced>>,
    counts: Arc<Counts>,
    tap: Option<Arc<dyn Tap>>,
}

#[derive(Default)]
struct Counts {
    /// Entries so far.
    told: AtomicU64,
    /// Whether anybody has ever watched. Until then nobody asks the broadcast for its watchers, which takes a lock that
    /// all threads share.
    ever_watched: AtomicBool,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").field("watchers", &self.sender.receiver_count()).finish_non_exhaustive()
    }
}

impl Default for Feed {
    fn default() -> Self {
        let (sender, _) = broadcast::channel(FEED_LENGTH);
        Self { sender, counts: Arc::default(), tap: None }
    }
}

impl Feed {
    /// A feed with a tap.
    pub fn tapped(tap: Arc<dyn Tap>) -> Self {
        Self { tap: Some(tap), ..Self::default() }
    }

    /// Tells the tap and the watchers, if there are any.
    pub fn tell(&self, build: impl FnOnce() -> Happening) {
        let watched = self.counts.ever_watched.load(Ordering::Relaxed) && self.sender.receiver_count() > 0;
        if !watched && self.tap.is_none() {
            return;
        }
        let happening = build();
        if let Some(tap) = &self.tap {
            tap.see(&happening);
        }
        if !watched {
            return;
        }
        let id = self.counts.told.fetch_add(1, Ordering::Relaxed) + 1;
        // An error means that the last watcher has just left.
        let _ = self.sender.send(Arc::new(Sequenced { id, happening }));
    }

    /// Watches from now on.
    pub fn watch(&self) -> broadcast::Receiver<Arc<Sequenced>> {
        let watcher = self.sender.subscribe();
        // Never taken back: a watcher that comes while another leaves must not be missed.
        self.counts.ever_watched.store(true, Ordering::Relaxed);
        watcher
    }
}
