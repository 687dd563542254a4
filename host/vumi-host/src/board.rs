//! What is known of the running system at this moment: the state of each worker, where it listens, what has passed.
//!
//! The board is the live feed's tap, so its counts miss nothing. A task that follows the feed hands every happening on
//! to the admin server's stream and to the book of simulated phones; under heavy load that one may skip entries.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use tokio::sync::broadcast::error::RecvError;
use vumi_admin::model::{
    AppCounters, BuildView, LastError, StatusChange, SystemEvent, TransportCounters, WorkerKind, WorkerStatus,
};
use vumi_admin::{EventHub, PhoneBook};
use vumi_core::feed::Tap;
use vumi_core::{Feed, Happening, MessageRecord, Outcome, Run};
use vumi_message::Timestamp;

use crate::views;

/// Events that a client of the stream may be behind.
const STREAM_LENGTH: usize = 4096;

/// The state of one worker.
#[derive(Clone, Debug)]
pub(crate) struct WorkerState {
    pub(crate) kind: WorkerKind,
    pub(crate) status: WorkerStatus,
    pub(crate) message: Option<String>,
    pub(crate) at: Option<String>,
}

#[derive(Default)]
struct Known {
    workers: BTreeMap<String, WorkerState>,
    apps: BTreeMap<String, (AppCounters, Option<LastError>)>,
    transports: BTreeMap<String, TransportCounters>,
    /// By app, of those whose source is watched.
    builds: BTreeMap<String, BuildView>,
}

/// See the module's text.
pub(crate) struct Board {
    known: RwLock<Known>,
    pub(crate) hub: EventHub,
    pub(crate) phones: PhoneBook,
    simulator: Option<String>,
}

impl Board {
    /// A board and the feed that it belongs to. `simulator` names the transport behind the phones.
    pub(crate) fn with_feed(simulator: Option<String>) -> (Arc<Self>, Feed) {
        let board = Arc::new(Self {
            known: RwLock::default(),
            hub: EventHub::new(STREAM_LENGTH),
            phones: PhoneBook::new(),
            simulator,
        });
        let feed = Feed::tapped(Arc::clone(&board) as Arc<dyn Tap>);
        let mut watch = feed.watch();
        let follower = Arc::clone(&board);
        tokio::spawn(async move {
            loop {
                match watch.recv().await {
                    Ok(entry) => follower.show(&entry.happening),
                    Err(RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "the live view fell behind and skipped entries")
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        });
        (board, feed)
    }

    /// Adds a worker, before it is started.
    pub(crate) fn expect(&self, kind: WorkerKind, name: &str) {
        let state = WorkerState { kind, status: WorkerStatus::Starting, message: None, at: None };
        self.known.write().workers.insert(key(kind, name), state);
    }

    /// Takes a worker off, once it has stopped for good.
    pub(crate) fn forget(&self, kind: WorkerKind, name: &str) {
        self.known.write().workers.remove(&key(kind, name));
    }

    /// One worker's state.
    pub(crate) fn worker(&self, kind: WorkerKind, name: &str) -> Option<WorkerState> {
        self.known.read().workers.get(&key(kind, name)).cloned()
    }

    /// The names of the workers that do not work.
    pub(crate) fn down(&self) -> Vec<String> {
        let known = self.known.read();
        let down = known.workers.iter().filter(|(_, state)| state.status == WorkerStatus::Down);
        down.map(|(name, _)| name.clone()).collect()
    }

    /// True when every worker that was expected has come up.
    pub(crate) fn all_up(&self) -> bool {
        let up = [WorkerStatus::Ok, WorkerStatus::Degraded];
        self.known.read().workers.values().all(|state| up.contains(&state.status))
    }

    pub(crate) fn app(&self, name: &str) -> (AppCounters, Option<LastError>) {
        self.known.read().apps.get(name).cloned().unwrap_or_default()
    }

    /// Says what became of building an app, to all who look at it.
    pub(crate) fn build(&self, build: BuildView) {
        self.known.write().builds.insert(build.app.clone(), build.clone());
        self.hub.publish(SystemEvent::Build(build));
    }

    /// What became of the newest build of an app.
    pub(crate) fn newest_build(&self, app: &str) -> Option<BuildView> {
        self.known.read().builds.get(app).cloned()
    }

    pub(crate) fn transport(&self, name: &str) -> TransportCounters {
        self.known.read().transports.get(name).cloned().unwrap_or_default()
    }

    /// Fills the phones with what the store still has of them, oldest first.
    pub(crate) fn recall(&self, records: &[MessageRecord]) {
        for record in records {
            self.phones.record(&views::message(record));
        }
    }

    /// Hands a happening on to those who watch.
    fn show(&self, happening: &Happening) {
        match happening {
            Happening::Message(record) => {
                let view = views::message(record);
                let of_a_phone = self.simulator.as_ref() == Some(&record.transport_name);
                let update = of_a_phone.then(|| self.phones.record(&view)).flatten();
                self.hub.publish(SystemEvent::Message(view));
                if let Some(update) = update {
                    self.hub.publish(SystemEvent::Phone(update));
                }
            }
            Happening::Run(run) => {
                self.hub.publish(SystemEvent::Run(views::run(run)));
            }
            Happening::Log(line) => {
                self.hub.publish(SystemEvent::Log(views::log(line)));
            }
            _ => {}
        }
    }

    fn change(&self, name: &str, status: WorkerStatus, message: Option<String>, at: Option<String>) {
        let kind = {
            let mut known = self.known.write();
            let Some(state) = known.workers.get_mut(name) else { return };
            state.status = status;
            state.message.clone_from(&message);
            if at.is_some() {
                state.at = at;
            }
            state.kind
        };
        let name = name.split_once(':').map_or(name, |(_, name)| name).to_owned();
        let at = views::micros(Timestamp::now());
        self.hub.publish(SystemEvent::Status(StatusChange { at, kind, name, status, message }));
    }
}

impl Tap for Board {
    fn see(&self, happening: &Happening) {
        match happening {
            Happening::Message(record) => self.known.write().count_message(record),
            Happening::Run(run) => self.known.write().count_run(run),
            Happening::Ready { name, at } => self.change(name, WorkerStatus::Ok, None, at.clone()),
            Happening::Worker { name, state, reason } => {
                let status = match state.as_str() {
                    "starting" => WorkerStatus::Starting,
                    "waiting" => WorkerStatus::Down,
                    _ => WorkerStatus::Stopping,
                };
                self.change(name, status, reason.clone(), None);
            }
            _ => {}
        }
    }
}

impl Known {
    fn count_message(&mut self, record: &MessageRecord) {
        if !self.transports.contains_key(&record.transport_name) {
            self.transports.insert(record.transport_name.clone(), TransportCounters::default());
        }
        let Some(counters) = self.transports.get_mut(&record.transport_name) else { return };
        match record.direction.as_str() {
            "inbound" => counters.inbound += 1,
            "outbound" => counters.outbound += 1,
            "failure" => counters.failures += 1,
            _ => counters.events += 1,
        }
    }

    fn count_run(&mut self, run: &Run) {
        if !self.apps.contains_key(&run.app) {
            self.apps.insert(run.app.clone(), Default::default());
        }
        let Some((counters, last_error)) = self.apps.get_mut(&run.app) else { return };
        counters.runs += 1;
        counters.sent += run.sent;
        if run.outcome != Outcome::Ok {
            let reason = run.outcome.code().to_owned();
            *counters.failures.entry(reason.clone()).or_default() += 1;
            let message = run.error.clone().unwrap_or_default();
            *last_error = Some(LastError { at: views::micros(run.at), reason, message });
        }
    }
}

/// A worker's name on the feed.
pub(crate) fn key(kind: WorkerKind, name: &str) -> String {
    let kind = match kind {
        WorkerKind::App => "app",
        WorkerKind::Transport => "transport",
        WorkerKind::Dispatcher => "dispatcher",
        WorkerKind::Worker => "worker",
    };
    vumi_core::feed::worker_name(kind, name)
}
