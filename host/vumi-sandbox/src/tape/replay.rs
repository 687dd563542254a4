//! Runs a tape again, with the component that made it or with another one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;
use vumi_core::{Feed, Outcome};

use super::departure::Departure;
use super::document::TapeDocument;
use super::nothing::Nothing;
use super::player::Player;
use super::text::TapeError;
use super::{Deck, Tape};
use crate::app::{AppShared, LoadedComponent};
use crate::engine::Sandbox;
use crate::gauges::Gauges;
use crate::limits::Limits;
use crate::run;
use crate::stage::MaybeStage;
use crate::web::{WebClient, WebPolicy};

/// What came of a replay.
#[derive(Clone, Debug, Serialize)]
pub struct Replayed {
    /// SHA-256 of the component that ran.
    pub hash: String,
    /// How the run ended.
    pub outcome: Outcome,
    /// One sentence, when it did not end well.
    pub error: Option<String>,
    /// The messages that it sent, each as its JSON text. They went nowhere.
    pub sent: Vec<String>,
    /// Where it did something else than the tape says, in order; the first 1,000.
    pub departures: Vec<Departure>,
    /// How many more there were.
    pub more_departures: u64,
    /// The guest's own CPU time, in microseconds.
    pub cpu_us: u64,
    /// Time from start to end, in microseconds.
    pub wall_us: u64,
    /// Host calls made.
    pub host_calls: u64,
    /// Largest linear memory, in bytes.
    pub peak_memory: u64,
    /// Log bytes written, stdout and stderr included.
    pub log_bytes: u64,
}

impl Sandbox {
    /// Makes the run of a tape again, with this component. Calls, clocks and random numbers come from the tape; the run
    /// touches no kv, web, broker, store, log or metric, and its messages go nowhere. Its limits are those on the tape,
    /// on the clock of now: what depends on real time (a CPU limit that was just missed, a deadline that passed while
    /// the guest slept) can end otherwise, and is then a departure.
    ///
    /// # Errors
    /// [`TapeError::Truncated`], [`TapeError::Component`] when the component cannot be brought into memory, or
    /// [`TapeError::Unreadable`] when the message on the tape is none.
    pub async fn replay(&self, component: &LoadedComponent, tape: &TapeDocument) -> Result<Replayed, TapeError> {
        if tape.truncated {
            return Err(TapeError::Truncated);
        }
        let input = tape.input()?;
        let shared = Arc::new(AppShared::of_tape(tape));
        let playing = Tape::playing(Player::new(tape.clone()));
        let ready = component.version().ready().await.map_err(TapeError::Component)?;
        let place = self.place().await;
        let finished = run::once(self, &shared, place, &ready, None, &input, Some(&playing)).await;
        let player = playing.played().unwrap_or_default();
        Ok(player.judge(component.hash().to_owned(), finished.run))
    }
}

impl AppShared {
    /// The app as it was when the tape was written, in the middle of nothing.
    fn of_tape(tape: &TapeDocument) -> Self {
        let settings = &tape.settings;
        let timeout = Duration::from_secs(settings.timeout_s.max(1));
        Self {
            sandbox_id: tape.sandbox_id.clone(),
            config: settings.config.clone(),
            legacy: Arc::new(settings.legacy.clone()),
            allowed_helper_metadata: settings.allowed_helper_metadata.clone(),
            endpoints: settings.endpoints.clone(),
            send_to: settings.send_to.clone(),
            http_timeout: Duration::from_secs(settings.http_timeout_s.max(1)),
            http_data_limit: settings.http_data_limit,
            ..Self::nowhere(&tape.app, settings.limits.clone(), timeout)
        }
    }

    /// An app that can reach nothing and leaves no trace.
    pub(crate) fn nowhere(name: &str, limits: Limits, timeout: Duration) -> Self {
        Self {
            name: name.to_owned(),
            kv_prefix: String::new(),
            kv_counter: String::new(),
            sandbox_id: name.to_owned(),
            limits,
            timeout,
            config: BTreeMap::new(),
            legacy: Arc::default(),
            metrics_prefix: String::new(),
            metric_names: Mutex::default(),
            allowed_helper_metadata: Vec::new(),
            endpoints: Vec::new(),
            send_to: BTreeMap::new(),
            web: Arc::new(WebClient::new(WebPolicy::default())),
            http_timeout: timeout,
            http_data_limit: 0,
            kv: Arc::new(Nothing),
            store: Arc::new(Nothing),
            feed: Feed::default(),
            outbox: Arc::new(Nothing),
            metrics: Arc::new(Nothing),
            io: tokio::runtime::Handle::current(),
            gauges: Gauges::of(name),
            account: Arc::default(),
            deck: Arc::new(Deck::silent()),
            stage: MaybeStage::default(),
        }
    }
}
