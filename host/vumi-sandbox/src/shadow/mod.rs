//! The shadow: a new version of an app runs beside the live one, on the same messages, and is seen by nobody.
//!
//! It reads the kv that the live version reads, as it was before the live version's run, and writes to an overlay of
//! its own; it sends nothing and makes no requests: those that the live version made are answered as they were
//! answered to it. What it would have sent, how it ended and what it used is compared, and differences are kept for
//! the app's owner.
//!
//! Both runs are watched through a [`Witness`], which belongs to the task of a run, so that the live path is as it
//! always is while no version is in the shadow.

mod compare;
mod overlay;
mod silent;
mod witness;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use vumi_core::{Input, KvStore, Lanes, Outbox, Recordings};

use crate::app::{App, AppShared};
use crate::plan::Release;
use crate::run::Finished;
use crate::tape::{Deck, Nothing};

pub(crate) use witness::{Witness, answered, exchanged, is_watched, witnessed};

/// Shadow runs that wait or run at a time; more are left out and counted.
const WAITING: usize = 1_024;

/// Shadow runs of one app side by side.
const PARALLEL: usize = 8;

/// A version in the shadow.
pub struct Shadow {
    release: Release,
    /// What the live runs reach, watched.
    live: Arc<AppShared>,
    /// What the shadow's runs reach.
    own: Arc<AppShared>,
    recordings: Arc<dyn Recordings>,
    lanes: Lanes,
    waiting: AtomicUsize,
    runs: AtomicU64,
    skipped: AtomicU64,
    differences: AtomicU64,
}

impl Shadow {
    /// A shadow of an app. Its overlay begins empty.
    pub fn of(app: &App, release: Release, recordings: Arc<dyn Recordings>) -> Arc<Self> {
        let shared = app.shared();
        let watched: Arc<dyn KvStore> = Arc::new(overlay::Watched::new(Arc::clone(&shared.kv)));
        let over: Arc<dyn KvStore> = Arc::new(overlay::Overlay::new(Arc::clone(&shared.kv)));
        let listening: Arc<dyn Outbox> = Arc::new(silent::Listening(Arc::clone(&shared.outbox)));
        Arc::new(Self {
            release,
            live: Arc::new(AppShared { kv: watched, outbox: listening, ..shared.beside() }),
            own: Arc::new(AppShared {
                kv: over,
                outbox: Arc::new(silent::NoOutbox),
                store: Arc::new(Nothing),
                feed: vumi_core::Feed::default(),
                metrics: Arc::new(Nothing),
                deck: Arc::new(Deck::silent()),
                ..shared.beside()
            }),
            recordings,
            lanes: Lanes::new(PARALLEL),
            waiting: AtomicUsize::new(0),
            runs: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            differences: AtomicU64::new(0),
        })
    }

    /// The version's number.
    pub fn number(&self) -> Option<u32> {
        self.release.number
    }

    /// Runs so far, runs that were left out because too many were waiting, and differences found.
    pub fn counts(&self) -> (u64, u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.runs), read(&self.skipped), read(&self.differences))
    }

    /// Waits until no run is under way.
    pub async fn idle(&self) {
        self.lanes.idle().await;
    }

    /// Runs the live version under watch, and then, beside what follows, the shadow.
    pub(crate) async fn run(self: &Arc<Self>, app: &App, live: &Release, input: &Input) -> Finished {
        let (finished, witness) =
            witnessed(Witness::live(), app.runner().run_release(live, &self.live, None, input)).await;
        // A run that is going to be repeated is compared when it has ended well.
        if finished.again.is_some() {
            return finished;
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.skipped.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("vumi_shadow_skipped_total", "app" => app.name().to_owned()).increment(1);
            return finished;
        }
        let (shadow, runner, input, run) =
            (Arc::clone(self), app.runner().clone(), input.clone(), finished.run.clone());
        let live_number = live.number.unwrap_or_default();
        let lane = match &input {
            Input::Message(message) => message.user().unwrap_or_default().to_owned(),
            Input::Event(event) => event.user_message_id().unwrap_or_default().to_owned(),
        };
        self.lanes.submit(lane, async move {
            let work = runner.run_release(&shadow.release, &shadow.own, None, &input);
            let (own, seen) = witnessed(Witness::shadow(&witness), work).await;
            shadow.waiting.fetch_sub(1, Ordering::Relaxed);
            shadow.runs.fetch_add(1, Ordering::Relaxed);
            let number = shadow.release.number.unwrap_or_default();
            for difference in compare::differences(&run, &witness, live_number, &own.run, &seen, number) {
                shadow.differences.fetch_add(1, Ordering::Relaxed);
                metrics::counter!("vumi_shadow_differences_total", "app" => run.app.clone()).increment(1);
                shadow.recordings.put_difference(difference);
            }
        });
        finished
    }
}
